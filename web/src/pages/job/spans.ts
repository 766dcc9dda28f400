/** When each stage of a job was, in seconds since it was begun. */

import type { Schemas } from "../../api/client";
import { inWords } from "../../ui/format";
import type { Call, Job } from "./JobPage";

/** Stages that are not somebody who was asked, as the page names them. */
const STAGES: Readonly<Record<string, string>> = {
  cache: "known",
  gap_analysis: "gaps",
  llm: "model",
  merge_validate: "merge",
};

export interface Span {
  name: string;
  /** Seconds after the job was begun. */
  at: number;
  lasts: number;
  micros: number;
  tone: "plain" | "paid" | "failed" | "open";
  told: string;
}

type Stage = Schemas["Stage"];

/** Stages follow each other; one that called somebody was when the call was.
 *
 * While a job runs there is no result yet: then its calls tell.
 */
export function spansOf(job: Job, calls: readonly Call[], now: number): Span[] {
  if (!job.started_at) return [];
  const begun = Date.parse(job.started_at);
  const inOrder = calls.toReversed();
  const stages = stagesOf(job.result);
  if (stages.length === 0) return inOrder.map((one) => ofCall(one, begun, now));
  const left = [...inOrder];
  let cursor = 0;
  return stages.map((stage) => {
    const found = left.findIndex((one) => one.provider === stage.name);
    const [call] = found < 0 ? [] : left.splice(found, 1);
    const called = call ? (Date.parse(call.created_at) - begun) / 1000 : 0;
    const lasts = stage.duration_ms / 1000;
    const ended = call?.settled_at ? (Date.parse(call.settled_at) - begun) / 1000 : Infinity;
    // A stage is longer than its call: it was under way when the call was.
    const at = called > cursor && ended >= called ? called : cursor;
    cursor = at + lasts;
    return { name: STAGES[stage.name] ?? stage.name, at, lasts, micros: stage.cost_micros ?? 0, tone: toneOf(stage), told: toldOf(stage) };
  });
}

function stagesOf(result: unknown): Stage[] {
  if (typeof result !== "object" || result === null || !("stages" in result)) return [];
  return Array.isArray(result.stages) ? (result.stages as Stage[]) : [];
}

function toneOf({ error, cost_micros: micros = 0 }: Stage): Span["tone"] {
  if (error) return "failed";
  return micros > 0 ? "paid" : "plain";
}

function toldOf({ error, detail, fields_found: found = [] }: Stage): string {
  return [found.length > 0 && `found ${found.join(", ")}`, error, detail].filter(Boolean).join("; ");
}

function ofCall(call: Call, begun: number, now: number): Span {
  const at = Math.max(0, (Date.parse(call.created_at) - begun) / 1000);
  const until = call.settled_at ? Date.parse(call.settled_at) : now;
  const isOpen = call.state === "sending" || call.state === "pending_vendor";
  return {
    name: call.provider,
    at,
    lasts: Math.max(0, (until - begun) / 1000 - at),
    micros: call.price_micros ?? 0,
    tone: isOpen ? "open" : call.state === "unknown" ? "failed" : call.price_micros ? "paid" : "plain",
    told: isOpen ? "under way" : [call.verdict && inWords(call.verdict), call.reason].filter(Boolean).join("; "),
  };
}
