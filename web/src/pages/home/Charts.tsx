/** What ended and what was spent, over time. */

import type { Schemas } from "../../api/client";
import { Bars, type Series } from "../../ui/Bars";
import { formatCompact, formatMoney, formatNumber } from "../../ui/format";

type Overview = Schemas["OverviewOut"];

const STATES = [
  ["completed", "--chart-1"],
  ["partial", "--chart-3"],
  ["failed", "--chart-4"],
  ["dead", "--chart-6"],
  ["cancelled", "--chart-5"],
] as const;

const MICROS = 1_000_000;
const secondsOf = (at: string): number => Date.parse(at) / 1000;

export function Ended({ overview }: { overview: Overview }) {
  const series = STATES.map(
    ([state, color]): Series => ({
      label: state,
      color,
      values: overview.ended.map((one) => one[state]),
    }),
  );
  const about = overview.ended.some((one) => one.about);
  const total = overview.ended.reduce((sum, one) => sum + STATES.reduce((n, [state]) => n + one[state], 0), 0);
  return (
    <>
      <Bars
        label={`Jobs that ended over time: ${formatNumber(total)} in all`}
        at={overview.ended.map((one) => secondsOf(one.at))}
        slotS={overview.slot_s}
        series={series}
        format={formatCompact}
        whole
      />
      {about && <p className="note">Busy slots are extrapolated from their latest jobs.</p>}
    </>
  );
}

export function Spent({ overview }: { overview: Overview }) {
  const { money, ended, slot_s: slotS } = overview;
  const spent = new Map(money.slots.map((one) => [secondsOf(one.at), one.settled_micros]));
  const at = ended.map((one) => secondsOf(one.at));
  return (
    <Bars
      label={`Spend over time: ${formatMoney(money.settled_micros)} in all`}
      at={at}
      slotS={slotS}
      series={[{ label: "settled", color: "--chart-1", values: at.map((one) => spent.get(one) ?? 0) }]}
      format={formatMoney}
      empty={MICROS}
    />
  );
}

/** How much of today's cap is used, where there is one. */
export function Cap({ overview }: { overview: Overview }) {
  const cap = overview.money.caps.find((one) => one.scope === "workspace_day");
  if (!cap) return null;
  const used = cap.spent_micros + cap.reserved_micros;
  return (
    <div className="cap">
      <meter min={0} max={cap.cap_micros} high={cap.cap_micros * 0.9} value={used} aria-label="Of today's cap" />
      <p>
        <span className="num">{formatMoney(used)}</span> of today's{" "}
        <span className="num">{formatMoney(cap.cap_micros)}</span>
      </p>
    </div>
  );
}
