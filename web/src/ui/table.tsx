/** Lists of things: a table whose rows are gone through with j and k, and opened with Enter. */

import { useRef, useState, type ReactNode } from "react";

import { useShortcut } from "../shell/keys";

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand at the end. */
  end?: boolean;
}

/** For thousands of rows use TanStack Virtual instead. The first column holds the row's link.
 *
 * Where there is no room for columns, as on a phone, each row is a card of titles and values.
 */
export function DataTable<T>({
  label,
  columns,
  rows,
  rowKey,
  empty,
}: {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  empty: ReactNode;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [active, setActive] = useState<string | number | null>(null);
  const go = (by: number) => {
    const at = rows.findIndex((row) => rowKey(row) === active);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
    if (!next) return;
    setActive(rowKey(next));
    const line = body.current?.rows.item(rows.indexOf(next));
    line?.querySelector<HTMLElement>("a, button, input")?.focus();
    line?.scrollIntoView({ block: "nearest" });
  };
  useShortcut("j", "Next row", () => go(1));
  useShortcut("k", "Previous row", () => go(-1));
  if (rows.length === 0) return empty;
  return (
    <div className="table-scroll" role="group" aria-label={label} tabIndex={0}>
      <table className="table cards">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr>
            {columns.map((one) => (
              <th key={one.id} scope="col" className={one.end ? "end" : undefined}>
                {one.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-active={rowKey(row) === active || undefined}>
              {columns.map((one) => (
                <td key={one.id} data-title={one.title} className={one.end ? "end num" : undefined}>
                  {one.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
