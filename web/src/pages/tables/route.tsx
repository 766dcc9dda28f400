import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";
import { toSearch } from "./search";

export const tables = createRoute({
  getParentRoute: () => shell,
  path: "/tables",
  component: lazily(() => import("./Tables"), "Tables"),
  staticData: {
    title: "Tables",
    nav: { label: "Tables", icon: "table", group: "Work", key: "t" },
  },
});

export const newTable = createRoute({
  getParentRoute: () => shell,
  path: "/tables/new",
  component: lazily(() => import("./NewTable"), "NewTable"),
  staticData: { title: "New table" },
});

export const table = createRoute({
  getParentRoute: () => shell,
  path: "/tables/$id",
  validateSearch: toSearch,
  params: {
    parse: ({ id }) => ({ id: Number(id) }),
    stringify: ({ id }) => ({ id: String(id) }),
  },
  component: lazily(() => import("./TablePage"), "TablePage"),
  staticData: { title: "Table" },
});
