/** What waits where, for how long, and how fast it goes. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Duration, Num } from "../../ui/values";

type Queue = Schemas["QueueOut"];
const KEY = ["queues"];
const EVERY_MS = 3_000;

export function Queues() {
  const queues = useLiveQuery(
    { queryKey: KEY, queryFn: () => told(api.GET("/v1/queues")), refetchInterval: EVERY_MS },
    { every: EVERY_MS },
  );
  return (
    <div className="page">
      <PageHead title="Queues" about="Of every workspace: what a paused queue holds waits, what runs goes on." />
      <Panel flush>
        <Shown query={queues}>
          {(rows) => (
            <DataTable
              label="Queues"
              columns={COLUMNS}
              rows={rows}
              rowKey={(one) => one.name}
              empty={<Empty level={2} title="Nothing waits">A queue is listed while it holds jobs or is paused.</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<Queue>[] = [
  {
    id: "name",
    title: "Queue",
    cell: (one) => (
      <>
        <strong>{one.name}</strong>{" "}
        {one.paused_at && (
          <Badge tone="warn">
            paused <Ago at={one.paused_at} />
          </Badge>
        )}
      </>
    ),
  },
  { id: "processing", title: "Processing", end: true, cell: (one) => <Num of={one.processing} /> },
  { id: "pending", title: "Pending", end: true, cell: (one) => <Num of={one.pending} /> },
  { id: "scheduled", title: "Scheduled", end: true, cell: (one) => <Num of={one.scheduled} /> },
  { id: "waiting", title: "Waiting", end: true, cell: (one) => <Num of={one.waiting} /> },
  { id: "age", title: "Oldest due", end: true, cell: (one) => <Duration seconds={one.oldest_s} /> },
  { id: "rate", title: "Ended a minute", end: true, cell: (one) => <Num of={one.ended_per_min} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <Steer queue={one} /> },
];

function Steer({ queue: { name, paused_at: paused } }: { queue: Queue }) {
  const client = useQueryClient();
  const params = { path: { queue: name } };
  const again = () => client.invalidateQueries({ queryKey: KEY });
  const resume = async () => {
    await api.POST("/v1/queues/{queue}/resume", { params });
    await again();
  };
  const change = useMutation({
    mutationFn: async () => {
      if (paused) return resume();
      await api.POST("/v1/queues/{queue}/pause", { params });
      await again();
      toast({ text: `Queue ${name} is paused.`, undo: () => void resume().catch(toastError) });
    },
    onError: toastError,
  });
  async function clear() {
    const agreed = await confirm({
      title: `Clear queue ${name}?`,
      body: "Every job of this workspace that waits there is cancelled. Rows of tables stay, and so does what runs.",
      action: "Clear it",
      danger: true,
      type: name,
    });
    if (!agreed) return;
    try {
      let done = 0;
      for (let complete = false; !complete; ) {
        const answer = await told(api.POST("/v1/queues/{queue}/clear", { params }));
        done += answer.done;
        complete = answer.complete;
      }
      toast({ text: `${done} cancelled.` });
      await again();
    } catch (error) {
      toastError(error);
    }
  }
  return (
    <span className="row-actions">
      <Button
        size="small"
        icon={paused ? "play" : "pause"}
        busy={change.isPending}
        aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
        onClick={() => change.mutate()}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
      <Button size="small" kind="quiet" aria-label={`Clear ${name}`} onClick={() => void clear()}>
        Clear
      </Button>
    </span>
  );
}
