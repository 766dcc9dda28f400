/** Shortcuts: one listener for the page, and a list of what there is.
 *
 * Keys without Ctrl or Cmd act only outside of fields and dialogs, and can be turned off
 * (WCAG 2.1.4): they are in the way of who speaks to the machine.
 */

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

interface Shortcut {
  /** `j`, `g h` (one after the other), `mod+k` (Ctrl or Cmd). */
  keys: string;
  label: string;
  act: () => void;
}

const SETTING = "single-keys";
const SEQUENCE_MS = 1_200;
const watchers = new Set<() => void>();
let shortcuts: readonly Shortcut[] = [];
let single = read() !== "off";
let first = "";
let firstUntil = 0;

function read(): string | null {
  try {
    return localStorage.getItem(SETTING);
  } catch {
    return null; // no storage: as it is by default
  }
}

function changed(): void {
  watchers.forEach((watcher) => watcher());
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("dialog")) return true;
  return target.matches("textarea, select, input:not([type=checkbox], [type=radio])");
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const mod = event.ctrlKey || event.metaKey;
  if (!mod && (!single || isTyping(event.target))) return;
  const key = event.key.toLowerCase();
  const sequence = !mod && first && event.timeStamp < firstUntil ? `${first} ${key}` : "";
  const asked = mod ? `mod+${key}` : sequence || key;
  first = "";
  // The latest wins: what is on the page goes before what is around it.
  const found = shortcuts.findLast((one) => one.keys === asked);
  if (found) {
    event.preventDefault();
    found.act();
  } else if (!mod && shortcuts.some((one) => one.keys.startsWith(`${key} `))) {
    first = key;
    firstUntil = event.timeStamp + SEQUENCE_MS;
  }
}

addEventListener("keydown", pressed);

/** Act on keys for as long as the component is there. */
export function useShortcut(keys: string, label: string, act: () => void): void {
  const run = useEffectEvent(act);
  useEffect(() => {
    const shortcut = { keys, label, act: () => run() };
    shortcuts = [...shortcuts, shortcut];
    changed();
    return () => {
      shortcuts = shortcuts.filter((one) => one !== shortcut);
      changed();
    };
  }, [keys, label]);
}

export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(watch, () => shortcuts);
}

export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(watch, () => single);
  return [on, setSingle];
}

function setSingle(on: boolean): void {
  single = on;
  try {
    localStorage.setItem(SETTING, on ? "on" : "off");
  } catch {
    // no storage: it counts until the page is left
  }
  changed();
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The keys of a shortcut as they stand on the keyboard. */
export function keyCaps(keys: string): string[] {
  return keys
    .split(/[ +]/)
    .map((key) => (key === "mod" ? (isApple ? "⌘" : "Ctrl") : key.length === 1 ? key.toUpperCase() : key));
}
