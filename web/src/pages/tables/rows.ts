/** Rows of a table, read in windows as they come into sight, and in the order that was asked for. */

import { keepPreviousData, useInfiniteQuery, useQueries, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import { api, told, type Schemas } from "../../api/client";
import { live } from "../../api/live";
import { isArranged, outlineQuery, type TableSearch } from "./search";

export type RowOut = Schemas["RowOut"];
export type Value = Schemas["FieldValue"];

export const WINDOW = 100;
const REREAD_MS = 600;
/** What others decide is told by no event. */
const OLD_MS = 20_000;

export interface Arrangement {
  /** Row numbers in the order shown; null: as the table has them. */
  order: readonly number[] | null;
  /** Rows that were looked at so far; all of them once `done`. */
  lookedAt: number;
  done: boolean;
  /** What is shown is not yet what was asked for. */
  busy: boolean;
  error: Error | null;
}

type Key = string | number | null | undefined;

function compare(a: Key, b: Key): number {
  if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Sort rows by their keys; what has none comes last, whichever way. */
export function sorted(rows: readonly number[], keys: readonly Key[], down: boolean): number[] {
  const places = rows.map((_, i) => i);
  places.sort((i, j) => {
    const [a, b] = [keys[i], keys[j]];
    const by = compare(a, b);
    return (down && a != null && b != null ? -by : by) || i - j;
  });
  return places.map((i) => rows[i] ?? 0);
}

/** Which rows are shown, and in which order, by what the URL says.
 *
 * A long table is gone through in several requests: what a filter finds is shown as it is found, an
 * order when all is known.
 */
export function useArrangement(id: number, search: TableSearch): Arrangement {
  const wanted = isArranged(search);
  const asked = useMemo(() => outlineQuery(search), [search]);
  const found = useInfiniteQuery({
    queryKey: ["table", id, "outline", asked],
    enabled: wanted,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    initialPageParam: 0,
    getNextPageParam: (last: Schemas["OutlineOut"]) => last.next_after,
    queryFn: ({ signal, pageParam }) =>
      told(
        api.GET("/v1/batches/{batch_id}/outline", {
          params: { path: { batch_id: id }, query: { ...asked, after: pageParam } },
          signal,
        }),
      ),
  });
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = found;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  const done = !wanted || (found.isSuccess && !found.isPlaceholderData && !hasNextPage);
  const down = search.sort?.startsWith("-") ?? false;
  const order = useMemo(() => {
    if (!wanted || !data || (search.sort && !done)) return null;
    const rows = data.pages.flatMap((page) => page.rows);
    const keys = data.pages.flatMap((page) => page.keys);
    return search.sort ? sorted(rows, keys, down) : rows;
  }, [wanted, data, search.sort, down, done]);
  return {
    order,
    lookedAt: found.isPlaceholderData ? 0 : (data?.pages.reduce((sum, page) => sum + page.looked_at, 0) ?? 0),
    done,
    busy: wanted && (found.isPlaceholderData || found.isPending || (Boolean(search.sort) && !done)),
    error: wanted ? found.error : null,
  };
}

/** The rows of the windows that hold the places from `first` to `last`; what is not there yet is undefined. */
export function useRows(
  id: number,
  order: readonly number[] | null,
  total: number,
  first: number,
  last: number,
) {
  const windows: number[] = [];
  for (let w = Math.floor(first / WINDOW); w <= Math.floor(last / WINDOW); w++) windows.push(w);
  const count = order?.length ?? total;
  const queries = useQueries({
    queries: windows.map((w) => {
      const rows = order?.slice(w * WINDOW, (w + 1) * WINDOW);
      return {
        queryKey: ["table", id, "rows", rows ?? w],
        enabled: w * WINDOW < count,
        refetchInterval: OLD_MS,
        queryFn: ({ signal }) =>
          told(
            api.GET("/v1/batches/{batch_id}/rows", {
              params: {
                path: { batch_id: id },
                query: rows ? { row: rows } : { after: w * WINDOW, limit: WINDOW },
              },
              signal,
            }),
          ),
      };
    }),
  });
  const byNumber = new Map<number, RowOut>();
  for (const { data } of queries) data?.items.forEach((row) => byNumber.set(row.row, row));
  return {
    at: (place: number): { no: number; row: RowOut | undefined } => {
      const no = order ? (order[place] ?? 0) : place + 1;
      return { no, row: byNumber.get(no) };
    },
    scored: queries.some(({ data }) => data?.scored),
    error: queries.find((one) => one.error)?.error ?? null,
  };
}

/** Read what is in sight again when something changes in one of the batches, or for one of the jobs. */
export function useLiveRows(id: number, batches: ReadonlySet<number>, jobs: ReadonlySet<number>): void {
  const client = useQueryClient();
  useEffect(() => {
    let timer: number | undefined;
    const read = () => {
      timer = undefined;
      if (client.isFetching({ queryKey: ["table", id, "rows"] }) > 0) return soon();
      // All but the order: rows must not move under the reader's hand.
      for (const part of ["rows", "cell"]) void client.invalidateQueries({ queryKey: ["table", id, part] });
    };
    const soon = () => {
      timer ??= window.setTimeout(read, REREAD_MS);
    };
    const stop = live.listen({
      changed: (changes) => {
        const isMeant = changes.some(
          ({ batch_id, job_id }) =>
            (batch_id !== null && batches.has(batch_id)) || (job_id !== null && jobs.has(job_id)),
        );
        if (isMeant) soon();
      },
      reset: soon,
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [client, id, batches, jobs]);
}

/** A value as one line of text. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return JSON.stringify(value);
}

/** The address where it is one that may be followed: what was scraped may say anything. */
export function webAddress(text: unknown): string | null {
  if (typeof text !== "string") return null;
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null; // no address
  }
}
