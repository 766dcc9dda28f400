/** Whether the books are right: every invariant of the ledger, judged from its rows. */

import { useQuery } from "@tanstack/react-query";

import { api, told } from "../../api/client";
import { Button } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { formatNumber } from "../../ui/format";
import { Badge } from "../../ui/layout";
import { Loading, Shown } from "../../ui/states";

export function Books({ onClose }: { onClose: () => void }) {
  const judged = useQuery({
    queryKey: ["books"],
    queryFn: () => told(api.GET("/v1/calls/verify")),
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const broken = judged.data?.filter((one) => !one.holds).length ?? 0;
  return (
    <Dialog title="Are the books right?" wide onClose={onClose}>
      <Shown query={judged} loading={<Loading lines={9} />}>
        {(found) => (
          <>
            <p role="status">
              {broken === 0
                ? "Yes: everything that always holds of the ledger holds, by its rows alone."
                : "No. Keep a copy of the database, and tell who maintains it."}
            </p>
            <ul className="books">
              {found.map((one) => (
                <li key={one.invariant}>
                  <Badge tone={one.holds ? "good" : "bad"}>{one.holds ? "holds" : "broken"}</Badge>
                  <span>{one.invariant.replaceAll("_", " ")}</span>
                  <span className="dim num">
                    {one.holds ? `${formatNumber(one.rows)} looked at` : `${formatNumber(one.broken)} of ${formatNumber(one.rows)}`}
                  </span>
                  {one.examples.map((example) => (
                    <span key={example} className="examples">
                      {example}
                    </span>
                  ))}
                </li>
              ))}
            </ul>
          </>
        )}
      </Shown>
      <div className="actions">
        <Button icon="retry" busy={judged.isFetching} onClick={() => void judged.refetch()}>
          Judge again
        </Button>
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
