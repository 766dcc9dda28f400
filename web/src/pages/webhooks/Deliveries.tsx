/** What an endpoint was told, how it answered, and telling it again. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Select } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { Chips } from "../../ui/filters";
import { FormDialog } from "../../ui/form";
import { formatDuration, formatNumber } from "../../ui/format";
import { Badge, Panel, type Tone } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Num } from "../../ui/values";
import { DELIVERY_STATES, type DeliveryState } from "./deliveries";
import { webhook as route } from "./route";

type Delivery = Schemas["DeliveryOut"];
const EVERY_MS = 2_000;
const TONES: Readonly<Record<DeliveryState, Tone>> = { pending: "busy", delivered: "good", failed: "bad" };

export const deliveriesKey = (id: number) => ["deliveries", id];

export function Deliveries({ id, listens }: { id: number; listens: boolean }) {
  const { state } = route.useSearch();
  const navigate = route.useNavigate();
  const mayTell = useMay("admin");
  const [asks, setAsks] = useState(false);
  const [looked, setLooked] = useState<number | null>(null);
  const found = useInfiniteQuery({
    queryKey: [...deliveriesKey(id), state],
    queryFn: ({ pageParam }) =>
      told(
        api.GET("/v1/webhooks/{webhook_id}/deliveries", {
          params: {
            path: { webhook_id: id },
            query: { limit: 50, ...(state && { state }), ...(pageParam && { before: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
  const rows = found.data?.pages.flatMap((page) => page.items);
  const shown = rows?.find((one) => one.id === looked);
  return (
    <Panel
      title="What it was told"
      flush
      aside={
        mayTell && (
          <Button size="small" icon="retry" onClick={() => setAsks(true)}>
            Send again what failed
          </Button>
        )
      }
    >
      <div className="filters">
        <Chips
          label="States"
          options={DELIVERY_STATES}
          value={state ? [state] : []}
          onChange={(chosen) => void navigate({ search: { state: chosen.at(-1) }, replace: true })}
        />
      </div>
      {found.error && <ProblemBox error={found.error} retry={() => void found.refetch()} />}
      {rows ? (
        <DataTable
          label="Deliveries"
          columns={columnsOf(id, listens, setLooked)}
          rows={rows}
          rowKey={(one) => one.id}
          empty={
            <Empty title={state ? `None is ${state}` : "It was told nothing yet"}>
              {state ? "Choose another state, or none." : "What happens from now on is told here. “Send a test” tries it at once."}
            </Empty>
          }
        />
      ) : (
        !found.error && <Loading />
      )}
      {found.hasNextPage && (
        <div className="older">
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
      {asks && <Replay id={id} onClose={() => setAsks(false)} />}
      {shown && <Look delivery={shown} onClose={() => setLooked(null)} />}
    </Panel>
  );
}

function columnsOf(id: number, listens: boolean, look: (id: number) => void): readonly Column<Delivery>[] {
  return [
    {
      id: "type",
      title: "Event",
      cell: (one) => (
        <button type="button" className="link" aria-label={`${one.type}, delivery ${one.id}`} onClick={() => look(one.id)}>
          <code>{one.type}</code>
        </button>
      ),
    },
    { id: "about", title: "About", cell: (one) => <About delivery={one} /> },
    { id: "state", title: "State", cell: (one) => <Badge tone={TONES[one.state]}>{one.state}</Badge> },
    { id: "answer", title: "Last answer", cell: (one) => <Answer attempt={one.attempts.at(-1)} /> },
    { id: "attempts", title: "Attempts", end: true, cell: (one) => <Num of={one.attempt} /> },
    { id: "made", title: "Happened", end: true, cell: (one) => <Ago at={one.created_at} /> },
    { id: "next", title: "Next attempt", end: true, cell: (one) => <Next delivery={one} listens={listens} /> },
    { id: "act", title: "Actions", end: true, cell: (one) => <Again id={id} delivery={one} /> },
  ];
}

function About({ delivery: { job_id: job, batch_id: batch } }: { delivery: Delivery }) {
  if (job !== null) {
    return (
      <Link to="/jobs/$id" params={{ id: String(job) }}>
        job #{job}
      </Link>
    );
  }
  if (batch === null) return "–";
  return (
    <Link to="/tables/$id" params={{ id: batch }}>
      table {batch}
    </Link>
  );
}

function Answer({ attempt }: { attempt: Schemas["AttemptOut"] | undefined }) {
  if (!attempt) return "–";
  const took = <span className="dim">in {formatDuration(attempt.duration_ms / 1000)}</span>;
  if (attempt.status === null) {
    return (
      <>
        no answer, <span className="dim">{attempt.error}</span>
      </>
    );
  }
  return (
    <>
      <strong className="num">{attempt.status}</strong> {took}
    </>
  );
}

function Next({ delivery: { state, next_attempt_at: next }, listens }: { delivery: Delivery; listens: boolean }) {
  if (state !== "pending") return "–";
  if (!listens) return "once enabled";
  return <Ago at={next} />;
}

function Again({ id, delivery }: { id: number; delivery: Delivery }) {
  const client = useQueryClient();
  const tell = useMutation({
    mutationFn: async () => {
      const params = { path: { webhook_id: id, delivery_id: delivery.id } };
      await told(api.POST("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", { params }));
      toast({ text: "It is told again, under the same id." });
      await client.invalidateQueries({ queryKey: deliveriesKey(id) });
    },
    onError: toastError,
  });
  if (!useMay("admin") || delivery.state === "pending") return null;
  return (
    <Button size="small" icon="retry" busy={tell.isPending} aria-label={`Send again ${delivery.type} ${delivery.id}`} onClick={() => tell.mutate()}>
      Send again
    </Button>
  );
}

const SINCE = { 3600: "the last hour", 86400: "the last day", 604800: "the last 7 days", 2592000: "the last 30 days" } as const;

function Replay({ id, onClose }: { id: number; onClose: () => void }) {
  const client = useQueryClient();
  async function replay(given: FormData) {
    const since = new Date(Date.now() - Number(given.get("since")) * 1000).toISOString();
    const params = { path: { webhook_id: id } };
    const { deliveries } = await told(api.POST("/v1/webhooks/{webhook_id}/replay", { params, body: { since } }));
    toast({ text: deliveries === 0 ? "Nothing failed in that time." : `${formatNumber(deliveries)} are told again.` });
    await client.invalidateQueries({ queryKey: deliveriesKey(id) });
  }
  return (
    <FormDialog title="Send again what failed?" action="Send again" submit={replay} onClose={onClose}>
      <p className="dim">
        All that failed for good is told again under the same ids, so a receiver that took one already knows it. It costs nothing.
      </p>
      <Select label="From" name="since" defaultValue="86400">
        {Object.entries(SINCE).map(([seconds, said]) => (
          <option key={seconds} value={seconds}>
            {said}
          </option>
        ))}
      </Select>
    </FormDialog>
  );
}

function Look({ delivery, onClose }: { delivery: Delivery; onClose: () => void }) {
  return (
    <Dialog title={`${delivery.type} ${delivery.id}`} wide onClose={onClose}>
      <h3>What is sent</h3>
      <pre className="raw" tabIndex={0}>
        {pretty(delivery.body)}
      </pre>
      <h3>Attempts</h3>
      {delivery.attempts.length === 0 && <p className="dim">None yet.</p>}
      <ol className="attempts">
        {delivery.attempts.toReversed().map((one) => (
          <li key={`${one.round} ${one.attempt}`}>
            <p>
              <Ago at={one.at} />
              <Answer attempt={one} />
              {one.round > 1 && <span className="dim">sent again, the {one.round - 1}. time</span>}
            </p>
            {one.excerpt && (
              <pre className="raw" tabIndex={0}>
                {one.excerpt}
              </pre>
            )}
          </li>
        ))}
      </ol>
      <div className="actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // as it is signed and sent, whatever it is
  }
}
