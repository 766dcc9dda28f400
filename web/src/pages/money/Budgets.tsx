/** The caps, what is spent and reserved below them, and what was spent when. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { Button, Field, Segments, Select } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, textOf } from "../../ui/form";
import { formatMoney, formatPercent } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, ProblemBox, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Money } from "../../ui/values";
import { Spent } from "../home/Charts";
import { SPANS, type Span } from "../home/spans";
import { centsOf, dollarsOf } from "./amounts";
import "./money.css";
import { budgets as route } from "./route";

export type Budget = Schemas["BudgetOut"];
type Paused = Schemas["PausedOut"];
const KEY = ["budgets"];
const EVERY_MS = 2_000;
const DAY = "day";
const OPTIONS = Object.entries(SPANS).map(([value, { label }]) => ({ value: value as Span, label }));

export function Budgets() {
  const { every, span = "7d" } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMay("admin");
  const [sets, setSets] = useState<string | null>(null);
  const { slotS, slots } = SPANS[span];
  const caps = useLiveQuery(
    { queryKey: KEY, queryFn: () => told(api.GET("/v1/budgets")), refetchInterval: EVERY_MS },
    { every: EVERY_MS },
  );
  const overview = useLiveQuery(
    {
      queryKey: ["overview", slotS, slots],
      queryFn: () => told(api.GET("/v1/overview", { params: { query: { slot_s: slotS, slots } } })),
      placeholderData: keepPreviousData,
    },
    { every: EVERY_MS },
  );
  return (
    <div className="page money">
      <PageHead title="Budgets" about="What may be spent. A call that does not fit below every cap is not made.">
        {mayChange && (
          <Button kind="primary" icon="plus" onClick={() => setSets("")}>
            Set a budget
          </Button>
        )}
      </PageHead>
      <Shown query={caps} loading={<Loading lines={8} />}>
        {({ items, paused }) => (
          <>
            {paused.map((one) => (
              <PausedPrice key={`${one.provider} ${one.operation}`} price={one} />
            ))}
            {items.length === 0 ? (
              <Panel>
                <Empty level={2} title="Nothing is capped">
                  {mayChange
                    ? "Set what may be spent each day, or at a provider each month. It holds at once, for whatever runs."
                    : "An admin can set what may be spent each day, or at a provider each month."}
                </Empty>
              </Panel>
            ) : (
              <ul className="caps">
                {items.map((one) => (
                  <li key={`${one.scope} ${one.scope_key}`}>
                    <Cap budget={one} onChange={() => setSets(whatOf(one))} />
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Shown>
      {/* Not before it is known how many caps stand above it. */}
      {!caps.isPending && (
        <>
          <Panel
            title="Spend over time"
            aside={
              <Segments
                label="How far back"
                options={OPTIONS}
                value={span}
                onChange={(chosen) =>
                  void navigate({ search: (was) => ({ ...was, span: chosen === "7d" ? undefined : chosen }), replace: true })
                }
              />
            }
          >
            <Shown query={overview} loading={<div className="chart-place" />}>
              {(found) => (
                <>
                  <Held money={found.money} />
                  <Spent overview={found} />
                </>
              )}
            </Shown>
          </Panel>
          <BySpender slotS={slotS * slots} />
          <Panel
            title="Every budget"
            flush
            aside={
              <Button
                size="small"
                aria-expanded={every ?? false}
                onClick={() => void navigate({ search: (was) => ({ ...was, every: every ? undefined : true }), replace: true })}
              >
                {every ? "Hide them" : "Show them"}
              </Button>
            }
          >
            {every ? <Every /> : <p className="aside-note dim">Those of jobs and tables, and of days and months that are over.</p>}
          </Panel>
        </>
      )}
      {sets !== null && <SetCap what={sets} caps={caps.data?.items ?? []} onClose={() => setSets(null)} />}
    </div>
  );
}

/** What the API calls a standing cap. */
function whatOf({ scope, scope_key: key }: Budget): string {
  return scope === "workspace_day" ? DAY : (key.split("/")[0] ?? key);
}

function nameOf(budget: Budget): string {
  const { scope, scope_key: key } = budget;
  if (scope === "workspace_day") return "Workspace, daily";
  if (scope === "provider_month") return `${whatOf(budget)}, monthly`;
  return scope === "batch" ? `Table ${key}` : `Job #${key}`;
}

function Cap({ budget, onChange }: { budget: Budget; onChange: () => void }) {
  const client = useQueryClient();
  const isAdmin = useMay("admin");
  const { cap_micros: cap, spent_micros: spent, reserved_micros: reserved, left_micros: left } = budget;
  const what = whatOf(budget);
  const remove = useMutation({
    mutationFn: async () => {
      const path = { path: { what } };
      const { data: now, etag } = await tagged(api.GET("/v1/budgets/{what}", { params: path }));
      const agreed = await confirm({
        title: `Remove the budget of ${formatMoney(now.cap_micros)} for ${what === DAY ? "each day" : what}?`,
        body: "What the settings of the installation say holds again; where they say nothing, nothing is capped.",
        action: "Remove it",
        danger: true,
      });
      if (!agreed) return;
      await api.DELETE("/v1/budgets/{what}", { params: { ...path, header: { "if-match": etag } } });
      toast({ text: "The budget is removed." });
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: toastError,
  });
  return (
    <Panel
      title={nameOf(budget)}
      aside={
        isAdmin && (
          <span className="row-actions">
            <Button size="small" aria-label={`Change the budget of ${what}`} onClick={onChange}>
              Change
            </Button>
            {budget.by_default === false && (
              <Button
                size="small"
                kind="quiet"
                busy={remove.isPending}
                aria-label={`Remove the budget of ${what}`}
                onClick={() => remove.mutate()}
              >
                Remove
              </Button>
            )}
          </span>
        )
      }
    >
      <p className="cap-figures">
        <strong className="num">{formatMoney(left)}</strong> left of <span className="num">{formatMoney(cap)}</span>
        {budget.by_default && <Badge>by the settings</Badge>}
      </p>
      <Bar budget={budget} />
      <ul className="legend">
        <li>
          <i className="spent" />
          spent <strong className="num">{formatMoney(spent)}</strong>
        </li>
        <li>
          <i className="reserved" />
          reserved <strong className="num">{formatMoney(reserved)}</strong>
        </li>
        {budget.overrun_micros > 0 && (
          <li>
            <i className="over" />
            billed beyond its reservation <strong className="num">{formatMoney(budget.overrun_micros)}</strong>
          </li>
        )}
      </ul>
    </Panel>
  );
}

/** Spent and reserved as shares of the cap. */
function Bar({ budget: { cap_micros: cap, spent_micros: spent, reserved_micros: reserved } }: { budget: Budget }) {
  const whole = Math.max(cap, spent + reserved, 1);
  const share = (micros: number) => ({ width: `${(100 * micros) / whole}%` });
  const used = formatPercent(cap > 0 ? (spent + reserved) / cap : 1);
  return (
    <div className="bar" role="img" aria-label={`${used} of the cap is spent or reserved`}>
      <span className="spent" style={share(spent)} />
      <span className="reserved" style={share(reserved)} />
    </div>
  );
}

function Held({ money }: { money: Schemas["MoneyOut"] }) {
  return (
    <dl className="facts held">
      <div>
        <dt>Settled in this time</dt>
        <dd>
          <Money micros={money.settled_micros} />
        </dd>
      </div>
      <div>
        <dt>Calls under way may cost</dt>
        <dd>
          <Goto to="/ledger" search={{ state: ["sending", "pending_vendor"] }}>
            <Money micros={money.reserved_micros} />
          </Goto>
        </dd>
      </div>
      <div>
        <dt>Held for unknown calls</dt>
        <dd>
          <Goto to="/ledger" search={{ state: ["unknown"] }}>
            <Money micros={money.unknown_micros} />
          </Goto>
        </dd>
      </div>
    </dl>
  );
}

/** Whom the money went to. */
function BySpender({ slotS }: { slotS: number }) {
  const found = useQuery({
    queryKey: ["providers", "spent", slotS],
    queryFn: () =>
      told(
        api.GET("/v1/providers", {
          params: { query: { since: new Date(Date.now() - slotS * 1000).toISOString() } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 10 * EVERY_MS,
  });
  return (
    <Panel title="By provider" aside={<p>in the same time</p>} flush>
      <Shown query={found}>
        {(all) => {
          const rows = all
            .filter(({ calls }) => calls.spent_micros + calls.open_micros > 0)
            .toSorted((a, b) => b.calls.spent_micros - a.calls.spent_micros);
          const most = Math.max(...rows.map(({ calls }) => calls.spent_micros + calls.open_micros));
          return (
            <DataTable
              label="Spend by provider"
              columns={spendersOf(most)}
              rows={rows}
              rowKey={(one) => one.name}
              empty={<Empty title="Nothing was spent">Free sources and what is known already cost nothing.</Empty>}
            />
          );
        }}
      </Shown>
    </Panel>
  );
}

const spendersOf = (most: number): readonly Column<Schemas["StandingOut"]>[] => [
  {
    id: "name",
    title: "Provider",
    cell: (one) => (
      <Goto to="/ledger" search={{ provider: one.name, paid: true }}>
        {one.name}
      </Goto>
    ),
  },
  {
    id: "bar",
    title: "Share",
    cell: ({ calls }) => (
      <div className="bar thin" aria-hidden="true">
        <span className="spent" style={{ width: `${(100 * calls.spent_micros) / most}%` }} />
        <span className="reserved" style={{ width: `${(100 * calls.open_micros) / most}%` }} />
      </div>
    ),
  },
  { id: "spent", title: "Spent", end: true, cell: ({ calls }) => <Money micros={calls.spent_micros} /> },
  { id: "open", title: "Reserved or unknown", end: true, cell: ({ calls }) => <Money micros={calls.open_micros} /> },
  {
    id: "hit",
    title: "A hit cost",
    end: true,
    cell: ({ calls }) => <Money micros={calls.hits > 0 ? calls.spent_micros / calls.hits : null} />,
  },
];

function Every() {
  const found = useQuery({
    queryKey: [...KEY, "every"],
    queryFn: () => told(api.GET("/v1/budgets", { params: { query: { every: true, limit: 200 } } })),
    refetchInterval: EVERY_MS,
  });
  return (
    <Shown query={found} loading={<Loading />}>
      {({ items }) => (
        <DataTable
          label="Every budget"
          columns={COLUMNS}
          rows={items}
          rowKey={(one) => `${one.scope} ${one.scope_key}`}
          empty={<Empty title="None yet">A budget stands here once something was spent from it.</Empty>}
        />
      )}
    </Shown>
  );
}

const COLUMNS: readonly Column<Budget>[] = [
  { id: "name", title: "Budget", cell: (one) => nameOf(one) },
  {
    id: "key",
    title: "Of",
    cell: (one) => <span className="dim num">{one.scope.includes("_") ? one.scope_key.split("/").at(-1) : ""}</span>,
  },
  { id: "bar", title: "Used", cell: (one) => <Bar budget={one} /> },
  { id: "cap", title: "Cap", end: true, cell: (one) => <Money micros={one.cap_micros} /> },
  { id: "spent", title: "Spent", end: true, cell: (one) => <Money micros={one.spent_micros} /> },
  { id: "reserved", title: "Reserved", end: true, cell: (one) => <Money micros={one.reserved_micros} /> },
  { id: "left", title: "Left", end: true, cell: (one) => <Money micros={one.left_micros} /> },
];

/** A new cap, or another for one that is there; refused where somebody changed it meanwhile. */
function SetCap({ what: given, caps, onClose }: { what: string; caps: readonly Budget[]; onClose: () => void }) {
  const client = useQueryClient();
  const [what, setWhat] = useState(given || DAY);
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")) });
  const isNew = caps.every((one) => whatOf(one) !== what);
  const read = useQuery({
    queryKey: [...KEY, "one", what],
    queryFn: () => tagged(api.GET("/v1/budgets/{what}", { params: { path: { what } } })),
    enabled: !isNew,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const now = isNew ? undefined : read.data;
  // Typed over what was read: where that is read anew and is another, it is shown, and not overwritten.
  const over = `${what} ${now?.etag}`;
  const [typed, setTyped] = useState({ over, text: "" });
  const before = now ? dollarsOf(now.data.cap_micros) : "";
  async function set(form: FormData) {
    if (!isNew && !now) throw new Error("What holds now is not read yet.");
    const header = now ? { "if-match": now.etag } : { "if-none-match": "*" };
    const body = { cap_cents: centsOf(textOf(form, "dollars")) };
    const cap = await told(api.PUT("/v1/budgets/{what}", { params: { path: { what }, header }, body }));
    toast({ text: `${formatMoney(cap.cap_micros)}: it holds at once.` });
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <FormDialog title={given ? "Change the budget" : "Set a budget"} action="Set it" submit={set} onClose={onClose}>
      <Select label="For" value={what} disabled={given !== ""} onChange={(event) => setWhat(event.target.value)}>
        <option value={DAY}>The workspace, each day (UTC)</option>
        {(providers.data ?? []).map((one) => (
          <option key={one.name} value={one.name}>
            {one.name}, each month
          </option>
        ))}
        {given && given !== DAY && !providers.data && <option value={given}>{given}, each month</option>}
      </Select>
      {read.error && <ProblemBox error={read.error} retry={() => void read.refetch()} />}
      <Field
        label="Dollars"
        name="dollars"
        type="number"
        min={0}
        max={10_000_000}
        step={0.01}
        required
        autoFocus
        inputMode="decimal"
        readOnly={!isNew && !now}
        value={typed.over === over ? typed.text : before}
        onChange={(event) => setTyped({ over, text: event.target.value })}
        hint={
          now
            ? `Now ${formatMoney(now.data.cap_micros)}, of which ${formatMoney(now.data.spent_micros + now.data.reserved_micros)} is spent or reserved: it cannot go below that.`
            : "It holds at once, also for what runs."
        }
      />
    </FormDialog>
  );
}

/** A vendor billed more than its price says: it is asked no more until somebody looked. */
function PausedPrice({ price: { provider, operation, reserved_micros: reserved, billed_micros: billed, paused_at: at } }: { price: Paused }) {
  const client = useQueryClient();
  const isAdmin = useMay("admin");
  const resume = useMutation({
    mutationFn: async () => {
      await told(api.POST("/v1/budgets/{what}/resume", { params: { path: { what: provider }, query: { operation } } }));
      toast({ text: `${provider} is asked again.` });
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: toastError,
  });
  async function ask() {
    const agreed = await confirm({
      title: `Ask ${provider} at this price again?`,
      body: `It billed ${formatMoney(billed)} where ${formatMoney(reserved)} was reserved. Each call may go beyond its reservation by as much; should it, the price is paused again.`,
      action: "Ask it again",
      danger: true,
    });
    if (agreed) resume.mutate();
  }
  return (
    <div className="notice" role="status">
      <h2>{provider} bills more than its price</h2>
      <p>
        <code>{operation}</code> was paused <Ago at={at} />: it billed {formatMoney(billed)} where {formatMoney(reserved)} was
        reserved. Set its price to what the vendor takes, or ask at the old one again.
      </p>
      {isAdmin && (
        <div>
          <Button size="small" icon="play" busy={resume.isPending} onClick={() => void ask()}>
            Ask again
          </Button>
        </div>
      )}
    </div>
  );
}
