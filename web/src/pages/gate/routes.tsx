/** Signing in, and accepting an invitation. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { root } from "../../shell/routes";

export const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  // Only a path of our own is gone to afterwards.
  validateSearch: (search): { next?: string } => {
    const next = search["next"];
    return typeof next === "string" && /^\/(?![/\\])/.test(next) ? { next } : {};
  },
  component: lazyRouteComponent(() => import("./SignIn"), "SignIn"),
  staticData: { title: "Sign in" },
});

export const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./Welcome"), "Welcome"),
  staticData: { title: "Welcome" },
});
