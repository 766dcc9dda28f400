/** How far a table is, what it cost, and its steering: pause, resume, stop. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { formatMoney, formatNumber } from "../../ui/format";
import { toast, toastError } from "../../ui/toast";
import { Money } from "../../ui/values";

export type Batch = Schemas["BatchDetail"];
type Counts = Pick<Schemas["BatchOut"], "total" | "completed" | "partial" | "failed" | "queued" | "cancelled">;

const PARTS = ["completed", "partial", "failed", "queued"] as const;

export function Bar({ batch }: { batch: Counts }) {
  const ended = batch.completed + batch.partial + batch.failed + batch.cancelled;
  return (
    <div
      className="bar"
      role="progressbar"
      aria-label="Rows at their end"
      aria-valuemin={0}
      aria-valuemax={Math.max(1, batch.total)}
      aria-valuenow={ended}
      aria-valuetext={`${formatNumber(ended)} of ${formatNumber(batch.total)} rows`}
    >
      {PARTS.map((part) => (
        <i key={part} className={part} style={{ width: `${(100 * batch[part]) / Math.max(1, batch.total)}%` }} />
      ))}
    </div>
  );
}

/** "Draining 3 paid calls", "Stopped, $0.00 since": what became of a stop. */
export function stoppedText({ draining, open_calls, stopped_micros }: Batch): string {
  if (open_calls > 0) return `Draining ${open_calls} paid ${open_calls === 1 ? "call" : "calls"}`;
  if (draining > 0) return `Draining ${draining} ${draining === 1 ? "row" : "rows"}, no paid call is open`;
  return `Stopped, ${formatMoney(stopped_micros ?? 0)} since`;
}

function standing(batch: Batch): string {
  if (batch.state === "cancelled") return stoppedText(batch);
  if (batch.state === "loading") return "Being read";
  if (batch.state === "paused") return batch.running ? `Paused, ${batch.running} rows still run` : "Paused";
  if (batch.state === "finished") return "Finished";
  return "Running";
}

export function Progress({ batch }: { batch: Batch }) {
  const ended = batch.completed + batch.partial + batch.failed + batch.cancelled;
  const cap = batch.budget_cents;
  return (
    <div className="progress">
      <Bar batch={batch} />
      <p>
        <strong role="status">{standing(batch)}</strong>
        <span className="num">
          {formatNumber(ended)} of {formatNumber(batch.total)} rows
        </span>
        <span>
          <Money micros={batch.cost_micros} /> spent
          {cap !== null && <> of {formatMoney(cap * 10_000)}</>}
        </span>
        {batch.unknown_micros > 0 && (
          <span>
            <Money micros={batch.unknown_micros} /> reserved
          </span>
        )}
        {batch.failed > 0 && <span>{formatNumber(batch.failed)} failed</span>}
      </p>
    </div>
  );
}

type Act = "pause" | "resume" | "cancel";

const ROUTES = {
  pause: "/v1/batches/{batch_id}/pause",
  resume: "/v1/batches/{batch_id}/resume",
  cancel: "/v1/batches/{batch_id}/cancel",
} as const;

export function Steering({ batch }: { batch: Batch }) {
  const client = useQueryClient();
  const write = useMay("editor");
  const key = ["table", batch.id, "head"];
  const params = { path: { batch_id: batch.id } };
  const acting = useMutation({
    mutationFn: (act: Act) => told(api.POST(ROUTES[act], { params })),
    onSuccess: (now) => client.setQueryData(key, now),
    onError: toastError,
  });
  const again = useMutation({
    mutationFn: () => told(api.POST("/v1/batches/{batch_id}/retry", { params, body: { partial: false } })),
    onSuccess: ({ rows }) => {
      toast({ text: `${formatNumber(rows)} rows are tried again. No answer is bought twice.` });
      void client.invalidateQueries({ queryKey: ["table", batch.id] });
    },
    onError: toastError,
  });
  if (!write) return null;
  async function stop() {
    const agreed = await confirm({
      title: "Stop this table?",
      body: "No further row is begun and nobody else is asked. Paid calls that are under way are waited for; what was found stays. A stopped table cannot go on.",
      action: "Stop it",
      danger: true,
    });
    if (agreed) acting.mutate("cancel");
  }
  const busy = (act: Act) => acting.isPending && acting.variables === act;
  const open = batch.state === "running" || batch.state === "paused";
  return (
    <>
      {batch.state === "running" && (
        <Button icon="pause" busy={busy("pause")} onClick={() => acting.mutate("pause")}>
          Pause
        </Button>
      )}
      {batch.state === "paused" && (
        <Button icon="play" busy={busy("resume")} onClick={() => acting.mutate("resume")}>
          Resume
        </Button>
      )}
      {open && (
        <Button icon="close" busy={busy("cancel")} onClick={() => void stop()}>
          Stop
        </Button>
      )}
      {batch.state === "finished" && batch.failed > 0 && (
        <Button icon="retry" busy={again.isPending} onClick={() => again.mutate()}>
          Try failed rows again
        </Button>
      )}
    </>
  );
}
