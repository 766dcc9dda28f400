/** How pages ask the API: typed paths and bodies, errors thrown as `ApiProblem` or `Unreachable`. */

import createClient, { type Middleware } from "openapi-fetch";

import { problemOf, Unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let csrf = "";
let onSignedOut: () => void = () => {};

/** What goes with each change; of the session, and only in memory. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** `act` is called when the API says that there is no session (any more). */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** These ask, though by POST. */
const ASKING = /\/(preview|plan|quote)$/;
/** Here a 401 is about what was typed, not about the session. */
const SIGNING_IN = new Set(["/v1/session", "/v1/session/password", "/v1/invitations/accept"]);

const middleware: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method) && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return;
    if (response.status === 401 && !SIGNING_IN.has(schemaPath)) onSignedOut();
    throw await problemOf(response);
  },
  onError({ error, request, schemaPath }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new Unreachable(error, !SAFE.has(request.method) && !ASKING.test(schemaPath));
  },
};

export const api = createClient<paths>({ baseUrl: "" });
api.use(middleware);

/** Return what a request brought: `await told(api.GET("/v1/metrics", {...}))`. */
export async function told<T>(asked: Promise<{ data?: T | undefined }>): Promise<T> {
  const { data } = await asked;
  return data as T;
}

/** Return what a request brought with its ETag, which a change sends as If-Match. */
export async function tagged<T>(
  asked: Promise<{ data?: T | undefined; response: Response }>,
): Promise<{ data: T; etag: string }> {
  const { data, response } = await asked;
  return { data: data as T, etag: response.headers.get("ETag") ?? "*" };
}
