/** What is shown, as the API tells it; only what the component reads. */

export type JobState =
  | "waiting" | "scheduled" | "pending" | "processing"
  | "completed" | "partial" | "failed" | "dead" | "cancelled";

export interface Stage {
  name: string;
  duration_ms: number;
  cost_micros: number;
  error: string | null;
}

export interface Job {
  id: number;
  kind: string;
  state: JobState;
  attempt: number;
  max_attempts: number;
  round: number;
  cancel_requested: boolean;
  tags: string[];
  created_at: string;
  finished_at: string | null;
  error: string | null;
  progress: { percent: number; message: string } | null;
  /** Of an enrichment: its stages and what it spent among others. */
  result?: unknown;
}

export interface Batch {
  id: number;
  name: string | null;
  state: string;
  total: number;
  queued: number;
  running: number;
  completed: number;
  partial: number;
  failed: number;
  cancelled: number;
  percent: number;
  cost_micros: number;
  finished_at: string | null;
}

export type Action = "retry" | "cancel";
/** Returns a token that counts: asked at the start, and again whenever one has expired. */
export type GetToken = () => Promise<string> | string;

export interface Fault {
  /** The stable code of the API's problem, or `offline`. */
  code: string;
  message: string;
  status: number;
}

export const ENDED: ReadonlySet<string> = new Set(["completed", "partial", "failed", "dead", "cancelled"]);
