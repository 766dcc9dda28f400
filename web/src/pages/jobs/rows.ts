/** Jobs that a list has read so far, newest first, without gaps.
 *
 * A page that was read tells all there is between two ids: what is known of there and was not in it
 * is in the list no more.
 */

import type { Schemas } from "../../api/client";

export type Job = Schemas["JobOut"];

export interface Rows {
  /** By id, falling. */
  items: readonly Job[];
  /** Where it goes on below; null: that was all. */
  next: number | null;
}

export const NOTHING: Rows = { items: [], next: null };

/** Put a page into what is known; ``before``: what it was asked with. */
export function merged(known: Rows, page: Schemas["JobPage"], before: number | null): Rows {
  const low = page.next_before ?? 0;
  const above = before === null ? [] : known.items.filter((one) => one.id >= before);
  const below = known.items.filter((one) => one.id < low);
  const reaches = known.items.some((one) => one.id >= low) || known.items.length === 0;
  // More came than a page holds: what is known lies beyond a gap.
  if (before === null && !reaches) return { items: page.items, next: page.next_before };
  const next = below.length > 0 || (known.next !== null && known.next < low) ? known.next : page.next_before;
  return { items: [...above, ...page.items, ...below], next };
}
