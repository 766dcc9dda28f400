/** How Glaze itself stands, in one line. */

import { useQuery } from "@tanstack/react-query";

import type { Schemas } from "../../api/client";
import { Unreachable } from "../../api/problem";
import { Goto } from "../../ui/goto";

const EVERY_MS = 15_000;
const TOLD = {
  ready: "Everything works.",
  degraded: "Work goes on, with less:",
  down: "The database does not answer. Nothing is lost; work goes on when it is back.",
} as const;
const PAGES: Readonly<Record<string, string>> = { workers: "/workers", llm: "/settings" };

async function read(): Promise<Schemas["Readiness"]> {
  const answer = await fetch("/readyz").catch((error: unknown) => {
    throw new Unreachable(error);
  });
  return (await answer.json()) as Schemas["Readiness"];
}

export function Health() {
  const { data } = useQuery({ queryKey: ["readyz"], queryFn: read, refetchInterval: EVERY_MS });
  return (
    <p className={`health ${data?.status ?? ""}`} role="status">
      <span className="dot" aria-hidden="true" />
      {data ? TOLD[data.status] : "Looking…"}
      {data?.status === "degraded" &&
        data.degraded.map((one) => (
          <Goto key={one} to={PAGES[one.split(":")[0] ?? ""] ?? "/providers"} className="lack">
            {one}
          </Goto>
        ))}
    </p>
  );
}
