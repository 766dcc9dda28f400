/** A schedule is made or changed: which job, when, and with what. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { Field, Segments, Select } from "../../ui/controls";
import { FormDialog, textOf } from "../../ui/form";
import { Loading, ProblemBox } from "../../ui/states";
import { toast } from "../../ui/toast";
import { cronOf, EVERY, readCron, WEEKDAYS, WHENS, type When } from "./cron";
import { KEY, type Schedule } from "./Schedules";

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ZONES: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone")];
const EXAMPLE = { input: { domain: "example.com" }, required_fields: ["company_phone"] };
const MISSED = {
  once: "one job for all of them",
  skip: "nothing",
  all: "a job for each",
} as const;

type Saved = (body: Schemas["ScheduleIn"], name: string) => Promise<unknown>;

export function NewSchedule({ onClose }: { onClose: () => void }) {
  const save: Saved = (body, name) =>
    told(api.PUT("/v1/schedules/{name}", { params: { path: { name }, header: { "if-none-match": "*" } }, body }));
  return <Form title="New schedule" save={save} onClose={onClose} />;
}

/** What was read is changed; what somebody else changed since is not overwritten. */
export function ChangeSchedule({ name, onClose }: { name: string; onClose: () => void }) {
  const path = { name };
  const read = useQuery({
    queryKey: [...KEY, name],
    queryFn: () => tagged(api.GET("/v1/schedules/{name}", { params: { path } })),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const save: Saved = (body) =>
    told(api.PUT("/v1/schedules/{name}", { params: { path, header: { "if-match": read.data?.etag ?? "*" } }, body }));
  const title = `Change ${name}`;
  if (!read.data) {
    return (
      <FormDialog title={title} action="Save" submit={() => Promise.reject(new Error("It is not read yet."))} onClose={onClose}>
        {read.error ? <ProblemBox error={read.error} retry={() => void read.refetch()} /> : <Loading lines={8} />}
      </FormDialog>
    );
  }
  return <Form key={read.data.etag} title={title} schedule={read.data.data} save={save} onClose={onClose} />;
}

function Form({
  title,
  schedule,
  save,
  onClose,
}: {
  title: string;
  schedule?: Schedule;
  save: Saved;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [when, setWhen] = useState<When>(() => readCron(schedule?.cron ?? "0 6 * * *"));
  async function submit(given: FormData) {
    const name = schedule?.name ?? textOf(given, "name").trim();
    await save(
      {
        ...(schedule && { queue: schedule.queue, priority: schedule.priority, tags: schedule.tags }),
        cron: cronOf(when),
        zone: textOf(given, "zone").trim(),
        kind: textOf(given, "kind").trim(),
        args: JSON.parse(textOf(given, "args")) as Record<string, unknown>,
        overlap: given.has("overlap") ? "allow" : "skip",
        missed: textOf(given, "missed") as Schemas["Missed"],
      },
      name,
    );
    toast({ text: `Schedule ${name} is ${schedule ? "changed" : "made"}.` });
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <FormDialog title={title} action={schedule ? "Save" : "Make it"} wide submit={submit} onClose={onClose}>
      {!schedule && <Field label="Name" name="name" required autoFocus maxLength={100} placeholder="nightly-refresh" />}
      <KindOfJob given={schedule?.kind ?? "enrich"} />
      <Times when={when} onChange={setWhen} />
      <Zone given={schedule?.zone ?? HERE} />
      <Arguments given={schedule?.args ?? EXAMPLE} />
      <Select label="For times at which nobody was there" name="missed" defaultValue={schedule?.missed ?? "once"}>
        {Object.entries(MISSED).map(([value, said]) => (
          <option key={value} value={value}>
            {said}
          </option>
        ))}
      </Select>
      <label className="check">
        <input type="checkbox" name="overlap" defaultChecked={schedule?.overlap === "allow"} />
        Also while its last job has not ended
      </label>
    </FormDialog>
  );
}

function Times({ when, onChange }: { when: When; onChange: (when: When) => void }) {
  const change = (some: Partial<When>) => onChange({ ...when, ...some });
  return (
    <div className="times">
      <Segments label="When" options={WHENS} value={when.how} onChange={(how) => change({ how })} />
      {when.how === "every" && (
        <Select label="Every" value={when.every} onChange={(event) => change({ every: event.target.value })}>
          {EVERY.map(([cron, said]) => (
            <option key={cron} value={cron}>
              {said}
            </option>
          ))}
        </Select>
      )}
      {when.how === "week" && (
        <Select label="On" value={when.weekday} onChange={(event) => change({ weekday: event.target.value })}>
          {WEEKDAYS.map(([cron, said]) => (
            <option key={cron} value={cron}>
              {said}
            </option>
          ))}
        </Select>
      )}
      {(when.how === "day" || when.how === "week") && (
        <Field
          label="At"
          type="time"
          required
          value={when.time}
          onChange={(event) => change({ time: event.target.value })}
        />
      )}
      {when.how === "cron" && (
        <Field
          label="Cron expression"
          className="input mono"
          required
          maxLength={200}
          spellCheck={false}
          autoComplete="off"
          value={when.cron}
          onChange={(event) => change({ cron: event.target.value })}
          hint="Minute, hour, day, month, weekday; or @daily and the like."
        />
      )}
    </div>
  );
}

/** One of those that may be asked for; what was typed is said in words. */
function KindOfJob({ given }: { given: string }) {
  const id = useId();
  const [name, setName] = useState(given);
  const { data: kinds = [] } = useQuery({
    queryKey: ["kinds"],
    queryFn: () => told(api.GET("/v1/kinds")),
    staleTime: Infinity,
  });
  return (
    <>
      <Field
        label="Kind of job"
        name="kind"
        required
        maxLength={255}
        list={id}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.target.value)}
        hint={kinds.find((one) => one.name === name.trim())?.description ?? "\u00a0"}
      />
      <datalist id={id}>
        {kinds.map((one) => (
          <option key={one.name} value={one.name}>
            {one.description}
          </option>
        ))}
      </datalist>
    </>
  );
}

function Zone({ given }: { given: string }) {
  const id = useId();
  return (
    <>
      <Field label="Time zone" name="zone" required maxLength={100} defaultValue={given} list={id} autoComplete="off" />
      <datalist id={id}>
        {ZONES.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </>
  );
}

/** What is wrong with text that should be an object in JSON; "": nothing. */
function faultOf(text: string): string {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? "" : "Arguments are an object: { ... }";
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function Arguments({ given }: { given: unknown }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Arguments</label>
      <textarea
        id={id}
        name="args"
        className="input mono"
        rows={9}
        required
        spellCheck={false}
        defaultValue={JSON.stringify(given, null, 2)}
        onChange={({ target }) => target.setCustomValidity(faultOf(target.value))}
      />
    </div>
  );
}
