/** Every page: one line here, and a folder in `pages/`. */

import { QueryClient, type QueryKey } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";

import { whenSignedOut } from "./api/client";
import { ApiProblem } from "./api/problem";
import { forget, sessionQuery } from "./api/session";
import { keys, members } from "./pages/access/route";
import { account } from "./pages/account/route";
import { signIn, welcome } from "./pages/gate/routes";
import { home } from "./pages/home/route";
import { newTable, table, tables } from "./pages/tables/route";
import { job } from "./pages/job/route";
import { jobs } from "./pages/jobs/route";
import { budgets, ledger } from "./pages/money/route";
import { operations } from "./pages/operations/routes";
import { provider, providers } from "./pages/providers/route";
import { search, searches } from "./pages/searches/route";
import { settings } from "./pages/settings/route";
import { webhook, webhooks } from "./pages/webhooks/route";
import { Failed, nowhere, root, shell } from "./shell/routes";
import { usualTitle } from "./shell/title";

const tree = root.addChildren([
  signIn,
  welcome,
  shell.addChildren([
    home,
    tables,
    newTable,
    table,
    searches,
    search,
    jobs,
    job,
    ...operations,
    providers,
    provider,
    webhooks,
    webhook,
    budgets,
    ledger,
    keys,
    members,
    settings,
    account,
    nowhere,
  ]),
]);

/** What the API refuses is refused again; what did not answer is asked again. */
function again(failures: number, error: Error): boolean {
  const passes = !(error instanceof ApiProblem) || error.status === 429 || error.status >= 500;
  return passes && failures < 3;
}

export const client = new QueryClient({
  // Asked also where the browser believes to be offline: Glaze may be on this machine. What cannot be
  // done is said at once; kept for later it would be done (and paid) when nobody looks any more.
  defaultOptions: {
    queries: { retry: again, staleTime: 5_000, refetchOnWindowFocus: "always", networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

export const router = createRouter({
  routeTree: tree,
  basepath: "/app",
  context: { client },
  // Of a page alone: what is around it stays.
  defaultErrorComponent: Failed,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
});

function toSignIn(): void {
  if (router.state.location.pathname === "/sign-in") return;
  void router.navigate({ to: "/sign-in", search: { next: router.state.location.href } });
}

whenSignedOut(() => {
  forget(client);
  toSignIn();
});
// Also where another request than a page's own found out.
client.getQueryCache().subscribe(({ type, query }) => {
  const isSession = (query.queryKey as QueryKey)[0] === sessionQuery.queryKey[0];
  if (type !== "updated" || !isSession || query.state.data !== null) return;
  const [shown] = router.state.matches.filter((one) => one.routeId.startsWith("/shell"));
  if (shown) toSignIn();
});
router.subscribe("onResolved", ({ fromLocation, pathChanged }) => {
  usualTitle(router.state.matches.at(-1)?.staticData.title);
  if (!fromLocation || !pathChanged) return;
  // The link that had the focus is gone with its page: the keys and the reader go on in the new one.
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  });
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
