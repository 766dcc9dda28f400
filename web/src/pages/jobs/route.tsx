import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";
import { validCriteria } from "./criteria";

export const jobs = createRoute({
  getParentRoute: () => shell,
  path: "/jobs",
  validateSearch: validCriteria,
  component: lazily(() => import("./Jobs"), "Jobs"),
  staticData: {
    title: "Jobs",
    nav: { label: "Jobs", icon: "jobs", group: "Work", key: "j" },
  },
});
