/** Values as text: numbers, money, shares, spans and moments. */

import { useSyncExternalStore } from "react";

import {
  formatDuration,
  formatExact,
  formatMoney,
  formatNumber,
  formatPercent,
  formatRelative,
} from "./format";

const NOTHING = "–";

export function Num({ of }: { of: number | null | undefined }) {
  return <span className="num">{of == null ? NOTHING : formatNumber(of)}</span>;
}

/** An amount in micros of a US dollar. */
export function Money({ micros }: { micros: number | null | undefined }) {
  return <span className="num">{micros == null ? NOTHING : formatMoney(micros)}</span>;
}

export function Percent({ rate }: { rate: number | null | undefined }) {
  return <span className="num">{rate == null ? NOTHING : formatPercent(rate)}</span>;
}

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  return <span className="num">{seconds == null ? NOTHING : formatDuration(seconds)}</span>;
}

/** A moment, relative to now, which goes on; exact on hover. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span className="num">{NOTHING}</span>;
  const moment = new Date(at);
  return (
    <time className="num" dateTime={at} title={formatExact(moment)}>
      {formatRelative(moment, now)}
    </time>
  );
}

const TICK_MS = 5_000;
const tickers = new Set<() => void>();
let now = Date.now();

setInterval(() => {
  if (tickers.size === 0) return;
  now = Date.now();
  tickers.forEach((tick) => tick());
}, TICK_MS);

function subscribe(tick: () => void): () => void {
  if (tickers.size === 0) now = Date.now();
  tickers.add(tick);
  return () => tickers.delete(tick);
}

/** The time in milliseconds, renewed every few seconds: one clock for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
