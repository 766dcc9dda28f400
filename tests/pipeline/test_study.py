"""The cost study simulates what the product does: the same leads through the whole pipeline agree."""

import pytest
from bench.study.policies import Call, oracle, play, tallies
from bench.study.whole import run_whole
from bench.study.worlds import CASES, EMAIL, Case, Lead, leads

from glaze.model.history import HALF_LIFE
from glaze.pipeline.order import Rules
from glaze.store.database import Database

BY_NAME = {case.name: case for case in CASES}


async def test_the_pipeline_asks_whom_the_simulation_asks_and_remembers_the_same(
    db: Database,
) -> None:
    case = BY_NAME["poor"]
    asked_about = leads(case, 7, 110)
    simulated = list(play(case, asked_about, Rules(learned=True)))
    whole = await run_whole(db, case, asked_about)
    assert whole.asked == [one.asked for one in simulated]
    assert whole.cost_micros == sum(one.cost_micros for one in simulated)
    assert any(asked[0] != "alder" for asked in whole.asked)  # it has learned


def total(case: Case, asked_about: list[Lead], rules: Rules) -> int:
    return sum(one.cost_micros for one in play(case, asked_about, rules))


@pytest.mark.parametrize(("name", "n"), [("best", 1000), ("poor", 800), ("drift", 1600)])
def test_the_learned_order_costs_little_more_than_the_best_and_no_more_than_the_fixed(
    name: str, n: int
) -> None:
    case = BY_NAME[name]
    asked_about = leads(case, 11, n)
    learned = total(case, asked_about, Rules(learned=True))
    fixed = total(case, asked_about, Rules(order=case.fixed))
    assert learned <= 1.2 * sum(oracle(case, asked_about))
    assert learned <= (case.reach or 1.0) * fixed


def test_the_simulations_memory_ages_as_the_ledgers_does() -> None:
    calls = [Call("a.find", frozenset({EMAIL}), frozenset(), frozenset(), "DE", 5)] * 1001
    (tally,) = tallies(calls)
    assert tally.calls == 1001
    assert tally.asked == pytest.approx(sum(0.5 ** (age / HALF_LIFE) for age in range(1001)))
