/** What was asked of whom, for how much, and how it ended; in the order of asking. */

import { inWords } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Badge, type Tone } from "../../ui/layout";
import { Empty } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Duration, Money } from "../../ui/values";
import type { Call } from "./JobPage";

const TONES: Readonly<Record<Call["state"], Tone>> = {
  sending: "busy",
  pending_vendor: "busy",
  settled: "good",
  not_billed: "calm",
  unknown: "bad",
};

export const seconds = ({ created_at: from, settled_at: to }: Call): number | null =>
  to ? Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) : null;

const COLUMNS: readonly Column<Call>[] = [
  {
    id: "call",
    title: "Call",
    cell: (one) => (
      <Goto to="/ledger" search={{ call: one.id }}>
        {one.provider} <span className="dim">{one.operation}</span>
      </Goto>
    ),
  },
  { id: "verdict", title: "Verdict", cell: (one) => (one.verdict ? inWords(one.verdict) : "–") },
  { id: "state", title: "State", cell: (one) => <Badge tone={TONES[one.state]}>{one.state.replace("_", " ")}</Badge> },
  { id: "price", title: "Price", end: true, cell: (one) => <Money micros={one.price_micros} /> },
  { id: "reserved", title: "Reserved", end: true, cell: (one) => <Money micros={one.reserved_micros} /> },
  { id: "took", title: "Took", end: true, cell: (one) => <Duration seconds={seconds(one)} /> },
  { id: "at", title: "Asked", end: true, cell: (one) => <Ago at={one.created_at} /> },
  {
    id: "why",
    title: "Why it was asked",
    cell: (one) => (
      <span className="dim">
        {one.reason}
        {one.detail && `; ${one.detail}`}
      </span>
    ),
  },
];

export function Calls({ calls }: { calls: readonly Call[] }) {
  return (
    <DataTable
      label="Calls"
      columns={COLUMNS}
      rows={calls.toReversed()}
      rowKey={(one) => one.id}
      empty={<Empty title="Nobody was asked">What is known already, and what costs nothing to find out, needs no call.</Empty>}
    />
  );
}
