/** The rows: only those in sight are drawn, so a million jobs scroll as ten do.
 *
 * What is new waits above while somebody reads, points or chooses: nothing moves under a hand.
 */

import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState, type RefObject } from "react";

import { useShortcut } from "../../shell/keys";
import { Button } from "../../ui/controls";
import { formatNumber } from "../../ui/format";
import { StateBadge } from "../../ui/layout";
import { useNarrow } from "../../ui/narrow";
import { Ago, Duration } from "../../ui/values";
import type { Chosen } from "./Jobs";
import type { Job } from "./rows";
import type { Listed } from "./use-jobs";

const REM = 2.5;
/** Where there is no room for columns, what they would say stands below the job. */
const NARROW_REM = 3.5;
const NEAR_END = 30;

interface Choice {
  chosen: Chosen;
  setChosen: (chosen: Chosen) => void;
}

export function List({
  listed,
  more,
  top,
  choice,
}: {
  listed: Listed;
  more: () => void;
  top: RefObject<number>;
  choice?: Choice;
}) {
  const box = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const [active, setActive] = useState<number | null>(null);
  const [ceiling, setCeiling] = useState<number | null>(null);
  const newest = listed.items[0]?.id ?? 0;
  const rows = ceiling === null ? listed.items : listed.items.filter((one) => one.id <= ceiling);
  const waiting = listed.items.length - rows.length;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => (narrow ? NARROW_REM : REM) * rem,
    overscan: 12,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  useLayoutEffect(() => list.measure(), [list, narrow]);
  const seen = list.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  const wantMore = useEffectEvent(more);
  useEffect(() => {
    top.current = waiting + (list.range?.startIndex ?? 0);
    if (last >= rows.length - NEAR_END) wantMore();
  }, [last, rows.length, waiting, list, top]);

  const isChosen = (id: number) => choice?.chosen === "all" || (choice?.chosen.has(id) ?? false);
  const isHeld = choice !== undefined && choice.chosen !== "all" && choice.chosen.size > 0;
  const hold = () => setCeiling((now) => now ?? newest);
  const release = () => {
    const atTop = (box.current?.scrollTop ?? 0) < rem;
    const inside = box.current?.matches(":hover, :focus-within") ?? false;
    if (atTop && !inside && !isHeld) setCeiling(null);
  };
  const toggle = (id: number) => {
    if (!choice) return;
    const known = choice.chosen === "all" ? rows.map((one) => one.id) : [...choice.chosen];
    choice.setChosen(new Set(known.includes(id) ? known.filter((one) => one !== id) : [...known, id]));
    hold();
  };
  const go = (by: number) => {
    if (rows.length === 0) return;
    const at = rows.findIndex((one) => one.id === active);
    const next = Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by));
    setActive(rows[next]?.id ?? null);
    hold();
    list.scrollToIndex(next);
  };
  useEffect(() => {
    box.current?.querySelector<HTMLElement>("tr[data-active] a")?.focus({ preventScroll: true });
  }, [active]);
  useShortcut("j", "Next job", () => go(1));
  useShortcut("k", "Previous job", () => go(-1));
  useShortcut("x", "Choose the job", () => active !== null && toggle(active));

  return (
    <>
      <div className="newer" role="status">
        {waiting > 0 && (
          <Button
            size="small"
            kind="primary"
            onClick={() => {
              box.current?.scrollTo({ top: 0 });
              setCeiling(null);
            }}
          >
            {formatNumber(waiting)} new
          </Button>
        )}
      </div>
      <div
        className="jobs-scroll"
        ref={box}
        role="group"
        aria-label="Jobs"
        tabIndex={0}
        onScroll={(event) => (event.currentTarget.scrollTop > rem ? hold() : release())}
        onPointerEnter={hold}
        onPointerLeave={release}
        onFocus={hold}
        onBlur={release}
      >
        <table className="table" aria-rowcount={listed.estimate?.jobs ?? -1}>
          <caption className="sr-only">Jobs</caption>
          <thead>
            <tr>
              {choice && (
                <th scope="col" className="choose">
                  <span className="sr-only">Chosen</span>
                </th>
              )}
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col" className="wide-only">Tags</th>
              <th scope="col" className="wide-only">Queue</th>
              <th scope="col" className="end wide-only">Priority</th>
              <th scope="col" className="end wide-only">Try</th>
              {!narrow && <th scope="col" className="end">Made</th>}
              <th scope="col" className="end wide-only">Took</th>
              {!narrow && <th scope="col" className="why">Why</th>}
            </tr>
          </thead>
          <tbody>
            <Spacer size={seen[0]?.start ?? 0} />
            {seen.map(({ index }) => {
              const job = rows[index];
              return (
                job && (
                  <Row
                    key={job.id}
                    job={job}
                    place={index + 1}
                    active={job.id === active}
                    narrow={narrow}
                    {...(choice && { chosen: isChosen(job.id), toggle: () => toggle(job.id) })}
                  />
                )
              );
            })}
            <Spacer size={list.getTotalSize() - (seen.at(-1)?.end ?? 0)} />
          </tbody>
        </table>
      </div>
    </>
  );
}

function Spacer({ size }: { size: number }) {
  if (size <= 0) return null;
  return (
    <tr className="spacer" aria-hidden="true">
      <td style={{ height: size }} />
    </tr>
  );
}

function Row({
  job,
  place,
  active,
  narrow,
  chosen,
  toggle,
}: {
  job: Job;
  place: number;
  active: boolean;
  narrow: boolean;
  chosen?: boolean;
  toggle?: () => void;
}) {
  return (
    <tr aria-rowindex={place} data-active={active || undefined} data-chosen={chosen || undefined}>
      {toggle && (
        <td className="choose">
          <input type="checkbox" checked={chosen ?? false} aria-label={`Choose job ${job.id}`} onChange={toggle} />
        </td>
      )}
      <td>
        <Link to="/jobs/$id" params={{ id: String(job.id) }}>
          <span className="num">#{job.id}</span> {job.kind}
        </Link>
        {narrow && (
          <span className="under truncate dim" title={job.error ?? undefined}>
            <Ago at={job.created_at} />
            {job.error && `, ${job.error}`}
          </span>
        )}
      </td>
      <td>
        <StateBadge state={job.state} />
        {job.state === "processing" && job.progress && <span className="dim num"> {job.progress.percent} %</span>}
      </td>
      <td className="wide-only">
        <span className="tags">
          {job.tags.slice(0, 3).map((tag) => (
            <span key={tag} className="badge plain">
              {tag}
            </span>
          ))}
        </span>
      </td>
      <td className="wide-only">{job.queue}</td>
      <td className="end num wide-only">{job.priority}</td>
      <td className="end num wide-only">
        {job.attempt}/{job.max_attempts}
      </td>
      {!narrow && (
        <td className="end">
          <Ago at={job.created_at} />
        </td>
      )}
      <td className="end wide-only">
        <Duration seconds={tookS(job)} />
      </td>
      {!narrow && (
        <td className="why">
          <span className="truncate" title={job.error ?? undefined}>
            {job.error ?? ""}
          </span>
        </td>
      )}
    </tr>
  );
}

function tookS({ started_at: begun, finished_at: ended }: Job): number | null {
  return begun && ended ? Math.max(0, (Date.parse(ended) - Date.parse(begun)) / 1000) : null;
}
