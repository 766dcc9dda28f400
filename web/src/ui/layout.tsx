/** Panels, badges, tabs, and the head of a page. */

import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";

import type { Schemas } from "../api/client";

/** The head of a page: its title, what it is about, and what can be done. */
export function PageHead({
  title,
  about,
  children,
}: {
  title: ReactNode;
  about?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="page-head">
      <div>
        <h1>{title}</h1>
        {about && <p className="dim">{about}</p>}
      </div>
      {children && <div className="page-actions">{children}</div>}
    </header>
  );
}

export function Panel({
  title,
  aside,
  children,
  flush = false,
  className = "",
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  /** Let the content reach the edges: tables do. */
  flush?: boolean;
  className?: string;
}) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={title ? id : undefined}>
      {title && (
        <header>
          <h2 id={id}>{title}</h2>
          {aside && <div>{aside}</div>}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export type Tone = "good" | "warn" | "bad" | "busy" | "calm";

export function Badge({ tone = "calm", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export type JobState = Schemas["JobState"];

const TONES: Readonly<Record<JobState, Tone>> = {
  waiting: "calm",
  scheduled: "calm",
  pending: "calm",
  processing: "busy",
  completed: "good",
  partial: "warn",
  failed: "bad",
  dead: "bad",
  cancelled: "calm",
};

export function StateBadge({ state }: { state: JobState }) {
  return <Badge tone={TONES[state]}>{state}</Badge>;
}

export interface Tab {
  id: string;
  label: ReactNode;
}

/** Tabs over one panel; arrows go from one to the next. */
export function Tabs({
  label,
  tabs,
  value,
  onChange,
  children,
}: {
  label: string;
  tabs: readonly Tab[];
  value: string;
  onChange: (id: string) => void;
  children: ReactNode;
}) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  function go(event: KeyboardEvent) {
    const at = tabs.findIndex((one) => one.id === value);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (!next) return;
    event.preventDefault();
    onChange(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  }
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus -- the focus is on one of its tabs */}
      <div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={go}>
        {tabs.map((one) => (
          <button
            key={one.id}
            type="button"
            role="tab"
            id={`${base}-${one.id}`}
            data-tab={one.id}
            aria-selected={one.id === value}
            aria-controls={`${base}-panel`}
            tabIndex={one.id === value ? 0 : -1}
            onClick={() => onChange(one.id)}
          >
            {one.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${value}`}>
        {children}
      </div>
    </>
  );
}
