/** What the list is narrowed to; all of it stands in the URL. */

import { useEffect, useEffectEvent, useRef, useState } from "react";

import { useShortcut } from "../../shell/keys";
import { Button } from "../../ui/controls";
import { isEmpty, SPANS, STATES, type Criteria, type Span } from "./criteria";

const PAUSE_MS = 300;
const SPAN_LABELS: Readonly<Record<Span, string>> = { "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days" };
const FAILED: Criteria = { state: ["failed", "dead"], ended: "24h" };

interface Props {
  criteria: Criteria;
  look: (next: Criteria) => void;
}

export function Filters({ criteria, look }: Props) {
  const search = useRef<HTMLInputElement>(null);
  useShortcut("/", "Search jobs", () => search.current?.focus());
  const set = (part: Criteria) => look({ ...criteria, ...part });
  return (
    <search className="job-filters">
      <div className="line">
        <Word
          label="Search"
          wide
          field={search}
          placeholder="A word of the arguments, or how it begins"
          value={criteria.text}
          onChange={(text) => set({ text })}
        />
        <Word label="Tags" placeholder="a, b: both" value={criteria.tag} onChange={(tag) => set({ tag })} />
        <Word label="Kind" placeholder="enrich" value={criteria.kind} onChange={(kind) => set({ kind })} />
        <Word label="Queue" placeholder="default" value={criteria.queue} onChange={(queue) => set({ queue })} />
        <Word label="Error" placeholder="fetch_timeout" value={criteria.code} onChange={(code) => set({ code })} />
        <Within label="Made within" value={criteria.made} onChange={(made) => set({ made })} />
        <Within label="Ended within" value={criteria.ended} onChange={(ended) => set({ ended })} />
        <Word
          label="Slower than"
          placeholder="seconds"
          numeric
          value={criteria.slower?.toString()}
          onChange={(text) => set({ slower: Number(text) > 0 ? Number(text) : undefined })}
        />
      </div>
      <div className="line">
        <States value={criteria.state ?? []} onChange={(state) => set({ state: state.length ? state : undefined })} />
        <span className="quick">
          <Button size="small" kind="quiet" onClick={() => look(FAILED)}>
            Failed in the last 24 h
          </Button>
          <Button size="small" kind="quiet" icon="close" disabled={isEmpty(criteria)} onClick={() => look({})}>
            Clear
          </Button>
        </span>
      </div>
    </search>
  );
}

interface WordProps {
  label: string;
  placeholder: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  wide?: boolean;
  numeric?: boolean;
  field?: React.RefObject<HTMLInputElement | null>;
}

/** What is typed is looked for a moment later. */
function Word({ label, placeholder, value = "", onChange, wide = false, numeric = false, field }: WordProps) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const tell = useEffectEvent((text: string) => {
    told.current = text;
    onChange(text.trim() || undefined);
  });
  useEffect(() => {
    // Changed elsewhere: a view was chosen, or the way back taken.
    if (value !== told.current) setTyped(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => tell(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label className={wide ? "wide" : undefined}>
      <span>{label}</span>
      <input
        ref={field}
        className="input"
        type={wide ? "search" : "text"}
        inputMode={numeric ? "decimal" : "text"}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </label>
  );
}

function Within({
  label,
  value,
  onChange,
}: {
  label: string;
  value: Span | undefined;
  onChange: (value: Span | undefined) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <select
        className="input"
        value={value ?? ""}
        onChange={(event) => onChange((event.target.value || undefined) as Span | undefined)}
      >
        <option value="">any time</option>
        {(Object.keys(SPANS) as Span[]).map((one) => (
          <option key={one} value={one}>
            {SPAN_LABELS[one]}
          </option>
        ))}
      </select>
    </label>
  );
}

type State = (typeof STATES)[number];

function States({ value, onChange }: { value: readonly State[]; onChange: (value: State[]) => void }) {
  return (
    <fieldset className="state-chips">
      <legend className="sr-only">States</legend>
      {STATES.map((state) => (
        <label key={state} className={`badge ${state}`}>
          <input
            type="checkbox"
            checked={value.includes(state)}
            onChange={(event) =>
              onChange(event.target.checked ? [...value, state] : value.filter((one) => one !== state))
            }
          />
          {state}
        </label>
      ))}
    </fieldset>
  );
}
