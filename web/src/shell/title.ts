/** What the browser's tab says: of a page of one thing, its name. */

import { useEffect } from "react";

let usual = "";
let own = "";

function write(): void {
  const title = own || usual;
  document.title = title ? `${title} · Glaze` : "Glaze";
}

/** What the page is called as long as it does not say more. */
export function usualTitle(title = ""): void {
  usual = title;
  write();
}

/** What is shown has a name; undefined: it is not known yet. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    own = title ?? "";
    write();
    return () => {
      own = "";
      write();
    };
  }, [title]);
}
