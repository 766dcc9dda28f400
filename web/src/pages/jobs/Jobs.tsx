/** All single jobs, live: found, chosen, and acted on together. */

import { useMemo, useRef, useState } from "react";

import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { formatNumber } from "../../ui/format";
import { PageHead } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { Bulk } from "./Bulk";
import { isEmpty, type Criteria } from "./criteria";
import { Filters } from "./Filters";
import "./jobs.css";
import { List } from "./List";
import { jobs } from "./route";
import { useJobs, type Listed } from "./use-jobs";
import { Views } from "./Views";

/** `all`: all that match, also those that were not read yet. */
export type Chosen = ReadonlySet<number> | "all";
const NONE: Chosen = new Set<number>();

export function Jobs() {
  const criteria = jobs.useSearch();
  const navigate = jobs.useNavigate();
  const asked = JSON.stringify(criteria);
  const look = (next: Criteria) => void navigate({ search: next, replace: true });
  const top = useRef(0);
  const { listed, more, renew, retry } = useJobs(criteria, () => top.current);
  const [chosen, setChosen] = useState<Chosen>(NONE);
  const mayWrite = useMay("editor");
  const [chosenOf, setChosenOf] = useState(asked);
  if (chosenOf !== asked) {
    setChosenOf(asked);
    setChosen(NONE);
  }
  const held = useMemo(() => ({ chosen, setChosen }), [chosen]);
  return (
    <div className="page full jobs">
      <PageHead title="Jobs" about={<Count listed={listed} />}>
        <Views criteria={criteria} look={look} />
      </PageHead>
      <Filters criteria={criteria} look={look} />
      {listed.error && <ProblemBox error={listed.error} retry={retry} />}
      <section className="panel" aria-label="Found jobs">
        {mayWrite && (
          <Bulk
            chosen={chosen}
            criteria={criteria}
            matching={listed.estimate}
            choose={setChosen}
            onDone={() => {
              setChosen(NONE);
              renew();
            }}
          />
        )}
        {listed.items.length > 0 ? (
          <List key={asked} listed={listed} more={more} top={top} {...(mayWrite && { choice: held })} />
        ) : listed.loading ? (
          <div className="jobs-scroll">
            <Loading lines={8} />
          </div>
        ) : (
          !listed.error && <Nothing criteria={criteria} look={look} />
        )}
      </section>
    </div>
  );
}

function Count({ listed: { estimate, loading } }: { listed: Listed }) {
  if (!estimate) return loading ? "Looking…" : "";
  const { jobs: count, exact } = estimate;
  return `${exact ? "" : "about "}${formatNumber(count)} ${count === 1 ? "job" : "jobs"}; rows of tables are with their table`;
}

function Nothing({ criteria, look }: { criteria: Criteria; look: (next: Criteria) => void }) {
  if (isEmpty(criteria)) {
    return (
      <Empty level={2} title="No jobs yet">
        Ask for one with POST /v1/enrich, or with glaze enrich: it appears here as soon as it is made.
      </Empty>
    );
  }
  return (
    <Empty level={2} title="No job is like that">
      <p>What is made meanwhile and fits appears by itself.</p>
      <Button onClick={() => look({})}>Show all jobs</Button>
    </Empty>
  );
}
