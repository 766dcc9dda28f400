/** How the latest calls to each provider fared. */

import type { Schemas } from "../../api/client";
import { Goto } from "../../ui/goto";
import { Empty } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Duration, Money, Num, Percent } from "../../ui/values";

type Provider = Schemas["MetricsOut"]["providers"][number];

const COLUMNS: readonly Column<Provider>[] = [
  {
    id: "provider",
    title: "Provider",
    cell: (one) => (
      <Goto to="/providers/$name" params={{ name: one.provider }}>
        {one.provider}
      </Goto>
    ),
  },
  { id: "calls", title: "Calls", end: true, cell: (one) => <Num of={one.matches.of} /> },
  {
    id: "hits",
    title: "Hit rate",
    end: true,
    cell: (one) => (
      <span className="hit">
        <progress max={1} value={one.matches.rate ?? 0} aria-label={`Hit rate of ${one.provider}`} />
        <Percent rate={one.matches.rate} />
      </span>
    ),
  },
  { id: "p50", title: "Median time", end: true, cell: (one) => <Duration seconds={one.p50_s} /> },
  { id: "cost", title: "Spent", end: true, cell: (one) => <Money micros={one.cost_micros} /> },
];

export function Providers({ metrics }: { metrics: Schemas["MetricsOut"] }) {
  const byCost = metrics.providers.toSorted(
    (a, b) => b.cost_micros - a.cost_micros || b.matches.of - a.matches.of,
  );
  return (
    <DataTable
      label="Providers"
      columns={COLUMNS}
      rows={byCost}
      rowKey={(one) => one.provider}
      empty={<Empty title="Nobody was asked in this time">The cache answers first; calls show up here.</Empty>}
    />
  );
}
