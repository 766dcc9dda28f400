/** Saying what a call of unknown outcome did cost, with what follows from it. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told } from "../../api/client";
import { Field } from "../../ui/controls";
import { FormDialog, textOf } from "../../ui/form";
import { formatExact, formatMoney } from "../../ui/format";
import { toast } from "../../ui/toast";
import { exactlyOf, microsOf } from "./amounts";
import { KEY, type Call } from "./Ledger";

export function Resolve({ call, onClose }: { call: Call; onClose: () => void }) {
  const client = useQueryClient();
  const [billed, setBilled] = useState<boolean | null>(null);
  const [dollars, setDollars] = useState(exactlyOf(call.reserved_micros));
  const held = formatMoney(call.reserved_micros);
  const over = billed && microsOf(dollars) > call.reserved_micros;
  async function resolve(given: FormData) {
    const body = { billed_micros: billed ? microsOf(dollars) : 0, by: textOf(given, "by") };
    await told(api.POST("/v1/calls/{call_id}/resolve", { params: { path: { call_id: call.id } }, body }));
    toast({ text: billed ? `${formatMoney(body.billed_micros)} is booked.` : `${held} is free again.` });
    await client.invalidateQueries({ queryKey: KEY });
    await client.invalidateQueries({ queryKey: ["overview"] });
    await client.invalidateQueries({ queryKey: ["budgets"] });
  }
  return (
    <FormDialog title={`Was call ${call.id} billed?`} action={billed === null ? "Resolve" : billed ? "Book it" : "Release it"} submit={resolve} onClose={onClose}>
      <p className="dim">
        {call.provider} was asked ({call.operation}) on {formatExact(new Date(call.created_at))}, and no answer came. Look at the
        vendor's own usage page for that moment.
      </p>
      <fieldset className="choices">
        <legend className="sr-only">What the vendor's account says</legend>
        <label className="check">
          <input type="radio" name="billed" required checked={billed === false} onChange={() => setBilled(false)} />
          <span>
            It was not billed
            <span className="dim">{held} is released, and the same may be asked again, at its price.</span>
          </span>
        </label>
        <label className="check">
          <input type="radio" name="billed" required checked={billed === true} onChange={() => setBilled(true)} />
          <span>
            It was billed
            <span className="dim">The price is booked against every cap. Its answer is lost; the same is not asked again for now.</span>
          </span>
        </label>
      </fieldset>
      {billed && (
        <Field
          label="Dollars billed"
          type="number"
          min={0.000001}
          max={1_000_000}
          step="any"
          required
          inputMode="decimal"
          value={dollars}
          onChange={(event) => setDollars(event.target.value)}
          hint={over ? `More than the ${held} that is reserved: the rest is booked as overrun.` : `${held} is reserved for it.`}
        />
      )}
      <Field
        label="How you found out"
        name="by"
        required
        maxLength={200}
        placeholder="usage page of 3 March"
        hint="It stands in the ledger and the audit log. This cannot be undone."
      />
    </FormDialog>
  );
}
