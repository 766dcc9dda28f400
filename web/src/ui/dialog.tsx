/** Dialogs: the browser's own, which keeps the focus inside; it goes back to what opened it. */

import { useEffect, useId, useRef, useState, useSyncExternalStore, type ReactNode } from "react";

import { Button } from "./controls";

export function Dialog({
  title,
  onClose,
  wide = false,
  firm = false,
  className = "",
  children,
}: {
  title: ReactNode;
  onClose: () => void;
  wide?: boolean;
  /** A click beside it does not close it: what it shows, or what was typed, would be lost. */
  firm?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) {
      opener.current = document.activeElement;
      dialog.showModal();
    }
    return () => {
      // Escape gives the focus back; of a dialog that is taken away it would be lost.
      const { activeElement } = document;
      if (activeElement !== null && activeElement !== document.body) return;
      const back = opener.current?.isConnected ? opener.current : document.getElementById("main");
      if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    };
  }, []);
  return (
    // The click is one beside it; for the keys the browser has Escape.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={ref}
      className={`dialog ${wide ? "wide" : ""} ${className}`}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (!firm && event.target === ref.current) onClose();
      }}
    >
      <div className="inside">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  body: ReactNode;
  /** What the button says: the verb, never "OK". */
  action: string;
  danger?: boolean;
  /** To be typed before it can be confirmed: for what cannot be undone. */
  type?: string;
}

interface Asked extends Question {
  answer: (agreed: boolean) => void;
}

let asked: Asked | null = null;
const watchers = new Set<() => void>();

function show(next: Asked | null): void {
  asked = next;
  watchers.forEach((watcher) => watcher());
}

/** Ask before what costs or destroys; true: go on. */
export function confirm(question: Question): Promise<boolean> {
  asked?.answer(false);
  return new Promise((resolve) => {
    show({
      ...question,
      answer: (agreed) => {
        show(null);
        resolve(agreed);
      },
    });
  });
}

/** Where questions are shown: once, in the shell. */
export function Confirmations() {
  const question = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => asked,
  );
  return question && <Confirmation key={question.title} {...question} />;
}

function Confirmation({ title, body, action, danger = false, type, answer }: Asked) {
  const [typed, setTyped] = useState("");
  const id = useId();
  const ready = type === undefined || typed === type;
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) answer(true);
        }}
      >
        {typeof body === "string" ? <p className="dim">{body}</p> : body}
        {type !== undefined && (
          <div className="field">
            <label htmlFor={id}>
              Type <strong>{type}</strong> to go on
            </label>
            <input
              className="input"
              id={id}
              value={typed}
              autoComplete="off"
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        )}
        <div className="actions">
          <Button onClick={() => answer(false)}>Leave it</Button>
          <Button type="submit" kind={danger ? "danger" : "primary"} disabled={!ready}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
