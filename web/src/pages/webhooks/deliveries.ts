/** States of deliveries. */

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export function isDeliveryState(given: unknown): given is DeliveryState {
  return DELIVERY_STATES.some((one) => one === given);
}
