/** Stacked bars over time, drawn by uPlot; what is under the pointer is read in the legend. */

import "uplot/dist/uPlot.min.css";

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import uPlot from "uplot";

import { useIsDark } from "../shell/theme";

export interface Series {
  label: string;
  /** A custom property of tokens.css. */
  color: `--${string}`;
  values: readonly number[];
}

interface BarsProps {
  /** What it shows, for who does not see it. */
  label: string;
  /** Where each slot begins, in seconds since 1970. */
  at: readonly number[];
  slotS: number;
  /** From the ground up. */
  series: readonly Series[];
  format: (value: number) => string;
  heightRem?: number;
  /** It counts: no ticks between whole numbers. */
  whole?: boolean;
  /** How high it reaches where there is nothing. */
  empty?: number;
  /** The legend tells sums where nothing is pointed at. */
  sums?: boolean;
}

export function Bars({ label, at, slotS, series, format, heightRem = 12.5, whole = false, empty = 1, sums = true }: BarsProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [under, setUnder] = useState<number | null>(null);
  const isDark = useIsDark();
  const data = stacked(at, slotS, series);
  const shape = `${slotS} ${at.length} ${series.map((one) => one.label).join(" ")} ${heightRem} ${isDark}`;
  const latest = useRef({ data, series, format });
  useLayoutEffect(() => {
    latest.current = { data, series, format };
  });

  // Drawn anew where its shape changes; new values only move it.
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const { data: first, series: named } = latest.current;
    const paint = painter(parent);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = heightRem * rem;
    const font = `${0.6875 * rem}px ${getComputedStyle(parent).fontFamily}`;
    const made = new uPlot(
      {
        width: parent.clientWidth,
        height,
        padding: [8, 20, 0, 0],
        cursor: { points: { show: false }, drag: { x: false, y: false }, y: false },
        scales: {
          x: { time: false, range: (_, low, high) => [low - slotS / 2, high + slotS / 2] },
          y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : empty] },
        },
        axes: [
          {
            stroke: paint("--text-2"),
            font,
            grid: { show: false },
            ticks: { show: false },
            size: 1.75 * rem,
            space: 4.5 * rem,
            incrs: INCREMENTS.filter((one) => one >= DAY || !isDays(slotS * at.length)), // a day is named once
            values: (_, moments) => moments.map((moment) => formatMoment(moment, slotS * at.length)),
          },
          {
            stroke: paint("--text-2"),
            font,
            grid: { stroke: paint("--line"), width: 1 },
            ticks: { show: false },
            size: (_, values) => rem * (0.875 + 0.44 * Math.max(2, ...(values ?? []).map((one) => one.length))),
            space: 2.75 * rem,
            ...(whole && { incrs: WHOLE }),
            values: (_, numbers) => numbers.map((one) => latest.current.format(one)),
          },
        ],
        series: [
          {},
          // The highest sums first: what lies below is painted over them.
          ...named.toReversed().map((one) => ({
            label: one.label,
            fill: paint(one.color),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars!({ size: [0.78, 48] }),
          })),
        ],
        hooks: { setCursor: [(u) => setUnder(u.cursor.idx ?? null)] },
      },
      first,
      parent,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height }));
    watcher.observe(parent);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, slotS, heightRem, at.length, whole, empty]);

  useEffect(() => {
    if (plot.current && plot.current.data !== data) plot.current.setData(data);
  });

  const moment = under === null ? undefined : at[under];
  return (
    <figure className="chart">
      <div ref={box} style={{ height: `${heightRem}rem` }} role="img" aria-label={label} />
      <figcaption>
        <ul className="legend">
          {series.map((one) => (
            <li key={one.label}>
              <i style={{ background: `var(${one.color})` }} />
              {one.label}
              {(moment !== undefined || sums) && (
                <strong className="num">{format(valueOf(one.values, under))}</strong>
              )}
            </li>
          ))}
          <li className="num when">{moment === undefined ? "" : formatSpan(moment, slotS)}</li>
        </ul>
      </figcaption>
    </figure>
  );
}

function valueOf(values: readonly number[], at: number | null): number {
  return at === null ? values.reduce((sum, one) => sum + one, 0) : (values[at] ?? 0);
}

/** The middle of each slot, and the sums of each series and those below it, the highest first. */
function stacked(at: readonly number[], slotS: number, series: readonly Series[]): uPlot.AlignedData {
  const sums: number[][] = [];
  for (const one of series) {
    const below = sums.at(-1);
    sums.push(one.values.map((value, i) => value + (below?.[i] ?? 0)));
  }
  return [at.map((one) => one + slotS / 2), ...sums.toReversed()];
}

/** A canvas knows no custom properties: ask what a colour is here. */
function painter(parent: HTMLElement): (token: string) => string {
  return (token) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${token})`;
    parent.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
const INCREMENTS = [60, 300, 600, 900, 1_800, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 10 * DAY, 15 * DAY];
const WHOLE = Array.from({ length: 12 }, (_, i) => [1, 2, 5].map((one) => one * 10 ** i)).flat();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

const isDays = (span: number): boolean => span > 2 * DAY;

function formatMoment(seconds: number, span: number): string {
  return (isDays(span) ? day : clock).format(seconds * 1000);
}

function formatSpan(seconds: number, slotS: number): string {
  const begin = seconds * 1000;
  const ends = clock.format(begin + slotS * 1000);
  return `${day.format(begin)}, ${clock.format(begin)} – ${ends}`;
}
