/** How numbers, money and times are written; all of it in the reader's own language's way. */

const number = new Intl.NumberFormat(undefined);
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const MICROS = 1_000_000;

export const formatNumber = (value: number): string => number.format(value);
/** 12.4K; below ten thousand all digits. */
export const formatCompact = (value: number): string =>
  Math.abs(value) < 10_000 ? number.format(value) : compact.format(value);
export const formatPercent = (rate: number): string => percents.format(rate);
export const formatExact = (at: Date): string => exact.format(at);

/** US dollars from micros: cents, and further where the amount is below a cent. */
export function formatMoney(micros: number): string {
  const dollars = micros / MICROS;
  const small = dollars !== 0 && Math.abs(dollars) < 0.1;
  return new Intl.NumberFormat(undefined, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 2,
    maximumFractionDigits: small ? 6 : 2,
  }).format(dollars);
}

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
] as const;

/** 850 ms, 3.2 s, 2 min 5 s, 4 h 10 min. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  for (const [i, [size, unit]] of UNITS.entries()) {
    if (seconds < size) continue;
    const [below, smaller] = UNITS[i + 1] ?? ([1, "s"] as const);
    const rest = Math.floor((seconds % size) / below);
    return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${smaller}` : ""}`;
  }
  return `${Math.round(seconds)} s`;
}

/** "2 min ago", "in 3 h", "now". */
export function formatRelative(at: Date, now: number): string {
  const seconds = (at.getTime() - now) / 1000;
  const away = Math.abs(seconds);
  if (away < 5) return "now";
  if (away < 60) return relative.format(Math.round(seconds), "second");
  if (away < 3_600) return relative.format(Math.round(seconds / 60), "minute");
  if (away < 86_400) return relative.format(Math.round(seconds / 3_600), "hour");
  if (away < 30 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(at);
}

/** A name of the API in words: "no match" of no_match. */
export const inWords = (name: string): string => name.replaceAll("_", " ");

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = bytes;
  let i = 0;
  for (; left >= 1000 && i < units.length - 1; i++) left /= 1000;
  return `${left < 10 && i > 0 ? left.toFixed(1) : Math.round(left)} ${units[i]}`;
}
