/** How the workspace stands, on one screen. */

import { keepPreviousData } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Segments } from "../../ui/controls";
import { PageHead, Panel } from "../../ui/layout";
import { Loading, Shown } from "../../ui/states";
import { Attention } from "./Attention";
import { Begin, isIdle } from "./Begin";
import { Cap, Ended, Spent } from "./Charts";
import { Figures } from "./Figures";
import "./home.css";
import { Health } from "./Health";
import { Open } from "./Open";
import { Providers } from "./Providers";
import { home } from "./route";
import { SPANS, type Span } from "./spans";

const EVERY_MS = 2_000;
const OPTIONS = Object.entries(SPANS).map(([value, { label }]) => ({ value: value as Span, label }));

export function Home() {
  const { span = "24h" } = home.useSearch();
  const navigate = home.useNavigate();
  const { slotS, slots } = SPANS[span];
  const metrics = useLiveQuery(
    {
      queryKey: ["metrics", slotS * slots],
      queryFn: () =>
        told(api.GET("/v1/metrics", { params: { query: { window_s: slotS * slots } } })),
      placeholderData: keepPreviousData,
    },
    { every: EVERY_MS },
  );
  const overview = useLiveQuery(
    {
      queryKey: ["overview", slotS, slots],
      queryFn: () =>
        told(api.GET("/v1/overview", { params: { query: { slot_s: slotS, slots } } })),
      placeholderData: keepPreviousData,
    },
    { every: EVERY_MS },
  );
  return (
    <div className="page home">
      <PageHead title="Home">
        <Segments
          label="How far back"
          options={OPTIONS}
          value={span}
          onChange={(chosen) =>
            void navigate({ search: chosen === "24h" ? {} : { span: chosen }, replace: true })
          }
        />
      </PageHead>
      <Health />
      {/* All at once: what comes first would be pushed down by what wants somebody. */}
      <Shown query={overview} loading={<Loading lines={8} />}>
        {(found) => (
          <Shown query={metrics} loading={<Loading lines={8} />}>
            {(told) => <Standing overview={found} metrics={told} />}
          </Shown>
        )}
      </Shown>
    </div>
  );
}

function Standing({ overview, metrics }: { overview: Schemas["OverviewOut"]; metrics: Schemas["MetricsOut"] }) {
  return (
    <>
      <Attention overview={overview} />
      {isIdle(metrics) && <Begin />}
      <Figures metrics={metrics} overview={overview} />
      <div className="home-charts">
        <Panel title="Jobs that ended">
          <Ended overview={overview} />
        </Panel>
        <Panel title="Spend" aside={<Cap overview={overview} />}>
          <Spent overview={overview} />
        </Panel>
      </div>
      <div className="home-lists">
        <Panel title="Providers" aside={<p>how their latest calls fared</p>} flush>
          <Providers metrics={metrics} />
        </Panel>
        <Panel title="Open now">
          <Open metrics={metrics} />
        </Panel>
      </div>
    </>
  );
}
