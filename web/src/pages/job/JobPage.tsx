/** One job: where it stands, what it did when and for how much, and what can be done about it. */

import { Link } from "@tanstack/react-router";

import { api, told, type Schemas } from "../../api/client";
import { idOf } from "../../api/ids";
import { useLiveQuery } from "../../api/use-live";
import { useTitle } from "../../shell/title";
import { PageHead, Panel, StateBadge, Tabs } from "../../ui/layout";
import { Loading, Missing, Shown } from "../../ui/states";
import { Ago, Duration, Money } from "../../ui/values";
import { Actions } from "./Actions";
import { Calls } from "./Calls";
import { Graph } from "./Graph";
import "./job.css";
import { Json } from "./Json";
import { Log } from "./Log";
import { Result } from "./Result";
import { job as route, type JobTab } from "./route";
import { Timeline } from "./Timeline";

export type Job = Schemas["JobOut"];
export type Call = Schemas["CallOut"];
/** A job asks fewer vendors than this. */
const MOST_CALLS = 200;

export function JobPage() {
  const { id } = route.useParams();
  const jobId = idOf(id);
  if (jobId === null) {
    return (
      <div className="page">
        <NoJob />
      </div>
    );
  }
  return <Page key={jobId} id={jobId} />;
}

function NoJob() {
  return (
    <Missing what="job">
      <Link to="/jobs">All jobs</Link>
    </Missing>
  );
}

function Page({ id }: { id: number }) {
  const liveness = { on: (change: { job_id: number | null }) => change.job_id === id, every: 400 };
  const job = useLiveQuery(
    {
      queryKey: ["job", id],
      queryFn: () => told(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } })),
    },
    liveness,
  );
  const calls = useLiveQuery(
    {
      queryKey: ["job", id, "calls"],
      queryFn: () => told(api.GET("/v1/calls", { params: { query: { job: id, limit: MOST_CALLS } } })),
    },
    liveness,
  );
  const log = useLiveQuery(
    {
      queryKey: ["job", id, "log"],
      queryFn: () => told(api.GET("/v1/jobs/{job_id}/log", { params: { path: { job_id: id } } })),
    },
    liveness,
  );
  useTitle(job.data && `#${id} ${job.data.kind}`);
  return (
    <div className="page job">
      <Shown query={job} head={`Job #${id}`} loading={<Loading lines={8} />} missing={<NoJob />}>
        {(found) => (
          <>
            <PageHead
              title={
                <>
                  <Link to="/jobs" className="back">
                    Jobs
                  </Link>{" "}
                  #{found.id} <StateBadge state={found.state} />
                </>
              }
              about={<About job={found} />}
            >
              <Actions job={found} />
            </PageHead>
            {found.error && (
              <div className="problem">
                <h3>{found.state === "scheduled" || found.state === "pending" ? "The last try failed" : "Why"}</h3>
                <p>{found.error}</p>
              </div>
            )}
            <Facts job={found} calls={calls.data?.items ?? []} />
            {found.workflow_id && <Graph workflowId={found.workflow_id} />}
            <Parts job={found} calls={calls} log={log} />
          </>
        )}
      </Shown>
    </div>
  );
}

function About({ job }: { job: Job }) {
  return (
    <>
      {job.kind} in queue {job.queue}, made <Ago at={job.created_at} />
      {job.replay_of && (
        <>
          {", again after "}
          <Link to="/jobs/$id" params={{ id: String(job.replay_of) }}>
            #{job.replay_of}
          </Link>
        </>
      )}
      {job.tags.map((tag) => (
        <Link key={tag} to="/jobs" search={{ tag }} className="badge plain tag">
          {tag}
        </Link>
      ))}
    </>
  );
}

function Facts({ job, calls }: { job: Job; calls: readonly Call[] }) {
  const spent = calls.reduce((sum, one) => sum + (one.price_micros ?? 0), 0);
  const open = calls.filter((one) => one.price_micros === null && one.state !== "not_billed");
  const held = open.reduce((sum, one) => sum + one.reserved_micros, 0);
  const percent = job.progress?.percent;
  return (
    <section className="panel" aria-label="Figures">
      <dl className="job-facts">
        <Fact name="Waited" about="until it was begun">
          {job.started_at ? <Duration seconds={between(job.created_at, job.started_at)} /> : <Ago at={job.due_at} />}
        </Fact>
        <Fact name="Took" about={job.finished_at ? <>ended <Ago at={job.finished_at} /></> : "not ended"}>
          {job.started_at && job.finished_at ? <Duration seconds={between(job.started_at, job.finished_at)} /> : "–"}
        </Fact>
        <Fact name="Spent" about={`${calls.length} ${calls.length === 1 ? "call" : "calls"}`}>
          <Money micros={spent} />
        </Fact>
        <Fact name="Held" about="reserved, or of unknown outcome">
          <Money micros={held} />
        </Fact>
        <Fact name="Try" about={job.round > 1 ? `round ${job.round}` : `at most ${job.max_attempts}`}>
          <span className="num">{job.attempt}</span>
        </Fact>
        <Fact name="Priority" about="1 is the most urgent">
          <span className="num">{job.priority}</span>
        </Fact>
      </dl>
      {job.state === "processing" && percent !== undefined && (
        <p className="job-progress" role="status">
          <progress max={100} value={percent} aria-label="Progress" />
          <span className="num">{percent} %</span> <span className="dim">{job.progress?.message}</span>
        </p>
      )}
    </section>
  );
}

function Fact({ name, about, children }: { name: string; about: React.ReactNode; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className="value">{children}</span>
        <span className="dim">{about}</span>
      </dd>
    </div>
  );
}

function between(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

type Query<T> = Parameters<typeof Shown<T>>[0]["query"];

function Parts({
  job,
  calls,
  log,
}: {
  job: Job;
  calls: Query<Schemas["CallPage"]>;
  log: Query<Schemas["LogOut"][]>;
}) {
  const { tab = "timeline" } = route.useSearch();
  const navigate = route.useNavigate();
  const tabs = [
    { id: "timeline", label: "Timeline" },
    { id: "result", label: "Result" },
    { id: "arguments", label: "Arguments" },
    { id: "log", label: `Log${log.data ? ` ${log.data.length}` : ""}` },
  ];
  return (
    <Tabs
      label="Parts of the job"
      tabs={tabs}
      value={tab}
      onChange={(chosen) =>
        void navigate({ search: chosen === "timeline" ? {} : { tab: chosen as JobTab }, replace: true })
      }
    >
      <div className="job-part">
        {tab === "timeline" && (
          <>
            <Panel title="Time and money">
              <Timeline job={job} calls={calls.data?.items ?? []} />
            </Panel>
            <Panel title="Calls" flush>
              <Shown query={calls}>{(found) => <Calls calls={found.items} />}</Shown>
            </Panel>
          </>
        )}
        {tab === "result" && <Result job={job} />}
        {tab === "arguments" && (
          <Panel title="Arguments">
            <Json value={job.args ?? null} />
          </Panel>
        )}
        {tab === "log" && (
          <Panel title="Tries and log" flush>
            <Shown query={log}>{(found) => <Log lines={found} />}</Shown>
          </Panel>
        )}
      </div>
    </Tabs>
  );
}
