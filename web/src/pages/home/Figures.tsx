/** The figures that are looked at first. */

import type { ReactNode } from "react";

import type { Schemas } from "../../api/client";
import { formatCompact, formatDuration, formatMoney, formatNumber, formatPercent } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Ago } from "../../ui/values";

type Metrics = Schemas["MetricsOut"];
type Overview = Schemas["OverviewOut"];

interface FigureProps {
  label: string;
  /** Null: there is none. */
  value: string | null;
  about?: ReactNode;
  to: string;
  search?: Record<string, unknown>;
  /** It goes with the one before. */
  tied?: boolean;
}

function Figure({ label, value, about, to, search, tied = false }: FigureProps) {
  return (
    <div className={`figure ${tied ? "tied" : ""}`}>
      <dt>{label}</dt>
      <dd>
        <Goto to={to} {...(search && { search })} className="value num">
          {value ?? "–"}
        </Goto>
        <span className="about">{about ?? "\u00a0"}</span>
      </dd>
    </div>
  );
}

type Share = Metrics["sample"]["success"];

const share = ({ rate }: Share): string | null => (rate === null ? null : formatPercent(rate));
const of = (one: Share, what: string): string => `of ${formatNumber(one.of)} ${what}`;

export function Figures({ metrics, overview }: { metrics: Metrics; overview: Overview }) {
  const { sample, per_minute: perMinute, ended } = metrics;
  const { p50_s: p50, p95_s: p95 } = sample.durations;
  const waits = overview.oldest_s === null ? "none" : formatDuration(overview.oldest_s);
  return (
    <section className="panel" aria-label="Figures">
      <dl className="figures">
        <Figure
          label="Throughput"
          value={perMinute === null ? null : rate(perMinute)}
          about={`${bounded(ended)} jobs ended`}
          to="/jobs"
        />
        <Figure
          label="Success"
          value={share(sample.success)}
          about={of(sample.success, "latest jobs")}
          to="/jobs"
          search={{ state: ["failed", "dead"] }}
        />
        <Figure
          label="From the cache"
          value={share(sample.cache)}
          about={of(sample.cache, "answers")}
          to="/jobs"
        />
        <Figure
          label="Asked an LLM"
          value={share(sample.inference)}
          about={of(sample.inference, "latest jobs")}
          to="/jobs"
        />
        <Figure
          label="Median time"
          value={p50 === null ? null : formatDuration(p50)}
          about={p95 !== null && `p95 ${formatDuration(p95)}`}
          to="/jobs"
        />
        <Figure label="Oldest waiting" value={waits} about="due, not begun" to="/queues" />
        <Spend money={overview.money} />
      </dl>
    </section>
  );
}

function Spend({ money }: { money: Overview["money"] }) {
  return (
    <>
      <Figure
        label="Spent"
        value={formatMoney(money.settled_micros)}
        about={money.since ? <>since <Ago at={money.since} />, and more before</> : "settled"}
        to="/ledger"
      />
      <Figure
        label="Reserved"
        value={formatMoney(money.reserved_micros)}
        about="calls under way"
        to="/ledger"
        search={{ state: "sending" }}
        tied
      />
      <Figure
        label="Unknown"
        value={formatMoney(money.unknown_micros)}
        about="until resolved"
        to="/ledger"
        search={{ state: "unknown" }}
        tied
      />
    </>
  );
}

/** By the minute, the hour or the day: in the first of them that has at least one. */
function rate(perMinute: number): string {
  if (perMinute >= 10) return `${formatCompact(Math.round(perMinute))} / min`;
  if (perMinute >= 1 || perMinute === 0) return `${formatNumber(Number(perMinute.toFixed(1)))} / min`;
  const perHour = perMinute * 60;
  return perHour >= 1 ? `${formatNumber(Number(perHour.toFixed(1)))} / h` : `${formatNumber(Number((perHour * 24).toFixed(1)))} / day`;
}

/** The API counts to ten thousand. */
function bounded(count: number): string {
  return count >= 10_000 ? "10,000 or more" : formatNumber(count);
}
