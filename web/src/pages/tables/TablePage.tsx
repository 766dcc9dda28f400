/** One table: progress, criteria, the grid, and the cell that is looked into. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { idOf } from "../../api/ids";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { useTitle } from "../../shell/title";
import { Button } from "../../ui/controls";
import { formatNumber } from "../../ui/format";
import { Empty, Loading, Missing, ProblemBox, Shown } from "../../ui/states";
import { AddColumn } from "./AddColumn";
import { Criteria } from "./Criteria";
import { ExportDialog } from "./Export";
import { Grid, gridColumns } from "./Grid";
import { Inspector } from "./Inspector";
import { Progress, Steering, type Batch } from "./Progress";
import { useArrangement, useLiveRows } from "./rows";
import { table } from "./route";
import { isFiltered, type TableSearch } from "./search";
import "./tables.css";

const USUAL_FLOOR = 70;

export function TablePage() {
  const id = idOf(table.useParams().id);
  if (id === null) {
    return (
      <div className="page">
        <NoTable />
      </div>
    );
  }
  return <Page key={id} id={id} />;
}

function NoTable() {
  return (
    <Missing what="table">
      <Link to="/tables">All tables</Link>
    </Missing>
  );
}

function Page({ id }: { id: number }) {
  const head = useLiveQuery(
    {
      queryKey: ["table", id, "head"],
      queryFn: () => told(api.GET("/v1/batches/{batch_id}", { params: { path: { batch_id: id } } })),
      // What is drained, and what was spent since a stop, is told by no event.
      refetchInterval: ({ state }) =>
        state.data && (state.data.open_calls > 0 || state.data.draining > 0) ? 1_000 : 15_000,
    },
    { on: (change) => change.batch_id === id, every: 500 },
  );
  useTitle(head.data && titleOfTable(head.data));
  const shown = (
    <Shown query={head} head={`Table ${id}`} loading={<Loading lines={8} />} missing={<NoTable />}>
      {(batch) => <Found batch={batch} />}
    </Shown>
  );
  return head.data ? shown : <div className="page">{shown}</div>;
}

const titleOfTable = ({ id, name }: Batch): string => name ?? `Table ${id}`;

function fieldsOf(batch: Batch): string[] {
  const asked = batch.settings["required_fields"];
  return Array.isArray(asked) ? asked.filter((one) => typeof one === "string") : [];
}

/** Batches that ask for columns of this one again or anew, and the fields they ask for. */
function useChildren(id: number) {
  const found = useLiveQuery(
    {
      queryKey: ["table", id, "children"],
      queryFn: async () => {
        const { items } = await told(
          api.GET("/v1/batches", { params: { query: { tag: [`table-${id}`], limit: 20 } } }),
        );
        const open = items.filter((one) => one.finished_at === null);
        return Promise.all(
          open.map((one) => told(api.GET("/v1/batches/{batch_id}", { params: { path: { batch_id: one.id } } }))),
        );
      },
    },
    { on: ({ batch_id, type }) => batch_id !== null && batch_id !== id && type.startsWith("batch_") },
  );
  return useMemo(() => found.data ?? [], [found.data]);
}

function Found({ batch }: { batch: Batch }) {
  const { id } = batch;
  const search = table.useSearch();
  const navigate = table.useNavigate();
  const [jobs, setJobs] = useState<ReadonlySet<number>>(new Set());
  const [dialog, setDialog] = useState<"export" | "column" | null>(null);
  const write = useMay("editor");
  const children = useChildren(id);
  const fields = useMemo(() => fieldsOf(batch), [batch]);
  const first = useQuery({
    queryKey: ["table", id, "rows", 0],
    queryFn: () =>
      told(
        api.GET("/v1/batches/{batch_id}/rows", {
          params: { path: { batch_id: id }, query: { after: 0, limit: 100 } },
        }),
      ),
  });
  const columns = useMemo(() => {
    const inputs = new Set(first.data?.items.flatMap((row) => Object.keys((row.input as object | null) ?? {})));
    return gridColumns(batch.file_columns ?? [], [...inputs], fields, first.data?.scored ?? false);
  }, [batch.file_columns, first.data, fields]);
  const arranged = useArrangement(id, search);
  const batches = useMemo(() => new Set([id, ...children.map((one) => one.id)]), [id, children]);
  useLiveRows(id, batches, jobs);
  const asking = useMemo(() => new Set(children.flatMap(fieldsOf)), [children]);
  const go = (change: Partial<Record<keyof TableSearch, TableSearch[keyof TableSearch] | undefined>>) =>
    void navigate({
      search: (now) => {
        const next = { ...now, ...change };
        return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
      },
      replace: true,
      resetScroll: false,
    });
  const [row, field] = search.cell?.split(":") ?? [];
  const shown = arranged.order?.length ?? batch.total;
  return (
    <div className="table-page" data-inspecting={search.cell ? true : undefined}>
      <header className="table-head">
        <div className="table-title">
          <h1 className="truncate">{titleOfTable(batch)}</h1>
          <div className="page-actions">
            <Steering batch={batch} />
            {write && batch.finished_at !== null && fields.length > 0 && (
              <Button icon="plus" onClick={() => setDialog("column")}>
                Add a column
              </Button>
            )}
            <Button onClick={() => setDialog("export")}>Export</Button>
          </div>
        </div>
        <Progress batch={batch} />
        {children.map((one) => (
          <Child key={one.id} batch={one} />
        ))}
        <Criteria id={id} search={search} fields={fields} batch={batch} onChange={go} />
      </header>
      <div className="table-main">
        <div className="table-grid">
          {arranged.error && <ProblemBox error={arranged.error} />}
          <p className="sr-only" role="status">
            {isFiltered(search) && arranged.done && `${formatNumber(shown)} rows shown`}
          </p>
          {!arranged.done && !arranged.error && <Looking at={arranged.lookedAt} total={batch.total} />}
          {shown === 0 && arranged.done && batch.state !== "loading" ? (
            <Empty title={isFiltered(search) ? "No row is like that" : "No rows"}>
              {isFiltered(search) && (
                <Button
                  onClick={() => go({ state: undefined, is: undefined, source: undefined, text: undefined })}
                >
                  Show all rows
                </Button>
              )}
            </Empty>
          ) : first.data ? (
            <Grid
              key={`${search.sort ?? ""}`}
              id={id}
              label={titleOfTable(batch)}
              columns={columns}
              order={arranged.order}
              total={batch.total}
              busy={arranged.busy}
              asking={asking}
              floor={search.below ?? USUAL_FLOOR}
              sort={search.sort}
              opened={search.cell}
              onSort={(sort) => go({ sort })}
              onOpen={(no, name) => go({ cell: `${no}:${name}` })}
              onClose={() => go({ cell: undefined })}
            />
          ) : (
            <Shown query={first} loading={<Loading lines={8} />}>
              {() => null}
            </Shown>
          )}
        </div>
        {row !== undefined && field !== undefined && fields.includes(field) && (
          <Inspector
            key={search.cell}
            batch={batch}
            row={Number(row)}
            field={field}
            onJob={(job) => setJobs((now) => new Set([...now, job]))}
            onClose={() => {
              go({ cell: undefined });
              document.querySelector<HTMLElement>(".grid [data-active]")?.focus();
            }}
          />
        )}
      </div>
      {dialog === "export" && <ExportDialog batch={batch} onClose={() => setDialog(null)} />}
      {dialog === "column" && <AddColumn batch={batch} fields={fields} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** How far a long table has been gone through; a short one is done before it could be read. */
function Looking({ at, total }: { at: number; total: number }) {
  return (
    <p className="looking">
      <progress max={Math.max(1, total)} value={at} aria-label="Rows looked through" />
      <span className="num">
        {formatNumber(at)} of {formatNumber(total)} rows looked through
      </span>
    </p>
  );
}

/** A column that is being asked for. */
function Child({ batch }: { batch: Schemas["BatchDetail"] }) {
  return (
    <div className="child">
      <span>Asking for {batch.name?.split(" of ")[0] ?? "a column"}</span>
      <Progress batch={batch} />
      <Steering batch={batch} />
    </div>
  );
}
