/** What is done to the chosen jobs, by the server, however many they are. */

import { useRef, useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { Button } from "../../ui/controls";
import { confirm, Dialog } from "../../ui/dialog";
import { formatMoney, formatNumber } from "../../ui/format";
import { toast, toastError } from "../../ui/toast";
import { whichOf, type Criteria } from "./criteria";
import type { Chosen } from "./Jobs";

type Action = Pick<Schemas["ActionIn"], "action" | "change">;
const PRIORITIES = [1, 2, 3, 4, 5] as const;
const DONE = { cancel: "cancelled", retry: "open again", replay: "replayed", change: "changed", purge: "deleted" } as const;

interface Props {
  chosen: Chosen;
  criteria: Criteria;
  matching: { jobs: number; exact: boolean } | null;
  choose: (chosen: Chosen) => void;
  onDone: () => void;
}

export function Bulk({ chosen, criteria, matching, choose, onDone }: Props) {
  const [running, setRunning] = useState<{ done: number } | null>(null);
  const [asks, setAsks] = useState(false);
  const stopped = useRef(false);
  const count = chosen === "all" ? (matching?.jobs ?? 0) : chosen.size;
  const said = chosen === "all" ? `all ${some(matching)} that match` : jobs(count);
  const target = () =>
    chosen === "all" ? { where: whichOf(criteria, Date.now()) } : { ids: [...chosen] };

  async function act(action: Action) {
    stopped.current = false;
    const which = target();
    let done = 0;
    let stopping = 0;
    const left = new Set<string>();
    setRunning({ done });
    try {
      for (let complete = false; !complete && !stopped.current; ) {
        const answer = await told(api.POST("/v1/jobs/actions", { body: { ...action, ...which } }));
        done += answer.done;
        stopping = answer.stopping;
        for (const id of Object.keys(answer.refused)) left.add(id);
        complete = answer.complete;
        setRunning({ done });
      }
      toast({ text: outcome(action.action, done, stopping, left.size) });
      onDone();
    } catch (error) {
      toastError(error);
    } finally {
      setRunning(null);
    }
  }
  async function cancel() {
    const agreed = await confirm({
      title: `Cancel ${said}?`,
      body: "What waits does not begin. What runs stops at its next step; calls that are paid already are taken in.",
      action: "Cancel them",
      danger: true,
    });
    if (agreed) await act({ action: "cancel" });
  }
  async function retry() {
    try {
      const quote = await told(api.POST("/v1/jobs/quote", { body: target() }));
      const agreed = await confirm({ title: `Retry ${said}?`, body: <Quote quote={quote} />, action: "Retry" });
      if (agreed) await act({ action: "retry" });
    } catch (error) {
      toastError(error);
    }
  }
  if (count === 0 && chosen !== "all") {
    return (
      <div className="bulk">
        <span className="dim">Choose jobs to cancel, retry or reprioritise them.</span>
        <Button size="small" kind="quiet" disabled={!matching || matching.jobs === 0} onClick={() => choose("all")}>
          Choose all {some(matching)} matching
        </Button>
      </div>
    );
  }
  const busy = running !== null;
  return (
    <div className="bulk on" role="group" aria-label="Chosen jobs">
      <strong>{chosen === "all" ? `All ${some(matching)} matching` : `${formatNumber(count)} chosen`}</strong>
      {chosen !== "all" && matching && matching.jobs > count && (
        <Button size="small" kind="quiet" onClick={() => choose("all")}>
          Choose all {some(matching)} matching
        </Button>
      )}
      {running ? (
        <span className="bulk-progress" role="status">
          <progress max={Math.max(count, running.done)} value={running.done} aria-label="Done so far" />
          {formatNumber(running.done)} done
          <Button size="small" onClick={() => (stopped.current = true)}>
            Stop here
          </Button>
        </span>
      ) : (
        <>
          <Button size="small" icon="close" onClick={() => void cancel()}>
            Cancel
          </Button>
          <Button size="small" icon="retry" onClick={() => void retry()}>
            Retry
          </Button>
          <Button size="small" icon="queue" onClick={() => setAsks(true)}>
            Priority
          </Button>
        </>
      )}
      <Button size="small" kind="quiet" disabled={busy} onClick={() => choose(new Set())}>
        Choose none
      </Button>
      {asks && (
        <Dialog title={`Priority of ${said}`} onClose={() => setAsks(false)}>
          <p className="dim">1 is the most urgent. What a worker holds already keeps its own.</p>
          <div className="actions">
            {PRIORITIES.map((priority) => (
              <Button
                key={priority}
                onClick={() => {
                  setAsks(false);
                  void act({ action: "change", change: { priority } });
                }}
              >
                {priority}
              </Button>
            ))}
          </div>
        </Dialog>
      )}
    </div>
  );
}

/** What opening jobs again would cost. */
export function Quote({ quote }: { quote: Schemas["QuoteOut"] }) {
  return (
    <>
      <p className="dim">
        {jobs(quote.jobs)}; those that ended well already are left as they are. What was bought already is not bought
        again, and budgets hold.
      </p>
      <dl className="quote">
        <div>
          <dt>Likely cost</dt>
          <dd className="num">{formatMoney(quote.p50_micros)}</dd>
        </div>
        <div>
          <dt>19 times in 20 below</dt>
          <dd className="num">{formatMoney(quote.p95_micros)}</dd>
        </div>
        <div>
          <dt>At most</dt>
          <dd className="num">{formatMoney(quote.most_micros)}</dd>
        </div>
      </dl>
      {quote.priced < quote.jobs && (
        <p className="dim">{formatNumber(quote.jobs - quote.priced)} of them are of a kind that has no price.</p>
      )}
    </>
  );
}

function outcome(action: Schemas["ActionIn"]["action"], done: number, stopping: number, left: number): string {
  const parts = [`${jobs(done)} ${DONE[action]}`];
  if (stopping > 0) parts.push(`${formatNumber(stopping)} stopping`);
  if (left > 0) parts.push(`${formatNumber(left)} in no state for it`);
  return `${parts.join(", ")}.`;
}

const jobs = (count: number): string => `${formatNumber(count)} ${count === 1 ? "job" : "jobs"}`;

function some(matching: Props["matching"]): string {
  if (!matching) return "";
  return `${matching.exact ? "" : "about "}${formatNumber(matching.jobs)}`;
}
