/** What may be spent, and every call that was or may be paid for. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";
import { isSpan, type Span } from "../home/spans";
import { validCriteria } from "./criteria";

interface Looked {
  span?: Span | undefined;
  /** Those of jobs, tables and past periods, too. */
  every?: boolean | undefined;
}

export const budgets = createRoute({
  getParentRoute: () => shell,
  path: "/budgets",
  validateSearch: ({ span, every }: Record<string, unknown>): Looked => ({
    span: isSpan(span) ? span : undefined,
    every: every === true ? true : undefined,
  }),
  component: lazily(() => import("./Budgets"), "Budgets"),
  staticData: {
    title: "Budgets",
    nav: { label: "Budgets", icon: "money", group: "Operations", key: "b" },
  },
});

export const ledger = createRoute({
  getParentRoute: () => shell,
  path: "/ledger",
  validateSearch: validCriteria,
  component: lazily(() => import("./Ledger"), "Ledger"),
  staticData: {
    title: "Ledger",
    nav: { label: "Ledger", icon: "book", group: "Operations", key: "l" },
  },
});
