/** Whether there is no room for columns, as on a phone; the width is that of the style sheets. */

import { useSyncExternalStore } from "react";

const narrow = matchMedia("(max-width: 40rem)");

function watch(watcher: () => void): () => void {
  narrow.addEventListener("change", watcher);
  return () => narrow.removeEventListener("change", watcher);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => narrow.matches);
}
