/** What a list is narrowed to: words, choices and states; who uses them keeps it in the URL. */

import { useEffect, useEffectEvent, useRef, useState } from "react";

const PAUSE_MS = 300;

interface WordProps {
  label: string;
  placeholder: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  wide?: boolean;
  numeric?: boolean;
  field?: React.RefObject<HTMLInputElement | null>;
}

/** What is typed is looked for a moment later. */
export function Word({ label, placeholder, value = "", onChange, wide = false, numeric = false, field }: WordProps) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const tell = useEffectEvent((text: string) => {
    told.current = text;
    onChange(text.trim() || undefined);
  });
  useEffect(() => {
    // Changed elsewhere: a view was chosen, or the way back taken.
    if (value !== told.current) setTyped(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => tell(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label className={wide ? "wide" : undefined}>
      <span>{label}</span>
      <input
        ref={field}
        className="input"
        type={wide ? "search" : "text"}
        inputMode={numeric ? "decimal" : "text"}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </label>
  );
}

/** One of few, or none of them. */
export function Choice<T extends string>({
  label,
  none,
  options,
  value,
  onChange,
}: {
  label: string;
  /** What it says where none is chosen. */
  none: string;
  options: Readonly<Record<T, string>>;
  value: T | undefined;
  onChange: (value: T | undefined) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <select
        className="input"
        value={value ?? ""}
        onChange={(event) => onChange((event.target.value || undefined) as T | undefined)}
      >
        <option value="">{none}</option>
        {(Object.entries(options) as [T, string][]).map(([one, said]) => (
          <option key={one} value={one}>
            {said}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Any of few, each with the colour that its name has. */
export function Chips<T extends string>({
  label,
  options,
  value,
  onChange,
  say = (one) => one.replaceAll("_", " "),
}: {
  label: string;
  options: readonly T[];
  value: readonly T[];
  onChange: (value: T[]) => void;
  say?: (one: T) => string;
}) {
  return (
    <fieldset className="chips">
      <legend className="sr-only">{label}</legend>
      {options.map((one) => (
        <label key={one} className={`badge ${one}`}>
          <input
            type="checkbox"
            checked={value.includes(one)}
            onChange={(event) =>
              onChange(event.target.checked ? [...value, one] : value.filter((other) => other !== one))
            }
          />
          {say(one)}
        </label>
      ))}
    </fieldset>
  );
}
