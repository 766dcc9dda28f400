/** Signing in, and accepting an invitation. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { root } from "../../shell/routes";

export const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  // Only a path of our own is gone to afterwards.
  validateSearch: ({ next }: Record<string, unknown>): { next?: string | undefined } => ({
    next: typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : undefined,
  }),
  component: lazily(() => import("./SignIn"), "SignIn"),
  staticData: { title: "Sign in" },
});

export const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazily(() => import("./Welcome"), "Welcome"),
  staticData: { title: "Welcome" },
});
