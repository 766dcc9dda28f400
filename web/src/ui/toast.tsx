/** Short notices that go by themselves, with a way back for what can be undone. */

import { useSyncExternalStore } from "react";

import { ApiProblem } from "../api/problem";
import { Button, IconButton } from "./controls";

export interface Notice {
  text: string;
  tone?: "bad";
  /** Take it back; the notice stays longer. */
  undo?: () => void;
}

interface Kept extends Notice {
  id: number;
}

const SHOWN_MS = 5_000;
const UNDOABLE_MS = 12_000;
let notices: readonly Kept[] = [];
let last = 0;
const watchers = new Set<() => void>();
const timers = new Map<number, number>();

function keep(next: readonly Kept[]): void {
  notices = next;
  watchers.forEach((watcher) => watcher());
}

function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  keep(notices.filter((one) => one.id !== id));
}

function expire(one: Kept): void {
  // What went wrong stays until it was read.
  if (one.tone === "bad") return;
  const lasts = one.undo ? UNDOABLE_MS : SHOWN_MS;
  timers.set(
    one.id,
    window.setTimeout(() => dismiss(one.id), lasts),
  );
}

export function toast(notice: Notice): void {
  const kept = { ...notice, id: ++last };
  keep([...notices.slice(-3), kept]);
  expire(kept);
}

/** Tell that something the person asked for failed. */
export function toastError(error: unknown): void {
  const told = error instanceof Error ? error.message : String(error);
  const title = error instanceof ApiProblem ? `${error.title}: ` : "";
  toast({ text: title + told, tone: "bad" });
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => notices,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((one) => (
        <div
          key={one.id}
          className={`toast ${one.tone ?? ""}`}
          onPointerEnter={() => clearTimeout(timers.get(one.id))}
          onPointerLeave={() => expire(one)}
        >
          <span>{one.text}</span>
          {one.undo && (
            <Button
              size="small"
              onClick={() => {
                dismiss(one.id);
                one.undo?.();
              }}
            >
              Undo
            </Button>
          )}
          <IconButton label="Dismiss" icon="close" onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
