/** The element: reads what it shows, follows what changes, and draws it without any markup from text. */

import { Server, faultOf, type Change } from "./server.js";
import { ENGLISH, type Strings } from "./strings.js";
import { sheetOf } from "./style.js";
import { ENDED, type Action, type Batch, type Fault, type GetToken, type Job } from "./types.js";
import { batchView, jobView, type Act, type Drawing } from "./view.js";

export interface JobStatusEvents {
  "job-update": CustomEvent<{ job?: Job; batch?: Batch }>;
  "job-end": CustomEvent<{ job?: Job; batch?: Batch }>;
  "glaze-error": CustomEvent<Fault>;
}

const FILTERS = new Set(["state", "kind", "queue", "tag", "any_tag", "error_code", "text"]);
const MOST = 100;
/** Changes that come together are read once. */
const TOGETHER_MS = 150;
/** A list hears of every job of the workspace, most of which it does not show: it is read at most so often. */
const LIST_EVERY_MS = 1_000;
const ACTIONS: readonly Action[] = ["retry", "cancel"];

export class GlazeJobStatus extends HTMLElement {
  static readonly observedAttributes = ["server", "token", "token-url", "job", "batch", "filter", "limit", "actions"];

  #root: ShadowRoot;
  #announced = document.createElement("p");
  #standing = document.createElement("p");
  #body = document.createElement("div");
  #server: Server | null = null;
  #stop: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: Promise<void> | null = null;
  #again = false;
  /** When it was read last, on the page's clock. */
  #readAt = -LIST_EVERY_MS;
  /** null: it was not tried yet. */
  #live: boolean | null = null;
  #jobs: Job[] | null = null;
  #batch: Batch | null = null;
  #seen = new Map<string, { text: string; end: string | null }>();
  #acting = new Set<string>();
  #strings: Partial<Strings> = {};
  #getToken: GetToken | null = null;
  #token: string | null = null;
  /** Whether the host said itself what it is called; null: it is nowhere yet. */
  #labelled: boolean | null = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [sheetOf()];
    this.#announced.setAttribute("role", "status");
    this.#announced.setAttribute("aria-live", "polite");
    this.#announced.className = "announced";
    this.#standing.part.add("standing");
    this.#standing.className = "standing";
    this.#body.part.add("body");
    this.#root.append(this.#standing, this.#announced, this.#body);
  }

  get getToken(): GetToken | null {
    return this.#getToken;
  }

  /** Asked for a token at the start and whenever one has expired. */
  set getToken(given: GetToken | null) {
    this.#getToken = given;
    this.#begin();
  }

  get token(): string | null {
    return this.#token ?? this.getAttribute("token");
  }

  set token(given: string | null) {
    this.#token = given;
    this.#begin();
  }

  get strings(): Partial<Strings> {
    return this.#strings;
  }

  /** Texts in place of the English ones. */
  set strings(given: Partial<Strings>) {
    this.#strings = given;
    this.#draw();
  }

  connectedCallback(): void {
    this.#labelled ??= this.hasAttribute("aria-label");
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(_: string, before: string | null, now: string | null): void {
    if (before !== now) this.#begin();
  }

  /** Begin anew once all that changes in this turn has changed. */
  #begin(): void {
    this.#end();
    if (!this.isConnected) return;
    const stop = new AbortController();
    this.#stop = stop;
    queueMicrotask(() => {
      if (!stop.signal.aborted) this.#connect(stop.signal);
    });
  }

  #end(): void {
    this.#stop?.abort();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
    this.#reading = null;
    this.#jobs = this.#batch = this.#live = null;
    this.#seen.clear();
    this.#acting.clear();
  }

  #connect(signal: AbortSignal): void {
    const url = (this.getAttribute("server") ?? "").replace(/\/+$/, "");
    this.#server = new Server(url, () => this.#newToken());
    this.#draw();
    if (!this.#getToken && !this.getAttribute("token-url") && !this.token) return; // the host has not said yet
    const heard = {
      changed: (change: Change | null) => {
        // Rows of batches stand in no list.
        if (!this.#following() && change?.batch_id) return;
        this.#soon(signal);
      },
      standing: (live: boolean) => {
        this.#live = live;
        this.#draw();
      },
      failed: (fault: Fault) => this.#fail(fault),
    };
    void this.#server.follow(this.#following(), heard, signal);
  }

  async #newToken(): Promise<string> {
    if (this.#getToken) return this.#getToken();
    const url = this.getAttribute("token-url");
    if (!url) return this.token ?? "";
    const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return ((await answer.json()) as { token: string }).token;
  }

  #following(): string {
    const [job, batch] = [this.#id("job"), this.#id("batch")];
    return job ? `?job=${job}` : batch ? `?batch=${batch}` : "";
  }

  #id(name: "job" | "batch"): string | null {
    const given = this.getAttribute(name) ?? "";
    return /^[1-9][0-9]{0,18}$/.test(given) ? given : null;
  }

  #listing(): string {
    const asked = new URLSearchParams();
    for (const [name, value] of new URLSearchParams(this.getAttribute("filter") ?? "")) {
      if (FILTERS.has(name)) asked.append(name, value);
    }
    const limit = Number.parseInt(this.getAttribute("limit") ?? "20", 10);
    asked.set("limit", String(Math.min(Math.max(limit || 20, 1), MOST)));
    return `/v1/jobs?${asked}`;
  }

  #soon(signal: AbortSignal): void {
    const due = this.#following() ? 0 : this.#readAt + LIST_EVERY_MS - performance.now();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#readAt = performance.now();
      if (this.#reading) this.#again = true;
      else this.#reading = this.#readAll(signal);
    }, Math.max(TOGETHER_MS, due));
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#read(signal);
      } catch (error) {
        if (!signal.aborted) this.#fail(faultOf(error));
      }
    } while (this.#again && !signal.aborted);
    if (!signal.aborted) this.#reading = null;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const server = this.#server;
    const [job, batch] = [this.#id("job"), this.#id("batch")];
    if (!server) return;
    const init = { signal };
    if (job) this.#jobs = [await server.ask<Job>(`/v1/jobs/${job}`, init)];
    else if (batch) this.#batch = await server.ask<Batch>(`/v1/batches/${batch}`, init);
    else this.#jobs = (await server.ask<{ items: Job[] }>(this.#listing(), init)).items;
    if (signal.aborted) return;
    this.#draw();
    for (const one of this.#jobs ?? []) this.#tell(`job ${one.id}`, { job: one }, ENDED.has(one.state) ? endOf(one) : null);
    if (this.#batch) this.#tell(`batch ${this.#batch.id}`, { batch: this.#batch }, this.#batch.finished_at);
  }

  /** Tell the host what became different. What had ended when it was first seen, ended before; what ended
   * again may have gone on and ended between two looks. */
  #tell(key: string, detail: { job?: Job; batch?: Batch }, end: string | null): void {
    const text = JSON.stringify(detail);
    const before = this.#seen.get(key);
    if (before?.text === text) return;
    this.#seen.set(key, { text, end });
    this.#dispatch("job-update", detail);
    if (end !== null && before && before.end !== end) this.#dispatch("job-end", detail);
  }

  #fail(fault: Fault): void {
    this.#dispatch("glaze-error", fault);
    if (fault.status) this.#announced.textContent = fault.message;
  }

  #dispatch(name: keyof JobStatusEvents, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  async #act(path: string, action: Action): Promise<void> {
    const signal = this.#stop?.signal;
    const key = `${path}/${action}`;
    if (!this.#server || !signal || this.#acting.has(key)) return;
    this.#acting.add(key);
    this.#draw();
    try {
      const body = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
      await this.#server.ask(key, body);
    } catch (error) {
      if (!signal.aborted) this.#fail(faultOf(error));
    }
    if (signal.aborted) return;
    this.#acting.delete(key);
    this.#draw();
    this.#soon(signal);
  }

  /** Draw all anew; what had the focus has it again. */
  #draw(): void {
    const given = (this.getAttribute("actions") ?? "").split(/[\s,]+/);
    const strings = { ...ENGLISH, ...this.#strings };
    const drawing: Drawing = {
      strings,
      // A token for a whole workspace can do nothing, so a list has no buttons.
      actions: this.#id("job") || this.#id("batch") ? ACTIONS.filter((one) => given.includes(one)) : [],
      acting: this.#acting,
      act: ((path, action) => void this.#act(path, action)) satisfies Act,
    };
    const focused = (this.#root.activeElement as HTMLElement | null)?.dataset["key"];
    if (this.#labelled === false) this.setAttribute("aria-label", strings.label);
    if (!this.hasAttribute("role")) this.setAttribute("role", "group");
    this.#standing.textContent = this.#live === null ? strings.loading : this.#live ? strings.live : strings.offline;
    this.#standing.dataset["live"] = String(this.#live === true);
    this.#body.replaceChildren(...this.#drawn(drawing));
    this.#announce(strings);
    if (focused) this.#body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #drawn(drawing: Drawing): Node[] {
    if (this.#batch) return [batchView(this.#batch, drawing)];
    if (this.#jobs === null) return [];
    if (this.#jobs.length > 0) {
      const list = document.createElement("ul");
      list.part.add("list");
      list.append(...this.#jobs.map((one) => jobView(one, drawing)));
      return [list];
    }
    const empty = document.createElement("slot");
    empty.name = "empty";
    empty.textContent = drawing.strings.empty;
    return [empty];
  }

  /** Say it to who does not see: the state of the one job or batch, whenever it is another. */
  #announce(strings: Strings): void {
    const one = this.#batch ?? (this.#id("job") ? this.#jobs?.[0] : undefined);
    if (!one) return;
    const named = (this.#batch ? strings.batch : strings.job).replace("{id}", String(one.id));
    const text = `${named}: ${strings[one.state as keyof Strings] ?? one.state}`;
    if (this.#announced.dataset["state"] === text) return;
    this.#announced.dataset["state"] = text;
    this.#announced.textContent = text;
  }
}

/** Which end of a job this is: opened again, it has another. */
function endOf(job: Job): string {
  return `${job.round} ${job.finished_at}`;
}
