/** How often a source fills a field, by whom it is asked about and by what. */

import { queryOptions, useQuery } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { Choice } from "../../ui/filters";
import { Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Duration, Money, Num } from "../../ui/values";
import { Interval } from "./Interval";
import { provider as route } from "./route";

type Lesson = Schemas["LessonOut"];
const EVERY_MS = 30_000;

export const hitRatesOf = (provider: string) =>
  queryOptions({
    queryKey: ["learned", "segments", provider],
    queryFn: () => told(api.GET("/v1/learned", { params: { query: { provider, segments: true } } })),
    refetchInterval: EVERY_MS,
  });

export function HitRates({ provider }: { provider: string }) {
  const { field } = route.useSearch();
  const navigate = route.useNavigate();
  const learned = useQuery(hitRatesOf(provider));
  const fields = [...new Set((learned.data?.lessons ?? []).map((one) => one.field))];
  return (
    <Panel title="Hit rate by segment" aside={<p>9 times in 10 the rate lies within the bar</p>} flush>
      {fields.length > 1 && (
        <div className="filters">
          <Choice
            label="Field"
            none="every field"
            options={Object.fromEntries(fields.map((one) => [one, one]))}
            value={field}
            onChange={(chosen) => void navigate({ search: { field: chosen }, replace: true })}
          />
        </div>
      )}
      <Shown query={learned}>
        {({ lessons }) => (
          <DataTable
            label="Hit rate by segment"
            columns={COLUMNS}
            rows={lessons.filter((one) => !field || one.field === field).toSorted((a, b) => b.calls - a.calls)}
            rowKey={(one) => `${one.field} ${one.operation} ${one.missed.join()} ${one.asked_by} ${one.country}`}
            empty={<Empty title="It was not asked yet">What is learned of it stands here by field, country and identifier.</Empty>}
          />
        )}
      </Shown>
    </Panel>
  );
}

const COLUMNS: readonly Column<Lesson>[] = [
  { id: "field", title: "Field", cell: (one) => one.field },
  { id: "country", title: "Country", cell: (one) => one.country || <span className="dim">any, or unknown</span> },
  { id: "by", title: "Asked by", cell: (one) => one.asked_by.replaceAll("_", " ").replaceAll("+", ", ") || "–" },
  { id: "missed", title: "After these had missed", cell: (one) => one.missed.join(", ") || <span className="dim">nobody: it came first</span> },
  {
    id: "rate",
    title: "Fills it",
    cell: (one) => (
      <>
        <Interval {...one} /> {!one.known && <span className="dim">still a guess</span>}
      </>
    ),
  },
  { id: "calls", title: "Sample", end: true, cell: (one) => <Num of={one.calls} /> },
  { id: "per", title: "A value costs", end: true, cell: (one) => <Money micros={Math.round(one.per_fill_micros)} /> },
  { id: "seconds", title: "Takes", end: true, cell: (one) => <Duration seconds={one.seconds} /> },
];
