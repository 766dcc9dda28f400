/** The pages that who has signed in can go to. */

import { useRouter } from "@tanstack/react-router";

import { may, useSession } from "../api/session";
import { GROUPS, type NavEntry } from "./nav";

/** The workspace whose admins run the installation. */
export const FIRST_WORKSPACE = 1;

export interface NavPage {
  to: string;
  nav: NavEntry;
}

export function useNav(): NavPage[] {
  const session = useSession();
  const router = useRouter();
  const pages: NavPage[] = [];
  for (const route of Object.values<(typeof router.routesById)[keyof typeof router.routesById]>(router.routesById)) {
    const nav: NavEntry | undefined = route.options.staticData?.nav;
    if (!nav || !may(session.role, nav.role ?? "viewer")) continue;
    if (nav.operator && session.workspace_id !== FIRST_WORKSPACE) continue;
    pages.push({ to: route.fullPath, nav });
  }
  return pages.sort((a, b) => GROUPS.indexOf(a.nav.group) - GROUPS.indexOf(b.nav.group));
}
