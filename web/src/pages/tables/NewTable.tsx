/** A new table: bring rows, say what their columns are, pick fields, see what it costs, run. */

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useId, useRef, useState, type DragEvent } from "react";

import { useMay } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { formatBytes, formatNumber } from "../../ui/format";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { Columns } from "./Columns";
import { FieldPicker } from "./FieldPicker";
import { PlanView } from "./PlanView";
import { pasted, preview, send, type Options, type Preview } from "./sending";
import "./tables.css";

const EMPTY: Options = { name: "", map: {}, fields: [], budgetCents: null, skipBad: false };

/** Not `randomUUID`, which pages have over HTTPS and on localhost alone. */
const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function NewTable() {
  const [file, setFile] = useState<File | null>(null);
  if (!useMay("editor")) {
    return (
      <Empty title="Not with this role">An editor of the workspace can make tables; you can look at them.</Empty>
    );
  }
  return (
    <div className="page new-table">
      <PageHead title="New table" about="Nothing is asked and nothing is spent until you run it." />
      <Source file={file} onFile={setFile} />
      {file && <Rest key={`${file.name} ${file.size} ${file.lastModified}`} file={file} />}
    </div>
  );
}

function Source({ file, onFile }: { file: File | null; onFile: (file: File | null) => void }) {
  const [over, setOver] = useState(false);
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  function dropped(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    const [first] = event.dataTransfer.files;
    if (first) onFile(first);
  }
  if (file) {
    return (
      <Panel className="chosen">
        <p>
          <strong className="truncate">{file.name}</strong> <span className="dim">{formatBytes(file.size)}</span>
          <Button size="small" onClick={() => onFile(null)}>
            Take other rows
          </Button>
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="1. Rows">
      <div className="sources">
        <div
          className="drop"
          data-over={over || undefined}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={dropped}
        >
          <p>Drop a file here: CSV, XLSX, JSONL or Parquet</p>
          <Button kind="primary" onClick={() => input.current?.click()}>
            Choose a file
          </Button>
          <input
            ref={input}
            type="file"
            aria-label="File of rows"
            className="sr-only"
            tabIndex={-1}
            accept=".csv,.tsv,.txt,.xlsx,.jsonl,.ndjson,.json,.parquet"
            onChange={(event) => onFile(event.target.files?.[0] ?? null)}
          />
        </div>
        <form
          className="paste"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) onFile(pasted(text));
          }}
        >
          <label className="label" htmlFor={id}>
            Or paste rows, with a header line
          </label>
          <textarea
            id={id}
            className="input mono"
            rows={6}
            spellCheck={false}
            placeholder={"website\nacme.com\nexample.org"}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <div>
            <Button type="submit" disabled={!text.trim()}>
              Use these rows
            </Button>
          </div>
        </form>
      </div>
    </Panel>
  );
}

function Rest({ file }: { file: File }) {
  const [options, setOptions] = useState<Options>({ ...EMPTY, name: file.name.replace(/\.\w+$/, "") });
  const asked = useDeferredValue(options);
  const { map, fields, skipBad } = asked;
  const looked = useQuery({
    queryKey: ["preview", file.name, file.size, file.lastModified, map, fields, skipBad],
    queryFn: ({ signal }) => preview(file, asked, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });
  const change = (some: Partial<Options>) => setOptions((now) => ({ ...now, ...some }));
  if (!looked.data) {
    return looked.error ? (
      <ProblemBox error={looked.error} retry={() => void looked.refetch()} />
    ) : (
      <Loading lines={6} />
    );
  }
  const found = looked.data;
  return (
    <>
      {looked.error && <ProblemBox error={looked.error} />}
      <Columns found={found} map={options.map} onMap={(next) => change({ map: next })} />
      <LeftOut found={found} skip={options.skipBad} onSkip={(skipBad) => change({ skipBad })} />
      {found.fault === null && (
        <>
          <FieldPicker
            title="3. Fields"
            chosen={options.fields.length ? options.fields : found.fields}
            onChoose={(fields) => change({ fields })}
          />
          <Panel title="4. What it would cost" aside={looked.isFetching && <Badge tone="busy">reckoning</Badge>}>
            {found.plan && <PlanView plan={found.plan} planned={found.planned_rows} rows={found.rows} />}
          </Panel>
          <Run file={file} options={options} found={found} stale={looked.isFetching} onChange={change} />
        </>
      )}
    </>
  );
}

function LeftOut({
  found,
  skip,
  onSkip,
}: {
  found: Preview;
  skip: boolean;
  onSkip: (skip: boolean) => void;
}) {
  if (found.left_out === 0) return null;
  return (
    <Panel title={`${formatNumber(found.left_out)} rows cannot be used`}>
      <ul className="faults">
        {found.faults.slice(0, 5).map((one, i) => (
          <li key={i}>
            <code>{one.path}</code> {one.message}
          </li>
        ))}
      </ul>
      <label className="check">
        <input type="checkbox" checked={skip} onChange={(event) => onSkip(event.target.checked)} />
        Leave them out and take the other {formatNumber(found.rows)}
      </label>
    </Panel>
  );
}

function Run({
  file,
  options,
  found,
  stale,
  onChange,
}: {
  file: File;
  options: Options;
  found: Preview;
  stale: boolean;
  onChange: (some: Partial<Options>) => void;
}) {
  const navigate = useNavigate();
  // The same table with the same options is one batch, however often the button is pressed.
  const key = useRef({ of: options, key: newKey() });
  const suggested = found.plan?.bind_cents ?? 0;
  const cents = options.budgetCents ?? suggested;
  const [typed, setTyped] = useState<string | null>(null);
  const running = useMutation({
    mutationFn: () => {
      const whole = { ...options, fields: options.fields.length ? options.fields : found.fields, budgetCents: cents };
      if (key.current.of !== options) key.current = { of: options, key: newKey() };
      return send(file, whole, key.current.key);
    },
    onSuccess: ({ id }) => navigate({ to: "/tables/$id", params: { id }, search: {} }),
  });
  const refused = found.left_out > 0 && !options.skipBad;
  return (
    <Panel title="5. Run">
      <form
        className="run"
        onSubmit={(event) => {
          event.preventDefault();
          running.mutate();
        }}
      >
        {running.error && <ProblemBox error={running.error} />}
        <Field
          label="Name"
          maxLength={100}
          value={options.name}
          onChange={(event) => onChange({ name: event.target.value })}
        />
        <Field
          label="Cap in US dollars"
          inputMode="decimal"
          pattern="\d+([.]\d{1,2})?"
          required
          hint="It never spends more: each paid call is reserved before it is made."
          value={typed ?? (cents / 100).toFixed(2)}
          onChange={(event) => {
            setTyped(event.target.value);
            const dollars = Number(event.target.value);
            if (Number.isFinite(dollars) && dollars >= 0) onChange({ budgetCents: Math.round(dollars * 100) });
          }}
        />
        <Button type="submit" kind="primary" icon="play" busy={running.isPending} disabled={refused || stale}>
          Run {formatNumber(found.rows)} rows
        </Button>
        {refused && <p className="dim">Correct the rows that cannot be used, or leave them out.</p>}
      </form>
    </Panel>
  );
}
