/** Which jobs a list shows: what stands in its URL, in saved views, and what the API is asked. */

import type { Schemas } from "../../api/client";
import type { JobState } from "../../ui/layout";

export const STATES = [
  "processing",
  "pending",
  "scheduled",
  "waiting",
  "completed",
  "partial",
  "failed",
  "dead",
  "cancelled",
] as const satisfies readonly JobState[];

export const SPANS = { "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 } as const;
export type Span = keyof typeof SPANS;

const WORDS = ["kind", "queue", "tag", "code", "text"] as const;
type Word = (typeof WORDS)[number];

export type Criteria = { [name in Word]?: string | undefined } & {
  state?: JobState[] | undefined;
  /** Made within. */
  made?: Span | undefined;
  /** Ended within. */
  ended?: Span | undefined;
  /** Took so many seconds or more. */
  slower?: number | undefined;
};

const LONGEST = 200;
/** Asked again with another second only so often: else each read would be another question. */
const STEP_MS = 60_000;

export function validCriteria(given: Record<string, unknown>): Criteria {
  const states = [given["state"]].flat();
  const state = STATES.filter((one) => states.includes(one));
  const slower = Number(given["slower"]);
  const words = Object.fromEntries(WORDS.map((name) => [name, word(given[name])]));
  return {
    ...words,
    state: state.length > 0 ? state : undefined,
    made: span(given["made"]),
    ended: span(given["ended"]),
    slower: slower > 0 && Number.isFinite(slower) ? slower : undefined,
  };
}

function word(given: unknown): string | undefined {
  const text = typeof given === "number" ? String(given) : given;
  return typeof text === "string" && text.trim() ? text.slice(0, LONGEST) : undefined;
}

function span(given: unknown): Span | undefined {
  return typeof given === "string" && Object.hasOwn(SPANS, given) ? (given as Span) : undefined;
}

export function isEmpty(criteria: Criteria): boolean {
  return Object.values(criteria).every((one) => one === undefined);
}

export type Which = Schemas["Which"];

/** What the API is asked, as of ``now``. */
export function whichOf({ state, kind, queue, tag, code, text, made, ended, slower }: Criteria, now: number): Which {
  const since = (one: Span) => new Date(Math.floor(now / STEP_MS) * STEP_MS - SPANS[one] * 1000).toISOString();
  return {
    ...(state && { state }),
    ...(kind && { kind: [kind] }),
    ...(queue && { queue: [queue] }),
    ...(tag && { tag: tag.split(",").map((one) => one.trim()).filter(Boolean) }),
    ...(code && { error_code: code }),
    ...(text && { text }),
    ...(made && { created_after: since(made) }),
    ...(ended && { finished_after: since(ended) }),
    ...(slower && { slower_than_s: slower }),
  };
}

/** As saved views keep it: each name with its values. */
export function toQuery(criteria: Criteria): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(criteria)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, [value].flat().map(String)]),
  );
}

export function fromQuery(query: Readonly<Record<string, readonly string[]>>): Criteria {
  const given = Object.entries(query).map(([name, values]) => [name, name === "state" ? values : values[0]]);
  return validCriteria(Object.fromEntries(given) as Record<string, unknown>);
}
