/** One provider: how it stands, what it costs, what it is worth, and how far it is believed. */

import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { useTitle } from "../../shell/title";
import { formatDuration, formatNumber } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, Missing, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Duration, Money, Num, Percent } from "../../ui/values";
import { Calibration, calibrationOf } from "./Calibration";
import { HitRates, hitRatesOf } from "./HitRates";
import { Lifts, liftsOf } from "./Lifts";
import { KEYS, toneOf } from "./Providers";
import "./providers.css";
import { provider as route } from "./route";
import { VendorKey } from "./VendorKey";

type Provider = Schemas["StandingOut"];
const EVERY_MS = 5_000;

export function ProviderPage() {
  const { name } = route.useParams();
  const found = useLiveQuery(
    { queryKey: ["providers"], queryFn: () => told(api.GET("/v1/providers")), refetchInterval: EVERY_MS },
    { every: EVERY_MS },
  );
  const known = found.data?.some((one) => one.name === name);
  useTitle(known ? name : undefined);
  if (known === false) {
    return (
      <div className="page">
        <Missing what="provider" about="None of this name is installed here.">
          <Link to="/providers">All providers</Link>
        </Missing>
      </div>
    );
  }
  return (
    <div className="page">
      <PageHead title={name} about="Calls and money of the last day, of this workspace; limits and circuits are the fleet's.">
        <Shown query={found} loading={null}>
          {(all) => all.filter((one) => one.name === name).map((one) => <VendorKey key={one.name} provider={one} />)}
        </Shown>
      </PageHead>
      {/* What stands below is to stay out of sight until this is there. */}
      <Shown query={found} loading={<Loading lines={40} />}>
        {(all) => all.filter((one) => one.name === name).map((one) => <About key={one.name} of={one} />)}
      </Shown>
      <p>
        <Link to="/providers">All providers</Link>
      </p>
    </div>
  );
}

function About({ of }: { of: Provider }) {
  const { name, calls, circuit } = of;
  return (
    <>
      {circuit.state !== "closed" && (
        <div className="notice" role="status">
          <h2>It is left alone for a while</h2>
          <p>
            After {formatNumber(circuit.failures ?? 0)} failures in a row{circuit.last_error && <>, the last of them: {circuit.last_error}</>}. It is
            tried again by itself{circuit.open_until && <>, <Ago at={circuit.open_until} /></>}.
          </p>
        </div>
      )}
      {of.notice && <p className="dim">{of.notice}</p>}
      <Panel>
        <dl className="facts">
          <Fact name="Stands">
            <Badge tone={toneOf(of)}>{of.state}</Badge> {of.reason && <span className="dim">{of.reason}</span>}
          </Fact>
          <Fact name="Key">
            <Badge tone={KEYS[of.key]}>{of.key}</Badge>
          </Fact>
          <Fact name="Calls">
            <Goto to="/ledger" search={{ provider: name }}>
              <Num of={calls.calls} />
            </Goto>
          </Fact>
          <Fact name="Hit rate">
            <Percent rate={calls.calls > 0 ? calls.hits / calls.calls : null} />
          </Fact>
          <Fact name="Errors">
            <Num of={calls.errors} /> {calls.error_detail && <span className="dim">last: {calls.error_detail}</span>}
          </Fact>
          <Fact name="Answers in">
            <Duration seconds={calls.p50_s} />
            {calls.p95_s !== null && <span className="dim">, 19 of 20 within {formatDuration(calls.p95_s)}</span>}
          </Fact>
          <Fact name="Spent">
            <Money micros={calls.spent_micros} />
          </Fact>
          <Fact name="Under way">{of.seats ? `${formatNumber(of.seats.under_way)} of at most ${formatNumber(of.seats.most)} calls` : "not capped"}</Fact>
        </dl>
      </Panel>
      <div className="two">
        <Panel title="Limits left" flush>
          <DataTable
            label="Limits left"
            columns={LIMITS}
            rows={of.headroom}
            rowKey={(one) => `${one.name} ${one.window_s}`}
            empty={<Empty title="No limit is in use">A limit counts from the first call on.</Empty>}
          />
        </Panel>
        <Panel title="What it can be asked" flush>
          <DataTable
            label="What it can be asked"
            columns={OPERATIONS}
            rows={of.operations}
            rowKey={(one) => one.name}
            empty={<Empty title="Nothing" />}
          />
        </Panel>
      </div>
      <Learned of={name} />
    </>
  );
}

/** All of it together: each would push down those below it. */
function Learned({ of: name }: { of: string }) {
  const waits = useQueries({
    queries: [liftsOf(name), hitRatesOf(name), calibrationOf(name)],
    combine: (asked) => asked.some(({ isPending }) => isPending),
  });
  if (waits) return <Loading lines={40} />;
  return (
    <>
      <Lifts provider={name} />
      <HitRates provider={name} />
      <Calibration provider={name} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const LIMITS: readonly Column<Schemas["WindowOut"]>[] = [
  { id: "name", title: "Of", cell: (one) => one.name },
  { id: "window", title: "Each", cell: (one) => formatDuration(one.window_s) },
  {
    id: "left",
    title: "Left",
    cell: (one) => (
      <meter min={0} max={one.calls} value={one.free} aria-label={`${one.free} of ${one.calls} left`} />
    ),
  },
  {
    id: "free",
    title: "Calls",
    end: true,
    cell: (one) => `${formatNumber(one.free)} of ${formatNumber(one.calls)}`,
  },
];

const OPERATIONS: readonly Column<Schemas["OperationOut"]>[] = [
  { id: "name", title: "Operation", cell: (one) => <code>{one.name}</code> },
  { id: "price", title: "At most", end: true, cell: (one) => <Money micros={one.price_micros} /> },
  { id: "batch", title: "At once", end: true, cell: (one) => <Num of={one.batch_size} /> },
  {
    id: "gives",
    title: "Fields",
    cell: (one) => (
      <span className="gives" title={one.gives.join(", ")}>
        {one.gives.join(", ")}
      </span>
    ),
  },
];
