/** What the command palette offers beside the pages. */

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

import type { IconName } from "../ui/icons";

export interface Command {
  id: string;
  label: string;
  icon: IconName;
  /** Other words it is found by. */
  words?: string;
  act: () => void;
}

const watchers = new Set<() => void>();
let commands: readonly Command[] = [];

function change(next: readonly Command[]): void {
  commands = next;
  watchers.forEach((watcher) => watcher());
}

/** Offer a command for as long as the component is there. */
export function useCommand({ id, label, icon, words = "", act }: Command): void {
  const run = useEffectEvent(act);
  useEffect(() => {
    const command = { id, label, icon, words, act: () => run() };
    change([...commands, command]);
    return () => change(commands.filter((one) => one !== command));
  }, [id, label, icon, words]);
}

export function useCommands(): readonly Command[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => commands,
  );
}
