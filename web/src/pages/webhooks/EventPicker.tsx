/** Which events an endpoint is told; a family takes all that belong to it, also those to come. */

import { useState } from "react";

import { EVERYTHING, FAMILIES } from "./events";

export function EventPicker({ chosen: given }: { chosen: readonly string[] }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(given));
  const set = (type: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(type);
    else next.delete(type);
    setChosen(next);
  };
  const everything = chosen.has(EVERYTHING);
  const box = (type: string, label: string, taken: boolean) => (
    <label key={type} className="check">
      <input
        type="checkbox"
        name="events"
        value={type}
        checked={taken || chosen.has(type)}
        disabled={taken}
        onChange={(event) => set(type, event.target.checked)}
      />
      {label}
    </label>
  );
  return (
    <>
      {box(EVERYTHING, "Everything that happens", false)}
      {FAMILIES.map(({ all, title, types }) => (
        <fieldset key={all} className="checks events">
          <legend>{title}</legend>
          {box(all, `all of ${title.toLowerCase()}`, everything)}
          {types.map((type) => box(type, type, everything || chosen.has(all)))}
        </fieldset>
      ))}
    </>
  );
}
