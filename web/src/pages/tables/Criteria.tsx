/** Which rows are shown: by what their cells are, by source, state and text; saved as views; all in the URL. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { useShortcut } from "../../shell/keys";
import { Button, Field } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { ProblemBox } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { titleOf } from "./Columns";
import type { Batch } from "./Progress";
import { isArranged, STATES, toSearch, TRAITS, type TableSearch } from "./search";

type Change = (change: { [key in keyof TableSearch]?: TableSearch[key] | undefined }) => void;

const SAID = {
  missing: "Missing",
  low: "Low confidence",
  conflicting: "Conflicting",
  found: "Found",
  decided: "Decided",
} as const;
const TYPING_MS = 250;

export function Criteria({
  id,
  search,
  fields,
  batch,
  onChange,
}: {
  id: number;
  search: TableSearch;
  fields: readonly string[];
  batch: Batch;
  onChange: Change;
}) {
  const chosen = search.is ?? [];
  const sources = [...new Set([...batch.spend.map((one) => one.provider), ...(search.source ?? []), "user"])];
  return (
    <div className="criteria" role="search" aria-label="Rows of the table">
      <Words text={search.text ?? ""} onChange={(text) => onChange({ text })} />
      <div className="chips" role="group" aria-label="Cells that are">
        {TRAITS.map((one) => (
          <button
            key={one}
            type="button"
            className="chip"
            aria-pressed={chosen.includes(one)}
            onClick={() => {
              const next = chosen.includes(one) ? chosen.filter((it) => it !== one) : [...chosen, one];
              onChange({ is: next.length ? next : undefined });
            }}
          >
            {SAID[one]}
          </button>
        ))}
      </div>
      <Pick
        label="In column"
        any="any column"
        value={search.field?.[0]}
        options={fields.map((one) => [one, titleOf(one)])}
        onChange={(field) => onChange({ field: field ? [field] : undefined })}
      />
      <Pick
        label="From source"
        any="any source"
        value={search.source?.[0]}
        options={sources.map((one) => [one, one === "user" ? "a person's decision" : one])}
        onChange={(source) => onChange({ source: source ? [source] : undefined })}
      />
      <Pick
        label="Row's state"
        any="any state"
        value={search.state?.[0]}
        options={STATES.map((one) => [one, one])}
        onChange={(state) => onChange({ state: STATES.filter((one) => one === state).slice(0, state ? 1 : 0) })}
      />
      <Views id={id} search={search} onChange={onChange} />
    </div>
  );
}

function Words({ text, onChange }: { text: string; onChange: (text: string | undefined) => void }) {
  const [typed, setTyped] = useState(text);
  const ref = useRef<HTMLInputElement>(null);
  const [last, setLast] = useState(text);
  if (last !== text) {
    setLast(text);
    setTyped(text);
  }
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => onChange(typed || undefined), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, text, onChange]);
  useShortcut("/", "Find in the table", () => ref.current?.focus());
  return (
    <input
      ref={ref}
      type="search"
      className="input search"
      placeholder="Find in the table"
      aria-label="Find in the table"
      maxLength={200}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
    />
  );
}

function Pick({
  label,
  any,
  value,
  options,
  onChange,
}: {
  label: string;
  any: string;
  value: string | undefined;
  options: readonly (readonly [string, string])[];
  onChange: (value: string | undefined) => void;
}) {
  return (
    <select
      className="input pick"
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
    >
      <option value="">{any}</option>
      {options.map(([one, title]) => (
        <option key={one} value={one}>
          {title}
        </option>
      ))}
    </select>
  );
}

const NOTHING: TableSearch = {};
const CLEARED = {
  is: undefined,
  source: undefined,
  field: undefined,
  state: undefined,
  text: undefined,
  sort: undefined,
  below: undefined,
};

/** What a view keeps: the URL's words as lists of texts, and for which table it is. */
function asQuery(id: number, search: TableSearch): Record<string, string[]> {
  const kept: Record<string, string[]> = { table: [String(id)] };
  for (const [key, value] of Object.entries(search)) {
    if (key === "cell" || value === undefined) continue;
    kept[key] = (Array.isArray(value) ? value : [value]).map(String);
  }
  return kept;
}

function fromQuery(query: Readonly<Record<string, string[]>>): TableSearch {
  const single = (key: string) => query[key]?.[0];
  return toSearch({ ...query, text: single("text"), sort: single("sort"), below: single("below"), cell: undefined });
}

function Views({ id, search, onChange }: { id: number; search: TableSearch; onChange: Change }) {
  const client = useQueryClient();
  const write = useMay("editor");
  const [naming, setNaming] = useState(false);
  const key = ["views", "rows"];
  const { data } = useQuery({
    queryKey: key,
    queryFn: () => told(api.GET("/v1/views", { params: { query: { list: "rows" } } })),
  });
  const own = (data ?? []).filter((one) => one.query["table"]?.[0] === String(id));
  const now = JSON.stringify(asQuery(id, { ...search }));
  const current = own.find((one) => JSON.stringify(asQuery(id, fromQuery(one.query))) === now);
  const removing = useMutation({
    mutationFn: (view: Schemas["ViewOut"]) =>
      told(api.DELETE("/v1/views/{view_id}", { params: { path: { view_id: view.id } } })),
    onSuccess: (_, view) => {
      void client.invalidateQueries({ queryKey: key });
      toast({ text: `The view ${view.name} is deleted.` });
    },
    onError: toastError,
  });
  return (
    <div className="views">
      {own.length > 0 && (
        <Pick
          label="Saved view"
          any="saved views"
          value={current && String(current.id)}
          options={own.map((one) => [String(one.id), one.name])}
          onChange={(chosen) => {
            const view = own.find((one) => String(one.id) === chosen);
            onChange({ ...CLEARED, ...(view ? fromQuery(view.query) : NOTHING) });
          }}
        />
      )}
      {isArranged(search) && write && !current && (
        <Button size="small" kind="quiet" onClick={() => setNaming(true)}>
          Save view
        </Button>
      )}
      {current && write && (
        <Button size="small" kind="quiet" onClick={() => removing.mutate(current)}>
          Delete view
        </Button>
      )}
      {isArranged(search) && (
        <Button size="small" kind="quiet" onClick={() => onChange(CLEARED)}>
          Clear
        </Button>
      )}
      {naming && <Naming query={asQuery(id, search)} onClose={() => setNaming(false)} />}
    </div>
  );
}

function Naming({ query, onClose }: { query: Record<string, string[]>; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const saving = useMutation({
    mutationFn: () => told(api.POST("/v1/views", { body: { list: "rows", name, query } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["views", "rows"] });
      onClose();
    },
  });
  return (
    <Dialog title="Save this view" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        {saving.error && <ProblemBox error={saving.error} />}
        <Field
          label="Name"
          hint="All who work here see it."
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={saving.isPending}>
            Save view
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
