/** Cancel, retry, and once more with other arguments. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";

import { api, told } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { confirm, Dialog } from "../../ui/dialog";
import { ProblemBox } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { Quote } from "../jobs/Bulk";
import type { Job } from "./JobPage";
import { isObject, mergePatch } from "./merge-patch";

export function Actions({ job }: { job: Job }) {
  const client = useQueryClient();
  const mayWrite = useMay("editor");
  const [replays, setReplays] = useState(false);
  const params = { path: { job_id: job.id } };
  const settle = {
    onSuccess: (changed: Job) => client.setQueryData(["job", job.id], changed),
    onError: toastError,
  };
  const cancel = useMutation({
    mutationFn: () => told(api.POST("/v1/jobs/{job_id}/cancel", { params })),
    ...settle,
  });
  const retry = useMutation({
    mutationFn: () => told(api.POST("/v1/jobs/{job_id}/retry", { params })),
    ...settle,
  });
  const hasEnded = Boolean(job.finished_at);

  async function askToCancel() {
    const agreed = await confirm({
      title: `Cancel job #${job.id}?`,
      body: "What it asked already is taken in; nothing more is asked.",
      action: "Cancel the job",
      danger: true,
    });
    if (agreed) cancel.mutate();
  }
  async function askToRetry() {
    try {
      const quote = await told(api.POST("/v1/jobs/quote", { body: { ids: [job.id] } }));
      const agreed = await confirm({ title: `Retry job #${job.id}?`, body: <Quote quote={quote} />, action: "Retry" });
      if (agreed) retry.mutate();
    } catch (error) {
      toastError(error);
    }
  }
  if (!mayWrite) return null;
  return (
    <>
      {!hasEnded && (
        <Button icon="close" busy={cancel.isPending || job.cancel_requested} onClick={() => void askToCancel()}>
          {job.cancel_requested ? "Stopping" : "Cancel"}
        </Button>
      )}
      {hasEnded && (
        <>
          <Button icon="retry" busy={retry.isPending} onClick={() => void askToRetry()}>
            Retry
          </Button>
          <Button icon="copy" onClick={() => setReplays(true)}>
            Replay
          </Button>
        </>
      )}
      {replays && <Replay job={job} onClose={() => setReplays(false)} />}
    </>
  );
}

function Replay({ job, onClose }: { job: Job; onClose: () => void }) {
  const id = useId();
  const navigate = useNavigate();
  const before = isObject(job.args) ? job.args : {};
  const [text, setText] = useState(() => JSON.stringify(before, null, 2));
  const [fault, setFault] = useState<string | null>(null);
  const replay = useMutation({
    mutationFn: (args: Record<string, unknown> | null) =>
      told(api.POST("/v1/jobs/{job_id}/replay", { params: { path: { job_id: job.id } }, body: { args } })),
    onSuccess: (made) => {
      onClose();
      toast({ text: `Job #${made.id} does it again.` });
      void navigate({ to: "/jobs/$id", params: { id: String(made.id) } });
    },
  });
  function send() {
    try {
      const after: unknown = JSON.parse(text);
      if (!isObject(after)) throw new Error("Arguments are an object: { ... }");
      setFault(null);
      replay.mutate(mergePatch(before, after));
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  }
  return (
    <Dialog title={`Replay job #${job.id}`} wide firm onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <p className="dim">
          A new job with these arguments; this one stays as it is. What was bought already is not bought again, unless
          skip_cache says so; budgets hold.
        </p>
        {replay.error && <ProblemBox error={replay.error} />}
        <div className="field">
          <label htmlFor={id}>Arguments</label>
          <textarea
            className="input json-edit"
            id={id}
            rows={14}
            spellCheck={false}
            aria-invalid={fault ? true : undefined}
            aria-describedby={fault ? `${id}-fault` : undefined}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          {fault && (
            <p className="fault" id={`${id}-fault`}>
              {fault}
            </p>
          )}
        </div>
        <div className="actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={replay.isPending}>
            Replay
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
