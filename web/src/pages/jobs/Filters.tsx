/** What the list is narrowed to; all of it stands in the URL. */

import { useRef } from "react";

import { useShortcut } from "../../shell/keys";
import { Button } from "../../ui/controls";
import { Chips, Choice, Word } from "../../ui/filters";
import { isEmpty, STATES, type Criteria, type Span } from "./criteria";

const WITHIN = { "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days" } satisfies Record<Span, string>;
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
    <search className="filters">
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
        <Choice label="Made within" none="any time" options={WITHIN} value={criteria.made} onChange={(made) => set({ made })} />
        <Choice label="Ended within" none="any time" options={WITHIN} value={criteria.ended} onChange={(ended) => set({ ended })} />
        <Word
          label="Slower than"
          placeholder="seconds"
          numeric
          value={criteria.slower?.toString()}
          onChange={(text) => set({ slower: Number(text) > 0 ? Number(text) : undefined })}
        />
      </div>
      <div className="line">
        <Chips
          label="States"
          options={STATES}
          value={criteria.state ?? []}
          onChange={(state) => set({ state: state.length ? state : undefined })}
        />
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
