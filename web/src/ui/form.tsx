/** Dialogs that ask for something, and one that shows what is shown once. */

import { useMutation } from "@tanstack/react-query";
import { useId, useRef, type ReactNode } from "react";

import { Button } from "./controls";
import { Dialog } from "./dialog";
import { ProblemBox } from "./states";
import { toast } from "./toast";

/** It stays, with what is wrong, until what was asked for is done. */
export function FormDialog({
  title,
  action,
  danger = false,
  wide = false,
  stays = false,
  submit,
  onClose,
  children,
}: {
  title: ReactNode;
  /** What the button says: the verb. */
  action: string;
  danger?: boolean;
  wide?: boolean;
  /** What is asked for closes it itself. */
  stays?: boolean;
  submit: (given: FormData) => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}) {
  const asking = useMutation({ mutationFn: submit, ...(!stays && { onSuccess: onClose }) });
  return (
    <Dialog title={title} wide={wide} firm onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!asking.isPending) asking.mutate(new FormData(event.currentTarget));
        }}
      >
        {asking.error && <ProblemBox error={asking.error} />}
        {children}
        <div className="actions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind={danger ? "danger" : "primary"} busy={asking.isPending}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What was typed into a field; "" where the form has no such field. */
export function textOf(given: FormData, name: string): string {
  const typed = given.get(name);
  return typeof typed === "string" ? typed : "";
}

/** A secret that nobody is shown again. */
export function Once({
  title,
  label,
  secret,
  onClose,
  children,
}: {
  title: string;
  label: string;
  secret: string;
  onClose: () => void;
  children?: ReactNode;
}) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  async function copy() {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      toast({ text: "Copied." });
    } catch {
      // Without TLS there is no clipboard: it is selected, for the keys to copy.
      toast({ text: "It is selected: copy it with the keyboard." });
    }
  }
  return (
    <Dialog title={title} firm onClose={onClose}>
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <div className="once">
          <input ref={field} className="input" id={id} readOnly value={secret} onFocus={(event) => event.target.select()} />
          <Button icon="copy" autoFocus onClick={() => void copy()}>
            Copy
          </Button>
        </div>
        <p className="hint">It is shown now and never again. Keep it where secrets are kept.</p>
      </div>
      {children}
      <div className="actions">
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}
