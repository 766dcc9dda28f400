/** Whom can be asked: how each stands, what is left of its limits, what it found and what it cost. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, told } from "../../api/client";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { Button, Field } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { formatDuration, formatNumber } from "../../ui/format";
import { Badge, PageHead, Panel, type Tone } from "../../ui/layout";
import { Empty, ProblemBox, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast } from "../../ui/toast";
import { Money, Num, Percent } from "../../ui/values";
import { useState } from "react";

interface Window {
  name: string;
  window_s: number;
  calls: number;
  free: number;
}

/** As `GET /v1/providers` tells it; its document names no schema. */
interface Provider {
  name: string;
  state: string;
  in_use: boolean;
  reason: string | null;
  key: "own" | "set" | "not needed" | "optional" | "missing";
  headroom: Window[];
  seats: { most: number; under_way: number; waiting: number } | null;
  circuit: { state: string; last_error?: string | null };
  calls: { calls: number; hits: number; errors: number; p50_ms?: number | null; spent_micros?: number };
}

const KEY = ["providers"];
const EVERY_MS = 5_000;

export function Providers() {
  const providers = useLiveQuery(
    {
      queryKey: KEY,
      queryFn: async () => (await told(api.GET("/v1/providers"))) as Provider[],
      refetchInterval: EVERY_MS,
    },
    { every: EVERY_MS },
  );
  return (
    <div className="page">
      <PageHead title="Providers" about="Calls and money of the last day, of this workspace; limits and circuits are the fleet's." />
      <Panel flush>
        <Shown query={providers}>
          {(rows) => (
            <DataTable
              label="Providers"
              columns={COLUMNS}
              rows={rows.toSorted((a, b) => Number(b.in_use) - Number(a.in_use) || b.calls.calls - a.calls.calls)}
              rowKey={(one) => one.name}
              empty={<Empty level={2} title="No providers" />}
            />
          )}
        </Shown>
      </Panel>
    </div>
  );
}

const KEYS: Readonly<Record<Provider["key"], Tone>> = {
  own: "good",
  set: "good",
  "not needed": "calm",
  optional: "calm",
  missing: "bad",
};

function toneOf({ in_use: used, circuit, state }: Provider): Tone {
  if (!used) return "calm";
  if (circuit.state === "open") return "bad";
  return circuit.state === "half-open" || state !== "ready" ? "warn" : "good";
}

const COLUMNS: readonly Column<Provider>[] = [
  { id: "name", title: "Provider", cell: (one) => <strong>{one.name}</strong> },
  {
    id: "state",
    title: "Stands",
    cell: (one) => (
      <>
        <Badge tone={toneOf(one)}>{one.state}</Badge> <span className="dim">{one.reason ?? one.circuit.last_error}</span>
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
  { id: "act", title: "Actions", end: true, cell: (one) => (one.key === "not needed" ? null : <SetKey name={one.name} />) },
];

function SetKey({ name }: { name: string }) {
  const client = useQueryClient();
  const isAdmin = useMay("admin");
  const [open, setOpen] = useState(false);
  const keep = useMutation({
    mutationFn: (key: string) =>
      told(api.PUT("/v1/providers/{name}/key", { params: { path: { name } }, body: { key } })),
    onSuccess: async (kept) => {
      setOpen(false);
      toast({ text: `The key of ${name} that ends in ${kept.last_four ?? "…"} is kept, encrypted.` });
      await client.invalidateQueries({ queryKey: KEY });
    },
  });
  if (!isAdmin) return null;
  return (
    <>
      <Button size="small" icon="key" aria-label={`Set key of ${name}`} onClick={() => setOpen(true)}>
        Set key
      </Button>
      {open && (
        <Dialog title={`Key of ${name}`} onClose={() => setOpen(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              keep.mutate(String(new FormData(event.currentTarget).get("key")));
            }}
          >
            {keep.error && <ProblemBox error={keep.error} />}
            <Field
              label="Key"
              name="key"
              type="password"
              autoComplete="off"
              required
              autoFocus
              hint="Of this workspace alone. It is kept encrypted and never shown again."
            />
            <div className="actions">
              <Button onClick={() => setOpen(false)}>Leave it</Button>
              <Button type="submit" kind="primary" busy={keep.isPending}>
                Keep it
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
