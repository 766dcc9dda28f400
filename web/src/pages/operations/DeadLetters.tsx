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
const KEY = ["dead-letters"];

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
  { id: "act", title: "Actions", end: true, cell: (one) => <Retry group={one} /> },
];

function Retry({ group: { state, kind, code, jobs } }: { group: Group }) {
  const client = useQueryClient();
  const mayWrite = useMay("editor");
  const [busy, setBusy] = useState(false);
  const where = { state: [state], kind: [kind], ...(code && { error_code: code }) } as Schemas["Which"];
  async function retry() {
    setBusy(true);
    try {
      const quote = await told(api.POST("/v1/jobs/quote", { body: { where } }));
      const agreed = await confirm({
        title: `Retry ${formatNumber(jobs)} of ${code ?? kind}?`,
        body: <Quote quote={quote} />,
        action: "Retry",
      });
      if (!agreed) return;
      let done = 0;
      for (let complete = false; !complete; ) {
        const answer = await told(api.POST("/v1/jobs/actions", { body: { action: "retry", where } }));
        done += answer.done;
        complete = answer.complete;
      }
      toast({ text: `${formatNumber(done)} open again.` });
      await client.invalidateQueries({ queryKey: KEY });
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  }
  // Without a cause there is no filter for these alone.
  if (!mayWrite || code === null) return null;
  return (
    <Button size="small" icon="retry" busy={busy} aria-label={`Retry all of ${code}`} onClick={() => void retry()}>
      Retry all
    </Button>
  );
}
