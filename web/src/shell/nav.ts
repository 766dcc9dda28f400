/** What a page says of itself, for the navigation, the palette and its shortcut. */

import type { Role } from "../api/session";
import type { IconName } from "../ui/icons";

export const GROUPS = ["Work", "Operations", "Workspace"] as const;

export interface NavEntry {
  label: string;
  icon: IconName;
  group: (typeof GROUPS)[number];
  /** Goes there after `g`; one letter, not taken. */
  key: string;
  /** Who sees it; none said: everybody. */
  role?: Role;
  /** Seen by the installation's own admins alone: those of the first workspace. */
  operator?: boolean;
}

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** What the browser's tab says. */
    title?: string;
    /** In the navigation; what has none is reached from another page. */
    nav?: NavEntry;
  }
}
