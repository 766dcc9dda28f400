/** Buttons and fields. */

import { Link, type LinkProps } from "@tanstack/react-router";
import { useId, type ComponentProps, type ReactNode } from "react";

import { Icon, type IconName } from "./icons";

interface Look {
  kind?: "primary" | "danger" | "quiet";
  size?: "small";
  icon?: IconName;
  /** Something is under way: the button waits. */
  busy?: boolean;
}

function classes({ kind, size }: Look, ...more: (string | false | undefined)[]): string {
  return ["button", kind, size, ...more].filter(Boolean).join(" ");
}

export function Button({
  kind,
  size,
  icon,
  busy = false,
  className,
  children,
  onClick,
  ...rest
}: Look & ComponentProps<"button">) {
  return (
    <button
      type="button"
      {...rest}
      className={classes({ ...(kind && { kind }), ...(size && { size }) }, className)}
      aria-busy={busy || undefined}
      // Not `disabled`, which would throw the focus away while it waits.
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button that is an icon alone; `label` is what it says. */
export function IconButton({
  label,
  icon,
  ...rest
}: { label: string; icon: IconName } & Omit<Look, "icon"> & ComponentProps<"button">) {
  const className = ["icon", rest.className].filter(Boolean).join(" ");
  return (
    <Button kind="quiet" {...rest} className={className} icon={icon} aria-label={label} title={label} />
  );
}

/** A link that looks like a button. */
export function ButtonLink({ kind, size, children, ...rest }: Look & LinkProps & { children: ReactNode }) {
  return (
    <Link {...rest} className={classes({ ...(kind && { kind }), ...(size && { size }) })}>
      {children}
    </Link>
  );
}

interface FieldProps extends Omit<ComponentProps<"input">, "id"> {
  label: string;
  hint?: ReactNode;
  fault?: string | undefined;
}

/** A labelled input with a hint and what is wrong with it. */
export function Field({ label, hint, fault, ...rest }: FieldProps) {
  const id = useId();
  const told = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        className="input"
        {...rest}
        id={id}
        aria-invalid={fault ? true : undefined}
        aria-describedby={told || undefined}
      />
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p className="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}

export function Select({
  label,
  children,
  ...rest
}: { label: string } & Omit<ComponentProps<"select">, "id">) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select className="input" {...rest} id={id}>
        {children}
      </select>
    </div>
  );
}

/** One of few choices. */
export function Segments<T extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly { value: T; label: string }[];
  value: T;
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className="segments">
      <legend className="sr-only">{label}</legend>
      {options.map((one) => (
        <label key={one.value}>
          <input
            type="radio"
            name={name}
            checked={one.value === value}
            onChange={() => onChange(one.value)}
          />
          {one.label}
        </label>
      ))}
    </fieldset>
  );
}
