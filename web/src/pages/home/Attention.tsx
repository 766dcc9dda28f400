/** What wants somebody; nothing where nothing does. */

import type { ReactNode } from "react";

import type { Schemas } from "../../api/client";
import { formatDuration, formatMoney, formatNumber, formatPercent } from "../../ui/format";
import { Goto } from "../../ui/goto";
import { Icon, type IconName } from "../../ui/icons";
import { Ago } from "../../ui/values";

type Overview = Schemas["OverviewOut"];

interface Matter {
  id: string;
  icon: IconName;
  tone: "bad" | "warn";
  what: ReactNode;
  /** What can be done about it. */
  todo: string;
  to: string;
  params?: Record<string, string>;
  search?: Record<string, unknown>;
}

/** No job that is due should wait for so long, in seconds. */
const LONG_S = 300;
const NEARLY = 0.9;

export function Attention({ overview }: { overview: Overview }) {
  const matters = [...mattersOf(overview)];
  if (matters.length === 0) return null;
  return (
    <section className="attention" aria-label="Wants somebody">
      <ul>
        {matters.map(({ id, icon, tone, what, todo, to, params, search }) => (
          <li key={id} className={tone}>
            <Icon name={icon} />
            <strong>{what}</strong>
            <Goto to={to} {...(params && { params })} {...(search && { search })} className="todo">
              {todo}
            </Goto>
          </li>
        ))}
      </ul>
    </section>
  );
}

function* mattersOf({ attention, money, oldest_s: oldest }: Overview): Generator<Matter> {
  if (attention.dead > 0) {
    yield {
      id: "dead",
      icon: "dead",
      tone: "bad",
      what: `${some(attention.dead)} dead ${attention.dead === 1 ? "letter" : "letters"}`,
      todo: "read why, mend, and retry",
      to: "/dead-letters",
    };
  }
  if (attention.unknown_calls > 0) {
    yield {
      id: "unknown",
      icon: "money",
      tone: "bad",
      what: `${some(attention.unknown_calls)} ${attention.unknown_calls === 1 ? "call" : "calls"} of unknown outcome`,
      todo: `${formatMoney(money.unknown_micros)} held until somebody resolves them`,
      to: "/ledger",
      search: { state: "unknown" },
    };
  }
  for (const one of attention.circuits) {
    yield {
      id: `circuit ${one.provider}`,
      icon: "plug",
      tone: "warn",
      what: `${one.provider} is left alone`,
      todo: `after errors; circuit ${one.state}`,
      to: "/providers",
    };
  }
  for (const one of attention.webhooks) {
    yield {
      id: `webhook ${one.id}`,
      icon: "hook",
      tone: one.why ? "bad" : "warn",
      what: <span className="truncate">{one.url}</span>,
      todo: one.why ? "disabled: it did not take what it was sent" : "does not take what it is sent",
      to: "/webhooks/$id",
      params: { id: String(one.id) },
    };
  }
  for (const one of attention.queues) {
    yield {
      id: `queue ${one.name}`,
      icon: "pause",
      tone: "warn",
      what: (
        <>
          Queue {one.name} is paused <Ago at={one.paused_at} />
        </>
      ),
      todo: "resume it",
      to: "/queues",
    };
  }
  if (oldest !== null && oldest > LONG_S) {
    yield {
      id: "oldest",
      icon: "clock",
      tone: "warn",
      what: `A job has been due for ${formatDuration(oldest)}`,
      todo: "is there a worker for its queue?",
      to: "/queues",
    };
  }
  for (const one of attention.prices) {
    yield {
      id: `price ${one.provider} ${one.operation}`,
      icon: "money",
      tone: "warn",
      what: `${one.provider} bills more than its price`,
      todo: `${one.operation} is not asked: ${formatMoney(one.billed_micros)}, not ${formatMoney(one.reserved_micros)}`,
      to: "/budgets",
    };
  }
  for (const one of money.caps) {
    const used = (one.spent_micros + one.reserved_micros) / one.cap_micros;
    if (one.cap_micros > 0 && used >= NEARLY) {
      yield {
        id: `cap ${one.scope_key}`,
        icon: "money",
        tone: "warn",
        what: `${formatPercent(Math.min(1, used))} of a cap is used`,
        todo: `${formatMoney(one.cap_micros)} for ${one.scope_key}`,
        to: "/budgets",
      };
    }
  }
}

/** Counts end at a bound. */
function some(count: number): string {
  return count >= 1_000 ? `${formatNumber(count)} or more` : formatNumber(count);
}
