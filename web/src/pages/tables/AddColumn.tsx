/** One more column for a table that has ended: what it would buy, then ask. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told } from "../../api/client";
import { ApiProblem } from "../../api/problem";
import { Button, Select } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { formatMoney, formatNumber } from "../../ui/format";
import { Loading, ProblemBox } from "../../ui/states";
import { toast } from "../../ui/toast";
import { titleOf, useFields } from "./Columns";
import { capOf, type Quote } from "./priced";
import type { Batch } from "./Progress";

export function AddColumn({
  batch,
  fields,
  onClose,
}: {
  batch: Batch;
  fields: readonly string[];
  onClose: () => void;
}) {
  const client = useQueryClient();
  const known = useFields();
  const [field, setField] = useState("");
  const [quote, setQuote] = useState<Quote | null>(null);
  const asking = useMutation({
    mutationFn: (cents: number | null) =>
      told(
        api.POST("/v1/batches/{batch_id}/columns", {
          params: { path: { batch_id: batch.id } },
          body: { field, max_cost_cents: cents },
        }),
      ),
    onSuccess: ({ asked }) => {
      void client.invalidateQueries({ queryKey: ["table", batch.id] });
      toast({ text: asked ? `${formatNumber(asked.total)} rows are asked.` : "All of it was known: it cost nothing." });
      onClose();
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.code === "confirmation_needed") {
        setQuote(error.quote as Quote | null);
      }
    },
  });
  const refused = asking.error instanceof ApiProblem && asking.error.code === "confirmation_needed" ? null : asking.error;
  return (
    <Dialog title="Add a column" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate(quote ? capOf(quote) : null);
        }}
      >
        {refused && <ProblemBox error={refused} />}
        {known.data ? (
          <Select
            label="Field"
            required
            value={field}
            onChange={(event) => {
              setField(event.target.value);
              setQuote(null);
              asking.reset();
            }}
          >
            <option value="">choose a field</option>
            {known.data.fields
              .filter((one) => !fields.includes(one.name))
              .map((one) => (
                <option key={one.name} value={one.name}>
                  {titleOf(one.name)}
                </option>
              ))}
          </Select>
        ) : (
          <Loading lines={1} />
        )}
        {quote && <Price quote={quote} />}
        <div className="actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind="primary" busy={asking.isPending} disabled={!field}>
            {quote ? `Add it for at most ${formatMoney(capOf(quote) * 10_000)}` : "See what it would cost"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function Price({ quote }: { quote: Quote }) {
  return (
    <dl className="figures">
      <div>
        <dt>Rows to ask</dt>
        <dd className="num">{formatNumber(quote.rows)}</dd>
      </div>
      <div>
        <dt>Likely</dt>
        <dd className="num">{formatMoney(quote.p50_micros)}</dd>
      </div>
      <div>
        <dt>Cautious (p95)</dt>
        <dd className="num">{formatMoney(quote.p95_micros)}</dd>
      </div>
      <div>
        <dt>Never more than</dt>
        <dd className="num">{formatMoney(quote.most_micros)}</dd>
      </div>
    </dl>
  );
}
