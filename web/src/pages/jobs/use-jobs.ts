/** The live list: pages by id, read as they are scrolled to, and again where something changed. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { api, told } from "../../api/client";
import { useChanges } from "../../api/use-live";
import { whichOf, type Criteria } from "./criteria";
import { merged, NOTHING, type Rows } from "./rows";

const PAGE = 100;
const EVERY_MS = 1_000;

export interface Listed extends Rows {
  estimate: { jobs: number; exact: boolean } | null;
  loading: boolean;
  error: Error | null;
}

const AT_FIRST: Listed = { ...NOTHING, estimate: null, loading: true, error: null };

export function useJobs(criteria: Criteria, shown: () => number) {
  const [listed, setListed] = useState<Listed>(AT_FIRST);
  const asked = JSON.stringify(criteria);
  const turn = useRef(0);
  const busy = useRef(new Set<number | null>());
  const again = useRef<number | undefined>(undefined);
  const last = useRef(0);

  const read = useCallback(
    async (before: number | null): Promise<void> => {
      if (busy.current.has(before)) return;
      busy.current.add(before);
      const mine = turn.current;
      try {
        const which = whichOf(JSON.parse(asked) as Criteria, Date.now());
        const query = { ...which, limit: PAGE, ...(before ? { before } : { count: true }) };
        const page = await told(api.GET("/v1/jobs", { params: { query } }));
        if (mine !== turn.current) return;
        setListed((known) => ({
          ...merged(known, page, before),
          estimate: page.estimate ?? known.estimate,
          loading: false,
          error: null,
        }));
      } catch (error) {
        if (mine !== turn.current || !(error instanceof Error)) return;
        setListed((known) => ({ ...known, loading: false, error }));
      } finally {
        if (mine === turn.current) busy.current.delete(before);
      }
    },
    [asked],
  );

  useEffect(() => {
    turn.current += 1;
    busy.current = new Set();
    setListed((known) => ({ ...known, ...NOTHING, loading: true, error: null }));
    void read(null);
    return () => {
      turn.current += 1;
      clearTimeout(again.current);
      again.current = undefined;
    };
  }, [read]);

  /** The head, where new ones come, and what is being looked at. */
  const renew = () => {
    again.current = undefined;
    last.current = performance.now();
    void read(null);
    const first = listed.items[shown()];
    const inHead = listed.items.indexOf(first as Rows["items"][number]) < PAGE / 2;
    if (first && !inHead) void read(first.id + 1);
  };
  const renewal = useRef(renew);
  useLayoutEffect(() => {
    renewal.current = renew;
  });
  const soon = useCallback(() => {
    again.current ??= window.setTimeout(() => renewal.current(), Math.max(0, last.current + EVERY_MS - performance.now()));
  }, []);
  useChanges((changes) => {
    if (changes.some((one) => one.job_id !== null)) soon();
  }, soon);

  const more = () => {
    if (!listed.loading && listed.next !== null) void read(listed.next);
  };
  return { listed, more, renew: soon, retry: () => void read(null) };
}
