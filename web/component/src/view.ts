/** How a job and a batch look. All text is set as text: nothing of it becomes markup. */

import type { Strings } from "./strings.js";
import { ENDED, type Action, type Batch, type Job, type Stage } from "./types.js";

export type Act = (path: string, action: Action) => void;

export interface Drawing {
  strings: Strings;
  actions: readonly Action[];
  /** Paths of what is being done now. */
  acting: ReadonlySet<string>;
  act: Act;
}

const MICROS = 1_000_000;

export function jobView(job: Job, drawing: Drawing): HTMLElement {
  const { strings } = drawing;
  const ended = ENDED.has(job.state);
  const item = part("li", "job");
  item.dataset["state"] = job.state;
  const state = job.cancel_requested && !ended ? strings.cancelling : strings[job.state];
  item.append(
    head(strings.job.replace("{id}", String(job.id)), job.kind, state, job.state),
    ...(job.progress && !ended ? [bar(job.progress.percent, job.progress.message), part("p", "message", job.progress.message)] : []),
    ...(job.error ? [part("p", "error", job.error)] : []),
    ...resultView(job.result, strings),
    ...buttons(`/v1/jobs/${job.id}`, ended ? "retry" : "cancel", job.cancel_requested && !ended, drawing),
  );
  return item;
}

export function batchView(batch: Batch, drawing: Drawing): HTMLElement {
  const { strings } = drawing;
  const ended = batch.finished_at !== null;
  const article = part("section", "batch");
  const title = strings.batch.replace("{id}", String(batch.id));
  const done = batch.completed + batch.partial + batch.failed + batch.cancelled;
  const told = strings.rows.replace("{done}", String(done)).replace("{total}", String(batch.total));
  const counts = part("dl", "counts");
  for (const name of ["queued", "running", "completed", "partial", "failed", "cancelled"] as const) {
    if (batch[name] > 0) counts.append(pair(strings[name], String(batch[name])));
  }
  counts.append(pair(strings.cost, money(batch.cost_micros)));
  const state = strings[batch.state as keyof Strings] ?? batch.state;
  const failed = batch.failed > 0 && batch.state !== "cancelled";
  article.append(
    head(title, batch.name ?? "", state, batch.state),
    bar(batch.percent, told),
    part("p", "message", told),
    counts,
    ...(failed ? buttons(`/v1/batches/${batch.id}`, "retry", false, drawing) : []),
    ...(ended ? [] : buttons(`/v1/batches/${batch.id}`, "cancel", batch.state === "cancelled", drawing)),
  );
  return article;
}

function head(title: string, kind: string, state: string, code: string): HTMLElement {
  const row = part("div", "head");
  const badge = part("span", "state", state);
  badge.dataset["state"] = code;
  row.append(part("strong", "title", title), part("span", "kind", kind), badge);
  return row;
}

function bar(percent: number, label: string): HTMLElement {
  const progress = document.createElement("progress");
  progress.part.add("bar");
  progress.max = 100;
  progress.value = percent;
  progress.setAttribute("aria-label", label || `${percent} %`);
  return progress;
}

function resultView(result: unknown, strings: Strings): HTMLElement[] {
  if (typeof result !== "object" || result === null || !("stages" in result)) return [];
  const stages = Array.isArray(result.stages) ? (result.stages as Stage[]) : [];
  if (stages.length === 0) return [];
  const list = part("ol", "stages");
  list.setAttribute("aria-label", strings.stages);
  for (const one of stages) {
    const item = part("li", "stage");
    item.dataset["failed"] = String(one.error !== null);
    const facts = [part("span", "took", `${one.duration_ms} ms`), " ", part("span", "price", money(one.cost_micros))];
    item.append(part("span", "name", one.name), " ", ...facts);
    list.append(item);
  }
  const cost = stages.reduce((sum, one) => sum + one.cost_micros, 0);
  return [list, part("p", "cost", `${strings.cost}: ${money(cost)}`)];
}

function buttons(path: string, action: Action, asked: boolean, drawing: Drawing): HTMLElement[] {
  if (!drawing.actions.includes(action)) return [];
  const button = part("button", "action", drawing.strings[action]) as HTMLButtonElement;
  const key = `${path}/${action}`;
  button.type = "button";
  button.dataset["key"] = key;
  // Not disabled, which would take the focus away.
  button.setAttribute("aria-disabled", String(asked || drawing.acting.has(key)));
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") drawing.act(path, action);
  });
  return [button];
}

function pair(name: string, value: string): HTMLElement {
  const both = document.createElement("div");
  both.append(part("dt", "", name), part("dd", "", value));
  return both;
}

function part(tag: string, name: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  if (name) made.part.add(name);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function money(micros: number): string {
  return new Intl.NumberFormat(undefined, {
    style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4,
  }).format(micros / MICROS);
}
