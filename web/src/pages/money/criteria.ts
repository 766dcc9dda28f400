/** Which calls the ledger shows: what stands in its URL, and what the API is asked. */

import type { Schemas } from "../../api/client";

export type CallState = Schemas["CallState"];
export const CALL_STATES = ["unknown", "sending", "pending_vendor", "settled", "not_billed"] as const satisfies readonly CallState[];

/** As people say them. */
export const SAID: Readonly<Record<CallState, string>> = {
  unknown: "unknown",
  sending: "sending",
  pending_vendor: "promised",
  settled: "settled",
  not_billed: "not billed",
};

export const WITHIN = { "1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days" } as const;
export type Within = keyof typeof WITHIN;
const SECONDS: Readonly<Record<Within, number>> = { "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };
const STEP_MS = 60_000;
const LONGEST = 100;

export interface Criteria {
  state?: CallState[] | undefined;
  provider?: string | undefined;
  job?: number | undefined;
  table?: number | undefined;
  within?: Within | undefined;
  paid?: boolean | undefined;
  /** The call that is looked into. */
  call?: number | undefined;
}

export function validCriteria(given: Record<string, unknown>): Criteria {
  const states = [given["state"]].flat();
  const state = CALL_STATES.filter((one) => states.includes(one));
  const { provider, within } = given;
  return {
    state: state.length > 0 ? state : undefined,
    provider: typeof provider === "string" && provider ? provider.slice(0, LONGEST) : undefined,
    job: idOf(given["job"]),
    table: idOf(given["table"]),
    within: typeof within === "string" && Object.hasOwn(WITHIN, within) ? (within as Within) : undefined,
    paid: given["paid"] === true ? true : undefined,
    call: idOf(given["call"]),
  };
}

export function idOf(given: unknown): number | undefined {
  const id = Number(given);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

export function isEmpty({ call: _, ...criteria }: Criteria): boolean {
  return Object.values(criteria).every((one) => one === undefined);
}

/** What the API is asked, as of ``now``. */
export function queryOf({ state, provider, job, table, within, paid }: Criteria, now: number) {
  return {
    ...(state && { state }),
    ...(provider && { provider }),
    ...(job && { job }),
    ...(table && { batch: table }),
    // Not another question each second.
    ...(within && { since: new Date(Math.floor(now / STEP_MS) * STEP_MS - SECONDS[within] * 1000).toISOString() }),
    ...(paid && { paid }),
  };
}

/** The same as the query of an address. */
export function addressOf(criteria: Criteria, now: number): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(queryOf(criteria, now))) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return query.toString();
}
