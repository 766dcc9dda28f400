/** API keys: what programs show instead of a password. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useCommand } from "../../shell/commands";
import { Button, Field, Select } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, Once, textOf } from "../../ui/form";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";
import "./access.css";

type Key = Schemas["KeyOut"];
type Scope = Key["scopes"][number];
const KEY = ["keys"];
const EVERY_MS = 10_000;
const DAY_S = 86_400;

const SCOPES: Readonly<Record<Scope, string>> = {
  read: "see jobs, results, tables and spend",
  write: "also ask for work and change it, within the budgets",
  admin: "also keys, members, budgets, vendors' keys and settings",
  callback: "only answer a job that waits for it",
};
const EXPIRIES = { 30: "in 30 days", 90: "in 90 days", 365: "in a year", 0: "never" } as const;
const OVERLAPS = { 0: "stops at once", 3600: "works for an hour more", 86400: "works for a day more", 604800: "works for a week more" } as const;

export function Keys() {
  const [adds, setAdds] = useState(false);
  const [made, setMade] = useState<Schemas["IssuedOut"] | null>(null);
  const keys = useQuery({ queryKey: KEY, queryFn: () => told(api.GET("/v1/keys")), refetchInterval: EVERY_MS });
  useCommand({ id: "new-key", label: "New API key", icon: "key", words: "token secret", act: () => setAdds(true) });
  const byAge = (rows: readonly Key[]) => rows.toSorted((a, b) => Number(counts(b)) - Number(counts(a)));
  return (
    <div className="page">
      <PageHead title="API keys" about="What programs sign in with. A key can do what its scope says, in this workspace alone.">
        <Button kind="primary" icon="plus" onClick={() => setAdds(true)}>
          New key
        </Button>
      </PageHead>
      <Panel flush>
        <Shown query={keys}>
          {(rows) => (
            <DataTable
              label="API keys"
              columns={columnsOf(setMade)}
              rows={byAge(rows)}
              rowKey={(one) => one.id}
              empty={<Empty level={2} title="No keys yet">Give each program a key of its own: then one can be revoked alone.</Empty>}
            />
          )}
        </Shown>
      </Panel>
      {adds && <New onMade={setMade} onClose={() => setAdds(false)} />}
      {made && (
        <Once title={`Key ${made.name}`} label="The key" secret={made.key} onClose={() => setMade(null)}>
          <p className="dim">
            Send it as <code>Authorization: Bearer …</code> with each request.
          </p>
        </Once>
      )}
    </div>
  );
}

const isOver = ({ expires_at: at }: Key): boolean => at !== null && Date.parse(at) <= Date.now();
const counts = (key: Key): boolean => key.revoked_at === null && !isOver(key);

function columnsOf(onMade: (made: Schemas["IssuedOut"]) => void): readonly Column<Key>[] {
  return [
    { id: "name", title: "Key", cell: (one) => <strong>{one.name}</strong> },
    { id: "prefix", title: "Looks like", cell: (one) => <code>glz_…_{one.prefix}_…</code> },
    {
      id: "scopes",
      title: "May",
      cell: (one) => (
        <span className="scopes">
          {one.scopes.map((scope) => (
            <span key={scope} title={SCOPES[scope]}>
              <Badge>{scope}</Badge>
            </span>
          ))}
        </span>
      ),
    },
    { id: "state", title: "State", cell: (one) => <State of={one} /> },
    { id: "used", title: "Last used", end: true, cell: (one) => (one.last_used_at ? <Ago at={one.last_used_at} /> : "never") },
    { id: "expires", title: "Expires", end: true, cell: (one) => (one.expires_at ? <Ago at={one.expires_at} /> : "never") },
    { id: "made", title: "Made", end: true, cell: (one) => <Ago at={one.created_at} /> },
    { id: "act", title: "Actions", end: true, cell: (one) => (counts(one) ? <Steer of={one} onMade={onMade} /> : null) },
  ];
}

function State({ of }: { of: Key }) {
  if (of.revoked_at) return <Badge>revoked</Badge>;
  if (isOver(of)) return <Badge>expired</Badge>;
  if (of.replaced_by !== null) return <Badge tone="warn">replaced, works on</Badge>;
  return <Badge tone="good">works</Badge>;
}

function Steer({ of, onMade }: { of: Key; onMade: (made: Schemas["IssuedOut"]) => void }) {
  const client = useQueryClient();
  const [rotates, setRotates] = useState(false);
  const params = { path: { key_id: of.id } };
  async function revoke() {
    const agreed = await confirm({
      title: `Revoke key ${of.name}?`,
      body: "Whoever uses it is refused, here at once, everywhere within 5 seconds. This cannot be undone.",
      action: "Revoke it",
      danger: true,
    });
    if (!agreed) return;
    try {
      await told(api.DELETE("/v1/keys/{key_id}", { params }));
      toast({ text: `Key ${of.name} is revoked.` });
    } catch (error) {
      toastError(error);
    }
    await client.invalidateQueries({ queryKey: KEY });
  }
  async function rotate(given: FormData) {
    const body = { overlap_s: Number(given.get("overlap")) };
    onMade(await told(api.POST("/v1/keys/{key_id}/rotate", { params, body })));
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <span className="row-actions">
      <Button size="small" icon="retry" aria-label={`Replace key ${of.name}`} onClick={() => setRotates(true)}>
        Replace
      </Button>
      <Button size="small" kind="quiet" aria-label={`Revoke key ${of.name}`} onClick={() => void revoke()}>
        Revoke
      </Button>
      {rotates && (
        <FormDialog title={`Replace key ${of.name}?`} action="Replace it" submit={rotate} onClose={() => setRotates(false)}>
          <p className="dim">A new key with the same name and scopes is shown once. Give it to the program while the old one still works.</p>
          <Select label="The old key" name="overlap" defaultValue={String(DAY_S)}>
            {Object.entries(OVERLAPS).map(([seconds, said]) => (
              <option key={seconds} value={seconds}>
                {said}
              </option>
            ))}
          </Select>
        </FormDialog>
      )}
    </span>
  );
}

function New({ onMade, onClose }: { onMade: (made: Schemas["IssuedOut"]) => void; onClose: () => void }) {
  const client = useQueryClient();
  async function make(given: FormData) {
    const days = Number(given.get("days"));
    const body = {
      name: textOf(given, "name"),
      scopes: [textOf(given, "scope") as Scope],
      expires_at: days > 0 ? new Date(Date.now() + days * DAY_S * 1000).toISOString() : null,
    };
    onMade(await told(api.POST("/v1/keys", { body })));
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <FormDialog title="New API key" action="Make it" submit={make} onClose={onClose}>
      <Field label="Name" name="name" required autoFocus maxLength={100} placeholder="crm-sync" hint="The program that uses it." />
      <fieldset className="choices">
        <legend>It may</legend>
        {Object.entries(SCOPES).map(([scope, said]) => (
          <label key={scope} className="check">
            <input type="radio" name="scope" value={scope} required defaultChecked={scope === "read"} />
            <span>
              {scope}
              <span className="dim">{said}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Select label="Expires" name="days" defaultValue="90">
        {Object.entries(EXPIRIES).map(([days, said]) => (
          <option key={days} value={days}>
            {said}
          </option>
        ))}
      </Select>
    </FormDialog>
  );
}
