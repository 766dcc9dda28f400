/** Stages on one axis of time, and what had been spent by then on the same axis. */

import { formatDuration, formatMoney } from "../../ui/format";
import { Empty } from "../../ui/states";
import { useNow } from "../../ui/values";
import { spansOf, type Span } from "./spans";
import type { Call, Job } from "./JobPage";

const TICKS = 4;

export function Timeline({ job, calls }: { job: Job; calls: readonly Call[] }) {
  const now = useNow();
  const spans = spansOf(job, calls, now);
  if (spans.length === 0) {
    return <Empty title="Not begun">Its stages appear here as they happen.</Empty>;
  }
  const end = Math.max(0.001, ...spans.map((one) => one.at + one.lasts));
  const total = spans.reduce((sum, one) => sum + one.micros, 0);
  const share = (value: number) => `${(100 * Math.min(1, Math.max(0, value / end))).toFixed(3)}%`;
  return (
    <div className="timeline">
      <ol>
        {spans.map((one, i) => (
          <li key={i}>
            <span className="name truncate">{one.name}</span>
            <span className="track">
              <span
                className={`bar ${one.tone}`}
                style={{ left: share(one.at), width: `max(3px, ${share(one.lasts)})` }}
                title={`${one.name}: ${formatDuration(one.lasts)}, ${one.told}`}
              />
            </span>
            <span className="num took">{formatDuration(one.lasts)}</span>
            <span className="num price">{one.micros > 0 ? formatMoney(one.micros) : "free"}</span>
            <span className="dim told">{one.told}</span>
          </li>
        ))}
        <li className="money">
          <span className="name">Spent by then</span>
          <span className="track">
            <Steps spans={spans} end={end} total={total} />
          </span>
          <span className="num took">{formatDuration(end)}</span>
          <strong className="num price">{formatMoney(total)}</strong>
        </li>
      </ol>
      <div className="axis" aria-hidden="true">
        <span className="track">
          {Array.from({ length: TICKS + 1 }, (_, i) => (
            <span key={i} className="num" style={{ left: `${(100 * i) / TICKS}%` }}>
              {formatDuration((end * i) / TICKS)}
            </span>
          ))}
        </span>
      </div>
    </div>
  );
}

function Steps({ spans, end, total }: { spans: readonly Span[]; end: number; total: number }) {
  const paid = spans.filter((one) => one.micros > 0).toSorted((a, b) => a.at + a.lasts - b.at - b.lasts);
  let sum = 0;
  let path = "M0 100";
  for (const one of paid) {
    const x = (1000 * (one.at + one.lasts)) / end;
    path += ` H${x.toFixed(1)}`;
    sum += one.micros;
    path += ` V${(100 - (100 * sum) / total).toFixed(1)}`;
  }
  return (
    <svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label={`${formatMoney(total)} in all`}>
      <path className="area" d={`${path} H1000 V100 Z`} />
      <path className="line" d={`${path} H1000`} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
