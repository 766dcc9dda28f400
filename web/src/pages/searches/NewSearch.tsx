/** Whom or what is looked for. */

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { Field, Segments } from "../../ui/controls";
import { FormDialog, textOf } from "../../ui/form";
import { ENTITIES, FieldPicker } from "../tables/FieldPicker";
import { KEY, sizeOf } from "./criteria";

type About = Schemas["SearchOut"]["about"];
type Criteria = Schemas["SearchIn"]["criteria"];

const ABOUT = [
  { value: "people", label: "People" },
  { value: "companies", label: "Companies" },
] as const;
const SIZES = ["1,10", "11,20", "21,50", "51,100", "101,200", "201,500", "501,1000", "1001,2000", "2001,5000", "5001,10000"];
const MOST = 100;

/** What is typed into a field counts as one, or as several with commas between. */
const FIELDS: readonly { name: keyof Criteria; label: string; of?: About; one?: boolean; example: string }[] = [
  { name: "titles", label: "Titles", of: "people", example: "cto, head of engineering" },
  { name: "seniorities", label: "Seniorities", of: "people", example: "director, vp" },
  { name: "locations", label: "Where they live", of: "people", example: "berlin, germany" },
  { name: "company_names", label: "Name of the company", of: "companies", one: true, example: "Acme" },
  { name: "company_domains", label: "Domains of companies", example: "acme.com, example.org" },
  { name: "company_locations", label: "Where companies are", example: "germany, france" },
  { name: "keywords", label: "Words", one: true, example: "logistics" },
];

/** Not `randomUUID`, which pages have over HTTPS and on localhost alone. */
const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function NewSearch({ onClose }: { onClose: () => void }) {
  const [about, setAbout] = useState<About>("people");
  const [fields, setFields] = useState<string[]>([]);
  const client = useQueryClient();
  const navigate = useNavigate();
  // After a lost answer the same is sent again and made once; what was changed is another search.
  const sent = useRef({ body: "", key: newKey() });
  function look(next: About) {
    setAbout(next);
    setFields([]);
  }
  async function submit(given: FormData) {
    const criteria: Criteria = { company_sizes: given.getAll("company_sizes").map(String) };
    for (const { name, one, of } of FIELDS) {
      const typed = of && of !== about ? "" : textOf(given, name).trim();
      criteria[name] = (one ? [typed] : typed.split(",").map((each) => each.trim())).filter(Boolean);
    }
    const limit = Number(textOf(given, "limit"));
    const body = { about, criteria, limit, ...(fields.length > 0 && { fields }) };
    const text = JSON.stringify(body);
    if (sent.current.body !== text) sent.current = { body: text, key: newKey() };
    const params = { header: { "idempotency-key": sent.current.key } };
    const made = await told(api.POST("/v1/searches", { body, params }));
    await client.invalidateQueries({ queryKey: KEY });
    await navigate({ to: "/searches/$id", params: { id: String(made.id) } });
  }
  return (
    <FormDialog title="New search" action="Look" wide submit={submit} onClose={onClose}>
      <Segments label="What is looked for" options={ABOUT} value={about} onChange={look} />
      <p className="dim">
        {about === "people"
          ? "To look costs nothing. You see masked names and the price of unlocking them."
          : "To look is a paid call, held to your budgets. You see masked names and the price of unlocking them."}
      </p>
      {FIELDS.filter(({ of }) => !of || of === about).map(({ name, label, one, example }) => (
        <Field key={name} name={name} label={label} placeholder={example} maxLength={one ? 200 : 2000} autoComplete="off" />
      ))}
      <fieldset className="checks">
        <legend className="label">Size of the company, in people</legend>
        {SIZES.map((size) => (
          <label key={size} className="check">
            <input type="checkbox" name="company_sizes" value={size} />
            {sizeOf(size)}
          </label>
        ))}
      </fieldset>
      <Field label="At most" name="limit" type="number" required min={1} max={MOST} defaultValue={25} />
      <FieldPicker
        title="What is looked up of each, once unlocked"
        entities={about === "companies" ? { company: ENTITIES.company } : ENTITIES}
        usual="None chosen: what is usual."
        chosen={fields}
        onChoose={setFields}
      />
    </FormDialog>
  );
}
