/** Light, dark, or as the system is; `public/theme.js` sets it before the first paint. */

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const watchers = new Set<() => void>();
const dark = matchMedia("(prefers-color-scheme: dark)");

function current(): Theme {
  const set = document.documentElement.dataset["theme"];
  return set === "light" || set === "dark" ? set : "system";
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  dark.addEventListener("change", watcher);
  return () => {
    watchers.delete(watcher);
    dark.removeEventListener("change", watcher);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(watch, current);
}

/** Whether it is dark now: what is drawn on a canvas is drawn anew when it changes. */
export function useIsDark(): boolean {
  return useSyncExternalStore(watch, () => current() === "dark" || (current() === "system" && dark.matches));
}

export function nextTheme(): void {
  const theme = NEXT[current()];
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // no storage: it counts until the page is left
  }
  watchers.forEach((watcher) => watcher());
}
