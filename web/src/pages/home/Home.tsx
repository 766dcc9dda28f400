/** How the workspace stands, on one screen. */

import { api, told } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { formatNumber } from "../../ui/format";
import { PageHead, Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { Percent } from "../../ui/values";

const DAY_S = 86_400;

export function Home() {
  const metrics = useLiveQuery(
    {
      queryKey: ["metrics", DAY_S],
      queryFn: () => told(api.GET("/v1/metrics", { params: { query: { window_s: DAY_S } } })),
    },
    { every: 2_000 },
  );
  return (
    <div className="page">
      <PageHead title="Home" />
      <Panel title="The last day">
        <Shown query={metrics}>
          {(found) => (
            <p>
              {formatNumber(found.ended)} jobs ended, success <Percent rate={found.sample.success.rate} />
            </p>
          )}
        </Shown>
      </Panel>
    </div>
  );
}
