/** A person's rights: kept away, erased, told where what is known of them came from. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { Button, Field, Select } from "../../ui/controls";
import { confirm, Dialog } from "../../ui/dialog";
import { formatNumber } from "../../ui/format";
import { Badge, Panel } from "../../ui/layout";
import { Empty, ProblemBox, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast } from "../../ui/toast";
import { Ago, Money } from "../../ui/values";

type Report = Schemas["ReportOut"];
type Erasure = Schemas["ErasureOut"];
const KEY = ["erasures"];
const EVERY_MS = 3_000;
const TRAITS = { email: "E-mail", linkedin_url: "LinkedIn profile", lead_id: "Lead id", contact_id: "Contact id" } as const;
type Act = "suppress" | "unsuppress" | "where" | "erase";

export function People() {
  return (
    <>
      <Person />
      <Erasures />
    </>
  );
}

function Person() {
  const client = useQueryClient();
  const [trait, setTrait] = useState<string>("email");
  const [value, setValue] = useState("");
  const [busy, setBusy] = useState<Act | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [report, setReport] = useState<Report | null>(null);
  const body = { input: { [trait]: value.trim() } };

  async function perform(act: Act): Promise<void> {
    switch (act) {
      case "suppress": {
        const { keys } = await told(api.POST("/v1/people/suppress", { body }));
        return toast({ text: keys > 0 ? `${value} is on the list: nothing is bought or kept of them.` : `${value} was on the list already.` });
      }
      case "unsuppress": {
        const { keys } = await told(api.POST("/v1/people/unsuppress", { body }));
        return toast({ text: keys > 0 ? `${value} is off the list.` : `${value} is not on the list.` });
      }
      case "where":
        return setReport(await told(api.POST("/v1/people/where-from", { body })));
      case "erase": {
        const agreed = await confirm({
          title: "Erase this person?",
          body: "All that is stored of them goes, in tables, results and answers of providers, and nothing is bought of them again. It cannot be undone.",
          action: "Erase them",
          danger: true,
          type: value.trim(),
        });
        if (!agreed) return;
        await told(api.POST("/v1/people/erase", { body }));
        toast({ text: "A job erases them; it stands below." });
        await client.invalidateQueries({ queryKey: KEY });
      }
    }
  }
  async function act(which: Act) {
    setBusy(which);
    setError(null);
    try {
      await perform(which);
    } catch (failed) {
      setError(failed instanceof Error ? failed : new Error(String(failed)));
    } finally {
      setBusy(null);
    }
  }
  const button = (which: Act, label: string, kind?: "danger") => (
    <Button {...(kind && { kind })} busy={busy === which} disabled={!value.trim()} onClick={() => void act(which)}>
      {label}
    </Button>
  );
  return (
    <Panel title="One person" aside={<p>the list itself holds no names: nobody can read it back</p>}>
      <div className="person">
        {error && <ProblemBox error={error} />}
        <div className="who-is-meant">
          <Select label="Known by" value={trait} onChange={(event) => setTrait(event.target.value)}>
            {Object.entries(TRAITS).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </Select>
          <Field
            label="Who"
            autoComplete="off"
            maxLength={2048}
            value={value}
            placeholder={trait === "email" ? "jane@example.com" : ""}
            onChange={(event) => setValue(event.target.value)}
          />
        </div>
        <div className="actions-line">
          {button("where", "What is known of them")}
          {button("suppress", "Put on the suppression list")}
          {button("unsuppress", "Take off it")}
          {button("erase", "Erase…", "danger")}
        </div>
      </div>
      {report && <Known report={report} who={value} onClose={() => setReport(null)} />}
    </Panel>
  );
}

const VALUES: readonly Column<Report["values"][number]>[] = [
  { id: "field", title: "Field", cell: (one) => one.field },
  { id: "value", title: "Value", cell: (one) => <span className="value">{typeof one.value === "string" ? one.value : JSON.stringify(one.value)}</span> },
  { id: "from", title: "From", cell: (one) => one.provider },
  { id: "when", title: "When", end: true, cell: (one) => <Ago at={one.retrieved_at} /> },
  { id: "cost", title: "For", end: true, cell: (one) => <Money micros={one.cost_micros} /> },
  { id: "by", title: "Asked by", cell: (one) => (one.job_id === null ? "–" : <Link to="/jobs/$id" params={{ id: String(one.job_id) }}>job #{one.job_id}</Link>) },
];

function Known({ report, who, onClose }: { report: Report; who: string; onClose: () => void }) {
  const places = Object.entries(report.found_in).filter(([, rows]) => rows > 0);
  return (
    <Dialog title={`What is known of ${who}`} wide onClose={onClose}>
      <p>
        {report.suppressed && <Badge tone="warn">on the suppression list</Badge>}{" "}
        {places.length > 0 && <span className="dim">in {places.map(([table, rows]) => `${table} (${formatNumber(rows)})`).join(", ")}</span>}
      </p>
      <DataTable
        label="What is known"
        columns={VALUES}
        rows={report.values}
        rowKey={(one) => `${one.call_id} ${one.field} ${JSON.stringify(one.value)}`}
        empty={<Empty title="Nothing is known of them" />}
      />
      <div className="actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

const ERASURES: readonly Column<Erasure>[] = [
  {
    id: "job",
    title: "Erasure",
    cell: (one) => (one.job_id === null ? `#${one.id}` : <Link to="/jobs/$id" params={{ id: String(one.job_id) }}>#{one.id}</Link>),
  },
  { id: "state", title: "State", cell: (one) => <Badge tone={one.state === "done" ? "good" : "busy"}>{one.state}</Badge> },
  { id: "by", title: "Asked by", cell: (one) => one.asked_by },
  { id: "at", title: "When", end: true, cell: (one) => <Ago at={one.created_at} /> },
  { id: "rows", title: "Rows removed", end: true, cell: (one) => formatNumber(Object.values(one.removed).reduce((sum, rows) => sum + rows, 0)) },
];

function Erasures() {
  const found = useQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/people/erasures")),
    refetchInterval: EVERY_MS,
  });
  return (
    <Panel title="Erasures" aside={<p>whom, is not written down</p>} flush>
      <Shown query={found}>
        {({ items }) => (
          <DataTable
            label="Erasures"
            columns={ERASURES}
            rows={items}
            rowKey={(one) => one.id}
            empty={<Empty title="Nobody was erased">Who asks to be forgotten is erased above.</Empty>}
          />
        )}
      </Shown>
    </Panel>
  );
}
