/** Everything about one cell: its value and evidence, who was asked and why it stopped, what lost, what to do. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, IconButton } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { formatDuration, formatMoney, formatNumber } from "../../ui/format";
import { Icon } from "../../ui/icons";
import { Badge, type Tone } from "../../ui/layout";
import { Shown } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { Ago, Money } from "../../ui/values";
import { Price } from "./AddColumn";
import { titleOf } from "./Columns";
import { capOf, priced, type Quote } from "./priced";
import type { Batch } from "./Progress";
import { textOf, webAddress } from "./rows";
import { Sure } from "./ValueCell";

type Cell = Schemas["CellOut"];
type Stated = Schemas["EntityStatedOut"];
const FLOOR = 70;

export function Inspector({
  batch,
  row,
  field,
  onJob,
  onClose,
}: {
  batch: Batch;
  row: number;
  field: string;
  /** A job was made whose end changes the cell. */
  onJob: (job: number) => void;
  onClose: () => void;
}) {
  const found = useQuery({
    queryKey: ["table", batch.id, "cell", row, field],
    queryFn: () =>
      told(
        api.GET("/v1/batches/{batch_id}/rows/{row_no}/cells/{field}", {
          params: { path: { batch_id: batch.id, row_no: row, field } },
        }),
      ),
  });
  const id = useId();
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone it covers the grid: the keys and the reader go on in it.
    if (matchMedia("(max-width: 56rem)").matches) panel.current?.focus();
  }, []);
  const held = useRef(false);
  useEffect(() => {
    // A button that was pressed may be gone with what it did: the keys go on in the panel.
    if (held.current && document.activeElement === document.body) panel.current?.focus();
  });
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape in any of its fields
    <aside
      className="inspector"
      aria-labelledby={id}
      ref={panel}
      tabIndex={-1}
      onFocus={() => (held.current = true)}
      onBlur={({ relatedTarget }) => (held.current = relatedTarget === null)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <div>
          <h2 id={id}>{titleOf(field)}</h2>
          <p className="dim">Row {formatNumber(row)}</p>
        </div>
        <IconButton label="Close the inspector" icon="close" onClick={onClose} />
      </header>
      <div className="inspected">
        <Shown query={found}>
          {(cell) => (
            <>
              <Current cell={cell} />
              <Decide batch={batch} cell={cell} />
              <Values batch={batch} cell={cell} />
              <Asked cell={cell} />
              <AskAgain batch={batch} cell={cell} onJob={onJob} />
            </>
          )}
        </Shown>
      </div>
    </aside>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

/** A value as text; an address of the web can be followed, nothing else can. */
function Told({ value }: { value: unknown }) {
  const address = webAddress(value);
  const text = textOf(value);
  return address ? <Out to={address}>{text}</Out> : <span>{text}</span>;
}

function Out({ to, children }: { to: string; children: ReactNode }) {
  return (
    <a href={to} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function Evidence({ url, quote }: { url: string | null | undefined; quote: string | null | undefined }) {
  const address = webAddress(url);
  return (
    <>
      {quote && <blockquote>{quote}</blockquote>}
      {address ? (
        <p className="evidence">
          <Icon name="link" />
          <Out to={address}>{address}</Out>
        </p>
      ) : (
        url && <p className="evidence dim">{url}</p>
      )}
    </>
  );
}

function Current({ cell }: { cell: Cell }) {
  const { value, decided } = cell;
  if (!value) {
    return (
      <div className="current none">
        <p className="big dim">No value</p>
        <p className="dim">{cell.error ?? (cell.stages.length ? whyNone(cell) : "It has not been asked for yet.")}</p>
      </div>
    );
  }
  return (
    <div className="current">
      <p className="big">
        <Told value={value.value} />
      </p>
      <p className="facts">
        {decided ? (
          <Badge tone="good">{decided.act}</Badge>
        ) : (
          <>
            <Sure confidence={value.confidence} floor={FLOOR} /> <strong>{value.source}</strong>
          </>
        )}
        <Ago at={value.retrieved_at} />
        <span>
          <Money micros={value.cost_micros ?? 0} />
          {value.cached && " (from the cache)"}
        </span>
      </p>
      {decided && (
        <p className="dim">
          by {decided.by ?? "somebody"} <Ago at={decided.at} />
        </p>
      )}
      <Evidence url={value.source_url} quote={value.quote} />
      <p className="dim">
        Valid as {cell.type}
        {cell.witnesses.length > 1 && <>; agreed by {cell.witnesses.join(", ")}</>}.
      </p>
    </div>
  );
}

function whyNone({ stages }: Cell): string {
  const asked = stages.filter((one) => !STEPS.has(one.name) && !one.error && !isSkipped(one));
  return asked.length
    ? `${asked.length} ${asked.length === 1 ? "source was" : "sources were"} asked, and none had it.`
    : "Nobody could be asked for it.";
}

const CELL = "/v1/batches/{batch_id}/rows/{row_no}/cells/{field}";

function useChanged(batch: Batch) {
  const client = useQueryClient();
  return () => {
    for (const part of ["rows", "cell"]) void client.invalidateQueries({ queryKey: ["table", batch.id, part] });
  };
}

function useDeciding(batch: Batch, cell: Cell) {
  const changed = useChanged(batch);
  const params = { path: { batch_id: batch.id, row_no: cell.row, field: cell.field } };
  const back = useMutation({
    mutationFn: () => told(api.POST(`${CELL}/unlock`, { params })),
    onSuccess: changed,
    onError: toastError,
  });
  const deciding = useMutation({
    mutationFn: (act: { value: unknown } | "confirm" | "lock") =>
      act === "confirm"
        ? told(api.POST(`${CELL}/confirm`, { params }))
        : act === "lock"
          ? told(api.POST(`${CELL}/lock`, { params }))
          : told(api.POST(`${CELL}/choose`, { params, body: { value: act.value as never } })),
    onSuccess: ({ act }) => {
      changed();
      toast({ text: `The value is ${act}. It stays, whatever sources say.`, undo: () => back.mutate() });
    },
    onError: toastError,
  });
  return { deciding, back };
}

function Decide({ batch, cell }: { batch: Batch; cell: Cell }) {
  const write = useMay("editor");
  const [typed, setTyped] = useState<string | null>(null);
  const { deciding, back } = useDeciding(batch, cell);
  const id = useId();
  if (!write) return null;
  return (
    <div className="decide">
      <div className="page-actions">
        {cell.decided ? (
          <Button size="small" busy={back.isPending} onClick={() => back.mutate()}>
            Let sources speak again
          </Button>
        ) : (
          cell.value && (
            <>
              <Button size="small" icon="check" busy={deciding.isPending} onClick={() => deciding.mutate("confirm")}>
                It is true
              </Button>
              <Button size="small" icon="lock" busy={deciding.isPending} onClick={() => deciding.mutate("lock")}>
                Lock
              </Button>
            </>
          )
        )}
        {typed === null && (
          <Button size="small" onClick={() => setTyped(textOf(cell.value?.value))}>
            Correct it
          </Button>
        )}
      </div>
      {typed !== null && (
        <form
          className="correct"
          onSubmit={(event) => {
            event.preventDefault();
            const value = cell.type === "list" ? typed.split(",").map((one) => one.trim()) : typed;
            deciding.mutate({ value }, { onSuccess: () => setTyped(null) });
          }}
        >
          <label className="label" htmlFor={id}>
            The true value
          </label>
          <input
            className="input"
            id={id}
            autoFocus
            required
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <div className="page-actions">
            <Button type="submit" size="small" kind="primary" busy={deciding.isPending}>
              Save
            </Button>
            <Button size="small" onClick={() => setTyped(null)}>
              Leave it
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What sources stated: each value once, those that lost with a way to choose them. */
function Values({ batch, cell }: { batch: Batch; cell: Cell }) {
  const { deciding } = useDeciding(batch, cell);
  const write = useMay("editor");
  const groups: { value: unknown; by: Stated[] }[] = [];
  for (const one of cell.stated) {
    const group = groups.find((it) => same(it.value, one.value));
    if (group) group.by.push(one);
    else groups.push({ value: one.value, by: [one] });
  }
  if (groups.length === 0) return null;
  return (
    <Part title={groups.length === 1 ? "What sources stated" : `${groups.length} values were stated`}>
      <ul className="stated">
        {groups.map((group) => {
          const won = same(group.value, cell.value?.value);
          return (
            <li key={JSON.stringify(group.value)} data-won={won || undefined}>
              <p className="stated-value">
                <Told value={group.value} />
                {won ? (
                  <Badge tone="good">shown</Badge>
                ) : (
                  write && (
                    <Button
                      size="small"
                      busy={deciding.isPending}
                      onClick={() => deciding.mutate({ value: group.value })}
                    >
                      Choose
                    </Button>
                  )
                )}
              </p>
              {group.by.map((one) => (
                <Source key={one.id} one={one} />
              ))}
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

function Source({ one }: { one: Stated }) {
  return (
    <div className="source">
      <p className="facts">
        <Sure confidence={one.confidence} floor={FLOOR} /> <strong>{one.provider}</strong>
        <Ago at={one.retrieved_at} />
        <Money micros={one.cost_micros} />
      </p>
      {one.raw !== null && (
        <p className="dim">
          written as <span className="mono">{one.raw}</span>
        </p>
      )}
      <Evidence url={one.source_url} quote={one.quote} />
    </div>
  );
}

/** Steps of the pipeline that ask nobody. */
const STEPS: ReadonlySet<string> = new Set(["cache", "gap_analysis", "merge_validate", "store"]);

type Stage = Schemas["Stage"];

const isSkipped = (one: Stage): boolean => /^(not asked|skipped)/.test(one.detail ?? "");

function toneOf(one: Stage, field: string): [Tone, string] {
  if (one.error) return ["bad", "failed"];
  if (isSkipped(one)) return ["calm", "not asked"];
  if (one.fields_found?.includes(field)) return STEPS.has(one.name) ? ["calm", "done"] : ["good", "had it"];
  if (STEPS.has(one.name)) return ["calm", "done"];
  // What it was asked for stands in why it was asked.
  if (one.detail?.includes("_") && !one.detail.includes(field)) return ["calm", "asked for other fields"];
  return ["warn", "did not have it"];
}

function Asked({ cell }: { cell: Cell }) {
  if (cell.stages.length === 0) return null;
  return (
    <Part title="Who was asked, in order">
      <ol className="stages">
        {cell.stages.map((one, i) => {
          const [tone, word] = toneOf(one, cell.field);
          return (
            <li key={i}>
              <p className="facts">
                <strong>{STEPS.has(one.name) ? titleOf(one.name) : one.name}</strong>
                <Badge tone={tone}>{word}</Badge>
                <span className="num dim">{formatDuration(one.duration_ms / 1000)}</span>
                {(one.cost_micros ?? 0) > 0 && <Money micros={one.cost_micros} />}
              </p>
              {(one.error ?? one.detail) && <p className="dim">{one.error ?? one.detail}</p>}
            </li>
          );
        })}
      </ol>
      {cell.costs && (
        <p className="dim">
          The row's own job, all fields together: <Money micros={cell.costs.total} />
          {(cell.costs.unknown ?? 0) > 0 && (
            <>
              , and <Money micros={cell.costs.unknown} /> reserved
            </>
          )}
          .
        </p>
      )}
    </Part>
  );
}

async function agreed(title: string, quote: Quote): Promise<number | null> {
  const cents = capOf(quote);
  const yes = await confirm({
    title,
    body: <Price quote={quote} />,
    action: `Ask for at most ${formatMoney(cents * 10_000)}`,
  });
  return yes ? cents : null;
}

function AskAgain({ batch, cell, onJob }: { batch: Batch; cell: Cell; onJob: (job: number) => void }) {
  const write = useMay("editor");
  const client = useQueryClient();
  const { field } = cell;
  const one = useMutation({
    mutationFn: () =>
      priced(
        (cents) =>
          told(
            api.POST(`${CELL}/ask`, {
              params: { path: { batch_id: batch.id, row_no: cell.row, field } },
              body: { max_cost_cents: cents },
            }),
          ),
        (quote) => agreed("Ask for this cell again?", quote),
      ),
    onSuccess: (job) => {
      if (!job) return;
      onJob(job.id);
      toast({ text: "The cell is asked for again." });
    },
    onError: toastError,
  });
  const column = useMutation({
    mutationFn: (rows: "missing" | "all") =>
      priced(
        (cents) =>
          told(
            api.POST("/v1/batches/{batch_id}/columns/{field}/ask", {
              params: { path: { batch_id: batch.id, field } },
              body: { rows, max_cost_cents: cents },
            }),
          ),
        (quote) => agreed(`Ask for ${titleOf(field)} again?`, quote),
      ),
    onSuccess: (made) => {
      if (!made) return;
      void client.invalidateQueries({ queryKey: ["table", batch.id, "children"] });
      toast({ text: `${formatNumber(made.total)} rows are asked.` });
    },
    onError: toastError,
  });
  if (!write) return null;
  return (
    <Part title="Ask again">
      <p className="dim">Whatever is known already. You see the price first.</p>
      <div className="page-actions">
        <Button size="small" icon="retry" busy={one.isPending} onClick={() => one.mutate()}>
          This cell
        </Button>
        <Button size="small" busy={column.isPending} onClick={() => column.mutate("missing")}>
          Missing in the column
        </Button>
        <Button size="small" busy={column.isPending} onClick={() => column.mutate("all")}>
          Whole column
        </Button>
      </div>
    </Part>
  );
}
