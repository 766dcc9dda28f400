/** Every search, newest first, and a new one. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told } from "../../api/client";
import { useMay } from "../../api/session";
import { useCommand } from "../../shell/commands";
import { Button } from "../../ui/controls";
import { formatMoney } from "../../ui/format";
import { PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, ProblemBox } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { Ago, Money, Num } from "../../ui/values";
import { inShort, isUnderWay, KEY, MICROS_PER_CENT, Standing, type Search } from "./criteria";
import { NewSearch } from "./NewSearch";

const PAGE = 100;
const SOON_MS = 2_000;
const EVERY_MS = 15_000;

export function Searches() {
  const mayWrite = useMay("editor");
  const [adds, setAdds] = useState(false);
  const found = useInfiniteQuery({
    queryKey: KEY,
    queryFn: ({ pageParam }) =>
      told(api.GET("/v1/searches", { params: { query: { limit: PAGE, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some(isUnderWay) ? SOON_MS : EVERY_MS),
  });
  return (
    <div className="page">
      <PageHead title="Searches" about={<About />}>
        {mayWrite && (
          <Button kind="primary" icon="plus" onClick={() => setAdds(true)}>
            New search
          </Button>
        )}
      </PageHead>
      {found.error && <ProblemBox error={found.error} retry={() => void found.refetch()} />}
      <Panel flush>
        {found.data ? (
          <DataTable
            label="Searches"
            columns={COLUMNS}
            rows={found.data.pages.flatMap((page) => page.items)}
            rowKey={(one) => one.id}
            empty={
              <Empty level={2} title="Nobody was looked for yet">
                Say whom or what you look for: you see how many there are and a glimpse of each before anything is paid.
              </Empty>
            }
          />
        ) : (
          !found.error && <Loading lines={6} />
        )}
      </Panel>
      {found.hasNextPage && (
        <div>
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
      {adds && <NewSearch onClose={() => setAdds(false)} />}
      {mayWrite && <Offer act={() => setAdds(true)} />}
    </div>
  );
}

function About() {
  const credit = useQuery({ queryKey: [...KEY, "credit"], queryFn: () => told(api.GET("/v1/credit")) });
  const balance = credit.data && formatMoney(credit.data.balance_cents * MICROS_PER_CENT);
  return <>People and companies by what they are like. Credit to unlock them: {balance ?? "…"}</>;
}

function Offer({ act }: { act: () => void }) {
  useCommand({ id: "new-search", label: "New search", icon: "search", words: "people companies find leads", act });
  return null;
}

const COLUMNS: readonly Column<Search>[] = [
  {
    id: "search",
    title: "Search",
    cell: (one) => (
      <Link to="/searches/$id" params={{ id: String(one.id) }}>
        {inShort(one) || `Search ${one.id}`}
      </Link>
    ),
  },
  { id: "about", title: "For", cell: (one) => one.about },
  { id: "state", title: "State", cell: (one) => <Standing of={one} /> },
  { id: "found", title: "Found", end: true, cell: (one) => <Num of={one.found} /> },
  {
    id: "price",
    title: "Price",
    end: true,
    cell: (one) => <Money micros={one.price_cents === null ? null : one.price_cents * MICROS_PER_CENT} />,
  },
  {
    id: "paid",
    title: "Paid",
    end: true,
    cell: (one) => <Money micros={one.paid_cents === null ? null : one.paid_cents * MICROS_PER_CENT} />,
  },
  { id: "made", title: "Made", end: true, cell: (one) => <Ago at={one.created_at} /> },
];
