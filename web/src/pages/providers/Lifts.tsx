/** What each paid source fills that those before it did not: what it is worth beside the others. */

import { queryOptions, useQuery } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { formatNumber } from "../../ui/format";
import { Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Percent } from "../../ui/values";
import { Interval } from "./Interval";

type Lift = Schemas["LiftOut"];
const EVERY_MS = 30_000;
/** Fewer calls say little. */
const FEW = 30;

export const liftsOf = (provider?: string) =>
  queryOptions({
    queryKey: ["learned", "lifts", provider],
    queryFn: () => told(api.GET("/v1/learned", { params: { query: provider ? { provider } : {} } })),
    refetchInterval: EVERY_MS,
  });

export function Lifts({ provider }: { provider?: string }) {
  const learned = useQuery(liftsOf(provider));
  return (
    <Panel title={provider ? "What it adds" : "What each adds to those before it"} aside={<p>estimated from this workspace's latest calls</p>} flush>
      <Shown query={learned}>
        {({ lifts }) => (
          <DataTable
            label="What each adds"
            columns={COLUMNS}
            rows={lifts.toSorted((a, b) => b.points - a.points)}
            rowKey={(one) => `${one.field} ${one.operation}`}
            empty={
              <Empty title="Nothing to tell yet">
                It shows once a paid source was asked after another one had missed: only then is it known what it adds.
              </Empty>
            }
          />
        )}
      </Shown>
    </Panel>
  );
}

const COLUMNS: readonly Column<Lift>[] = [
  { id: "operation", title: "Source", cell: (one) => one.operation },
  { id: "field", title: "Field", cell: (one) => one.field },
  {
    id: "points",
    title: "Adds, of all asked",
    end: true,
    cell: (one) => (
      <strong>
        +<Percent rate={Math.round(one.points * 1000) / 1000} />
      </strong>
    ),
  },
  { id: "rate", title: "Fills, where others had missed", cell: (one) => <Interval {...one} /> },
  {
    id: "calls",
    title: "Sample",
    end: true,
    cell: (one) => (
      <>
        {one.calls < FEW && <span className="dim">few: </span>}
        {formatNumber(one.calls)} {one.calls === 1 ? "call" : "calls"}
      </>
    ),
  },
];
