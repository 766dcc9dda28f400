/** Who did what to keys, money, settings and data. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { formatMoney, inWords } from "../../ui/format";
import { PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago } from "../../ui/values";

type Entry = Schemas["AuditOut"];
const EVERY_MS = 10_000;
const MICROS_PER_CENT = 10_000;

/** What "user 3" and "key 12" are called, as far as they are still there and the reader may know. */
function useNames(): ReadonlyMap<string, string> {
  const admin = useMay("admin");
  const members = useQuery({ queryKey: ["members"], queryFn: () => told(api.GET("/v1/members")), enabled: admin });
  const keys = useQuery({ queryKey: ["keys"], queryFn: () => told(api.GET("/v1/keys")), enabled: admin });
  return useMemo(
    () =>
      new Map([
        ...(members.data ?? []).map((one) => [`user ${one.id}`, one.email] as const),
        ...(keys.data ?? []).map((one) => [`key ${one.id}`, one.name] as const),
      ]),
    [members.data, keys.data],
  );
}

/** By its name, and by the id that stays when the name goes. */
function Named({ id, names }: { id: string; names: ReadonlyMap<string, string> }) {
  const name = names.get(id);
  if (!name) return id;
  return (
    <>
      {name} <span className="dim">{id}</span>
    </>
  );
}

function Detail({ of }: { of: Entry["detail"] }) {
  return (
    <span className="detail dim">
      {Object.entries(of).map(([name, value]) => (
        <Said key={name} name={name} value={value} />
      ))}
    </span>
  );
}

function Said({ name, value }: { name: string; value: unknown }) {
  const isCents = name.endsWith("_cents") && typeof value === "number";
  return (
    <span>
      {inWords(isCents ? name.slice(0, -"_cents".length) : name)}{" "}
      <b>{isCents ? formatMoney(value * MICROS_PER_CENT) : shortly(value)}</b>
    </span>
  );
}

function shortly(value: unknown): string {
  if (value === null) return "none";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ") || "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const columnsOf = (names: ReadonlyMap<string, string>): readonly Column<Entry>[] => [
  { id: "at", title: "When", cell: (one) => <Ago at={one.at} /> },
  { id: "who", title: "Who", cell: (one) => <Named id={one.actor} names={names} /> },
  { id: "what", title: "What", cell: (one) => <code>{one.action}</code> },
  { id: "target", title: "To what", cell: (one) => (one.target ? <Named id={one.target} names={names} /> : "–") },
  {
    id: "detail",
    title: "Detail",
    cell: (one) => (Object.keys(one.detail).length > 0 ? <Detail of={one.detail} /> : null),
  },
];

export function Audit() {
  const names = useNames();
  const columns = useMemo(() => columnsOf(names), [names]);
  const entries = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam }) =>
      told(api.GET("/v1/audit", { params: { query: { limit: 100, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    refetchInterval: EVERY_MS,
  });
  return (
    <div className="page">
      <PageHead title="Audit log" about="Newest first. Nobody can change it here." />
      {entries.error && <ProblemBox error={entries.error} retry={() => void entries.refetch()} />}
      <Panel flush>
        {entries.data ? (
          <DataTable
            label="Audit log"
            columns={columns}
            rows={entries.data.pages.flatMap((page) => page.items)}
            rowKey={(one) => one.id}
            empty={<Empty level={2} title="Nothing yet">What admins change is written here.</Empty>}
          />
        ) : (
          <Loading />
        )}
      </Panel>
      {entries.hasNextPage && (
        <div>
          <Button busy={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
    </div>
  );
}
