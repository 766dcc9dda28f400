/** A link to a page that this build may not have (yet), or the reader may not see: then it is text. */

import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useNav } from "../shell/use-nav";

export function Goto({
  to,
  params,
  search,
  className,
  children,
}: {
  /** The path of a page in the navigation, or of one below it. */
  to: string;
  params?: Record<string, string>;
  search?: Record<string, unknown>;
  className?: string;
  children: ReactNode;
}) {
  const isThere = useNav().some((one) => one.to === to.replace(/\/\$.*/, ""));
  if (!isThere) return <span className={className}>{children}</span>;
  // The page itself checks its search: its type is not known here.
  const where = { to, params, search } as LinkProps;
  return (
    <Link {...where} className={className}>
      {children}
    </Link>
  );
}
