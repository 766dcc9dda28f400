/** Signing in, and accepting an invitation. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { root } from "../../shell/routes";

export const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  // Only a path of our own is gone to afterwards.
  validateSearch: ({ next }: Record<string, unknown>): { next?: string | undefined } => ({
    next: typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : undefined,
  }),
  component: lazyRouteComponent(() => import("./SignIn"), "SignIn"),
  staticData: { title: "Sign in" },
});

export const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./Welcome"), "Welcome"),
  staticData: { title: "Welcome" },
});
