/** Which fields are asked for. */

import { useState } from "react";

import type { Schemas } from "../../api/client";
import { Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { titleOf, useFields } from "./Columns";

type FieldOut = Schemas["FieldOut"];
const ENTITIES = { company: "Of companies", person: "Of people" } as const;

export function FieldPicker({
  chosen,
  onChoose,
}: {
  chosen: readonly string[];
  onChoose: (fields: string[]) => void;
}) {
  const [sought, setSought] = useState("");
  const known = useFields();
  const wanted = sought.trim().toLowerCase();
  const fits = (one: FieldOut) =>
    !wanted || `${titleOf(one.name)} ${one.name} ${one.description}`.toLowerCase().includes(wanted);
  function toggle(name: string, on: boolean) {
    const next = on ? [...chosen, name] : chosen.filter((one) => one !== name);
    if (next.length > 0) onChoose(next);
  }
  return (
    <Panel
      title="3. Fields"
      aside={
        <input
          type="search"
          className="input search"
          placeholder="Find a field"
          aria-label="Find a field"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
      }
    >
      <Shown query={known}>
        {({ fields }) => (
          <div className="field-picker">
            <p className="dim" role="status">
              {chosen.length} chosen: {chosen.map(titleOf).join(", ")}
            </p>
            {Object.entries(ENTITIES).map(([entity, title]) => {
              const own = fields.filter((one) => one.entity === entity && fits(one));
              return (
                own.length > 0 && (
                  <fieldset key={entity}>
                    <legend className="label">{title}</legend>
                    <div className="choices">
                      {own.map((one) => (
                        <label key={one.name} className="check" title={one.description}>
                          <input
                            type="checkbox"
                            checked={chosen.includes(one.name)}
                            onChange={(event) => toggle(one.name, event.target.checked)}
                          />
                          {titleOf(one.name.replace(/^(company|person)_/, ""))}
                        </label>
                      ))}
                    </div>
                  </fieldset>
                )
              );
            })}
          </div>
        )}
      </Shown>
    </Panel>
  );
}
