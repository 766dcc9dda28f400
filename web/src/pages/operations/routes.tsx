/** The pages of those who keep it running; each says in its navigation entry who may see it. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const queues = createRoute({
  getParentRoute: () => shell,
  path: "/queues",
  component: lazily(() => import("./Queues"), "Queues"),
  staticData: {
    title: "Queues",
    nav: { label: "Queues", icon: "queue", group: "Operations", key: "q", role: "admin", operator: true },
  },
});
export const workers = createRoute({
  getParentRoute: () => shell,
  path: "/workers",
  component: lazily(() => import("./Workers"), "Workers"),
  staticData: {
    title: "Workers",
    nav: { label: "Workers", icon: "worker", group: "Operations", key: "w", role: "admin", operator: true },
  },
});
export const deadLetters = createRoute({
  getParentRoute: () => shell,
  path: "/dead-letters",
  component: lazily(() => import("./DeadLetters"), "DeadLetters"),
  staticData: {
    title: "Dead letters",
    nav: { label: "Dead letters", icon: "dead", group: "Operations", key: "d" },
  },
});
export const schedules = createRoute({
  getParentRoute: () => shell,
  path: "/schedules",
  component: lazily(() => import("./Schedules"), "Schedules"),
  staticData: {
    title: "Schedules",
    nav: { label: "Schedules", icon: "clock", group: "Operations", key: "s" },
  },
});
export const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  component: lazily(() => import("./Audit"), "Audit"),
  staticData: {
    title: "Audit log",
    nav: { label: "Audit log", icon: "audit", group: "Workspace", key: "a", role: "admin" },
  },
});

export const operations = [queues, workers, deadLetters, schedules, audit] as const;
