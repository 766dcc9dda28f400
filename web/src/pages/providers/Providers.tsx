/** Whom can be asked: how each stands, what is left of its limits, what it found and what it cost. */

import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Button } from "../../ui/controls";
import { formatDuration, formatNumber } from "../../ui/format";
import { Badge, PageHead, Panel, type Tone } from "../../ui/layout";
import { useNarrow } from "../../ui/narrow";
import { Empty, Loading, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Money, Num, Percent } from "../../ui/values";
import { Lifts } from "./Lifts";
import "./providers.css";
import { VendorKey } from "./VendorKey";

type Provider = Schemas["StandingOut"];
const KEY = ["providers"];
const EVERY_MS = 5_000;

export function Providers() {
  const providers = useLiveQuery(
    {
      queryKey: KEY,
      queryFn: () => told(api.GET("/v1/providers")),
      refetchInterval: EVERY_MS,
    },
    { every: EVERY_MS },
  );
  return (
    <div className="page">
      <PageHead title="Providers" about="Calls and money of the last day, of this workspace; limits and circuits are the fleet's." />
      <Panel flush>
        {/* A long list comes: what stands below it is to stay out of sight until then. */}
        <Shown query={providers} loading={<Loading lines={40} />}>
          {(rows) => <List of={rows} />}
        </Shown>
      </Panel>
      <Lifts />
    </div>
  );
}

/** On a phone, where each is a card, those that are not in use are folded away. */
function List({ of }: { of: readonly Provider[] }) {
  const narrow = useNarrow();
  const [unfolded, setUnfolded] = useState(false);
  const used = of.filter((one) => one.in_use);
  const folds = narrow && used.length > 0 && used.length < of.length;
  const rows = folds && !unfolded ? used : of;
  return (
    <>
      <DataTable
        label="Providers"
        columns={COLUMNS}
        rows={rows.toSorted((a, b) => Number(b.in_use) - Number(a.in_use) || b.calls.calls - a.calls.calls)}
        rowKey={(one) => one.name}
        empty={<Empty level={2} title="No providers" />}
      />
      {folds && (
        <p className="fold">
          <Button size="small" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}>
            {unfolded ? "Hide" : "Show"} {formatNumber(of.length - used.length)} not in use
          </Button>
        </p>
      )}
    </>
  );
}

export const KEYS: Readonly<Record<Provider["key"], Tone>> = {
  own: "good",
  set: "good",
  "not needed": "calm",
  optional: "calm",
  missing: "bad",
};

export function toneOf({ in_use: used, circuit, state }: Provider): Tone {
  if (!used) return "calm";
  if (circuit.state === "open") return "bad";
  return circuit.state === "half-open" || state !== "ready" ? "warn" : "good";
}

const COLUMNS: readonly Column<Provider>[] = [
  { id: "name", title: "Provider", cell: (one) => (
      <Link to="/providers/$name" params={{ name: one.name }}>
        {one.name}
      </Link>
    ) },
  {
    id: "state",
    title: "Stands",
    cell: (one) => (
      <>
        <Badge tone={toneOf(one)}>{one.state}</Badge> <span className="dim">{one.reason || one.circuit.last_error}</span>
      </>
    ),
  },
  { id: "key", title: "Key", cell: (one) => <Badge tone={KEYS[one.key]}>{one.key}</Badge> },
  {
    id: "room",
    title: "Limits left",
    cell: (one) =>
      one.headroom.map((each, i) => (
        <span key={i} className="num">
          {i > 0 && ", "}
          {formatNumber(each.free)}/{formatNumber(each.calls)} in {formatDuration(each.window_s)}
        </span>
      )),
  },
  {
    id: "seats",
    title: "Under way",
    end: true,
    cell: ({ seats }) =>
      seats && (
        <span className="num" title={`${formatNumber(seats.waiting)} processes want more`}>
          {formatNumber(seats.under_way)}/{formatNumber(seats.most)}
        </span>
      ),
  },
  { id: "calls", title: "Calls", end: true, cell: (one) => <Num of={one.calls.calls} /> },
  {
    id: "hits",
    title: "Hit rate",
    end: true,
    cell: (one) => <Percent rate={one.calls.calls > 0 ? one.calls.hits / one.calls.calls : null} />,
  },
  { id: "errors", title: "Errors", end: true, cell: (one) => <Num of={one.calls.errors} /> },
  { id: "spent", title: "Spent", end: true, cell: (one) => <Money micros={one.calls.spent_micros} /> },
  { id: "act", title: "Actions", end: true, cell: (one) => <VendorKey provider={one} /> },
];

