import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { shell } from "../../shell/routes";

export const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("./Account"), "Account"),
  staticData: { title: "Account" },
});
