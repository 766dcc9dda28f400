/** How far back Home looks, and in how long slots of time. */

export const SPANS = {
  "1h": { label: "1 h", slotS: 60, slots: 60 },
  "24h": { label: "24 h", slotS: 1_800, slots: 48 },
  "7d": { label: "7 days", slotS: 10_800, slots: 56 },
  "30d": { label: "30 days", slotS: 43_200, slots: 60 },
} as const;

export type Span = keyof typeof SPANS;

export function isSpan(value: unknown): value is Span {
  return typeof value === "string" && Object.hasOwn(SPANS, value);
}
