/** Pages come when they are gone to: what is shown where one does not come. */

import { lazyRouteComponent } from "@tanstack/react-router";
import { useEffect } from "react";

import { useStanding } from "../api/use-live";
import { Button } from "../ui/controls";
import { PageHead } from "../ui/layout";

/** Nothing answered, or another version of Glaze does by now. */
export class NotLoaded extends Error {
  override readonly name = "NotLoaded";
}

type Module = Record<string, unknown>;

/** A page's component, from a module of its own. */
export function lazily<T extends Module, Name extends keyof T>(load: () => Promise<T>, name: Name) {
  return lazyRouteComponent(
    () =>
      load().catch((error: unknown) => {
        // Of what the router itself knows it would load the document anew, which offline is the end of the page.
        throw new NotLoaded("a part of the page did not load", { cause: error });
      }),
    name,
  );
}

const LAST = "loaded-anew";
const PAUSE_MS = 30_000;

/** Browsers remember a module that did not come: only a new document asks for it again. */
function loadAnew(): void {
  try {
    if (Date.now() - Number(sessionStorage.getItem(LAST)) < PAUSE_MS) return;
    sessionStorage.setItem(LAST, String(Date.now()));
  } catch {
    return; // no storage: it could go on for ever
  }
  location.reload();
}

export function NotLoadedPage() {
  const standing = useStanding();
  useEffect(() => {
    if (standing === "live") loadAnew();
  }, [standing]);
  return (
    <div className="page">
      <PageHead title="This page did not load" about="Glaze did not answer. It comes by itself as soon as it does." />
      <div>
        <Button icon="retry" onClick={() => location.reload()}>
          Load it again
        </Button>
      </div>
    </div>
  );
}
