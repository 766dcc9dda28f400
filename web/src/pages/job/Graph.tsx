/** The workflow that a job is a step of: who comes after whom, laid out by step. */

import { Link } from "@tanstack/react-router";

import { api, told, type Schemas } from "../../api/client";
import { useLiveQuery } from "../../api/use-live";
import { Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";

type Workflow = Schemas["WorkflowOut"];
const BOX = { width: 168, height: 44, gapX: 56, gapY: 16 } as const;

export function Graph({ workflowId }: { workflowId: number }) {
  const workflow = useLiveQuery({
    queryKey: ["workflow", workflowId],
    queryFn: () =>
      told(api.GET("/v1/workflows/{workflow_id}", { params: { path: { workflow_id: workflowId } } })),
  });
  return (
    <Panel title={`Workflow ${workflow.data?.name ?? ""}`} aside={<p>{workflow.data?.state}</p>}>
      <Shown query={workflow}>{(found) => <Drawn workflow={found} />}</Shown>
    </Panel>
  );
}

function Drawn({ workflow }: { workflow: Workflow }) {
  const places = placesOf(workflow);
  const all = [...places.values()];
  const width = (Math.max(...all.map((one) => one.column)) + 1) * (BOX.width + BOX.gapX) - BOX.gapX;
  const height = (Math.max(...all.map((one) => one.line)) + 1) * (BOX.height + BOX.gapY) - BOX.gapY;
  const x = (id: number) => (places.get(id)?.column ?? 0) * (BOX.width + BOX.gapX);
  const y = (id: number) => (places.get(id)?.line ?? 0) * (BOX.height + BOX.gapY);
  return (
    <div className="graph" role="group" aria-label="Steps" tabIndex={0}>
      <svg width={width + 2} height={height + 2} viewBox={`-1 -1 ${width + 2} ${height + 2}`}>
        {workflow.edges.map(({ job_id: to, after_job: from }) => {
          if (from === null) return null;
          const [x1, y1] = [x(from) + BOX.width, y(from) + BOX.height / 2];
          const [x2, y2] = [x(to), y(to) + BOX.height / 2];
          const bend = (x2 - x1) / 2;
          return <path key={`${from} ${to}`} className="edge" d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />;
        })}
        {workflow.steps.map((step) => (
          <Link
            key={step.job_id}
            to="/jobs/$id"
            params={{ id: String(step.job_id) }}
          >
            <g transform={`translate(${x(step.job_id)} ${y(step.job_id)})`} className={`step ${step.state}`}>
              <rect width={BOX.width} height={BOX.height} rx={7} />
              <circle cx={14} cy={16} r={4} />
              <text x={26} y={20}>
                {short(step.step)}
              </text>
              <text x={26} y={36} className="of">
                {step.state} · {step.kind}
              </text>
            </g>
          </Link>
        ))}
      </svg>
    </div>
  );
}

const LONGEST = 20;
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

interface Place {
  column: number;
  line: number;
}

/** A step stands one column right of the last that it comes after. */
function placesOf({ steps, edges }: Workflow): Map<number, Place> {
  const places = new Map<number, Place>();
  const filled: number[] = [];
  // Steps are listed in the order they were made: each after those that it waits for.
  for (const { job_id: id } of steps.toSorted((a, b) => a.job_id - b.job_id)) {
    const parents = edges.filter((one) => one.job_id === id && one.after_job !== null);
    const column = Math.max(-1, ...parents.map((one) => places.get(one.after_job ?? 0)?.column ?? -1)) + 1;
    const line = filled[column] ?? 0;
    filled[column] = line + 1;
    places.set(id, { column, line });
  }
  return places;
}
