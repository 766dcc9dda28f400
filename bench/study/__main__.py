"""Run the cost study and write docs/study.md with its charts: python -m bench.study."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import structlog

from bench.__main__ import database, machine, server
from bench.study.chart import chart
from bench.study.policies import REFRESH, Outcome, oracle, play
from bench.study.whole import Whole, run_whole
from bench.study.worlds import CASES, Case, Lead, leads
from glaze.model.history import HALF_LIFE
from glaze.pipeline.learned import TRIAL_EVERY
from glaze.pipeline.order import Rules
from glaze.pipeline.rates import LEAST
from glaze.store.database import Database
from glaze.store.migrate import migrate

DOCS = Path(__file__).parents[2] / "docs"
SEEDS, LEADS, WHOLE_LEADS, POINT = (7, 8, 9), 4000, 300, 200
MICROS_PER_CENT = 10_000
OF_ORACLE = 1.2


@dataclass(frozen=True)
class Played:
    """One world of one seed: what each policy did, and what the oracle's halves cost."""

    leads: Sequence[Lead]
    outcomes: Mapping[str, Sequence[Outcome]]
    oracle: Sequence[int]

    @property
    def filled(self) -> int:
        """Records with everything that was wanted: the same for every policy."""
        return sum(one.filled for one in self.outcomes["learned"])

    def micros(self, name: str) -> int:
        """What a policy cost."""
        if name == "oracle":
            return sum(self.oracle)
        return sum(one.cost_micros for one in self.outcomes[name])

    def cents(self, name: str) -> float:
        """The same for each filled record."""
        return self.micros(name) / self.filled / MICROS_PER_CENT

    def late(self) -> float:
        """What learned costs beside the oracle in the second half."""
        outcomes = self.outcomes["learned"]
        return sum(one.cost_micros for one in outcomes[len(outcomes) // 2 :]) / self.oracle[1]


def played(case: Case, seed: int, n: int = LEADS) -> Played:
    """Play all policies about the same leads."""
    asked_about = leads(case, seed, n)
    rules = {
        "learned": Rules(learned=True),
        "fixed": Rules(order=case.fixed),
        "cheapest": Rules(),
    }
    outcomes = {name: list(play(case, asked_about, rule)) for name, rule in rules.items()}
    return Played(asked_about, outcomes, oracle(case, asked_about))


def row(case: Case, rounds: Sequence[Played]) -> str:
    """Return the row of the table for one world."""
    costs = [
        f"{mean(one.cents(n) for one in rounds):.1f}"
        for n in ("learned", "fixed", "cheapest", "oracle")
    ]
    to_fixed = [one.micros("learned") / one.micros("fixed") for one in rounds]
    to_oracle = [one.micros("learned") / one.micros("oracle") for one in rounds]
    bars = [
        f"{mean(to_fixed):.2f} (at most {max(to_fixed):.2f})",
        f"{mean(to_oracle):.2f} (at most {max(to_oracle):.2f})",
    ]
    late = f"{mean(one.late() for one in rounds):.2f}"
    kept = max(to_oracle) <= OF_ORACLE and (case.reach is None or max(to_fixed) <= case.reach)
    reach = (
        f"fixed x {case.reach:g}, oracle x {OF_ORACLE:g}"
        if case.reach
        else f"oracle x {OF_ORACLE:g}"
    )
    cells = (case.name, *costs, *bars, late, reach, "yes" if kept else "**no**")
    return "| " + " | ".join(cells) + " |"


def curves(one: Played) -> dict[str, list[tuple[float, float]]]:
    """Return for each policy the cents a filled record, over stretches of ``POINT`` leads."""
    stretches = [range(i, i + POINT) for i in range(0, len(one.leads), POINT)]
    lines = {}
    for name, outcomes in one.outcomes.items():
        points = []
        for part in stretches:
            filled = max(1, sum(outcomes[i].filled for i in part))
            cents = sum(outcomes[i].cost_micros for i in part) / filled / MICROS_PER_CENT
            points.append((part.stop, cents))
        lines[name] = points
    half = len(one.leads) // 2
    done = one.outcomes["learned"]
    halves = [sum(x.filled for x in done[:half]), sum(x.filled for x in done[half:])]
    first, second = (c / n / MICROS_PER_CENT for c, n in zip(one.oracle, halves, strict=True))
    lines["oracle"] = [(POINT, first), (half, first), (half, second), (len(one.leads), second)]
    return lines


async def _whole(dsn: str, case: Case, asked_about: Sequence[Lead]) -> Whole:
    await migrate(dsn)
    async with Database.open(dsn) as db:
        return await run_whole(db, case, asked_about)


def agreement() -> tuple[str, str]:
    """Run one world through the whole pipeline, too; say how far the two agree, and on what."""
    case = next(case for case in CASES if case.name == "poor")
    asked_about = leads(case, SEEDS[0], WHOLE_LEADS)
    simulated = list(play(case, asked_about, Rules(learned=True)))
    with server() as server_dsn, database(server_dsn, "study") as dsn:
        whole = asyncio.run(_whole(dsn, case, asked_about))
        on = machine(server_dsn)
    same = sum(a == b.asked for a, b in zip(whole.asked, simulated, strict=True))
    dollars = whole.cost_micros / 1e6, sum(one.cost_micros for one in simulated) / 1e6
    text = (
        f"World `poor` through the whole pipeline (ledger, query, order) on PostgreSQL, {WHOLE_LEADS} leads: "
        f"{same} of {WHOLE_LEADS} leads asked of the same vendors in the same order as in the simulation; "
        f"${dollars[0]:.2f} against ${dollars[1]:.2f}."
    )
    return text, on


def main() -> None:
    """Play every world, and write what came of it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    (DOCS / "img").mkdir(exist_ok=True)
    rows, stories = [], []
    for case in CASES:
        rounds = [played(case, seed) for seed in SEEDS]
        rows.append(row(case, rounds))
        print(rows[-1], flush=True)
        picture = f"img/study-{case.name}.svg"
        (DOCS / picture).write_text(
            chart(f"{case.name}: cost of a filled record", curves(rounds[0])), "utf-8"
        )
        vendors = "; ".join(_told(case))
        stories.append(
            f"### {case.name}\n\n{case.story} Wanted: {', '.join(case.wanted)}. Fixed order: {', '.join(case.fixed)}.\n"
            f"{vendors}.\n\n![cost over the run]({picture})\n"
        )
    agrees, on = agreement()
    print(agrees)
    text = HEAD.format(
        leads=LEADS,
        seeds=len(SEEDS),
        refresh=REFRESH,
        half_life=HALF_LIFE,
        least=LEAST,
        trial=TRIAL_EVERY,
    )
    page = text + "\n".join(rows) + f"\n\n{agrees}\n\nMachine: {on}.\n\n" + "\n".join(stories)
    (DOCS / "study.md").write_text(page, "utf-8")


def _told(case: Case) -> list[str]:
    return [
        f"`{one.name}` {one.cents:g} ¢ {'a question' if one.misses_billed else 'a hit'}, knows {one.hit:.0%}"
        + "".join(f", {region} {more:+.0%}" for region, more in one.by_region.items())
        + (f", later {one.later:.0%}" if one.later is not None else "")
        for one in case.vendors
    ]


HEAD = """# What the learned order costs

Written by `make study`. **Simulated**: people, and who knows what of them, are the sandbox's (coverage by region and by size of the
company); vendors and prices are made up but for world `hits`. What decides is the product's own code: `pipeline/order.py`,
`learned.py` and `rates.py`.

Each policy asks about the same {leads} people in each of {seeds} worlds by chance, until all that is wanted is filled or nobody is left: so
all fill the same records, and only their cost differs. It counts from the first lead on, with nothing learned before. Rates are read again every
{refresh} leads; a call counts half after {half_life} newer ones about its field; below {least} calls nothing is acted upon; every question in {trial} or so
is a trial.

- *learned*: the order as Glaze learns it. *fixed*: an order that somebody wrote down. *cheapest*: by price alone.
- *oracle*: knows, for each region and each half of the run, the true share of every outcome after every other, and takes the best of all adaptive
  orders. It is computed on the very leads that are asked about, so it is a little better than anybody could be.

Cents a filled record, mean of the {seeds} worlds:

| world | learned | fixed | cheapest | oracle | learned / fixed | learned / oracle | second half | to reach | reached |
|---|---|---|---|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    main()
