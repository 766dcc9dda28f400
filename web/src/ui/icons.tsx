/** Icons of 16 by 16, drawn with one stroke. They say nothing to a screen reader: a label does. */

const PATHS = {
  home: "M2.5 7.5 8 3l5.5 4.5M4 6.500V13h8V6.5",
  table: "M2.5 3.500h11v9h-11zM2.5 6.500h11M6.5 6.500v6",
  jobs: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  flow: "M3 3h4v3H3zM9 10h4v3H9zM5 6v2.500c0 2 1 3 4 3",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 5v3l2 1.5",
  queue: "M2.5 4.500h11M2.5 8h11M2.5 11.500h7",
  worker: "M4.5 4.500h7v7h-7zM6.5 2v2.500M9.5 2v2.500M6.5 11.500V14M9.5 11.500V14M2 6.500h2.500M2 9.500h2.500M11.5 6.500H14M11.5 9.500H14",
  plug: "M6 2v4M10 2v4M4 6h8v2a4 4 0 0 1-8 0zM8 12v2",
  dead: "M8 2.5 14 13H2zM8 6.500v3M8 11.300h.01",
  hook: "M11 2.500a2 2 0 1 1-1.5 3.300L7 10.200M5 9a2.5 2.5 0 1 0 2 4h5",
  money: "M8 2v12M11 4.500c-.5-1-1.6-1.5-3-1.5-1.7 0-3 .8-3 2.3 0 3.4 6.2 1.7 6.2 5 0 1.6-1.4 2.5-3.2 2.5-1.6 0-2.8-.7-3.2-1.8",
  book: "M12.5 10.500H4a1.5 1.5 0 0 0 0 3h8.500v-11H4A1.5 1.5 0 0 0 2.5 4v8M5.5 5.500h4",
  send: "M14 2 7 9M14 2 9.5 14 7 9 2 6.500z",
  bin: "M3 4.500h10M6.5 4.500v-2h3v2M4.5 4.500l.5 9h6l.5-9",
  pen: "M3 13l.7-3L11 2.700l2.300 2.300L6 12.300z",
  key: "M10.5 9A3.5 3.5 0 1 0 7.1 6.400L2.5 11v2.500H5V12h1.500v-1.500L8 9a3.5 3.5 0 0 0 2.5 0M11 5h.01",
  people: "M6 7.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M1.5 13.500c.3-2.5 2-4 4.5-4s4.2 1.5 4.5 4M10.5 2.700a2.5 2.5 0 0 1 0 4.600M12 9.800c1.5.5 2.3 1.8 2.5 3.7",
  audit: "M4 2.500h6l2.5 2.500v8.500H4zM6 7.500h4.500M6 10h4.5",
  settings: "M2.5 4.500h7M12.5 4.500h1M2.5 11.500h1M6.5 11.500h7M11 6V3M5 13v-3",
  search: "M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.5 10.5 14 14",
  menu: "M2.5 4.500h11M2.5 8h11M2.5 11.500h11",
  close: "M4 4l8 8M12 4l-8 8",
  sun: "M8 10.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M8 1.500v1.500M8 13v1.500M1.5 8H3M13 8h1.500M3.4 3.400l1 1M11.6 11.600l1 1M3.4 12.600l1-1M11.6 4.400l1-1",
  moon: "M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5",
  auto: "M8 2.500a5.5 5.5 0 1 0 0 11zM8 2.500a5.5 5.5 0 0 1 0 11",
  user: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14c.4-3 2.5-4.5 5.5-4.500s5.1 1.5 5.5 4.5",
  out: "M6 2.500H3v11h3M10 5l3 3-3 3M13 8H6",
  check: "M3 8.5 6.5 12 13 4.5",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  plus: "M8 3v10M3 8h10",
  retry: "M13 8a5 5 0 1 1-1.5-3.500M13 2v3h-3",
  pause: "M5.5 3.500v9M10.5 3.500v9",
  play: "M5 3l8 5-8 5z",
  lock: "M4 7.500h8v6H4zM5.5 7.500V5.500a2.5 2.5 0 0 1 5 0v2",
  copy: "M5.5 5.500h8v8h-8zM3.5 10.500h-1v-8h8v1",
  link: "M6.5 9.500l3-3M7 4.500l1.5-1.500a2.8 2.8 0 0 1 4 4L11 8.500M9 11.5 7.5 13a2.8 2.8 0 0 1-4-4L5 7.5",
  keyboard: "M1.5 4h13v8h-13zM4 6.500h.01M6.5 6.500h.01M9 6.500h.01M11.5 6.500h.01M5 9.500h6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Glaze that runs down a tile. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path className="tile" d="M0 0h32v32H0z" />
      <path className="glaze" d="M0 0h32v10.5c0 2.6-1.6 4.5-3.6 4.500s-3.6-1.7-3.6-3.900c0-1.5-1.1-2.6-2.5-2.600s-2.5 1.1-2.5 2.600v10.400c0 2.1-1.5 3.7-3.4 3.700s-3.4-1.6-3.4-3.700v-7c0-1.5-1.1-2.6-2.5-2.600s-2.5 1.1-2.5 2.600v2.300c0 2-1.5 3.5-3.3 3.500s-4.7-1.5-4.7-3.700z" />
    </svg>
  );
}
