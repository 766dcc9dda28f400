/** A cell: its value with source, confidence and age; or that it is waited for, missing or failed. */

import type { PointerEvent } from "react";

import { Icon } from "../../ui/icons";
import { formatExact, formatRelative } from "../../ui/format";
import { textOf, type RowOut, type Value } from "./rows";

const USER = "user";

export function ValueCell({
  row,
  field,
  asking,
  floor,
  now,
}: {
  row: RowOut;
  field: string;
  asking: boolean;
  floor: number;
  /** In milliseconds. */
  now: number;
}) {
  const value = row.cells[field];
  if (value) return <Filled value={value} asking={asking} floor={floor} now={now} />;
  if (asking || row.state === "queued") return <span className="pending asking">asking…</span>;
  if (row.state === "new") return <span className="pending">waiting</span>;
  if (row.state === "failed") {
    return (
      <span className="pending failed" title={row.error ?? undefined}>
        failed
      </span>
    );
  }
  return <span className="pending missing">{row.state === "cancelled" ? "not asked" : "missing"}</span>;
}

function Filled({ value, asking, floor, now }: { value: Value; asking: boolean; floor: number; now: number }) {
  const decided = value.source === USER;
  const others = value.alternatives?.length ?? 0;
  return (
    <span className="filled">
      <span className="value truncate">{textOf(value.value)}</span>
      <span className="meta">
        {decided ? <Icon name="lock" /> : <Sure confidence={value.confidence} floor={floor} />}
        <span className="truncate">{decided ? "decided" : value.source}</span>
        <Age at={value.retrieved_at} now={now} />
        {others > 0 && (
          <span className="conflict" title={`${others} other ${others === 1 ? "value" : "values"}`}>
            ≠{others}
          </span>
        )}
        {asking && <span className="asking">asking…</span>}
      </span>
    </span>
  );
}

/** Confidence as a number; its tone is told by a word to who cannot see it. */
export function Sure({ confidence, floor }: { confidence: number; floor: number }) {
  const low = confidence < floor;
  return (
    <span
      className={`sure ${low ? "low" : confidence >= 90 ? "high" : ""}`}
      title={`Confidence ${confidence} of 100${low ? ", low" : ""}`}
    >
      {confidence}
    </span>
  );
}

/** Short, for a cell: 3 d; exact on hover, and put into words only then: hundreds are drawn while a grid is scrolled. */
function Age({ at, now }: { at: string; now: number }) {
  const hours = (now - Date.parse(at)) / 3_600_000;
  const text = hours < 1 ? "new" : hours < 24 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
  return (
    <time dateTime={at} onPointerOver={tellMoment}>
      {text}
    </time>
  );
}

function tellMoment({ currentTarget }: PointerEvent<HTMLTimeElement>): void {
  const moment = new Date(currentTarget.dateTime);
  currentTarget.title = `${formatRelative(moment, Date.now())}, ${formatExact(moment)}`;
}
