/** Endpoints that are told what happens. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { shell } from "../../shell/routes";
import { isDeliveryState, type DeliveryState } from "./deliveries";

export const webhooks = createRoute({
  getParentRoute: () => shell,
  path: "/webhooks",
  component: lazyRouteComponent(() => import("./Webhooks"), "Webhooks"),
  staticData: {
    title: "Webhooks",
    nav: { label: "Webhooks", icon: "hook", group: "Operations", key: "o" },
  },
});

export const webhook = createRoute({
  getParentRoute: () => shell,
  path: "/webhooks/$id",
  validateSearch: ({ state }: Record<string, unknown>): { state?: DeliveryState | undefined } => ({
    state: isDeliveryState(state) ? state : undefined,
  }),
  component: lazyRouteComponent(() => import("./WebhookPage"), "WebhookPage"),
  staticData: { title: "Webhook" },
});
