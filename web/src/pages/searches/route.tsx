/** People and companies that are looked for: seen for nothing, then unlocked. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const searches = createRoute({
  getParentRoute: () => shell,
  path: "/searches",
  component: lazily(() => import("./Searches"), "Searches"),
  staticData: {
    title: "Searches",
    nav: { label: "Searches", icon: "search", group: "Work", key: "f" },
  },
});

export const search = createRoute({
  getParentRoute: () => shell,
  path: "/searches/$id",
  component: lazily(() => import("./SearchPage"), "SearchPage"),
  staticData: { title: "Search" },
});
