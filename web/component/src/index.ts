/** `<glaze-job-status>`: importing this defines the element. */

import { GlazeJobStatus } from "./element.js";

if (!customElements.get("glaze-job-status")) customElements.define("glaze-job-status", GlazeJobStatus);

export { GlazeJobStatus };
export { ENGLISH } from "./strings.js";
export type { JobStatusEvents } from "./element.js";
export type { Strings } from "./strings.js";
export type { Action, Batch, Fault, GetToken, Job, JobState, Stage } from "./types.js";
