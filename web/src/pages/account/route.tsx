import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";

export const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazily(() => import("./Account"), "Account"),
  staticData: { title: "Account" },
});
