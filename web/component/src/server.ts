/** Asks the API with a token, never with cookies, and follows what changes. */

import type { Fault, GetToken } from "./types.js";

export class Refused extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 8_000;
/** The server beats every 15 s (GLAZE_API_BEAT_S); a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const FATAL = new Set([400, 403, 404, 422]);

export interface Heard {
  /** Something changed, or (null) something may have been missed: read again. */
  changed(change: Change | null): void;
  standing(live: boolean): void;
  failed(fault: Fault): void;
}

/** Of what the API tells of a change: only what is read here. */
export interface Change {
  batch_id?: number | null;
}

function changeOf(data: string): Change | null {
  try {
    return JSON.parse(data) as Change | null;
  } catch {
    return null; // of a later version: anything may be meant
  }
}

export class Server {
  #token: string | null = null;
  #asking: Promise<string> | null = null;

  constructor(readonly url: string, readonly getToken: GetToken) {}

  async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await this.#fetch(path, init);
    return (await answer.json()) as T;
  }

  /** Follow until aborted; it goes on after the last event it heard of, across lost connections. */
  async follow(query: string, heard: Heard, signal: AbortSignal): Promise<void> {
    let cursor = "";
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const headers: Record<string, string> = { Accept: "text/event-stream" };
        if (cursor) headers["Last-Event-ID"] = cursor;
        const answer = await this.#fetch(`/v1/events${query}`, { headers, signal });
        heard.standing(true);
        heard.changed(null);
        for await (const { id, data } of events(answer, signal)) {
          pause = FIRST_PAUSE_MS;
          if (id) cursor = id;
          if (data) heard.changed(changeOf(data));
        }
      } catch (error) {
        if (signal.aborted) return;
        const fault = faultOf(error);
        heard.standing(false);
        heard.failed(fault);
        if (FATAL.has(fault.status)) return;
      }
      await new Promise((done) => setTimeout(done, pause * (0.75 + Math.random() / 2)));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let answer = await this.#once(path, init);
    if (answer.status === 401) {
      this.#token = null;
      answer = await this.#once(path, init);
    }
    if (answer.ok) return answer;
    const told = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
    throw new Refused({
      code: told.code ?? `http_${answer.status}`,
      message: told.detail ?? `HTTP ${answer.status}`,
      status: answer.status,
    });
  }

  async #once(path: string, init: RequestInit): Promise<Response> {
    this.#token ??= await this.#newToken();
    const headers = { ...init.headers, Authorization: `Bearer ${this.#token}` };
    return fetch(this.url + path, { ...init, headers, credentials: "omit", cache: "no-store" });
  }

  #newToken(): Promise<string> {
    this.#asking ??= Promise.resolve(this.getToken()).finally(() => (this.#asking = null));
    return this.#asking;
  }
}

export function faultOf(error: unknown): Fault {
  if (error instanceof Refused) return error.fault;
  return { code: "offline", message: error instanceof Error ? error.message : String(error), status: 0 };
}

/** Yield the events of a stream of Server-Sent Events, beats among them, which have no data. */
async function* events(answer: Response, signal: AbortSignal): AsyncGenerator<{ id: string; data: string }> {
  const reader = (answer.body ?? new ReadableStream<Uint8Array>()).getReader();
  const give_up = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", give_up, { once: true });
  const text = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const silence = setTimeout(give_up, SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      rest += text.decode(value, { stream: true }).replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const lines = block.split("\n");
        const of = (name: string) => lines.find((one) => one.startsWith(`${name}:`))?.slice(name.length + 1).trim() ?? "";
        yield { id: of("id"), data: of("data") };
      }
    }
  } finally {
    signal.removeEventListener("abort", give_up);
    give_up();
  }
}
