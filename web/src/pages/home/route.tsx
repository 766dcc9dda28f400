import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";
import { isSpan, type Span } from "./spans";

export const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  // What is chosen on a page stands in its URL. What is not valid is undefined, said out loud:
  // a name that is left out keeps what the URL says.
  validateSearch: ({ span }: Record<string, unknown>): { span?: Span | undefined } => ({
    span: isSpan(span) ? span : undefined,
  }),
  component: lazily(() => import("./Home"), "Home"),
  staticData: {
    title: "Home",
    nav: { label: "Home", icon: "home", group: "Work", key: "h" },
  },
});
