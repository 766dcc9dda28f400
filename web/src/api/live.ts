/** What changes in the workspace, as it happens: one connection of the whole page.
 *
 * A WebSocket, for browsers allow six connections to a server over HTTP/1.1, and a stream in each
 * of six tabs would leave none for requests. It goes on after the last event it was told, across
 * lost connections and restarts of the server, so nothing is missed.
 */

import type { Schemas } from "./client";

export interface Change {
  event: "change";
  id: string;
  /** `completed`, `claimed`, `rows`, ...: see docs/api.md, Live. */
  type: string;
  job_id: number | null;
  batch_id: number | null;
  state: Schemas["JobState"] | null;
  at: string;
}

export type Standing = "connecting" | "live" | "away";

interface Listener {
  changed(changes: readonly Change[]): void;
  /** Something may have been missed: read everything again. */
  reset(): void;
}

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 8_000;
/** The server beats every 15 s (GLAZE_API_BEAT_S); a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;
const COUNTS_NO_MORE = 3000;

class Live {
  readonly #listeners = new Set<Listener>();
  readonly #watchers = new Set<() => void>();
  #standing: Standing = "connecting";
  #socket: WebSocket | null = null;
  #cursor: string | null = null;
  #failures = 0;
  #retry: number | undefined;
  #silence: number | undefined;
  #waiting: Change[] = [];
  #frame: number | undefined;
  #wanted = false;
  #ended: () => void = () => {};

  get standing(): Standing {
    return this.#standing;
  }

  /** Connect for as long as somebody is signed in; `ended`: the session counts no more. */
  start(ended: () => void): void {
    this.#ended = ended;
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener("online", this.#now);
    addEventListener("offline", this.#cut);
    document.addEventListener("visibilitychange", this.#now);
    this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    this.#cursor = null;
    removeEventListener("online", this.#now);
    removeEventListener("offline", this.#cut);
    document.removeEventListener("visibilitychange", this.#now);
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#drop();
    this.#stand("connecting");
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  #stand(standing: Standing): void {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.#watchers.forEach((watcher) => watcher());
  }

  #connect(): void {
    clearTimeout(this.#retry);
    const url = new URL("/v1/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.#cursor) url.searchParams.set("after", this.#cursor);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#heard();
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#take(String(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code);
    };
    this.#heard();
  }

  #take(text: string): void {
    this.#heard();
    const message = JSON.parse(text) as Change | { event: "beat" | "reset"; id: string };
    this.#cursor = message.id;
    this.#failures = 0;
    this.#stand("live");
    if (message.event === "reset") this.#listeners.forEach((one) => one.reset());
    if (message.event === "change") this.#gather(message);
  }

  /** Tell at most once a frame, however much changes; a hidden page has no frames. */
  #gather(change: Change): void {
    this.#waiting.push(change);
    if (this.#frame !== undefined) return;
    this.#frame = window.setTimeout(() => {
      this.#frame = undefined;
      const changes = this.#waiting;
      this.#waiting = [];
      this.#listeners.forEach((one) => one.changed(changes));
    }, 50);
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => {
      this.#drop();
      this.#lost(0);
    }, SILENCE_MS);
  }

  #lost(code: number): void {
    this.#socket = null;
    clearTimeout(this.#silence);
    if (!this.#wanted) return;
    this.#failures += 1;
    if (code === COUNTS_NO_MORE || this.#failures === 2) this.#ended();
    this.#stand(this.#failures > 1 || !navigator.onLine ? "away" : "connecting");
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    this.#retry = window.setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** The browser knows sooner than the silence tells. Where Glaze is on this very machine, it answers at once. */
  #cut = (): void => {
    this.#drop();
    this.#lost(0);
  };

  #now = (): void => {
    const back = document.visibilityState === "visible" && this.#socket === null;
    if (this.#wanted && back) this.#connect();
  };
}

export const live = new Live();
