/** A share that was estimated: where it lies, and how far it may be off. */

import { formatPercent } from "../../ui/format";

interface Estimated {
  rate: number;
  low: number;
  high: number;
}

const place = (rate: number) => `${100 * rate}%`;

export function Interval({ rate, low, high }: Estimated) {
  const said = `${formatPercent(rate)}, 9 times in 10 between ${formatPercent(low)} and ${formatPercent(high)}`;
  return (
    <span className="interval" title={said}>
      <span className="track" role="img" aria-label={said}>
        <i style={{ left: place(low), width: place(high - low) }} />
        <b style={{ left: place(rate) }} />
      </span>
      <span className="num" aria-hidden="true">
        {formatPercent(Math.round(rate * 100) / 100)}
      </span>
    </span>
  );
}
