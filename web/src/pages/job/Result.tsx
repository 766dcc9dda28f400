/** What it found, value by value, and the whole of it as JSON. */

import type { Schemas } from "../../api/client";
import { formatPercent } from "../../ui/format";
import { Badge, Panel } from "../../ui/layout";
import { Empty } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Money } from "../../ui/values";
import type { Job } from "./JobPage";
import { Json } from "./Json";

type Value = Schemas["FieldValue"];
type Found = Value & { field: string };

const COLUMNS: readonly Column<Found>[] = [
  { id: "field", title: "Field", cell: (one) => one.field },
  { id: "value", title: "Value", cell: (one) => <strong>{shownOf(one.value)}</strong> },
  { id: "sure", title: "Confidence", end: true, cell: (one) => formatPercent(one.confidence / 100) },
  { id: "source", title: "Source", cell: (one) => <Badge>{one.cached ? `${one.source}, known already` : one.source}</Badge> },
  { id: "cost", title: "Cost", end: true, cell: (one) => <Money micros={one.cost_micros} /> },
  { id: "age", title: "Retrieved", end: true, cell: (one) => <Ago at={one.retrieved_at} /> },
  {
    id: "others",
    title: "Others said",
    cell: (one) => (
      <span className="dim">
        {(one.alternatives ?? []).map((other) => `${shownOf(other.value)} (${other.source})`).join(", ")}
      </span>
    ),
  },
];

export function Result({ job }: { job: Job }) {
  const { result } = job;
  if (result === null || result === undefined) {
    return (
      <Panel title="Result">
        <Empty title="No result yet">{job.finished_at ? "It ended without one." : "It appears here when the job ends."}</Empty>
      </Panel>
    );
  }
  const found = fieldsOf(result);
  return (
    <>
      {found && (
        <Panel title="Values" flush>
          <DataTable
            label="Values"
            columns={COLUMNS}
            rows={found}
            rowKey={(one) => one.field}
            empty={<Empty title="Nothing was found">The timeline tells who was asked and why it stopped.</Empty>}
          />
        </Panel>
      )}
      <Panel title="Result">
        <Json value={result} />
      </Panel>
    </>
  );
}

function fieldsOf(result: unknown): Found[] | null {
  if (typeof result !== "object" || result === null || !("data" in result) || !("stages" in result)) return null;
  const data = result.data as Record<string, Value>;
  return Object.entries(data).map(([field, value]) => ({ ...value, field }));
}

function shownOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
