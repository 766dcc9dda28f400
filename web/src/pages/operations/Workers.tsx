/** Who works, at what, and who has fallen silent. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { formatBytes, formatDuration } from "../../ui/format";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Duration, Num } from "../../ui/values";

type Worker = Schemas["WorkerOut"];
const KEY = ["workers"];
const EVERY_MS = 3_000;

export function Workers() {
  const workers = useLiveQuery(
    { queryKey: KEY, queryFn: () => told(api.GET("/v1/workers")), refetchInterval: EVERY_MS },
    { every: EVERY_MS },
  );
  return (
    <div className="page">
      <PageHead title="Workers" about="Of every workspace. One that lets its lease run out is buried, and its jobs go to others." />
      <Panel flush>
        <Shown query={workers}>
          {(rows) => (
            <DataTable
              label="Workers"
              columns={COLUMNS}
              rows={rows}
              rowKey={(one) => one.id}
              empty={<Empty level={2} title="Nobody works">Start one: glaze worker. Jobs wait until then, and nothing is lost.</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<Worker>[] = [
  {
    id: "name",
    title: "Worker",
    cell: (one) => (
      <>
        <strong>{one.name}</strong> <span className="dim">{one.version}</span>
      </>
    ),
  },
  {
    id: "lease",
    title: "Lease",
    cell: (one) =>
      one.lease_left_s > 0 ? (
        <Badge tone="good">{formatDuration(one.lease_left_s)} left</Badge>
      ) : (
        <Badge tone="bad">silent for {formatDuration(-one.lease_left_s)}</Badge>
      ),
  },
  {
    id: "jobs",
    title: "Holds",
    cell: (one) => (
      <>
        <Num of={one.jobs} />
        {one.concurrency && ` of ${one.concurrency} `}
        {one.job_ids.slice(0, 4).map((id) => (
          <Link key={id} to="/jobs/$id" params={{ id: String(id) }} className="num">
            {" "}
            #{id}
          </Link>
        ))}
      </>
    ),
  },
  { id: "oldest", title: "Oldest held", end: true, cell: (one) => <Duration seconds={one.oldest_job_s} /> },
  { id: "done", title: "Done", end: true, cell: (one) => <Num of={one.done} /> },
  { id: "failed", title: "Failed", end: true, cell: (one) => <Num of={one.failed} /> },
  {
    id: "memory",
    title: "Memory",
    end: true,
    cell: (one) => (one.memory_bytes === null ? "–" : formatBytes(one.memory_bytes)),
  },
  { id: "queues", title: "Queues", cell: (one) => one.queues.join(", ") || "all" },
  { id: "since", title: "Started", end: true, cell: (one) => <Ago at={one.started_at} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <Drain worker={one} /> },
];

function Drain({ worker: { id, name, drain_at: drained } }: { worker: Worker }) {
  const client = useQueryClient();
  const drain = useMutation({
    mutationFn: () => api.POST("/v1/workers/{worker_id}/drain", { params: { path: { worker_id: id } } }),
    onSuccess: async () => {
      toast({ text: `${name} ends what runs, and leaves.` });
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: toastError,
  });
  async function ask() {
    const agreed = await confirm({
      title: `Drain ${name}?`,
      body: "It ends what runs, hands back the rest, and its process exits. Somebody has to start it again.",
      action: "Drain it",
      danger: true,
    });
    if (agreed) drain.mutate();
  }
  if (drained) return <Badge tone="busy">draining</Badge>;
  return (
    <Button size="small" aria-label={`Drain ${name}`} busy={drain.isPending} onClick={() => void ask()}>
      Drain
    </Button>
  );
}
