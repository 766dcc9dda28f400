/** What a table shows, as it stands in its URL: criteria, order, and the cell that is looked into. */

import type { paths } from "../../api/schema";

type OutlineQuery = NonNullable<paths["/v1/batches/{batch_id}/outline"]["get"]["parameters"]["query"]>;
export type Trait = NonNullable<OutlineQuery["is"]>[number];
export type RowState = NonNullable<OutlineQuery["state"]>[number];

export const TRAITS = ["missing", "low", "conflicting", "found", "decided"] as const satisfies readonly Trait[];
export const STATES = [
  "new",
  "queued",
  "completed",
  "partial",
  "failed",
  "cancelled",
] as const satisfies readonly RowState[];

export interface TableSearch {
  state?: RowState[];
  is?: Trait[];
  source?: string[];
  field?: string[];
  below?: number;
  text?: string;
  /** A field, `<field>.confidence`, `input.<column>`, `file.<column>`, `icp` or `state`; with `-` before it, downwards. */
  sort?: string;
  /** `<row>:<field>`: looked into. */
  cell?: string;
}

function among<T extends string>(value: unknown, known: readonly T[]): T[] {
  const given: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return known.filter((one) => given.includes(one));
}

function texts(value: unknown): string[] {
  const given: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return given.filter((one) => typeof one === "string").slice(0, 100);
}

/** Take what can be used of a URL's query; what cannot is left out. */
export function toSearch(raw: Record<string, unknown>): TableSearch {
  const found: TableSearch = {};
  const state = among(raw["state"], STATES);
  const is = among(raw["is"], TRAITS);
  const source = texts(raw["source"]);
  const field = texts(raw["field"]);
  const below = Number(raw["below"]);
  if (state.length) found.state = state;
  if (is.length) found.is = is;
  if (source.length) found.source = source;
  if (field.length) found.field = field;
  if (Number.isInteger(below) && below >= 1 && below <= 100) found.below = below;
  // A word of digits comes out of a URL as a number.
  const { text, sort, cell } = raw;
  if ((typeof text === "string" || typeof text === "number") && text !== "") found.text = String(text).slice(0, 200);
  if (typeof sort === "string" && sort) found.sort = sort.slice(0, 200);
  if (typeof cell === "string" && /^\d+:\w+$/.test(cell)) found.cell = cell;
  return found;
}

/** Whether rows are left out. */
export function isFiltered({ state, is, source, text }: TableSearch): boolean {
  return Boolean(state ?? is ?? source ?? text);
}

/** Whether the table is not simply shown row by row. */
export const isArranged = (search: TableSearch): boolean => isFiltered(search) || Boolean(search.sort);

/** The query of the outline that meets what the URL says. */
export function outlineQuery({ cell: _, sort, ...rest }: TableSearch): OutlineQuery {
  return { ...rest, ...(sort && { sort: sort.replace(/^-/, "") }) };
}
