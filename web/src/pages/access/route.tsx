/** Who may use the workspace: programs by keys, people as members. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const keys = createRoute({
  getParentRoute: () => shell,
  path: "/keys",
  component: lazily(() => import("./Keys"), "Keys"),
  staticData: {
    title: "API keys",
    nav: { label: "API keys", icon: "key", group: "Workspace", key: "k", role: "admin" },
  },
});

export const members = createRoute({
  getParentRoute: () => shell,
  path: "/members",
  component: lazily(() => import("./Members"), "Members"),
  staticData: {
    title: "Members",
    nav: { label: "Members", icon: "people", group: "Workspace", key: "m", role: "admin" },
  },
});
