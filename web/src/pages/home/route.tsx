import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { shell } from "../../shell/routes";

export const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./Home"), "Home"),
  staticData: {
    title: "Home",
    nav: { label: "Home", icon: "home", group: "Work", key: "h" },
  },
});
