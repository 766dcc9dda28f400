/** What has not ended: single jobs by state, and rows of tables. */

import type { Schemas } from "../../api/client";
import { formatNumber } from "../../ui/format";
import { Goto } from "../../ui/goto";

const STATES = ["processing", "pending", "scheduled", "waiting"] as const;
/** The API counts no state further. */
const MOST = 10_000;

export function Open({ metrics }: { metrics: Schemas["MetricsOut"] }) {
  const { queued = 0, total = 0 } = metrics.rows;
  return (
    <>
      <dl className="open">
        {STATES.map((state) => {
          const count = metrics.open[state] ?? 0;
          return (
            <div key={state}>
              <dt>{state}</dt>
              <dd>
                <Goto to="/jobs" search={{ state: [state] }} className="num">
                  {formatNumber(count)}
                  {count >= MOST && " or more"}
                </Goto>
              </dd>
            </div>
          );
        })}
      </dl>
      <div className="rows">
        <p>
          <Goto to="/tables">Rows of tables</Goto>
          <span className="num">
            {total === 0 ? "none in this time" : `${formatNumber(total - queued)} of ${formatNumber(total)}`}
          </span>
        </p>
        {total > 0 && <progress max={total} value={total - queued} aria-label="Rows of tables that ended" />}
      </div>
    </>
  );
}
