/** How the workspace stands, on one screen. */

import { keepPreviousData } from "@tanstack/react-query";

import { api, told } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Segments } from "../../ui/controls";
import { PageHead, Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { Attention } from "./Attention";
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
      {overview.data && <Attention overview={overview.data} />}
      <Figures metrics={metrics.data} overview={overview.data} />
      <div className="home-charts">
        <Panel title="Jobs that ended">
          <Shown query={overview} loading={<div className="chart-place" />}>
            {(found) => <Ended overview={found} />}
          </Shown>
        </Panel>
        <Panel title="Spend" aside={<Cap overview={overview.data} />}>
          <Shown query={overview} loading={<div className="chart-place" />}>
            {(found) => <Spent overview={found} />}
          </Shown>
        </Panel>
      </div>
      <div className="home-lists">
        <Panel title="Providers" aside={<p>how their latest calls fared</p>} flush>
          <Shown query={metrics}>{(found) => <Providers metrics={found} />}</Shown>
        </Panel>
        <Panel title="Open now">
          <Shown query={metrics}>{(found) => <Open metrics={found} />}</Shown>
        </Panel>
      </div>
    </div>
  );
}
