/** All that happened to it, try by try. */

import { Fragment } from "react";

import type { Schemas } from "../../api/client";
import { formatDuration, formatExact } from "../../ui/format";
import { Empty } from "../../ui/states";

type Line = Schemas["LogOut"];

interface Try {
  title: string;
  lines: Line[];
}

export function Log({ lines }: { lines: readonly Line[] }) {
  const [first] = lines;
  if (!first) return <Empty title="Nothing is kept of it any more">Logs are kept for as long as retention says.</Empty>;
  const begun = Date.parse(first.at);
  return (
    <ol className="log">
      {triesOf(lines).map((one, i) => (
        <Fragment key={i}>
          <li className="try">
            <h3>{one.title}</h3>
          </li>
          {one.lines.map((line, n) => (
            <li key={n} className={toneOf(line)}>
              <time className="num" dateTime={line.at} title={formatExact(new Date(line.at))}>
                +{formatDuration((Date.parse(line.at) - begun) / 1000)}
              </time>
              <strong>{line.type.replaceAll("_", " ")}</strong>
              <span>{textOf(line)}</span>
            </li>
          ))}
        </Fragment>
      ))}
    </ol>
  );
}

function triesOf(lines: readonly Line[]): Try[] {
  const tries: Try[] = [{ title: "Before", lines: [] }];
  for (const line of lines) {
    if (line.type === "claimed") {
      const { attempt, worker } = facts(line);
      tries.push({ title: `Try ${shown(attempt ?? tries.length)}, worker ${shown(worker ?? "")}`, lines: [] });
    }
    tries.at(-1)?.lines.push(line);
  }
  return tries.filter((one) => one.lines.length > 0);
}

function facts({ data }: Line): Record<string, unknown> {
  return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
}

function toneOf(line: Line): string {
  const { level } = facts(line);
  if (["failed", "dead"].includes(line.type) || level === "error") return "bad";
  return line.type === "retried" || level === "warning" ? "warn" : "";
}

function textOf(line: Line): string {
  const { message, percent, claim: _, ...rest } = facts(line);
  const parts = [percent === undefined ? "" : `${shown(percent)} %`, typeof message === "string" ? message : ""];
  for (const [name, value] of Object.entries(rest)) {
    parts.push(`${name} ${shown(value)}`);
  }
  return parts.filter(Boolean).join(" · ");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
