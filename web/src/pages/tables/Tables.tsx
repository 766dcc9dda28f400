/** All tables, newest first, with how far they are. */

import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { Button, ButtonLink } from "../../ui/controls";
import { Badge, PageHead, Panel, type Tone } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Num } from "../../ui/values";
import { Bar } from "./Progress";
import "./tables.css";

type Batch = Schemas["BatchOut"];
const PAGE = 100;

export const TONES: Readonly<Record<Batch["state"], Tone>> = {
  loading: "busy",
  running: "busy",
  paused: "warn",
  finished: "good",
  cancelled: "calm",
};

const COLUMNS: readonly Column<Batch>[] = [
  {
    id: "name",
    title: "Table",
    cell: (one) => (
      <Link to="/tables/$id" params={{ id: one.id }} className="table-name">
        {one.name ?? `Table ${one.id}`}
      </Link>
    ),
  },
  {
    id: "state",
    title: "State",
    cell: (one) => <Badge tone={TONES[one.state]}>{one.state === "cancelled" ? "stopped" : one.state}</Badge>,
  },
  { id: "progress", title: "Progress", cell: (one) => <Bar batch={one} /> },
  { id: "rows", title: "Rows", end: true, cell: (one) => <Num of={one.total} /> },
  { id: "found", title: "Complete", end: true, cell: (one) => <Num of={one.completed} /> },
  { id: "partial", title: "Partial", end: true, cell: (one) => <Num of={one.partial} /> },
  { id: "failed", title: "Failed", end: true, cell: (one) => <Num of={one.failed} /> },
  { id: "made", title: "Made", end: true, cell: (one) => <Ago at={one.created_at} /> },
];

export function Tables() {
  const [pages, setPages] = useState(1);
  const write = useMay("editor");
  const found = useLiveQuery(
    {
      queryKey: ["tables", pages],
      queryFn: () =>
        told(api.GET("/v1/batches", { params: { query: { limit: Math.min(1000, pages * PAGE) } } })),
    },
    { on: (change) => change.batch_id !== null, every: 1_500 },
  );
  const make = write && (
    <ButtonLink to="/tables/new" kind="primary">
      New table
    </ButtonLink>
  );
  return (
    <div className="page">
      <PageHead title="Tables" about="Rows are companies or people, columns are fields.">
        {make}
      </PageHead>
      <Shown query={found}>
        {({ items, next_before }) => (
          <Panel flush>
            <DataTable
              label="Tables"
              columns={COLUMNS}
              rows={items}
              rowKey={(one) => one.id}
              empty={
                <Empty title="No table yet">
                  <p>
                    Upload a CSV, XLSX, JSONL or Parquet file, or paste rows. You see what it would cost
                    before anything is asked.
                  </p>
                  {make}
                </Empty>
              }
            />
            {next_before !== null && pages < 10 && (
              <p className="more">
                <Button size="small" busy={found.isFetching} onClick={() => setPages(pages + 1)}>
                  Show older tables
                </Button>
              </p>
            )}
          </Panel>
        )}
      </Shown>
    </div>
  );
}
