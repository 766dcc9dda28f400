/** The rules by which jobs ask: whom first, how sure a value has to be, who may be asked at all. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, textOf } from "../../ui/form";
import { Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Num } from "../../ui/values";

type Rule = Schemas["RuleOut"];
const KEY = ["order"];
const EVERY_MS = 2_000;
const ELSEWHERE = <span className="dim">said elsewhere</span>;

/** "apollo, hunter" as names; nothing where nothing is said. */
function namesOf(given: FormData, of: string): string[] | null {
  const names = textOf(given, of).split(",").map((one) => one.trim()).filter(Boolean);
  return names.length > 0 ? names : null;
}

const wordOf = (given: FormData, of: string): string | null => textOf(given, of).trim() || null;
const nameOf = ({ kind, field }: Rule): string => [kind ?? "every kind of job", field ?? "every field"].join(", ");

export function Order() {
  const mayChange = useMay("admin");
  const [sets, setSets] = useState<Rule | "new" | null>(null);
  const found = useQuery({ queryKey: KEY, queryFn: () => tagged(api.GET("/v1/order")), refetchInterval: EVERY_MS });
  return (
    <Shown query={found}>
      {({ data: { items, default_order: order }, etag }) => (
        <>
          <Panel
            title="Rules"
            aside={
              mayChange && (
                <Button size="small" icon="plus" onClick={() => setSets("new")}>
                  New rule
                </Button>
              )
            }
            flush
          >
            <DataTable
              label="Rules"
              columns={columnsOf(etag, mayChange, setSets)}
              rows={items}
              rowKey={nameOf}
              empty={
                <Empty title="No rule">
                  Whom to ask first is learned from what came of the latest calls. A rule says otherwise, for a field, a kind of job, or all.
                </Empty>
              }
            />
          </Panel>
          <p className="dim">
            Where no rule says one, the order is {order.length > 0 ? <code>{order.join(", ")}</code> : "as learned"}. The narrowest rule wins: field and
            kind, then field, then kind. A job's own order goes before all. A rule holds for what begins from now on.
          </p>
          {sets && <SetRule rule={sets === "new" ? null : sets} etag={etag} onClose={() => setSets(null)} />}
        </>
      )}
    </Shown>
  );
}

function columnsOf(etag: string, mayChange: boolean, change: (rule: Rule) => void): readonly Column<Rule>[] {
  return [
    { id: "field", title: "Field", cell: (one) => one.field ?? <span className="dim">every field</span> },
    { id: "kind", title: "Kind of job", cell: (one) => one.kind ?? <span className="dim">every kind</span> },
    { id: "order", title: "Ask first", cell: (one) => one.order?.join(", ") ?? ELSEWHERE },
    { id: "sure", title: "At least so sure", end: true, cell: (one) => (one.min_confidence === null ? ELSEWHERE : <Num of={one.min_confidence} />) },
    { id: "only", title: "Ask only", cell: (one) => one.providers?.join(", ") ?? ELSEWHERE },
    {
      id: "act",
      title: "Actions",
      end: true,
      cell: (one) => mayChange && <Steer rule={one} etag={etag} change={() => change(one)} />,
    },
  ];
}

function Steer({ rule, etag, change }: { rule: Rule; etag: string; change: () => void }) {
  const client = useQueryClient();
  async function remove() {
    const agreed = await confirm({
      title: "Remove this rule?",
      body: `What it says of ${nameOf(rule)} is said by a wider rule again, or learned.`,
      action: "Remove it",
      danger: true,
    });
    if (!agreed) return;
    const query = { ...(rule.kind && { kind: rule.kind }), ...(rule.field && { field: rule.field }) };
    try {
      await api.DELETE("/v1/order", { params: { query, header: { "if-match": etag } } });
      toast({ text: "The rule is removed." });
    } catch (error) {
      toastError(error);
    }
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <span className="row-actions">
      <Button size="small" aria-label={`Change the rule of ${nameOf(rule)}`} onClick={change}>
        Change
      </Button>
      <Button size="small" kind="quiet" aria-label={`Remove the rule of ${nameOf(rule)}`} onClick={() => void remove()}>
        Remove
      </Button>
    </span>
  );
}

function SetRule({ rule, etag, onClose }: { rule: Rule | null; etag: string; onClose: () => void }) {
  const client = useQueryClient();
  // As it was when the dialog opened: what somebody changed since is not overwritten.
  const [meant] = useState(etag);
  async function set(given: FormData) {
    const sure = wordOf(given, "sure");
    const body = {
      field: rule ? rule.field : wordOf(given, "field"),
      kind: rule ? rule.kind : wordOf(given, "kind"),
      order: namesOf(given, "order"),
      min_confidence: sure === null ? null : Number(sure),
      providers: namesOf(given, "only"),
    };
    try {
      await told(api.PUT("/v1/order", { params: { header: { "if-match": meant } }, body }));
      toast({ text: "The rule holds for what begins from now on." });
    } finally {
      // Also where somebody else changed it meanwhile: then what they said is shown.
      await client.invalidateQueries({ queryKey: KEY });
    }
  }
  return (
    <FormDialog title={rule ? `Rule of ${nameOf(rule)}` : "New rule"} action="Set it" submit={set} onClose={onClose}>
      {!rule && (
        <>
          <Field label="Field" name="field" maxLength={100} autoFocus placeholder="company_phone" hint="Empty: every field." />
          <Field label="Kind of job" name="kind" maxLength={100} placeholder="enrich" hint="Empty: every kind." />
        </>
      )}
      <Field
        label="Ask first"
        name="order"
        defaultValue={rule?.order?.join(", ")}
        placeholder="apollo, hunter"
        hint="Names of providers, with commas between; of every field also learned, cheapest or originals."
      />
      <Field
        label="At least so sure"
        name="sure"
        type="number"
        min={0}
        max={100}
        defaultValue={rule?.min_confidence ?? undefined}
        hint="0 to 100. A value below it counts as missing, and the next provider is asked."
      />
      <Field label="Ask only" name="only" defaultValue={rule?.providers?.join(", ")} placeholder="website, hunter" hint="Nobody else is asked." />
    </FormDialog>
  );
}
