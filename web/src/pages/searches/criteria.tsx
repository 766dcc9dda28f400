/** What searches ask for and how they stand, as it is shown. */

import type { Schemas } from "../../api/client";
import { inWords } from "../../ui/format";
import { Badge, type Tone } from "../../ui/layout";

export type Search = Schemas["SearchOut"];
export const KEY = ["searches"];
export const MICROS_PER_CENT = 10_000;

const TONES: Readonly<Record<string, Tone>> = {
  draft: "busy",
  preview: "warn",
  paid: "busy",
  enriching: "busy",
  ready: "good",
  failed: "bad",
};
const TOLD: Readonly<Record<string, string>> = { draft: "looking", preview: "to be unlocked" };

/** Whether something works on it, so that it is looked at again. */
export const isUnderWay = ({ state }: Search): boolean => ["draft", "paid", "enriching"].includes(state);

export function Standing({ of: { state } }: { of: Search }) {
  return <Badge tone={TONES[state] ?? "calm"}>{TOLD[state] ?? state}</Badge>;
}

/** Each criterion in words with what is asked of it. */
export function criteriaOf({ criteria }: Search): [name: string, asked: string][] {
  return Object.entries(criteria).flatMap(([name, asked]): [string, string][] => {
    const values = (Array.isArray(asked) ? asked : [asked]).map(String);
    if (values.length === 0) return [];
    const isSizes = name === "company_sizes";
    return [[inWords(name), isSizes ? values.map(sizeOf).join(", ") : values.join(", ")]];
  });
}

/** "11 to 50" of "11,50". */
export const sizeOf = (size: string): string => size.replace(",", " to ");

export function inShort(search: Search): string {
  return criteriaOf(search)
    .map(([, asked]) => asked)
    .join("; ");
}
