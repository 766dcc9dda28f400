/** The routes that all others stand under. */

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  Link,
  Outlet,
  redirect,
  type ErrorComponentProps,
} from "@tanstack/react-router";

import { sessionQuery } from "../api/session";
import { PageHead } from "../ui/layout";
import { ProblemBox } from "../ui/states";
import { NotLoaded, NotLoadedPage } from "./lazily";
import { Shell } from "./Shell";

export interface RouterContext {
  client: QueryClient;
}

export function Failed({ error, reset }: ErrorComponentProps) {
  if (error instanceof NotLoaded) return <NotLoadedPage />;
  return (
    <div className="page">
      <ProblemBox error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
    </div>
  );
}

function Nowhere() {
  return (
    <div className="page">
      <PageHead title="There is no such page" about="The address may be mistyped, or of another version." />
      <p>
        <Link to="/">Go home</Link>
      </p>
    </div>
  );
}

export const root = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  errorComponent: Failed,
  notFoundComponent: Nowhere,
});

/** Pages for who has signed in stand under this one. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  errorComponent: Failed,
  beforeLoad: async ({ context, location }) => {
    const session = await context.client.ensureQueryData(sessionQuery);
    if (session === null) throw redirect({ to: "/sign-in", search: { next: location.href } });
  },
});

/** What no page has keeps the navigation, too. */
export const nowhere = createRoute({
  getParentRoute: () => shell,
  path: "$",
  component: Nowhere,
  staticData: { title: "No such page" },
});
