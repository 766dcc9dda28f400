/** What is around the pages that nobody has to sign in for. */

import type { ReactNode } from "react";

import { Mark } from "../../ui/icons";

export function Gate({
  title,
  about,
  children,
}: {
  title: string;
  about: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="gate">
      <main>
        <Mark />
        <div>
          <h1>{title}</h1>
          <p className="dim">{about}</p>
        </div>
        {children}
      </main>
    </div>
  );
}
