/** Whom the workspace looks for: criteria by which each company and person is scored. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, tagged, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Field, Select } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { FormDialog, textOf } from "../../ui/form";
import { formatNumber } from "../../ui/format";
import { Badge, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";
import { toast, toastError } from "../../ui/toast";
import { Ago, Num } from "../../ui/values";
import { titleOf, useFields } from "../tables/Columns";

type Told = Schemas["ProfileOut"];
type Criterion = NonNullable<Told["profile"]>["criteria"][number];
type Test = keyof typeof TESTS;

const KEY = ["icp"];
const EVERY_MS = 3_000;
const NAME = "ideal customer";
const TESTS = {
  any_of: "is one of",
  all_of: "has all of",
  contains: "its text has one of",
  range: "is a number between",
} as const;
const ROLES = {
  weighed: "counts by its weight",
  must: "must be met, or the score is 0",
  excludes: "must not be met, or the score is 0",
} as const;
const NUMBERS = new Set(["count", "money", "year"]);
const LISTS = new Set(["list", "map"]);

function testsFor(type: string | undefined): Test[] {
  if (type === undefined) return ["any_of", "contains"];
  if (NUMBERS.has(type)) return ["range", "any_of"];
  return LISTS.has(type) ? ["any_of", "all_of", "contains"] : ["any_of", "contains"];
}

function testOf({ all_of: all, contains, any_of: any }: Criterion): Test {
  if (any?.length) return "any_of";
  if (all?.length) return "all_of";
  return contains?.length ? "contains" : "range";
}

function wantedOf(one: Criterion): string {
  const test = testOf(one);
  if (test !== "range") return `${TESTS[test]} ${(one[test] ?? []).join(", ")}`;
  const low = one.at_least == null ? [] : [`at least ${formatNumber(one.at_least)}`];
  const high = one.at_most == null ? [] : [`at most ${formatNumber(one.at_most)}`];
  return [...low, ...high].join(" and ");
}

export function Icp() {
  const mayChange = useMay("admin");
  const [sets, setSets] = useState<number | "new" | null>(null);
  const found = useQuery({ queryKey: KEY, queryFn: () => tagged(api.GET("/v1/icp")), refetchInterval: EVERY_MS });
  return (
    <Shown query={found}>
      {({ data, etag }) => (
        <>
          <Panel
            title={data.profile?.name ?? "Ideal customer"}
            aside={
              mayChange && (
                <Button size="small" icon="plus" onClick={() => setSets("new")}>
                  New criterion
                </Button>
              )
            }
            flush
          >
            <DataTable
              label="Criteria"
              columns={columnsOf(data, etag, mayChange, setSets)}
              rows={(data.profile?.criteria ?? []).map((of, at) => ({ of, at }))}
              rowKey={({ at }) => String(at)}
              empty={
                <Empty title="Nobody in particular">
                  Say what your ideal customer is like, and each company and person has a score from 0 to 100, with reasons. It buys nothing.
                </Empty>
              }
            />
          </Panel>
          <p className="dim">
            The score is the share of what is met among what is known, each by its weight and by how sure its value is. What is unknown lowers the
            certainty, not the score.{data.profile && data.set_at && <> Said <Ago at={data.set_at} />; scores follow where they are next shown.</>}
          </p>
          {sets !== null && <SetCriterion told={data} at={sets === "new" ? null : sets} etag={etag} onClose={() => setSets(null)} />}
        </>
      )}
    </Shown>
  );
}

interface Line {
  of: Criterion;
  at: number;
}

function columnsOf(now: Told, etag: string, mayChange: boolean, change: (at: number) => void): readonly Column<Line>[] {
  return [
    { id: "field", title: "Field", cell: ({ of }) => titleOf(of.field) },
    { id: "wanted", title: "Wanted", cell: ({ of }) => wantedOf(of) },
    {
      id: "role",
      title: "Role",
      cell: ({ of: { role } }) => (role === "weighed" || !role ? <span className="dim">weighed</span> : <Badge>{role === "must" ? "a must" : "excludes"}</Badge>),
    },
    { id: "weight", title: "Weight", end: true, cell: ({ of }) => (of.role === "excludes" ? "–" : <Num of={of.weight ?? 1} />) },
    {
      id: "act",
      title: "Actions",
      end: true,
      cell: ({ of, at }) => mayChange && <Steer of={of} at={at} now={now} etag={etag} change={() => change(at)} />,
    },
  ];
}

function Steer({ of, at, now, etag, change }: Line & { now: Told; etag: string; change: () => void }) {
  const client = useQueryClient();
  const title = `${titleOf(of.field)} ${wantedOf(of)}`;
  async function remove() {
    const { name = NAME, criteria } = now.profile ?? { criteria: [] };
    const left = criteria.filter((_, other) => other !== at);
    const isLast = left.every(({ role }) => role === "excludes");
    const agreed = await confirm({
      title: isLast ? "Let nobody be scored?" : "Remove this criterion?",
      body: isLast ? "It is the last one that a record can meet: nothing is scored any more." : `${title}. Every score is counted anew without it.`,
      action: "Remove it",
      danger: true,
    });
    if (!agreed) return;
    const params = { header: { "if-match": etag } };
    try {
      await (isLast ? api.DELETE("/v1/icp", { params }) : api.PUT("/v1/icp", { params, body: { name, criteria: left } }));
      toast({ text: isLast ? "Nothing is scored any more." : "The criterion is removed." });
    } catch (error) {
      toastError(error);
    }
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <span className="row-actions">
      <Button size="small" aria-label={`Change ${title}`} onClick={change}>
        Change
      </Button>
      <Button size="small" kind="quiet" aria-label={`Remove ${title}`} onClick={() => void remove()}>
        Remove
      </Button>
    </span>
  );
}

/** "DE, AT" as values. */
const valuesOf = (given: FormData, of: string): string[] => textOf(given, of).split(",").map((one) => one.trim()).filter(Boolean);
const numberOf = (given: FormData, of: string): number | null => (textOf(given, of) === "" ? null : Number(textOf(given, of)));

function SetCriterion({ told: now, at, etag, onClose }: { told: Told; at: number | null; etag: string; onClose: () => void }) {
  const client = useQueryClient();
  // As it was when the dialog opened: what somebody changed since is not overwritten.
  const [meant] = useState({ etag, profile: now.profile });
  const before = at === null ? undefined : meant.profile?.criteria[at];
  const { data: known } = useFields();
  const [field, setField] = useState<string>(before?.field ?? "company_country");
  const [chosen, setChosen] = useState<Test | null>(before ? testOf(before) : null);
  const tests = testsFor(known?.fields.find((one) => one.name === field)?.type);
  const test = chosen && (tests.includes(chosen) || !known) ? chosen : (tests[0] ?? "any_of");
  const [role, setRole] = useState<keyof typeof ROLES>(before?.role ?? "weighed");
  async function set(given: FormData) {
    const criterion = {
      field,
      role,
      weight: numberOf(given, "weight") ?? 1,
      ...(test === "range" ? { at_least: numberOf(given, "low"), at_most: numberOf(given, "high") } : { [test]: valuesOf(given, "values") }),
    } as Criterion;
    const criteria = [...(meant.profile?.criteria ?? [])];
    criteria.splice(at ?? criteria.length, 1, criterion);
    try {
      const body = { name: meant.profile?.name ?? NAME, criteria };
      await told(api.PUT("/v1/icp", { params: { header: { "if-match": meant.etag } }, body }));
      toast({ text: "Records are scored by it from now on." });
    } finally {
      // Also where somebody else changed it meanwhile: then what they said is shown.
      await client.invalidateQueries({ queryKey: KEY });
    }
  }
  return (
    <FormDialog title={before ? `Change what is wanted of ${titleOf(field)}` : "New criterion"} action="Set it" submit={set} onClose={onClose}>
      {!before && (
        <Select label="Field" value={field} autoFocus onChange={(event) => setField(event.target.value)}>
          {(known?.fields ?? [{ name: field }]).map(({ name }) => (
            <option key={name} value={name}>
              {titleOf(name)}
            </option>
          ))}
        </Select>
      )}
      <Select label="Test" value={test} onChange={(event) => setChosen(event.target.value as Test)}>
        {tests.map((one) => (
          <option key={one} value={one}>
            {TESTS[one]}
          </option>
        ))}
      </Select>
      {test === "range" ? (
        <div className="who-is-meant">
          <Field label="At least" name="low" type="number" min={0} defaultValue={before?.at_least ?? undefined} />
          <Field label="At most" name="high" type="number" min={0} defaultValue={before?.at_most ?? undefined} />
        </div>
      ) : (
        <Field
          label="Values"
          name="values"
          required
          defaultValue={(before && testOf(before) === test ? before[test] ?? [] : []).join(", ")}
          placeholder={test === "contains" ? "machine tools, automation" : "Germany, Austria"}
          hint="With commas between; written as you like: Germany is DE."
        />
      )}
      <Select label="Role" value={role} onChange={(event) => setRole(event.target.value as keyof typeof ROLES)}>
        {Object.entries(ROLES).map(([value, said]) => (
          <option key={value} value={value}>
            {said}
          </option>
        ))}
      </Select>
      {role !== "excludes" && (
        <Field label="Weight" name="weight" type="number" min={1} max={100} required defaultValue={before?.weight ?? 1} hint="1 to 100, beside the others." />
      )}
    </FormDialog>
  );
}
