/** What is made by the clock: when next, what became of the last, run now, pause. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { Badge, PageHead, Panel, StateBadge } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";

type Schedule = Schemas["ScheduleOut"];
const KEY = ["schedules"];
const EVERY_MS = 5_000;

export function Schedules() {
  const schedules = useQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/schedules")),
    refetchInterval: EVERY_MS,
  });
  return (
    <div className="page">
      <PageHead title="Schedules" about="Made with glaze schedules add, or PUT /v1/schedules/NAME." />
      <Panel flush>
        <Shown query={schedules}>
          {(rows) => (
            <DataTable
              label="Schedules"
              columns={COLUMNS}
              rows={rows}
              rowKey={(one) => one.id}
              empty={<Empty level={2} title="No schedules">A schedule makes a job by the clock, nightly say.</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<Schedule>[] = [
  { id: "name", title: "Schedule", cell: (one) => <strong>{one.name}</strong> },
  { id: "kind", title: "Kind", cell: (one) => one.kind },
  {
    id: "cron",
    title: "When",
    cell: (one) => (
      <>
        <code>{one.cron}</code> <span className="dim">{one.zone}</span>
      </>
    ),
  },
  {
    id: "next",
    title: "Next",
    cell: (one) => (one.paused_at ? <Badge tone="warn">paused</Badge> : <Ago at={one.next_at} />),
  },
  {
    id: "last",
    title: "Last job",
    cell: (one) =>
      one.last_job_id ? (
        <>
          <Link to="/jobs/$id" params={{ id: String(one.last_job_id) }}>
            #{one.last_job_id}
          </Link>{" "}
          {one.last_job_state && <StateBadge state={one.last_job_state} />}
        </>
      ) : (
        "none yet"
      ),
  },
  { id: "act", title: "Actions", end: true, cell: (one) => <Steer schedule={one} /> },
];

function Steer({ schedule: { name, paused_at: paused } }: { schedule: Schedule }) {
  const client = useQueryClient();
  const params = { path: { name } };
  const settle = { onSuccess: () => client.invalidateQueries({ queryKey: KEY }), onError: toastError };
  const change = useMutation({
    mutationFn: () =>
      paused
        ? told(api.POST("/v1/schedules/{name}/resume", { params }))
        : told(api.POST("/v1/schedules/{name}/pause", { params })),
    ...settle,
  });
  const run = useMutation({
    mutationFn: async () => {
      const job = await told(api.POST("/v1/schedules/{name}/run", { params }));
      toast({ text: `Job #${job.id} is made.` });
    },
    ...settle,
  });
  async function ask() {
    const agreed = await confirm({
      title: `Run ${name} now?`,
      body: "It makes one job at once, which may spend within the budgets. The next by the clock comes all the same.",
      action: "Run it",
    });
    if (agreed) run.mutate();
  }
  if (!useMay("editor")) return null;
  return (
    <span className="row-actions">
      <Button size="small" icon="play" aria-label={`Run now: ${name}`} busy={run.isPending} onClick={() => void ask()}>
        Run now
      </Button>
      <Button size="small" aria-label={`${paused ? "Resume" : "Pause"} ${name}`} busy={change.isPending} onClick={() => change.mutate()}>
        {paused ? "Resume" : "Pause"}
      </Button>
    </span>
  );
}
