/** For how many days values stay fresh, before they are asked again. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, tagged, told } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Field, Select } from "../../ui/controls";
import { FormDialog, textOf } from "../../ui/form";
import { formatNumber } from "../../ui/format";
import { Badge, Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";

const KEY = ["freshness"];
const EVERY_MS = 3_000;
const EVERY_FIELD = "";

interface Line {
  field: string;
  days: number;
  /** What the workspace set; none: the settings of the installation say it. */
  own: number | undefined;
}

const daysOf = (days: number): string => `${formatNumber(days)} ${days === 1 ? "day" : "days"}`;

export function Freshness() {
  const mayChange = useMay("admin");
  const [sets, setSets] = useState<string | null>(null);
  const found = useQuery({ queryKey: KEY, queryFn: () => tagged(api.GET("/v1/freshness")), refetchInterval: EVERY_MS });
  return (
    <Shown query={found}>
      {({ data: { items, days }, etag }) => {
        const own = new Map(items.map((one) => [one.field ?? EVERY_FIELD, one.days]));
        const every = own.get(EVERY_FIELD);
        const lines = Object.entries(days).map(([field, one]) => ({ field, days: one, own: own.get(field) }));
        return (
          <>
            <Panel
              title="For how long values stay fresh"
              aside={
                mayChange && (
                  <Button size="small" icon="plus" onClick={() => setSets(EVERY_FIELD)}>
                    Set a time
                  </Button>
                )
              }
              flush
            >
              <p className="aside-note dim">
                What is older is asked again, and may be paid again.
                {every !== undefined && ` Every field without a longer time of its own: ${daysOf(every)}, as this workspace says.`}{" "}
                {every !== undefined && mayChange && <Reset field={EVERY_FIELD} etag={etag} />}
              </p>
              <DataTable
                label="Freshness"
                columns={columnsOf(etag, mayChange, setSets)}
                rows={lines.toSorted((a, b) => Number(b.own !== undefined) - Number(a.own !== undefined))}
                rowKey={(one) => one.field}
                empty={null}
              />
            </Panel>
            {sets !== null && <SetDays field={sets} fields={Object.keys(days)} days={days} etag={etag} onClose={() => setSets(null)} />}
          </>
        );
      }}
    </Shown>
  );
}

function columnsOf(etag: string, mayChange: boolean, change: (field: string) => void): readonly Column<Line>[] {
  return [
    { id: "field", title: "Field", cell: (one) => one.field },
    { id: "days", title: "Stays fresh", end: true, cell: (one) => daysOf(one.days) },
    { id: "own", title: "Said by", cell: (one) => (one.own === undefined ? <span className="dim">the settings, or every field's</span> : <Badge>this workspace</Badge>) },
    {
      id: "act",
      title: "Actions",
      end: true,
      cell: (one) =>
        mayChange && (
          <span className="row-actions">
            {one.own !== undefined && <Reset field={one.field} etag={etag} />}
            <Button size="small" aria-label={`Change how long ${one.field} stays fresh`} onClick={() => change(one.field)}>
              Change
            </Button>
          </span>
        ),
    },
  ];
}

/** Let the settings say it again; it can be set anew at any time. */
function Reset({ field, etag }: { field: string; etag: string }) {
  const client = useQueryClient();
  async function reset() {
    try {
      const query = field ? { field } : {};
      await api.DELETE("/v1/freshness", { params: { query, header: { "if-match": etag } } });
      toast({ text: "The settings say it again." });
    } catch (error) {
      toastError(error);
    }
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <Button size="small" kind="quiet" aria-label={`Reset how long ${field || "every field"} stays fresh`} onClick={() => void reset()}>
      Reset
    </Button>
  );
}

function SetDays({
  field: given,
  fields,
  days,
  etag,
  onClose,
}: {
  field: string;
  fields: readonly string[];
  days: Readonly<Record<string, number>>;
  etag: string;
  onClose: () => void;
}) {
  const client = useQueryClient();
  // As it was when the dialog opened: what somebody changed since is not overwritten.
  const [meant] = useState(etag);
  async function set(form: FormData) {
    const field = given || textOf(form, "field") || null;
    const body = { field, days: Number(form.get("days")) };
    try {
      await told(api.PUT("/v1/freshness", { params: { header: { "if-match": meant } }, body }));
      toast({ text: "It holds for what begins from now on." });
    } finally {
      // Also where somebody else changed it meanwhile: then what they said is shown.
      await client.invalidateQueries({ queryKey: KEY });
    }
  }
  return (
    <FormDialog title={given ? `How long ${given} stays fresh` : "How long values stay fresh"} action="Set it" submit={set} onClose={onClose}>
      {!given && (
        <Select label="Field" name="field">
          <option value={EVERY_FIELD}>every field that has no longer time of its own</option>
          {fields.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
      )}
      <Field
        label="Days"
        name="days"
        type="number"
        min={0}
        step="any"
        required
        autoFocus
        defaultValue={given ? days[given] : undefined}
        hint="0: it is asked again each time."
      />
    </FormDialog>
  );
}
