/** What ended badly, grouped by why; retried together once the cause is mended. */

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { formatNumber } from "../../ui/format";
import { PageHead, Panel, StateBadge } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Num } from "../../ui/values";
import { Quote } from "../jobs/Bulk";

type Group = Schemas["GroupOut"];
type Which = Schemas["Which"];
type Action = "retry" | "replay" | "purge";
const KEY = ["dead-letters"];
const DONE = { retry: "open again", replay: "made anew", purge: "deleted" } as const;
const PAGE = 500;

export function DeadLetters() {
  const groups = useLiveQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/jobs/groups", { params: { query: { state: ["dead", "failed"] } } })),
  });
  return (
    <div className="page">
      <PageHead title="Dead letters" about="Jobs that ended badly, by why. Mend the cause, then retry the group." />
      <Panel flush>
        <Shown query={groups}>
          {(rows) => (
            <DataTable
              label="Dead letters"
              columns={COLUMNS}
              rows={rows}
              rowKey={(one) => `${one.state} ${one.kind} ${one.code ?? ""}`}
              empty={<Empty level={2} title="Nothing ended badly">What fails for good, or too often, comes here.</Empty>}
            />
          )}
        </Shown>
      </Panel>
    </div>
  );
}

const COLUMNS: readonly Column<Group>[] = [
  {
    id: "code",
    title: "Cause",
    cell: (one) => (
      <Link to="/jobs" search={{ state: [one.state], kind: one.kind, ...(one.code && { code: one.code }) }}>
        {one.code ?? "no error told"}
      </Link>
    ),
  },
  { id: "state", title: "State", cell: (one) => <StateBadge state={one.state} /> },
  { id: "kind", title: "Kind", cell: (one) => one.kind },
  { id: "jobs", title: "Jobs", end: true, cell: (one) => <Num of={one.jobs} /> },
  { id: "first", title: "First", end: true, cell: (one) => <Ago at={one.first_at} /> },
  { id: "last", title: "Last", end: true, cell: (one) => <Ago at={one.last_at} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <Steer group={one} /> },
];

function Steer({ group: { state, kind, code, jobs } }: { group: Group }) {
  const client = useQueryClient();
  const mayWrite = useMay("editor");
  const isAdmin = useMay("admin");
  const [busy, setBusy] = useState<Action | null>(null);
  const where = { state: [state], kind: [kind], ...(code && { error_code: code }) } as Which;
  const named = `${formatNumber(jobs)} of ${code ?? kind}`;

  async function agreed(action: Action): Promise<boolean> {
    if (action === "purge") {
      return confirm({
        title: `Delete ${named}?`,
        body: "Their arguments, results and logs go for good. What they paid stays in the ledger. It cannot be undone.",
        action: "Delete them",
        danger: true,
        type: code ?? kind,
      });
    }
    const quote = await told(api.POST("/v1/jobs/quote", { body: { where } }));
    const title = action === "retry" ? `Retry ${named}?` : `Make ${named} anew?`;
    const body = (
      <>
        {action === "replay" && <p>Each gets a new job like it; the old ones stay as they are.</p>}
        <Quote quote={quote} />
      </>
    );
    return confirm({ title, body, action: action === "retry" ? "Retry" : "Make anew" });
  }
  async function act(action: Action) {
    setBusy(action);
    try {
      if (!(await agreed(action))) return;
      const done = action === "replay" ? await replayAll(where) : await actOnAll(action, where);
      toast({ text: `${formatNumber(done)} ${DONE[action]}.` });
      await client.invalidateQueries({ queryKey: KEY });
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(null);
    }
  }
  // Without a cause there is no filter for these alone.
  if (!mayWrite || code === null) return null;
  const button = (action: Action, label: string, look: { icon?: "retry"; kind?: "quiet" } = {}) => (
    <Button size="small" {...look} busy={busy === action} aria-label={`${label} of ${code}`} onClick={() => void act(action)}>
      {label}
    </Button>
  );
  return (
    <span className="row-actions">
      {button("retry", "Retry all", { icon: "retry" })}
      {button("replay", "Make anew")}
      {isAdmin && button("purge", "Delete all", { kind: "quiet" })}
    </span>
  );
}

/** Act until nothing meets `where` any more; return how many were done. */
async function actOnAll(action: "retry" | "purge", where: Which): Promise<number> {
  let done = 0;
  for (let complete = false; !complete; ) {
    const answer = await told(api.POST("/v1/jobs/actions", { body: { action, where } }));
    done += answer.done;
    complete = answer.complete;
  }
  return done;
}

/** Replay each once: replayed jobs stay as they are, so that the same filter would find them again. */
async function replayAll(where: Which): Promise<number> {
  let done = 0;
  let before: number | null = null;
  do {
    const query: object = { ...where, limit: PAGE, ...(before !== null && { before }) };
    const page: Schemas["JobPage"] = await told(api.GET("/v1/jobs", { params: { query: query as never } }));
    let ids = page.items.map((one) => one.id);
    while (ids.length > 0) {
      const answer = await told(api.POST("/v1/jobs/actions", { body: { action: "replay", ids } }));
      const ended = new Set([...Object.keys(answer.replays), ...Object.keys(answer.refused)].map(Number).concat(answer.missing));
      done += answer.done;
      if (ended.size === 0) break;
      ids = answer.complete ? [] : ids.filter((one) => !ended.has(one));
    }
    before = page.next_before;
  } while (before !== null);
  return done;
}
