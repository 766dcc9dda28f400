/** Every call to a provider: what was asked, what it cost, and what nobody knows yet. */

import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useChanges } from "../../api/use-live";
import { useCommand } from "../../shell/commands";
import { Button } from "../../ui/controls";
import { Chips, Choice, Word } from "../../ui/filters";
import { formatMoney, formatNumber, inWords } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Icon } from "../../ui/icons";
import { Badge, PageHead, Panel, type Tone } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Duration, Money, useNow } from "../../ui/values";
import { Books } from "./Books";
import { CallDialog } from "./CallDialog";
import { addressOf, CALL_STATES, idOf, isEmpty, queryOf, SAID, WITHIN, type CallState, type Criteria } from "./criteria";
import "./money.css";
import { Resolve } from "./Resolve";
import { ledger as route } from "./route";

export type Call = Schemas["CallOut"];
export const KEY = ["calls"];
const EVERY_MS = 2_000;
const TONES: Readonly<Record<CallState, Tone>> = {
  sending: "busy",
  pending_vendor: "busy",
  settled: "good",
  not_billed: "calm",
  unknown: "bad",
};

const read = (criteria: Criteria, before: number | null) =>
  told(
    api.GET("/v1/calls", {
      params: { query: { ...queryOf(criteria, Date.now()), limit: 100, ...(before && { before }) } as never },
    }),
  );

export function Ledger() {
  const { call, ...criteria } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const isAdmin = useMay("admin");
  const [verifies, setVerifies] = useState(false);
  const [resolves, setResolves] = useState<Call | null>(null);
  const look = (next: Criteria) => void navigate({ search: next, replace: true });
  const open = (id: number | undefined) => void navigate({ search: (was) => ({ ...was, call: id }), replace: true });
  const calls = useInfiniteQuery({
    queryKey: [...KEY, criteria],
    queryFn: ({ pageParam }) => read(criteria, pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
  const unknown = useUnknown();
  const now = useNow();
  const again = () => void client.invalidateQueries({ queryKey: KEY });
  useChanges(again, again);
  const rows = calls.data?.pages.flatMap((page) => page.items);
  return (
    <div className="page money">
      <PageHead title="Ledger" about="Every call to a provider, newest first: who was asked, why, for how much, and how it ended.">
        <a className="button" href={`/v1/calls/export?${addressOf(criteria, now)}`} download="calls.csv">
          <Icon name="down" />
          Export CSV
        </a>
        {isAdmin && (
          <Button icon="check" onClick={() => setVerifies(true)}>
            Verify the books
          </Button>
        )}
      </PageHead>
      <Filters criteria={criteria} look={look} />
      <Unknown items={unknown.data?.items ?? []} look={look} criteria={criteria} />
      {/* Not before it is known whether something stands above it. */}
      {!unknown.isPending && (
        <Panel flush>
          {calls.error && <ProblemBox error={calls.error} retry={() => void calls.refetch()} />}
          {rows ? (
            <DataTable
              label="Calls"
              columns={columnsOf(open, setResolves, isAdmin)}
              rows={rows}
              rowKey={(one) => one.id}
              empty={
                isEmpty(criteria) ? (
                  <Empty level={2} title="Nobody was asked yet">
                    Each call to a provider is written here before it is made.
                  </Empty>
                ) : (
                  <Empty level={2} title="No such calls">
                    Change what is looked for, or clear it.
                  </Empty>
                )
              }
            />
          ) : (
            !calls.error && <Loading lines={6} />
          )}
          {calls.hasNextPage && (
            <div className="older">
              <Button busy={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
                Older
              </Button>
            </div>
          )}
        </Panel>
      )}
      {call !== undefined && <CallDialog id={call} onResolve={setResolves} onClose={() => open(undefined)} />}
      {resolves && <Resolve call={resolves} onClose={() => setResolves(null)} />}
      {verifies && <Books onClose={() => setVerifies(false)} />}
      {isAdmin && <Offer act={() => setVerifies(true)} />}
    </div>
  );
}

function Offer({ act }: { act: () => void }) {
  useCommand({ id: "verify-books", label: "Verify the books", icon: "check", words: "ledger invariants", act });
  return null;
}

function useUnknown() {
  return useQuery({
    queryKey: [...KEY, "unknown"],
    queryFn: () => told(api.GET("/v1/calls", { params: { query: { state: ["unknown"], paid: true, limit: MOST } as never } })),
    refetchInterval: EVERY_MS,
  });
}

/** That there are calls of which nobody knows whether they were billed. */
function Unknown({
  items,
  criteria,
  look,
}: {
  items: readonly Call[];
  criteria: Criteria;
  look: (next: Criteria) => void;
}) {
  if (items.length === 0) return null;
  const held = items.reduce((sum, one) => sum + one.reserved_micros, 0);
  const shown = criteria.state?.length === 1 && criteria.state[0] === "unknown";
  return (
    <div className="notice bad" role="status">
      <h2>
        {items.length >= MOST ? `${formatNumber(MOST)} or more` : formatNumber(items.length)}{" "}
        {items.length === 1 ? "call" : "calls"} of unknown outcome
      </h2>
      <p>
        The answer never came, so nobody here knows whether they were billed. {formatMoney(held)} stays reserved and the same is not
        asked again until somebody looks into the vendor's usage page and says what was billed.
      </p>
      {!shown && (
        <div>
          <Button size="small" onClick={() => look({ state: ["unknown"], paid: true })}>
            Show them
          </Button>
        </div>
      )}
    </div>
  );
}

const MOST = 1_000;

function Filters({ criteria, look }: { criteria: Criteria; look: (next: Criteria) => void }) {
  const set = (part: Criteria) => look({ ...criteria, ...part });
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")) });
  const names = [...new Set([...(providers.data ?? []).map((one) => one.name), ...(criteria.provider ? [criteria.provider] : [])])];
  return (
    <search className="filters">
      <div className="line">
        <Choice
          label="Provider"
          none="any"
          options={Object.fromEntries(names.map((one) => [one, one]))}
          value={criteria.provider}
          onChange={(provider) => set({ provider })}
        />
        <Word label="Job" placeholder="its number" numeric value={criteria.job?.toString()} onChange={(text) => set({ job: idOf(text) })} />
        <Word
          label="Table"
          placeholder="its number"
          numeric
          value={criteria.table?.toString()}
          onChange={(text) => set({ table: idOf(text) })}
        />
        <Choice label="Made within" none="any time" options={WITHIN} value={criteria.within} onChange={(within) => set({ within })} />
      </div>
      <div className="line">
        <Chips
          label="States"
          options={CALL_STATES}
          value={criteria.state ?? []}
          onChange={(state) => set({ state: state.length > 0 ? state : undefined })}
          say={(one) => SAID[one]}
        />
        <label className="check">
          <input
            type="checkbox"
            checked={criteria.paid ?? false}
            onChange={(event) => set({ paid: event.target.checked || undefined })}
          />
          Only what cost something, or may
        </label>
        <span className="quick">
          <Button size="small" kind="quiet" icon="close" disabled={isEmpty(criteria)} onClick={() => look({})}>
            Clear
          </Button>
        </span>
      </div>
    </search>
  );
}

function columnsOf(
  open: (id: number) => void,
  resolve: (call: Call) => void,
  isAdmin: boolean,
): readonly Column<Call>[] {
  return [
    {
      id: "call",
      title: "Call",
      cell: (one) => (
        <button type="button" className="link" aria-label={`${one.provider} ${one.operation}, call ${one.id}`} onClick={() => open(one.id)}>
          {one.provider} <span className="dim">{one.operation}</span>
        </button>
      ),
    },
    { id: "state", title: "State", cell: (one) => <CallBadge state={one.state} /> },
    { id: "verdict", title: "Verdict", cell: (one) => (one.verdict ? inWords(one.verdict) : "–") },
    { id: "for", title: "For", cell: (one) => <For call={one} /> },
    { id: "price", title: "Price", end: true, cell: (one) => <Money micros={one.price_micros} /> },
    { id: "reserved", title: "Reserved", end: true, cell: (one) => <Money micros={one.reserved_micros} /> },
    { id: "took", title: "Took", end: true, cell: (one) => <Duration seconds={tookOf(one)} /> },
    { id: "at", title: "Asked", end: true, cell: (one) => <Ago at={one.created_at} /> },
    {
      id: "act",
      title: "Actions",
      end: true,
      cell: (one) =>
        isAdmin && one.state === "unknown" ? (
          <Button size="small" kind="primary" aria-label={`Resolve call ${one.id}`} onClick={() => resolve(one)}>
            Resolve
          </Button>
        ) : null,
    },
  ];
}

export function CallBadge({ state }: { state: CallState }) {
  return <Badge tone={TONES[state]}>{SAID[state]}</Badge>;
}

export function For({ call: { job_id: job, batch_id: table } }: { call: Call }) {
  if (table !== null) {
    return (
      <Goto to="/tables/$id" params={{ id: String(table) }}>
        table {table}
      </Goto>
    );
  }
  if (job === null) return "–";
  return (
    <Goto to="/jobs/$id" params={{ id: String(job) }}>
      job #{job}
    </Goto>
  );
}

export const tookOf = ({ created_at: from, settled_at: to }: Call): number | null =>
  to ? Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) : null;
