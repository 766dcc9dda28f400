/** What a run would find and cost, and who would be asked. */

import type { Schemas } from "../../api/client";
import { formatMoney, formatNumber, formatPercent } from "../../ui/format";
import { Money, Num } from "../../ui/values";
import { titleOf } from "./Columns";

type Plan = Schemas["PlanOut"];

export function PlanView({ plan, planned, rows }: { plan: Plan; planned: number; rows: number }) {
  const providers = Object.entries(plan.providers).sort((a, b) => b[1].asked - a[1].asked);
  return (
    <div className="plan">
      <dl className="figures">
        <div>
          <dt>Likely cost</dt>
          <dd>
            <Money micros={plan.cost_micros.p50} />
          </dd>
          <dd className="note">half of such runs cost less (p50)</dd>
        </div>
        <div>
          <dt>Cautious</dt>
          <dd>
            <Money micros={plan.cost_micros.p95} />
          </dd>
          <dd className="note">19 of 20 cost less (p95)</dd>
        </div>
        <div>
          <dt>Never more than</dt>
          <dd>
            <Money micros={plan.most_micros} />
          </dd>
          <dd className="note">by the price list</dd>
        </div>
        <div>
          <dt>Yours already</dt>
          <dd>
            {formatPercent(plan.values_wanted ? plan.values_yours / plan.values_wanted : 0)}
          </dd>
          <dd className="note">
            {formatNumber(plan.values_yours)} of {formatNumber(plan.values_wanted)} values cost nothing
          </dd>
        </div>
      </dl>
      {planned < rows && (
        <p className="dim">
          Reckoned up from the first {formatNumber(planned)} of {formatNumber(rows)} rows.
        </p>
      )}
      <div className="plan-parts">
        <section aria-label="Coverage">
          <h3>Coverage</h3>
          <ul className="coverage">
            {Object.entries(plan.fields).map(([name, one]) => (
              <Coverage key={name} name={name} band={one} rows={plan.rows} />
            ))}
          </ul>
        </section>
        <section aria-label="Who would be asked">
          <h3>Who would be asked</h3>
          {providers.length === 0 ? (
            <p className="dim">Nobody: all of it is known.</p>
          ) : (
            <table className="table asked">
              <thead>
                <tr>
                  <th scope="col">Provider</th>
                  <th scope="col" className="end">
                    Times
                  </th>
                  <th scope="col" className="end">
                    Cost
                  </th>
                </tr>
              </thead>
              <tbody>
                {providers.map(([name, one]) => (
                  <tr key={name}>
                    <td>{name}</td>
                    <td className="end">
                      <Num of={Math.round(one.asked)} />
                    </td>
                    <td className="end">
                      <Money micros={one.cost_micros} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      </div>
      <Notes plan={plan} />
    </div>
  );
}

function Coverage({ name, band, rows }: { name: string; band: Schemas["FieldForecastOut"]; rows: number }) {
  const share = (part: number) => (rows ? Math.min(1, part / rows) : 0);
  return (
    <li>
      <span className="truncate">{titleOf(name)}</span>
      <span className="meter" aria-hidden="true">
        <i style={{ left: `${100 * share(band.p5)}%`, width: `${100 * (share(band.p95) - share(band.p5))}%` }} />
        <b style={{ width: `${100 * share(band.p50)}%` }} />
      </span>
      <span className="num">
        {formatPercent(share(band.p50))}
        <span className="dim">
          {" "}
          {formatPercent(share(band.p5))} to {formatPercent(share(band.p95))}
        </span>
      </span>
    </li>
  );
}

function Notes({ plan }: { plan: Plan }) {
  const unpaid = Object.entries(plan.not_payable);
  if (!plan.caps.length && !unpaid.length && !plan.unlearned.length) return null;
  return (
    <ul className="notes dim">
      {plan.caps.map((one) => (
        <li key={one.provider ?? ""}>
          A standing cap leaves {formatMoney(one.left_micros)} {one.provider ? `at ${one.provider}` : "today"}.
        </li>
      ))}
      {unpaid.map(([name, why]) => (
        <li key={name}>
          {name} cannot be paid now: {why}
        </li>
      ))}
      {plan.unlearned.length > 0 && (
        <li>Little is known yet of {plan.unlearned.join(", ")}: what they find is a guess.</li>
      )}
    </ul>
  );
}
