/** What a page shows where there is nothing (yet), or something went wrong. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ApiProblem, Unreachable } from "../api/problem";
import { useTitle } from "../shell/title";
import { Button } from "./controls";
import { PageHead } from "./layout";

/** `level`: of its heading; 2 where no other heading stands above it but the page's own. */
export function Empty({ title, level = 3, children }: { title: string; level?: 2 | 3; children?: ReactNode }) {
  const Heading = `h${level}` as const;
  return (
    <div className="state">
      <Heading>{title}</Heading>
      {children && (typeof children === "string" ? <p>{children}</p> : children)}
    </div>
  );
}

/** A page's own thing is not there: say so, and lead back to where all of them stand. */
export function Missing({
  what,
  about = "It was deleted, or never was in this workspace.",
  children,
}: {
  what: string;
  about?: string;
  children: ReactNode;
}) {
  useTitle(`No such ${what}`);
  return (
    <>
      <PageHead title={`There is no such ${what}`} about={about} />
      <p>{children}</p>
    </>
  );
}

/** Lines where text will be, so that nothing jumps when it comes. */
export function Loading({ lines = 3 }: { lines?: number }) {
  return (
    <div className="state loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} className="skeleton" style={{ width: `${18 - (i % 3) * 4}rem` }} />
      ))}
    </div>
  );
}

/** What went wrong, in full: title, what to do, each fault, and the id for the logs. */
export function ProblemBox({ error, retry }: { error: Error; retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <div className="problem" role="alert">
      <p className="what">{problem?.title ?? (error instanceof Unreachable ? "No answer" : "Something went wrong")}</p>
      <p>{error.message}</p>
      {problem && problem.errors.length > 1 && (
        <ul>
          {problem.errors.map((one, i) => (
            <li key={i}>
              <code>{one["path"]}</code>: {one["message"]}
            </li>
          ))}
        </ul>
      )}
      {problem && (
        <p className="dim">
          <code>{problem.code}</code>
          {problem.correlation && (
            <>
              {" · in logs as "}
              <code>{problem.correlation}</code>
            </>
          )}
        </p>
      )}
      {retry && (
        <div>
          <Button size="small" icon="retry" onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

/** Show what a query brought, and until then, or in its place, what there is to say.
 *
 * Once there is data it stays, also while a later read fails: then the problem stands above it.
 */
export function Shown<T>({
  query,
  loading = <Loading />,
  head,
  missing,
  children,
}: {
  query: UseQueryResult<T>;
  loading?: ReactNode;
  /** The title of a page whose own comes with what is asked for. */
  head?: string;
  /** Where the API knows no such thing: it is not asked again. */
  missing?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const problem = query.error && (
    <ProblemBox error={query.error} retry={() => void query.refetch()} />
  );
  if (missing && query.error instanceof ApiProblem && query.error.status === 404) return missing;
  if (query.data === undefined) {
    return (
      <>
        {head !== undefined && <PageHead title={head} />}
        {problem ?? loading}
      </>
    );
  }
  return (
    <>
      {/* That nothing answers is told once, for the whole page. */}
      {!(query.error instanceof Unreachable) && problem}
      {children(query.data)}
    </>
  );
}
