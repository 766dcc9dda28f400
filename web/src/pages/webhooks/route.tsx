/** Endpoints that are told what happens. */

import { createRoute } from "@tanstack/react-router";

import { lazily } from "../../shell/lazily";
import { shell } from "../../shell/routes";
import { isDeliveryState, type DeliveryState } from "./deliveries";

export const webhooks = createRoute({
  getParentRoute: () => shell,
  path: "/webhooks",
  component: lazily(() => import("./Webhooks"), "Webhooks"),
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
  component: lazily(() => import("./WebhookPage"), "WebhookPage"),
  staticData: { title: "Webhook" },
});
