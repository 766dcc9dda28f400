/** What is made by the clock: when next, what became of the last; made, changed, run now, paused. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useCommand } from "../../shell/commands";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { Badge, PageHead, Panel, StateBadge } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";
import "./operations.css";
import { ChangeSchedule, NewSchedule } from "./ScheduleForm";

export type Schedule = Schemas["ScheduleOut"];
export const KEY = ["schedules"];
const EVERY_MS = 5_000;

export function Schedules() {
  const schedules = useQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/schedules")),
    refetchInterval: EVERY_MS,
  });
  const mayWrite = useMay("editor");
  const [adds, setAdds] = useState(false);
  return (
    <div className="page">
      <PageHead title="Schedules" about="What makes a job by the clock, for as long as it is not paused.">
        {mayWrite && (
          <Button kind="primary" icon="plus" onClick={() => setAdds(true)}>
            New schedule
          </Button>
        )}
      </PageHead>
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
      {adds && <NewSchedule onClose={() => setAdds(false)} />}
      {mayWrite && <Offer act={() => setAdds(true)} />}
    </div>
  );
}

function Offer({ act }: { act: () => void }) {
  useCommand({ id: "new-schedule", label: "New schedule", icon: "clock", words: "cron nightly recurring", act });
  return null;
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
  const remove = useMutation({
    mutationFn: async () => {
      await api.DELETE("/v1/schedules/{name}", { params });
      toast({ text: `Schedule ${name} is deleted.` });
    },
    ...settle,
  });
  async function askToRemove() {
    const agreed = await confirm({
      title: `Delete schedule ${name}?`,
      body: "It makes no more jobs. Those that it made stay.",
      action: "Delete it",
      danger: true,
    });
    if (agreed) remove.mutate();
  }
  const [changes, setChanges] = useState(false);
  if (!useMay("editor")) return null;
  return (
    <span className="row-actions">
      <Button size="small" icon="play" aria-label={`Run now: ${name}`} busy={run.isPending} onClick={() => void ask()}>
        Run now
      </Button>
      <Button size="small" aria-label={`${paused ? "Resume" : "Pause"} ${name}`} busy={change.isPending} onClick={() => change.mutate()}>
        {paused ? "Resume" : "Pause"}
      </Button>
      <Button size="small" aria-label={`Change ${name}`} onClick={() => setChanges(true)}>
        Change
      </Button>
      <Button size="small" kind="quiet" aria-label={`Delete ${name}`} busy={remove.isPending} onClick={() => void askToRemove()}>
        Delete
      </Button>
      {changes && <ChangeSchedule name={name} onClose={() => setChanges(false)} />}
    </span>
  );
}
