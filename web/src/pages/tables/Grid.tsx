/** The grid: rows in a window over up to a million, one cell in the tab order, arrows go on from it. */

import { useVirtualizer, defaultRangeExtractor } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";

import type { Schemas } from "../../api/client";
import { Unreachable } from "../../api/problem";
import { useShortcut } from "../../shell/keys";
import { Icon } from "../../ui/icons";
import { useNow } from "../../ui/values";
import { ValueCell } from "./ValueCell";
import { titleOf } from "./Columns";
import { textOf, useRows, type RowOut } from "./rows";

export interface GridColumn {
  id: string;
  title: string;
  kind: "row" | "state" | "input" | "carried" | "icp" | "field";
  /** The word that sorts by it; none: it does not. */
  sort?: string;
  /** In rem. */
  width: number;
}

export interface Place {
  row: number;
  column: number;
}

type FileColumn = Schemas["FileColumn"];

const ROW_REM = 2.875;
const AROUND = 60;
/** Rows are asked for where somebody looks: at most so often, and where they only come past not at all. */
const LOOK_MS = 120;
const FAR = 300;
const MINUTE_MS = 60_000;
const BADLY: ReadonlySet<string> = new Set(["failed", "cancelled"]);

/** Columns in order; those of a file as it has them, with what was carried through in its place. */
export function gridColumns(
  file: readonly FileColumn[],
  inputs: readonly string[],
  fields: readonly string[],
  scored: boolean,
): GridColumn[] {
  const given = [
    ...file.filter((one) => one.taken_for === null || inputs.includes(one.taken_for)),
    ...inputs
      .filter((name) => file.every((one) => one.taken_for !== name))
      .map((name) => ({ name, taken_for: name })),
  ];
  return [
    { id: "row", title: "#", kind: "row", width: 4 },
    ...given.map(({ name, taken_for }) => {
      const id = taken_for === null ? `file.${name}` : `input.${taken_for}`;
      return {
        id,
        title: taken_for === null ? name : titleOf(taken_for),
        kind: taken_for === null ? ("carried" as const) : ("input" as const),
        sort: id,
        width: 13,
      };
    }),
    ...(scored ? [{ id: "icp", title: "ICP score", kind: "icp" as const, sort: "icp", width: 7 }] : []),
    ...fields.map((name) => ({ id: name, title: titleOf(name), kind: "field" as const, sort: name, width: 14 })),
  ];
}

export function Grid({
  id,
  label,
  columns,
  order,
  total,
  busy,
  asking,
  floor,
  sort,
  opened,
  onSort,
  onOpen,
  onClose,
}: {
  id: number;
  label: string;
  columns: readonly GridColumn[];
  order: readonly number[] | null;
  total: number;
  /** The order is still being found. */
  busy: boolean;
  /** Fields that are being asked again. */
  asking: ReadonlySet<string>;
  /** Confidence below which a value is of low confidence. */
  floor: number;
  sort: string | undefined;
  /** `<row>:<field>` in the inspector. */
  opened: string | undefined;
  onSort: (sort: string | undefined) => void;
  onOpen: (row: number, field: string) => void;
  onClose: () => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [chosen, setActive] = useState<Place>({ row: 0, column: 0 });
  const follows = useRef(false);
  const count = order?.length ?? total;
  const active = {
    row: Math.max(0, Math.min(chosen.row, count - 1)),
    column: Math.min(chosen.column, columns.length - 1),
  };
  const rem = useRem();
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_REM * rem,
    overscan: 8,
    // The active row stays, so that keys go on from it after a scroll.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return count > 0 && !shown.includes(active.row) ? [...shown, active.row] : shown;
    },
  });
  useLayoutEffect(() => rows.measure(), [rows, rem]);
  const inSight = rows.range ?? { startIndex: 0, endIndex: 30 };
  const first = useCalm(Math.max(0, inSight.startIndex - AROUND / 2));
  const last = first + (inSight.endIndex - inSight.startIndex) + 1.5 * AROUND;
  const { at, error } = useRows(id, order, total, first, Math.min(Math.max(0, count - 1), last));
  const minute = Math.floor(useNow() / MINUTE_MS) * MINUTE_MS;

  // The focus follows the keys, as soon as the row that they lead to is drawn.
  useEffect(() => {
    if (!follows.current) return;
    const cell = scroller.current?.querySelector<HTMLElement>("[data-active]");
    if (!cell) return;
    follows.current = false;
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  function go(to: Place) {
    const next = {
      row: Math.max(0, Math.min(count - 1, to.row)),
      column: Math.max(0, Math.min(columns.length - 1, to.column)),
    };
    follows.current = true;
    setActive(next);
    rows.scrollToIndex(next.row, { align: "auto" });
  }
  // From anywhere else into the grid; within it the keys are its own.
  useShortcut("j", "Next row", () => go(active));
  useShortcut("k", "Previous row", () => go(active));
  useEffect(() => {
    // The inspector takes room: what it tells of is not to lie under or beside it.
    scroller.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [opened]);
  function open(place: Place) {
    const column = columns[place.column];
    if (column?.kind === "field") onOpen(at(place.row).no, column.id);
  }
  // One listener for all rows: none need be drawn again for it.
  function clicked({ target }: MouseEvent) {
    const cell = target instanceof Element ? target.closest(".grid-row > [aria-colindex]") : null;
    if (!cell) return;
    const row = Number(cell.parentElement?.getAttribute("aria-rowindex")) - 2;
    const place = { row, column: Number(cell.getAttribute("aria-colindex")) - 1 };
    setActive(place);
    open(place);
  }
  const resort = useRef(onSort);
  useLayoutEffect(() => {
    resort.current = onSort;
  });
  const sortBy = useCallback((by: string | undefined) => resort.current(by), []);
  function pressed(event: KeyboardEvent) {
    if (event.altKey || event.target !== event.currentTarget.querySelector("[data-active]")) return;
    const mod = event.ctrlKey || event.metaKey;
    const page = Math.max(1, inSight.endIndex - inSight.startIndex - 1);
    const { row, column } = active;
    const moves: Record<string, Place> = {
      ArrowDown: { row: mod ? count - 1 : row + 1, column },
      ArrowUp: { row: mod ? 0 : row - 1, column },
      j: { row: row + 1, column },
      k: { row: row - 1, column },
      ArrowRight: { row, column: column + 1 },
      ArrowLeft: { row, column: column - 1 },
      PageDown: { row: row + page, column },
      PageUp: { row: row - page, column },
      Home: { row: mod ? 0 : row, column: 0 },
      End: { row: mod ? count - 1 : row, column: columns.length - 1 },
    };
    const to = moves[event.key];
    if (mod && (event.key === "j" || event.key === "k")) return;
    if (to) go(to);
    else if (event.key === "Enter") open(active);
    else if (event.key === "Escape" && opened) onClose();
    else return;
    event.preventDefault();
  }

  const template = useMemo(() => columns.map((one) => `${one.width}rem`).join(" "), [columns]);
  return (
    <>
      {/* That nothing answers is told once, for the whole page. */}
      {error && !(error instanceof Unreachable) && (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus -- the focus is on one of its cells */}
      <div
        className="grid"
        role="grid"
        aria-label={label}
        aria-rowcount={count + 1}
        aria-colcount={columns.length}
        aria-busy={busy}
        ref={scroller}
        onClick={clicked}
        onKeyDown={pressed}
      >
        <GridHead columns={columns} template={template} sort={sort} onSort={sortBy} />
        <div className="grid-body" role="rowgroup" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const { no, row } = at(item.index);
            return (
              <GridRow
                key={item.key}
                index={item.index}
                start={item.start}
                size={item.size}
                template={template}
                columns={columns}
                no={no}
                row={row}
                active={active.row === item.index ? active.column : null}
                opened={opened?.startsWith(`${no}:`) ? opened.slice(opened.indexOf(":") + 1) : null}
                asking={asking}
                floor={floor}
                now={minute}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}

interface RowProps {
  index: number;
  /** In pixels, as is the size. */
  start: number;
  size: number;
  template: string;
  columns: readonly GridColumn[];
  no: number;
  row: RowOut | undefined;
  /** The column of the active cell, if it is here. */
  active: number | null;
  /** The field of the cell in the inspector, if it is here. */
  opened: string | null;
  asking: ReadonlySet<string>;
  floor: number;
  now: number;
}

const TO_COME: readonly GridColumn[] = [
  { id: "row", title: "#", kind: "row", width: 4 },
  { id: "rest", title: "", kind: "input", width: 13 },
];

/** Drawn again only when something of it changes: all others stay while the grid is scrolled. */
const GridRow = memo(function GridRow(props: RowProps) {
  const { index, start, size, template, columns, no, row, active, opened, asking, floor, now } = props;
  // Of what only comes past little is drawn; where the focus is, each cell stays.
  const cells = row || active !== null ? columns : TO_COME;
  return (
    <div
      className="grid-row"
      role="row"
      aria-rowindex={index + 2}
      data-state={row?.state}
      style={{ gridTemplateColumns: template, height: size, transform: `translateY(${start}px)` }}
    >
      {cells.map((column, i) => (
        <GridCell
          key={column.id}
          active={active === i}
          index={i}
          kind={column.kind}
          opened={opened === column.id}
          span={cells === TO_COME && i === 1 ? columns.length - 1 : 1}
        >
          <Content column={column} no={no} row={row} asking={asking} floor={floor} now={now} />
        </GridCell>
      ))}
    </div>
  );
});

/** Stays as it is while the grid is scrolled. */
const GridHead = memo(function GridHead({
  columns,
  template,
  sort,
  onSort,
}: {
  columns: readonly GridColumn[];
  template: string;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}) {
  return (
    <div className="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
      {columns.map((one, i) => (
        <Head key={one.id} column={one} index={i} sort={sort} onSort={onSort} />
      ))}
    </div>
  );
});

function Head({
  column,
  index,
  sort,
  onSort,
}: {
  column: GridColumn;
  index: number;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}) {
  const by = column.sort;
  const up = by !== undefined && sort === by;
  const down = by !== undefined && sort === `-${by}`;
  return (
    <div
      role="columnheader"
      className={`grid-cell of-${column.kind}`}
      aria-colindex={index + 1}
      aria-sort={up ? "ascending" : down ? "descending" : undefined}
    >
      {by === undefined ? (
        <span className="truncate">{column.title}</span>
      ) : (
        <button
          type="button"
          className="sorter"
          title={`Sort by ${column.title}`}
          onClick={() => onSort(up ? `-${by}` : down ? undefined : by)}
        >
          <span className="truncate">{column.title}</span>
          <span className="sorted" data-way={up ? "up" : down ? "down" : undefined} aria-hidden="true">
            {(up || down) && <Icon name="down" />}
          </span>
        </button>
      )}
    </div>
  );
}

function GridCell({
  active,
  index,
  kind,
  opened,
  span,
  children,
}: {
  active: boolean;
  index: number;
  kind: GridColumn["kind"];
  opened: boolean;
  /** Columns that it stands for. */
  span: number;
  children: React.ReactNode;
}) {
  return (
    <div
      role={kind === "row" ? "rowheader" : "gridcell"}
      className={`grid-cell of-${kind}`}
      aria-colindex={index + 1}
      aria-colspan={span > 1 ? span : undefined}
      style={span > 1 ? { gridColumn: "2 / -1" } : undefined}
      aria-selected={kind === "row" ? undefined : opened}
      tabIndex={active ? 0 : -1}
      data-active={active || undefined}
    >
      {children}
    </div>
  );
}

function Content({
  column,
  no,
  row,
  asking,
  floor,
  now,
}: Pick<RowProps, "no" | "row" | "asking" | "floor" | "now"> & { column: GridColumn }) {
  if (column.kind === "row") {
    const bad = row && BADLY.has(row.state);
    return (
      <span className="num dim" title={row?.error ?? row?.state}>
        {bad && <i className={`dot ${row.state}`} role="img" aria-label={row.state} />}
        {no}
      </span>
    );
  }
  if (!row) return <span className="skeleton" />;
  if (column.kind === "input") {
    const given = row.input as Record<string, unknown> | null;
    return <span className="truncate">{textOf(given?.[column.id.slice("input.".length)])}</span>;
  }
  if (column.kind === "carried") {
    return <span className="truncate">{textOf(row.carried?.[column.id.slice("file.".length)])}</span>;
  }
  if (column.kind === "icp") {
    const score = row.icp?.score;
    return (
      <span className="num" title={row.icp?.reasons.map((one) => `${one.field}: ${one.wanted}`).join("\n")}>
        {score ?? "–"}
      </span>
    );
  }
  return <ValueCell row={row} field={column.id} asking={asking.has(column.id)} floor={floor} now={now} />;
}

/** The place that a scroll has come to: at most every LOOK_MS, and once it rests where it goes far. */
function useCalm(place: number): number {
  const [taken, setTaken] = useState(place);
  const last = useRef(0);
  useEffect(() => {
    const take = () => {
      last.current = performance.now();
      setTaken(place);
    };
    const isFar = Math.abs(place - taken) > FAR;
    const timer = setTimeout(take, isFar ? LOOK_MS : Math.max(0, last.current + LOOK_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [place, taken]);
  return taken;
}

/** The root's font size in pixels, which follows the screen's width. */
function useRem(): number {
  const [rem, setRem] = useState(16);
  useEffect(() => {
    const read = () => setRem(parseFloat(getComputedStyle(document.documentElement).fontSize) || 16);
    read();
    addEventListener("resize", read);
    return () => removeEventListener("resize", read);
  }, []);
  return rem;
}
