/** What would be paid for is confirmed at its price. */

import { ApiProblem } from "../../api/problem";

export interface Quote {
  rows: number;
  p50_micros: number;
  p95_micros: number;
  most_micros: number;
}

/** Do what may cost something; `agree` is shown the price, and says up to how many cents, or null: leave it.
 *
 * Returns null where it was left.
 */
export async function priced<T>(
  act: (maxCostCents: number | null) => Promise<T>,
  agree: (quote: Quote) => Promise<number | null>,
): Promise<T | null> {
  try {
    return await act(null);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== "confirmation_needed" || !error.quote) throw error;
    const { rows = 1, p50_micros = 0, p95_micros = 0, most_micros = 0 } = error.quote;
    const cents = await agree({ rows, p50_micros, p95_micros, most_micros });
    return cents === null ? null : act(cents);
  }
}

/** A cap that lets pass what 19 of 20 such runs cost. */
export const capOf = (quote: Quote): number => Math.max(1, Math.ceil(quote.p95_micros / 10_000));
