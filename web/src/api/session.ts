/** Who has signed in. */

import { queryOptions, useSuspenseQuery, type QueryClient } from "@tanstack/react-query";

import { api, setCsrf, told, type Schemas } from "./client";
import { ApiProblem } from "./problem";

export type Session = Schemas["SessionOut"];
export type Role = Session["role"];

const RANKS: readonly Role[] = ["viewer", "editor", "admin", "owner"];

/** Who has just signed out leaves the page a moment later. */
let last: Session | null = null;

/** Null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await told(api.GET("/v1/session"));
      setCsrf(session.csrf_token);
      last = session;
      return session;
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
  gcTime: Infinity,
});

/** Who looks at a page that only somebody signed in can see. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery);
  const session = data ?? last;
  if (session === null) throw new Error("this page is for who has signed in");
  return session;
}

/** Whether who has signed in may do what a role may. The API decides; this spares a refusal. */
export function useMay(role: Role): boolean {
  return may(useSession().role, role);
}

export function may(has: Role, needs: Role): boolean {
  return RANKS.indexOf(has) >= RANKS.indexOf(needs);
}

export interface Credentials {
  workspace: string;
  email: string;
  password: string;
}

export async function signIn(client: QueryClient, body: Credentials): Promise<void> {
  const begun = await told(api.POST("/v1/session", { body }));
  await begin(client, begun.csrf_token);
}

export async function accept(client: QueryClient, token: string, password: string): Promise<void> {
  const begun = await told(api.POST("/v1/invitations/accept", { body: { token, password } }));
  await begin(client, begun.csrf_token);
}

export async function changePassword(
  client: QueryClient,
  body: Schemas["PasswordIn"],
): Promise<void> {
  const begun = await told(api.PUT("/v1/session/password", { body }));
  setCsrf(begun.csrf_token);
  await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
}

export async function signOut(client: QueryClient, everywhere = false): Promise<void> {
  await told(everywhere ? api.DELETE("/v1/sessions") : api.DELETE("/v1/session"));
  forget(client);
}

/** Keep nothing of what was seen. */
export function forget(client: QueryClient): void {
  setCsrf("");
  client.clear();
  client.setQueryData(sessionQuery.queryKey, null);
}

async function begin(client: QueryClient, csrf: string): Promise<void> {
  client.clear();
  setCsrf(csrf);
  await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
}
