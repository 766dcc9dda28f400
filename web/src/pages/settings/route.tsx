/** What the workspace decided, and what the installation was started with. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const TABS = ["order", "freshness", "retention", "people", "installation"] as const;
export type SettingsTab = (typeof TABS)[number];

export const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  validateSearch: ({ tab }: Record<string, unknown>): { tab?: SettingsTab | undefined } => ({
    tab: TABS.find((one) => one === tab),
  }),
  component: lazily(() => import("./Settings"), "Settings"),
  staticData: {
    title: "Settings",
    nav: { label: "Settings", icon: "settings", group: "Workspace", key: "e" },
  },
});
