/** One endpoint: how it stands, what it was told and how it answered, and mending it. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { idOf } from "../../api/ids";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { useTitle } from "../../shell/title";
import { Button, Select } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, Once, textOf } from "../../ui/form";
import { PageHead, Panel } from "../../ui/layout";
import { Loading, Missing, Shown } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";
import { Deliveries, deliveriesKey } from "./Deliveries";
import { webhook as route } from "./route";
import { Events, KEY, Standing, WebhookFields, type Webhook } from "./Webhooks";
import "./webhooks.css";

const EVERY_MS = 2_000;

export function WebhookPage() {
  const id = idOf(route.useParams().id);
  return (
    <div className="page webhook">
      {id === null ? <NoWebhook /> : <Page key={id} id={id} />}
    </div>
  );
}

function NoWebhook() {
  return (
    <Missing what="webhook">
      <Link to="/webhooks">All webhooks</Link>
    </Missing>
  );
}

function Page({ id }: { id: number }) {
  const found = useLiveQuery(
    {
      queryKey: [...KEY, id],
      queryFn: () => tagged(api.GET("/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: id } } })),
      refetchInterval: EVERY_MS,
    },
    { every: EVERY_MS },
  );
  useTitle(found.data?.data.url);
  return (
    <Shown query={found} head="Webhook" loading={<Loading lines={6} />} missing={<NoWebhook />}>
      {({ data, etag }) => (
        <>
          <PageHead title={data.url} about={data.description || "A webhook"}>
            <Steer webhook={data} etag={etag} />
          </PageHead>
          <Trouble webhook={data} />
          <Panel>
            <dl className="facts">
              <div>
                <dt>State</dt>
                <dd>
                  <Standing webhook={data} />
                </dd>
              </div>
              <div>
                <dt>Is told</dt>
                <dd>
                  <Events of={data.events} />
                </dd>
              </div>
              <div>
                <dt>Of what happened since</dt>
                <dd>
                  <Ago at={data.since} />
                </dd>
              </div>
              <div>
                <dt>Secret</dt>
                <dd>
                  {data.old_secret_until ? (
                    <>
                      two sign until <Ago at={data.old_secret_until} />
                    </>
                  ) : (
                    "one, shown when it was made"
                  )}
                </dd>
              </div>
            </dl>
          </Panel>
          <Deliveries id={id} listens={!data.disabled_at} />
          <p>
            <Link to="/webhooks">All webhooks</Link>
          </p>
        </>
      )}
    </Shown>
  );
}

/** What is the matter with it, and what follows. */
function Trouble({ webhook }: { webhook: Webhook }) {
  const { disabled_at: disabled, disabled_why: why, failing_since: failing } = webhook;
  if (disabled && why === "failing") {
    return (
      <div className="notice bad" role="status">
        <h2>It was disabled after failing</h2>
        <p>
          For five days it took nothing, so it was disabled <Ago at={disabled} />. Mend the receiver, then enable it here: first it
          is told what it had still to be told. What failed for good is told again by “Send again”.
        </p>
      </div>
    );
  }
  if (disabled && why === "gone") {
    return (
      <div className="notice bad" role="status">
        <h2>It said that it is gone</h2>
        <p>
          It answered 410 <Ago at={disabled} />, which means: tell me nothing more. Enable it again if that was a mistake.
        </p>
      </div>
    );
  }
  if (disabled) return null;
  if (!failing) return null;
  return (
    <div className="notice" role="status">
      <h2>It does not take what it is told</h2>
      <p>
        The first that failed was <Ago at={failing} />. Each delivery is tried ten times over three days; an endpoint that takes nothing for five days is
        disabled. What it answered stands below.
      </p>
    </div>
  );
}

const OVERLAPS = { 0: "it stops at once", 3600: "for an hour more", 86400: "for a day more", 604800: "for a week more" } as const;

function Steer({ webhook, etag }: { webhook: Webhook; etag: string }) {
  const { id, url, disabled_at: disabled } = webhook;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [rotates, setRotates] = useState(false);
  // The ETag of what is edited, as it was then: what somebody changed since is not overwritten.
  const [edits, setEdits] = useState<string | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const params = { path: { webhook_id: id } };
  const again = async () => {
    await client.invalidateQueries({ queryKey: KEY });
    await client.invalidateQueries({ queryKey: deliveriesKey(id) });
  };
  const patch = (body: Partial<Schemas["WebhookPatch"]>, meant = etag) =>
    told(
      api.PATCH("/v1/webhooks/{webhook_id}", {
        params: { ...params, header: { "if-match": meant } },
        body: body,
      }),
    );
  const test = useMutation({
    mutationFn: async () => {
      await told(api.POST("/v1/webhooks/{webhook_id}/test", { params }));
      toast({ text: "A test is on its way; its answer stands below." });
      await again();
    },
    onError: toastError,
  });
  const toggle = useMutation({
    mutationFn: async (to: boolean) => {
      await patch({ disabled: to });
      toast({ text: to ? "It is told nothing more." : "It is told again, first what was left over." });
      await again();
    },
    onError: toastError,
  });
  async function disable() {
    const agreed = await confirm({
      title: "Disable this webhook?",
      body: "What is still to be told waits; what happens meanwhile is not told at all, not even later.",
      action: "Disable it",
      danger: true,
    });
    if (agreed) toggle.mutate(true);
  }
  async function remove() {
    const agreed = await confirm({
      title: "Delete this webhook?",
      body: `${url} is told nothing more, and the log of what it was told goes with it. This cannot be undone.`,
      action: "Delete it",
      danger: true,
    });
    if (!agreed) return;
    try {
      await api.DELETE("/v1/webhooks/{webhook_id}", { params: { ...params, header: { "if-match": etag } } });
      toast({ text: "The webhook is deleted." });
      await navigate({ to: "/webhooks" });
      await client.invalidateQueries({ queryKey: KEY });
    } catch (error) {
      toastError(error);
    }
  }
  if (!useMay("admin")) return null;
  return (
    <>
      <Button icon="send" busy={test.isPending} disabled={Boolean(disabled)} onClick={() => test.mutate()}>
        Send a test
      </Button>
      <Button icon="pen" onClick={() => setEdits(etag)}>
        Edit
      </Button>
      <Button icon="key" onClick={() => setRotates(true)}>
        Replace secret
      </Button>
      <Button
        icon={disabled ? "play" : "pause"}
        {...(disabled && { kind: "primary" })}
        busy={toggle.isPending}
        onClick={() => (disabled ? toggle.mutate(false) : void disable())}
      >
        {disabled ? "Enable" : "Disable"}
      </Button>
      <Button kind="quiet" icon="bin" onClick={() => void remove()}>
        Delete
      </Button>
      {edits !== null && (
        <FormDialog
          title="Edit webhook"
          action="Save"
          wide
          onClose={() => setEdits(null)}
          submit={async (given) => {
            const body = {
              url: textOf(given, "url"),
              description: textOf(given, "description"),
              events: given.getAll("events").map(String),
            };
            await patch(body, edits);
            toast({ text: "Saved." });
            await again();
          }}
        >
          <WebhookFields webhook={webhook} />
        </FormDialog>
      )}
      {rotates && (
        <FormDialog
          title="Replace the secret?"
          action="Replace it"
          onClose={() => setRotates(false)}
          submit={async (given) => {
            const body = { overlap_s: Number(given.get("overlap")) };
            const made = await told(api.POST("/v1/webhooks/{webhook_id}/rotate", { params, body }));
            setSecret(made.secret);
            await again();
          }}
        >
          <p className="dim">A new secret is shown once. While both sign, the receiver can be given the new one in peace.</p>
          <Select label="The old one signs" name="overlap" defaultValue="86400">
            {Object.entries(OVERLAPS).map(([seconds, said]) => (
              <option key={seconds} value={seconds}>
                {said}
              </option>
            ))}
          </Select>
        </FormDialog>
      )}
      {secret && (
        <Once title="The secret is replaced" label="New secret" secret={secret} onClose={() => setSecret(null)} />
      )}
    </>
  );
}
