/** A workspace's own key at a vendor: set, replaced, deleted, and never shown. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, textOf } from "../../ui/form";
import { toast, toastError } from "../../ui/toast";
import { Ago } from "../../ui/values";

export function VendorKey({ provider: { name, key } }: { provider: Schemas["StandingOut"] }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const params = { path: { name } };
  const again = () => client.invalidateQueries({ queryKey: ["providers"] });
  async function keep(given: FormData) {
    const kept = await told(api.PUT("/v1/providers/{name}/key", { params, body: { key: textOf(given, "key") } }));
    toast({ text: `The key of ${name} that ends in ${kept.last_four ?? "…"} is kept, encrypted.` });
    await again();
  }
  async function forget() {
    const agreed = await confirm({
      title: `Delete this workspace's key of ${name}?`,
      body: "No call is made with it any more. Where the installation has a key of its own that may be used here, that one pays; else nobody asks.",
      action: "Delete it",
      danger: true,
    });
    if (!agreed) return;
    try {
      await told(api.DELETE("/v1/providers/{name}/key", { params }));
      toast({ text: `The key of ${name} is deleted.` });
      await again();
    } catch (error) {
      toastError(error);
    }
  }
  if (!useMay("admin") || key === "not needed") return null;
  const own = key === "own";
  return (
    <span className="row-actions">
      <Button size="small" icon="key" aria-label={`${own ? "Replace" : "Set"} key of ${name}`} onClick={() => setOpen(true)}>
        {own ? "Replace key" : "Set key"}
      </Button>
      {own && (
        <Button size="small" kind="quiet" aria-label={`Delete key of ${name}`} onClick={() => void forget()}>
          Delete
        </Button>
      )}
      {open && (
        <FormDialog title={`Key of ${name}`} action="Keep it" submit={keep} onClose={() => setOpen(false)}>
          {own && <Present name={name} />}
          <Field
            label="Key"
            name="key"
            type="password"
            autoComplete="off"
            required
            autoFocus
            hint="Of this workspace alone. It is kept encrypted and never shown again."
          />
        </FormDialog>
      )}
    </span>
  );
}

/** Which key there is, by its end. */
function Present({ name }: { name: string }) {
  const kept = useQuery({
    queryKey: ["providers", "key", name],
    queryFn: () => told(api.GET("/v1/providers/{name}/key", { params: { path: { name } } })),
  });
  if (!kept.data?.set) return null;
  return (
    <p className="dim">
      In place of the one that ends in <code>{kept.data.last_four ?? "…"}</code>, set <Ago at={kept.data.set_at} />.
    </p>
  );
}
