/** Whom can be asked, and what each is worth. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const providers = createRoute({
  getParentRoute: () => shell,
  path: "/providers",
  component: lazily(() => import("./Providers"), "Providers"),
  staticData: {
    title: "Providers",
    nav: { label: "Providers", icon: "plug", group: "Operations", key: "p" },
  },
});

const LONGEST = 100;

export const provider = createRoute({
  getParentRoute: () => shell,
  path: "/providers/$name",
  validateSearch: ({ field }: Record<string, unknown>): { field?: string | undefined } => ({
    field: typeof field === "string" && field ? field.slice(0, LONGEST) : undefined,
  }),
  component: lazily(() => import("./ProviderPage"), "ProviderPage"),
  staticData: { title: "Provider" },
});
