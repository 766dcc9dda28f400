/** For how many days this workspace keeps things. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { Button, Field } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { Panel } from "../../ui/layout";
import { ProblemBox, Shown } from "../../ui/states";
import { toast } from "../../ui/toast";

type Days = Schemas["RetentionIo"];
const KEY = ["retention"];
const FIELDS = [
  ["answers_days", "Raw answers of providers", "Empty: for good."],
  ["results_days", "Results of jobs and rows", "Empty: for good."],
  ["events_days", "Events, and deliveries of webhooks", "Empty: as the installation says."],
  ["logs_days", "What jobs logged", "Empty: as the installation says."],
] as const;

export function Retention() {
  const found = useQuery({ queryKey: KEY, queryFn: () => tagged(api.GET("/v1/retention")) });
  return (
    <Panel title="For how many days things are kept">
      <Shown query={found}>{({ data, etag }) => <Form key={etag} days={data} etag={etag} />}</Shown>
    </Panel>
  );
}

function Form({ days, etag }: { days: Days; etag: string }) {
  const client = useQueryClient();
  const [given, setGiven] = useState(() => Object.fromEntries(FIELDS.map(([name]) => [name, days[name]?.toString() ?? ""])));
  const keep = useMutation({
    mutationFn: (body: Days) => told(api.PUT("/v1/retention", { params: { header: { "if-match": etag } }, body })),
    onSuccess: () => toast({ text: "It is kept so from now on." }),
    onSettled: (_, error) => (error ? undefined : client.invalidateQueries({ queryKey: KEY })),
  });
  const body = Object.fromEntries(FIELDS.map(([name]) => [name, given[name] ? Number(given[name]) : null])) as unknown as Days;
  const shorter = FIELDS.filter(([name]) => body[name] != null && (days[name] == null || body[name] < days[name]));
  const changed = FIELDS.some(([name]) => (body[name] ?? null) !== (days[name] ?? null));
  async function set() {
    const agreed =
      shorter.length === 0 ||
      (await confirm({
        title: "Delete what is older?",
        body: `Within the hour, ${shorter.map(([, label]) => label.toLowerCase()).join("; ")} older than that go for good. What was paid stays in the ledger.`,
        action: "Keep it so",
        danger: true,
      }));
    if (agreed) keep.mutate(body);
  }
  return (
    <form
      className="person"
      onSubmit={(event) => {
        event.preventDefault();
        void set();
      }}
    >
      {keep.error && <ProblemBox error={keep.error} retry={() => void client.invalidateQueries({ queryKey: KEY })} />}
      <div className="days">
        {FIELDS.map(([name, label, hint]) => (
          <Field
            key={name}
            label={label}
            hint={hint}
            type="number"
            min={1}
            max={36_500}
            value={given[name]}
            onChange={(event) => setGiven({ ...given, [name]: event.target.value })}
          />
        ))}
      </div>
      <div>
        <Button type="submit" kind="primary" busy={keep.isPending} disabled={!changed}>
          Save
        </Button>
      </div>
    </form>
  );
}
