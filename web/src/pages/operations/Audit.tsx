/** Who did what to keys, money, settings and data. */

import { useInfiniteQuery } from "@tanstack/react-query";

import { api, told, type Schemas } from "../../api/client";
import { Button } from "../../ui/controls";
import { PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago } from "../../ui/values";

type Entry = Schemas["AuditOut"];
const EVERY_MS = 10_000;

const COLUMNS: readonly Column<Entry>[] = [
  { id: "at", title: "When", cell: (one) => <Ago at={one.at} /> },
  { id: "who", title: "Who", cell: (one) => one.actor },
  { id: "what", title: "What", cell: (one) => <code>{one.action}</code> },
  { id: "target", title: "To what", cell: (one) => one.target ?? "–" },
  {
    id: "detail",
    title: "Detail",
    cell: (one) => <span className="dim">{Object.keys(one.detail).length > 0 && JSON.stringify(one.detail)}</span>,
  },
];

export function Audit() {
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
            columns={COLUMNS}
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
