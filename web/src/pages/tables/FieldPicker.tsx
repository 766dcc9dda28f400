/** Which fields are asked for. */

import { useState } from "react";

import type { Schemas } from "../../api/client";
import { Panel } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { titleOf, useFields } from "./Columns";

type FieldOut = Schemas["FieldOut"];
export const ENTITIES = { company: "Of companies", person: "Of people" } as const;

/** `usual`: what none chosen stands for; where it is not given, one at least is chosen. */
export function FieldPicker({
  title,
  chosen,
  entities = ENTITIES,
  usual,
  onChoose,
}: {
  title: string;
  chosen: readonly string[];
  entities?: Partial<typeof ENTITIES>;
  usual?: string;
  onChoose: (fields: string[]) => void;
}) {
  const [sought, setSought] = useState("");
  const known = useFields();
  const wanted = sought.trim().toLowerCase();
  const fits = (one: FieldOut) =>
    !wanted || `${titleOf(one.name)} ${one.name} ${one.description}`.toLowerCase().includes(wanted);
  function toggle(name: string, on: boolean) {
    const next = on ? [...chosen, name] : chosen.filter((one) => one !== name);
    if (next.length > 0 || usual !== undefined) onChoose(next);
  }
  return (
    <Panel
      title={title}
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
              {chosen.length > 0 ? `${chosen.length} chosen: ${chosen.map(titleOf).join(", ")}` : usual}
            </p>
            {Object.entries(entities).map(([entity, words]) => {
              const own = fields.filter((one) => one.entity === entity && fits(one));
              return (
                own.length > 0 && (
                  <fieldset key={entity}>
                    <legend className="label">{words}</legend>
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
