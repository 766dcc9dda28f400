/** Hooks over what changes: queries that read again, and callbacks that patch. */

import {
  useQuery,
  useQueryClient,
  type QueryKey,
  type UseQueryOptions,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

import { live, type Change, type Standing } from "./live";

export function useStanding(): Standing {
  return useSyncExternalStore(live.watch, () => live.standing);
}

/** Call `act` with what changed, a few times a second at most; `reset` when something was missed. */
export function useChanges(
  act: (changes: readonly Change[]) => void,
  reset: () => void,
): void {
  const changed = useEffectEvent(act);
  const missed = useEffectEvent(reset);
  useEffect(() => live.listen({ changed: (all) => changed(all), reset: () => missed() }), []);
}

export interface Liveness {
  /** Which changes the query is about; none given: all. */
  on?: (change: Change) => boolean;
  /** Read again at most so often, in milliseconds. */
  every?: number;
}

/** A query that is read again when something changes that it is about, and when the page is back. */
export function useLiveQuery<T>(
  options: UseQueryOptions<T> & { queryKey: QueryKey },
  { on = () => true, every = 1_000 }: Liveness = {},
): UseQueryResult<T> {
  const client = useQueryClient();
  const isAbout = useEffectEvent(on);
  const hash = JSON.stringify(options.queryKey);
  useEffect(() => {
    const queryKey = JSON.parse(hash) as QueryKey;
    let timer: number | undefined;
    let last = 0;
    const read = () => {
      last = performance.now();
      timer = undefined;
      // What is being read may be older than the change, and must not be cancelled for ever.
      if (client.isFetching({ queryKey, exact: true }) > 0) soon();
      else void client.invalidateQueries({ queryKey, exact: true });
    };
    const soon = () => {
      timer ??= window.setTimeout(read, Math.max(0, last + every - performance.now()));
    };
    const stop = live.listen({
      changed: (changes) => {
        if (changes.some((one) => isAbout(one))) soon();
      },
      reset: soon,
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [client, hash, every]);
  return useQuery(options);
}
