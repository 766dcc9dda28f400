/** The endpoints that are told what happens, and how each takes it. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useCommand } from "../../shell/commands";
import { Button, Field } from "../../ui/controls";
import { FormDialog, Once, textOf } from "../../ui/form";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago } from "../../ui/values";
import { EventPicker } from "./EventPicker";
import "./webhooks.css";

export type Webhook = Schemas["WebhookOut"];
export const KEY = ["webhooks"];
const EVERY_MS = 3_000;

export function Webhooks() {
  const mayChange = useMay("admin");
  const [adds, setAdds] = useState(false);
  const webhooks = useQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/webhooks")),
    refetchInterval: EVERY_MS,
  });
  return (
    <div className="page">
      <PageHead title="Webhooks" about="Your own systems are told what happens here: signed, and again for three days until it is taken.">
        {mayChange && (
          <Button kind="primary" icon="plus" onClick={() => setAdds(true)}>
            New webhook
          </Button>
        )}
      </PageHead>
      <Panel flush>
        <Shown query={webhooks}>
          {(rows) => (
            <DataTable
              label="Webhooks"
              columns={COLUMNS}
              rows={rows}
              rowKey={(one) => one.id}
              empty={
                <Empty level={2} title="Nobody is told yet">
                  {mayChange
                    ? "Give the address of a system of yours, and what it is to be told: a job that ended, a table that is done."
                    : "An admin can give the address of a system that is to be told what happens."}
                </Empty>
              }
            />
          )}
        </Shown>
      </Panel>
      {adds && <New onClose={() => setAdds(false)} />}
      {mayChange && <Offer act={() => setAdds(true)} />}
    </div>
  );
}

function Offer({ act }: { act: () => void }) {
  useCommand({ id: "new-webhook", label: "New webhook", icon: "hook", words: "endpoint callback", act });
  return null;
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    id: "url",
    title: "Address",
    cell: (one) => (
      <Link to="/webhooks/$id" params={{ id: String(one.id) }} className="address">
        {one.url}
      </Link>
    ),
  },
  { id: "description", title: "For", cell: (one) => one.description || <span className="dim">–</span> },
  { id: "state", title: "State", cell: (one) => <Standing webhook={one} /> },
  { id: "events", title: "Is told", cell: (one) => <Events of={one.events} /> },
  { id: "created", title: "Made", end: true, cell: (one) => <Ago at={one.created_at} /> },
];

const SHOWN = 2;

export function Events({ of }: { of: readonly string[] }) {
  if (of.includes("*")) return "everything";
  const rest = of.length - SHOWN;
  return (
    <span title={of.join(", ")}>
      {of.slice(0, SHOWN).map((one, i) => (
        <span key={one}>
          {i > 0 && ", "}
          <code>{one}</code>
        </span>
      ))}
      {rest > 0 && <span className="dim"> and {rest} more</span>}
    </span>
  );
}

const DISABLED = {
  asked: ["calm", "disabled"],
  gone: ["bad", "disabled: it is gone"],
  failing: ["bad", "disabled after failing"],
} as const;

export function Standing({ webhook: { disabled_at: disabled, disabled_why: why, failing_since: failing } }: { webhook: Webhook }) {
  if (disabled) {
    const [tone, said] = DISABLED[why ?? "asked"];
    return <Badge tone={tone}>{said}</Badge>;
  }
  if (!failing) return <Badge tone="good">listens</Badge>;
  return (
    <>
      <Badge tone="warn">failing</Badge>{" "}
      <span className="dim">
        first <Ago at={failing} />
      </span>
    </>
  );
}

function New({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [made, setMade] = useState<Schemas["WebhookWithSecret"] | null>(null);
  if (made) {
    const look = () => {
      onClose();
      void navigate({ to: "/webhooks/$id", params: { id: String(made.id) } });
    };
    return (
      <Once title="It is told from now on" label="Secret that signs what it is told" secret={made.secret} onClose={look}>
        <p className="dim">
          What arrives is signed as Standard Webhooks say: check the signature with this secret before you believe it.
        </p>
      </Once>
    );
  }
  async function create(given: FormData) {
    const body = {
      url: textOf(given, "url"),
      description: textOf(given, "description"),
      events: given.getAll("events").map(String),
    };
    const answer = await told(api.POST("/v1/webhooks", { body }));
    await client.invalidateQueries({ queryKey: KEY });
    setMade(answer);
  }
  return (
    // It closes by itself once the secret was seen.
    <FormDialog title="New webhook" action="Make it" wide submit={create} onClose={onClose} stays>
      <WebhookFields />
    </FormDialog>
  );
}

export function WebhookFields({ webhook }: { webhook?: Webhook }) {
  return (
    <>
      <Field
        label="Address"
        name="url"
        type="url"
        required
        autoFocus
        maxLength={2048}
        defaultValue={webhook?.url}
        placeholder="https://crm.example.com/glaze"
        hint="http or https, and reachable from outside. Addresses inside the network are refused."
      />
      <Field
        label="For"
        name="description"
        maxLength={200}
        defaultValue={webhook?.description}
        placeholder="CRM: marks leads as enriched"
      />
      <EventPicker chosen={webhook?.events ?? ["job.completed", "batch.completed"]} />
    </>
  );
}
