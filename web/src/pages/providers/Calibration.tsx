/** How sure a source said it was, against how often it was right. */

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { Select } from "../../ui/controls";
import { formatNumber, formatPercent } from "../../ui/format";
import { Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Num, Percent } from "../../ui/values";

type Curve = Schemas["CurveOut"];
type Bin = Schemas["BinOut"];
const ORIGINS: Readonly<Record<string, string>> = {
  users: "what people confirmed, chose or corrected",
  simulated: "the sandbox's own world",
};

export const calibrationOf = (provider: string) =>
  queryOptions({
    queryKey: ["calibration", provider],
    queryFn: () => told(api.GET("/v1/calibration", { params: { query: { provider } } })),
  });

export function Calibration({ provider }: { provider: string }) {
  const found = useQuery(calibrationOf(provider));
  const [field, setField] = useState<string | null>(null);
  return (
    <Panel title="Calibration" aside={<p>what it said, and how often that held</p>}>
      <Shown query={found}>
        {({ curves, version, origin, samples, fitted_at: at, held_out: held }) => {
          const curve = curves.find((one) => one.field === field) ?? curves[0];
          if (!curve) {
            return (
              <Empty title={version === null ? "Not calibrated yet" : "No curve of its own"}>
                Until enough of its values were confirmed or corrected, it is believed as it states. “glaze calibrate” fits what people decided.
              </Empty>
            );
          }
          return (
            <div className="calibration">
              <Chart curve={curve} />
              <div className="calibration-facts">
                <Select label="Field" value={curve.field} onChange={(event) => setField(event.target.value)}>
                  {curves.map((one) => (
                    <option key={one.field}>{one.field}</option>
                  ))}
                </Select>
                <p className="dim">
                  Above the broken line it was right more often than it said; below it, less often. The line is what Glaze makes of it.
                  Version {version}, of {formatNumber(samples)} statements, by {ORIGINS[origin ?? ""] ?? origin}, fitted <Ago at={at} />.
                  {held &&
                    ` On records held out, its error went from ${formatPercent(held.before.ece)} to ${formatPercent(held.after.ece)}.`}
                </p>
                <DataTable label="Said and held" columns={COLUMNS} rows={curve.bins} rowKey={(one) => one.stated} empty={null} />
              </div>
            </div>
          );
        }}
      </Shown>
    </Panel>
  );
}

const COLUMNS: readonly Column<Bin>[] = [
  { id: "stated", title: "It said", cell: (one) => <Percent rate={Math.round(one.stated) / 100} /> },
  { id: "held", title: "It held", end: true, cell: (one) => <Percent rate={one.right / one.statements} /> },
  { id: "n", title: "Sample", end: true, cell: (one) => <Num of={one.statements} /> },
];

const SIDE = 100;
const TICKS = [0, 25, 50, 75, 100] as const;
const SMALLEST = 1.2;
const GROWS = 0.28;

/** Said to the right, held upwards; a dot is as large as what it was made of. */
function Chart({ curve: { points, bins, field } }: { curve: Curve }) {
  const line = [[0, 0], ...points.map((one) => [one.stated, 100 * one.sure]), [SIDE, SIDE]];
  const right = bins.reduce((sum, one) => sum + one.right, 0);
  const all = bins.reduce((sum, one) => sum + one.statements, 0);
  return (
    <svg
      className="curve"
      viewBox="-14 -4 120 122"
      role="img"
      aria-label={`${field}: of ${formatNumber(all)} statements ${formatNumber(right)} held; the table tells them by what was said`}
    >
      {TICKS.map((tick) => (
        <g key={tick}>
          <path className="grid" d={`M0 ${SIDE - tick}H${SIDE}M${tick} 0V${SIDE}`} />
          <text x={-2} y={SIDE - tick + 1.3} textAnchor="end">
            {tick}
          </text>
          <text x={tick} y={SIDE + 6} textAnchor="middle">
            {tick}
          </text>
        </g>
      ))}
      <text x={SIDE / 2} y={SIDE + 13} textAnchor="middle">
        said, %
      </text>
      <text x={-11} y={SIDE / 2} textAnchor="middle" transform={`rotate(-90 -11 ${SIDE / 2})`}>
        held, %
      </text>
      <path className="even" d={`M0 ${SIDE}L${SIDE} 0`} />
      <polyline className="fit" points={line.map(([said = 0, held = 0]) => `${said},${SIDE - held}`).join(" ")} />
      {bins.map((one) => (
        <circle key={one.stated} cx={one.stated} cy={SIDE - (100 * one.right) / one.statements} r={Math.min(5, SMALLEST + GROWS * Math.sqrt(one.statements))}>
          <title>
            {`said ${Math.round(one.stated)} %, held ${formatPercent(one.right / one.statements)} of ${formatNumber(one.statements)}`}
          </title>
        </circle>
      ))}
    </svg>
  );
}
