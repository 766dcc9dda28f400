"""The waterfall played through by chance: what a quote must hold, whatever the luck."""

from dataclasses import replace

import pytest

from glaze.model.history import Tally
from glaze.model.provider import Operation, ProviderSpec, Tier
from glaze.model.value import FieldName, Micros
from glaze.pipeline.forecast import OpenRow, World, forecast
from glaze.pipeline.order import Rules
from glaze.pipeline.rates import Rates

DOMAIN, PHONE, CITY = (FieldName(f"company_{name}") for name in ("domain", "phone", "city"))
CHEAP, DEAR = 20_000, 100_000


def spec(name: str, price: int, *fields: FieldName) -> ProviderSpec:
    operation = Operation(
        name="find",
        needs=(frozenset({DOMAIN}),),
        gives=dict.fromkeys(fields, 80),
        price_micros=Micros(price),
    )
    return ProviderSpec(name, (operation,))


SPECS = (spec("cheap", CHEAP, PHONE), spec("dear", DEAR, PHONE, CITY))


def tally(name: str, field: FieldName, *, calls: int, filled: int, paid: int, after=()) -> Tally:
    missed = frozenset(f"{one}.find" for one in after)
    return Tally(f"{name}.find", field, missed, DOMAIN, "", calls, calls, filled, paid, calls * 0.2)


def world(*tallies: Tally, left: int | None = None) -> World:
    rates = Rates(tallies, SPECS)
    return World(SPECS, Rules(learned=True), rates, {}, None if left is None else Micros(left))


def rows(n: int, *missing: FieldName, answered=()) -> list[OpenRow]:
    done = frozenset(f"{name}.find" for name in answered)
    return [
        OpenRow(frozenset(missing), frozenset({DOMAIN}), done, subject=str(i)) for i in range(n)
    ]


# Misses are free at "cheap"; "dear" charges for them, too, and is asked for what "cheap" lacks.
HISTORY = (
    tally("cheap", PHONE, calls=400, filled=200, paid=200 * CHEAP),
    tally("dear", PHONE, calls=200, filled=100, paid=200 * DEAR, after=("cheap",)),
    tally("dear", PHONE, calls=400, filled=240, paid=400 * DEAR),
)


def test_cost_and_coverage_are_those_of_the_rates_in_the_order_that_the_run_takes():
    found = forecast(rows(80, PHONE), world(*HISTORY), stands_for=1000)
    expected = 1000 * (0.5 * CHEAP + 0.5 * DEAR)
    assert found.cost.p5 < expected < found.cost.p95
    assert found.cost.p50 == pytest.approx(expected, rel=0.1)
    assert found.filled[PHONE].p50 == pytest.approx(750, rel=0.08)
    assert found.most_micros == 1000 * (CHEAP + DEAR)
    assert found.unlearned == ()


def times(n: float) -> World:
    """The same experience from ``n`` times as many calls."""
    numbers = ("calls", "asked", "filled", "paid_micros", "seconds")
    return world(
        *(replace(one, **{name: getattr(one, name) * n for name in numbers}) for one in HISTORY)
    )


def test_the_same_question_has_the_same_answer_and_more_history_makes_it_narrower():
    first = forecast(rows(80, PHONE), times(0.25), stands_for=1000)
    assert first == forecast(rows(80, PHONE), times(0.25), stands_for=1000)
    second = forecast(rows(80, PHONE), times(25), stands_for=1000)
    wide, narrow = (one.cost.p95 - one.cost.p5 for one in (first, second))
    assert 0 < narrow < wide / 2


def test_without_history_it_says_so_and_never_passes_the_price_list():
    found = forecast(rows(50, PHONE, CITY), world(), stands_for=50)
    assert found.unlearned == ("cheap.find", "dear.find")
    assert found.cost.p95 <= found.most_micros == 50 * (CHEAP + DEAR)


def test_what_was_answered_costs_nothing_and_a_cap_on_a_row_holds():
    free = forecast(rows(50, PHONE, answered=("cheap", "dear")), world(*HISTORY), stands_for=50)
    assert free.cost.p95 == free.most_micros == free.answers.p95 == 0
    capped = forecast(rows(50, PHONE), world(*HISTORY, left=DEAR), stands_for=50)
    assert capped.cost.p95 <= 50 * DEAR
    assert capped.most_micros <= 50 * DEAR


def test_pages_read_by_a_model_and_the_luck_of_many_rows_pass_no_cap_of_a_row():
    model = replace(spec("model", 3_000, PHONE), tier=Tier.INFERENCE)
    asked = World((model,), Rules(learned=True), Rates((), (model,)), {}, Micros(7_000), pages=5)
    one = forecast(rows(1, PHONE), asked, stands_for=1)
    assert one.cost.p95 == 6_000
    many = forecast(rows(80, PHONE), world(*HISTORY, left=CHEAP), stands_for=90_000)
    assert many.cost.p95 <= many.most_micros == 90_000 * CHEAP
    sure = forecast(rows(2, PHONE, CITY), world(), stands_for=20)
    assert sure.cost.p95 <= sure.most_micros
