/** One call: why it was made, what was said, what it cost, and what follows. */

import { useQuery } from "@tanstack/react-query";

import { api, told } from "../../api/client";
import { useMay } from "../../api/session";
import { Button } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { inWords } from "../../ui/format";
import { Shown } from "../../ui/states";
import { Ago, Duration, Money } from "../../ui/values";
import { CallBadge, For, KEY, tookOf, type Call } from "./Ledger";

export function CallDialog({ id, onResolve, onClose }: { id: number; onResolve: (call: Call) => void; onClose: () => void }) {
  const isAdmin = useMay("admin");
  const found = useQuery({
    queryKey: [...KEY, "one", id],
    queryFn: () => told(api.GET("/v1/calls/{call_id}", { params: { path: { call_id: id } } })),
  });
  const call = found.data;
  return (
    <Dialog title={call ? `${call.provider} ${call.operation}` : `Call ${id}`} wide onClose={onClose}>
      <Shown query={found}>
        {(one) => (
          <>
            <dl className="facts">
              <Fact name="State">
                <CallBadge state={one.state} />
              </Fact>
              <Fact name="Verdict">{one.verdict ? inWords(one.verdict) : "–"}</Fact>
              <Fact name="Price">
                <Money micros={one.price_micros} />
              </Fact>
              <Fact name="Reserved">
                <Money micros={one.reserved_micros} />
              </Fact>
              <Fact name="Asked">
                <Ago at={one.created_at} />
              </Fact>
              <Fact name="Took">
                <Duration seconds={tookOf(one)} />
              </Fact>
              <Fact name="For">
                <For call={one} />
              </Fact>
              <Fact name="Place in the waterfall">
                {one.position}
                {one.missed.length > 0 && <span className="dim"> after {one.missed.join(", ")}</span>}
              </Fact>
              <Fact name="Was to find" wide>
                {one.wanted.join(", ") || "–"}
              </Fact>
              <Fact name="Why it was asked" wide>
                {one.reason}
                {one.detail && <span className="dim">; {one.detail}</span>}
              </Fact>
              {one.resolved_by && (
                <Fact name="Resolved by" wide>
                  {one.resolved_by}
                </Fact>
              )}
            </dl>
            {one.brought.length > 0 && (
              <>
                <h3>What it stated</h3>
                <pre className="raw" tabIndex={0}>
                  {JSON.stringify(one.brought, null, 2)}
                </pre>
              </>
            )}
            <h3>What went over the wire</h3>
            <pre className="raw" tabIndex={0}>
              {JSON.stringify(one.request, null, 2)}
            </pre>
          </>
        )}
      </Shown>
      <div className="actions">
        {isAdmin && call?.state === "unknown" && (
          <Button kind="primary" onClick={() => onResolve(call)}>
            Resolve
          </Button>
        )}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function Fact({ name, wide = false, children }: { name: string; wide?: boolean; children: React.ReactNode }) {
  return (
    <div className={wide ? "wide" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
