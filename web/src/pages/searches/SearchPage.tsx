/** One search: what was asked, who was found, what it costs, and what became of it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, told, type Schemas } from "../../api/client";
import { idOf } from "../../api/ids";
import { useMay } from "../../api/session";
import { useLiveQuery } from "../../api/use-live";
import { useTitle } from "../../shell/title";
import { Button } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { formatMoney, formatNumber } from "../../ui/format";
import { PageHead, Panel } from "../../ui/layout";
import { Empty, Loading, Missing, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Num } from "../../ui/values";
import { titleOf } from "../tables/Columns";
import { criteriaOf, inShort, isUnderWay, KEY, MICROS_PER_CENT, Standing, type Search } from "./criteria";
import { search as route } from "./route";

const SOON_MS = 1_500;
const EVERY_MS = 15_000;
const cents = (amount: number): string => formatMoney(amount * MICROS_PER_CENT);

export function SearchPage() {
  const id = idOf(route.useParams().id);
  return <div className="page">{id === null ? <NoSearch /> : <Page key={id} id={id} />}</div>;
}

function NoSearch() {
  return (
    <Missing what="search">
      <Link to="/searches">All searches</Link>
    </Missing>
  );
}

function Page({ id }: { id: number }) {
  const found = useLiveQuery(
    {
      queryKey: [...KEY, id],
      queryFn: () => told(api.GET("/v1/searches/{search_id}", { params: { path: { search_id: id } } })),
      refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? SOON_MS : EVERY_MS),
    },
    { on: ({ type }) => type.startsWith("search."), every: SOON_MS },
  );
  useTitle(found.data && (inShort(found.data) || `Search ${id}`));
  return (
    <Shown query={found} head={`Search ${id}`} loading={<Loading lines={8} />} missing={<NoSearch />}>
      {(search) => (
        <>
          <PageHead
            title={
              <>
                <Link to="/searches" className="back">
                  Searches
                </Link>{" "}
                #{search.id} <Standing of={search} />
              </>
            }
            about={
              <>
                For {search.about}, made <Ago at={search.created_at} />
              </>
            }
          >
            <Steer search={search} />
          </PageHead>
          {search.error && (
            <div className="problem">
              <h2>Why it failed</h2>
              <p>{search.error}</p>
            </div>
          )}
          <Facts search={search} />
          <Glimpses search={search} />
        </>
      )}
    </Shown>
  );
}

function Steer({ search }: { search: Search }) {
  const client = useQueryClient();
  const mayWrite = useMay("editor");
  const isAdmin = useMay("admin");
  const params = { path: { search_id: search.id } };
  const acting = useMutation({
    mutationFn: async (act: "unlock" | "retry" | "refund") => {
      const path = `/v1/searches/{search_id}/${act}` as const;
      client.setQueryData([...KEY, search.id], await told(api.POST(path, { params })));
      await client.invalidateQueries({ queryKey: KEY });
    },
    onError: toastError,
  });
  const price = search.price_cents ?? 0;
  const shown = (search.contacts ?? search.companies ?? []).length;
  async function unlock() {
    try {
      const { balance_cents: balance } = await told(api.GET("/v1/credit"));
      const agreed = await confirm({
        title: `Unlock ${formatNumber(shown)} ${search.about}?`,
        body: `It takes ${cents(price)} of the credit of ${cents(balance)}. They are then enriched, for no more than that.`,
        action: `Unlock for ${cents(price)}`,
      });
      if (agreed) acting.mutate("unlock");
    } catch (error) {
      toastError(error);
    }
  }
  async function refund() {
    const paid = cents(search.paid_cents ?? 0);
    const agreed = await confirm({
      title: "Give back what was paid?",
      body: `Of the ${paid} that were paid, what nobody was enriched for goes back to the credit. The search is not tried again.`,
      action: "Give it back",
    });
    if (agreed) acting.mutate("refund", { onSuccess: () => toast({ text: "It is credit again." }) });
  }
  const busy = (act: typeof acting.variables) => acting.isPending && acting.variables === act;
  const hasFailed = search.state === "failed" && search.refunded_at === null;
  return (
    <div className="page-actions">
      {mayWrite && search.state === "preview" && shown > 0 && (
        <Button kind="primary" icon="lock" busy={busy("unlock")} onClick={() => void unlock()}>
          Unlock for {cents(price)}
        </Button>
      )}
      {mayWrite && hasFailed && (
        <Button icon="retry" busy={busy("retry")} onClick={() => acting.mutate("retry")}>
          Try again
        </Button>
      )}
      {isAdmin && hasFailed && search.paid_cents !== null && (
        <Button busy={busy("refund")} onClick={() => void refund()}>
          Give it back
        </Button>
      )}
    </div>
  );
}

function Facts({ search }: { search: Search }) {
  return (
    <Panel>
      <dl className="facts">
        {criteriaOf(search).map(([name, asked]) => (
          <Fact key={name} name={name}>
            {asked}
          </Fact>
        ))}
        <Fact name="Found">
          <Num of={search.found} />
        </Fact>
        <Fact name="Price">{search.price_cents === null ? "–" : cents(search.price_cents)}</Fact>
        <Fact name="Paid">
          {search.paid_cents === null ? (
            "–"
          ) : (
            <>
              {cents(search.paid_cents)} <span className="dim">by {search.paid_by}</span>
            </>
          )}
        </Fact>
        {search.returned_cents > 0 && <Fact name="Given back">{cents(search.returned_cents)}</Fact>}
        <Fact name="Wanted of each">{search.fields.map(titleOf).join(", ")}</Fact>
        {search.job_id !== null && (
          <Fact name="Worked on by">
            <Link to="/jobs/$id" params={{ id: String(search.job_id) }}>
              #{search.job_id}
            </Link>
          </Fact>
        )}
        {search.state === "ready" && search.job_id !== null && <Results job={search.job_id} />}
        {search.state === "preview" && search.payment_reference && (
          <Fact name="A checkout pays for it by">
            <code>{search.payment_reference}</code>
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name.charAt(0).toUpperCase() + name.slice(1)}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The table of those who were enriched. */
function Results({ job }: { job: number }) {
  const found = useQuery({
    queryKey: ["job", job],
    queryFn: () => told(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: job } } })),
  });
  const result = found.data?.result as { batch_id?: unknown } | null | undefined;
  const batch = Number(result?.batch_id);
  if (!Number.isSafeInteger(batch)) return null;
  return (
    <Fact name="Results">
      <Link to="/tables/$id" params={{ id: batch }}>
        Table {batch}
      </Link>
    </Fact>
  );
}

type Numbered<T> = T & { place: number };
const numbered = <T,>(all: readonly T[]): Numbered<T>[] => all.map((one, i) => ({ ...one, place: i + 1 }));

/** Those who were found, as the vendor shows them for nothing. */
function Glimpses({ search }: { search: Search }) {
  const { contacts, companies } = search;
  const aside = <p>as they are shown before they are unlocked</p>;
  if (search.state === "draft" || (contacts === null && companies === null)) {
    return search.state === "failed" ? null : (
      <Panel title="Who was found" flush>
        <Loading lines={5} />
      </Panel>
    );
  }
  const empty = <Empty title="Nobody is like that">Ask for less, or look for others.</Empty>;
  const rowKey = ({ place }: { place: number }) => place;
  return (
    <Panel title="Who was found" aside={aside} flush>
      {search.about === "people" ? (
        <DataTable label="People" columns={PEOPLE} rows={numbered(contacts ?? [])} rowKey={rowKey} empty={empty} />
      ) : (
        <DataTable label="Companies" columns={COMPANIES} rows={numbered(companies ?? [])} rowKey={rowKey} empty={empty} />
      )}
    </Panel>
  );
}

const PEOPLE: readonly Column<Numbered<Schemas["ContactOut"]>>[] = [
  { id: "name", title: "Name", cell: (one) => `${one.first_name} ${one.last_name}` },
  { id: "title", title: "Title", cell: (one) => one.title || "–" },
  { id: "company", title: "Company", cell: (one) => one.company || "–" },
  { id: "email", title: "E-mail", cell: (one) => (one.has_email ? "there is one" : "–") },
];

const COMPANIES: readonly Column<Numbered<Schemas["FoundCompanyOut"]>>[] = [
  { id: "name", title: "Name", cell: (one) => one.name },
  { id: "domain", title: "Site", cell: (one) => one.domain || "–" },
  { id: "industry", title: "Industry", cell: (one) => one.industry || "–" },
  { id: "country", title: "Country", cell: (one) => one.country || "–" },
  { id: "size", title: "Employees", end: true, cell: (one) => <Num of={one.employees} /> },
];
