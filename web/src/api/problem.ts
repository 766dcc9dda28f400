/** An error of the API as RFC 9457 problem details, or that nothing came back at all. */

import type { components } from "./schema";

export type ProblemBody = components["schemas"]["Problem"];

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly errors: readonly Record<string, string>[];
  /** Of `confirmation_needed`: what it would cost, in micros. */
  readonly quote: Readonly<Record<string, number>> | null;
  /** The id by which logs tell of the request. */
  readonly correlation: string | null;
  readonly retryAfterS: number | null;

  constructor(body: ProblemBody, response: Response) {
    super(body.detail);
    this.status = body.status;
    this.title = body.title;
    this.code = body.code;
    this.errors = body.errors ?? [];
    this.quote = body.quote ?? null;
    this.correlation = response.headers.get("X-Correlation-ID");
    const wait = Number(response.headers.get("Retry-After"));
    this.retryAfterS = Number.isFinite(wait) && wait > 0 ? wait : null;
  }
}

/** No answer: the network or the server is away. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  /** `change`: something was to be done, which nobody does again by itself. */
  constructor(cause: unknown, change = false) {
    super(
      change
        ? "Glaze did not answer: whether it was done is not known. Look, once the connection is back, before you do it again."
        : "Glaze did not answer. What you see may be old; it is asked again by itself.",
      { cause },
    );
  }
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text();
  const isProblem = response.headers.get("Content-Type")?.includes("json") ?? false;
  const body: unknown = isProblem ? JSON.parse(text) : null;
  if (typeof body === "object" && body !== null && "detail" in body && "title" in body) {
    return new ApiProblem(body as ProblemBody, response);
  }
  const { status } = response;
  const detail = `Something between this page and Glaze answered ${status}, not Glaze itself.`;
  const title = response.statusText || "Not understood";
  return new ApiProblem(
    { type: "about:blank", title, status, detail, code: `http_${status}`, errors: [], quote: null },
    response,
  );
}
