/** Where to begin, while nothing is under way and nothing ended lately. */

import type { Schemas } from "../../api/client";
import { Goto } from "../../ui/goto";
import { Panel } from "../../ui/layout";

export function isIdle({ ended, open, rows }: Schemas["MetricsOut"]): boolean {
  return ended === 0 && rows.total === 0 && Object.values(open).every((count) => count === 0);
}

export function Begin() {
  return (
    <Panel title="Nothing was asked in this time">
      <ul className="begin">
        <li>
          <Goto to="/tables/new">Upload or paste a table</Goto> of companies or people: you see what filling it would cost before
          anything is bought.
        </li>
        <li>
          <Goto to="/searches">Look for people or companies</Goto> by what they do and where they are.
        </li>
        <li>
          On the command line, <code>glaze enrich example.com</code> fills one; over HTTP, <code>POST /v1/enrich</code> does, with{" "}
          <Goto to="/keys">a key</Goto>.
        </li>
      </ul>
    </Panel>
  );
}
