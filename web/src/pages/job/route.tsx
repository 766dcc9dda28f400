import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

const TABS = ["timeline", "result", "arguments", "log"] as const;
export type JobTab = (typeof TABS)[number];

export const job = createRoute({
  getParentRoute: () => shell,
  path: "/jobs/$id",
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: JobTab | undefined } => ({
    tab: TABS.find((one) => one === tab),
  }),
  component: lazily(() => import("./JobPage"), "JobPage"),
  staticData: { title: "Job" },
});
