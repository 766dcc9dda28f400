/** A table on its way to the API: looked at first, then sent. */

import { api, told, type Schemas } from "../../api/client";

export type Preview = Schemas["PreviewOut"];

export interface Options {
  name: string;
  /** What columns are taken for where the guess is not right; "": left alone. */
  map: Readonly<Record<string, string>>;
  fields: readonly string[];
  budgetCents: number | null;
  skipBad: boolean;
}

function form(file: File, options: Options): FormData {
  const body = new FormData();
  body.append("file", file, file.name);
  for (const field of options.fields) body.append("fields", field);
  for (const [column, target] of Object.entries(options.map)) body.append("map", `${column}=${target}`);
  if (options.skipBad) body.append("bad_rows", "skip");
  return body;
}

/** Tell what a table would be taken for and cost; nothing is kept of it. */
export function preview(file: File, options: Options, signal: AbortSignal): Promise<Preview> {
  const body = form(file, options);
  // The form is what it is: its parts have no type in the document.
  return told(api.POST("/v1/batches/preview", { body: body as never, signal }));
}

export function send(file: File, options: Options, key: string): Promise<Schemas["BatchMade"]> {
  const body = form(file, options);
  if (options.name.trim()) body.append("name", options.name.trim().slice(0, 100));
  if (options.budgetCents !== null) body.append("budget_cents", String(options.budgetCents));
  const params = { header: { "idempotency-key": key } };
  return told(api.POST("/v1/batches", { body: body as never, params }));
}

/** Pasted rows as a file: as a spreadsheet puts them on the clipboard, or as CSV, or as JSON lines. */
export function pasted(text: string): File {
  const isJson = text.trimStart().startsWith("{");
  return new File([text], isJson ? "Pasted rows.jsonl" : "Pasted rows.csv");
}
