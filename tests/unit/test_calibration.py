"""Stated confidence becomes the share that was right: at small n carefully, at large n fully."""

import random
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from glaze.model.belief import Belief
from glaze.model.calibration import Bin, Curve, Judged, Point, cross_validated, fit, goodness
from glaze.model.observation import Observation
from glaze.model.value import FieldName
from glaze.pipeline.merge import merge

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CITY, PHONE = FieldName("company_city"), FieldName("company_phone")
TRUE_RATE = {("proud", CITY): 0.55, ("proud", PHONE): 0.60, ("modest", CITY): 0.92}
"""How often each simulated source is right; all state 80 to 95, the modest one 60 to 65."""


def world(seed: int, n: int) -> list[Judged]:
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        for (provider, name), rate in TRUE_RATE.items():
            stated = rng.choice((60, 65) if provider == "modest" else (80, 90, 95))
            found.append(Judged(provider, name, stated, rng.random() < rate))
    return found


def test_on_other_records_the_calibration_error_falls_by_more_than_half() -> None:
    """Simulated: sources of known rates, fitted on one world and measured on another."""
    curves = fit(world(1, 100))
    others = world(2, 1000)
    stated, calibrated = goodness(others, {}), goodness(others, curves)
    assert stated.ece > 0.25
    assert calibrated.ece < stated.ece / 2
    assert calibrated.brier < stated.brier


def test_what_is_told_of_a_fit_is_how_it_holds_for_records_that_it_has_not_seen() -> None:
    found = cross_validated([one._replace(record=n // 3) for n, one in enumerate(world(1, 100))])
    assert found is not None
    others = world(2, 1000)
    there = goodness(others, fit(world(1, 100)))
    assert found.before.ece > 0.2
    assert abs(found.after.ece - there.ece) < 0.05
    # Where right and wrong are a matter of luck, nothing is gained: a fit to itself would say so.
    rng = random.Random(3)
    luck = [Judged("p", CITY, 50, rng.random() < 0.5, n) for n in range(300)]
    told = cross_validated(luck)
    assert told is not None
    assert told.after.brier >= told.before.brier


def test_one_record_alone_tells_nothing_of_others() -> None:
    assert cross_validated([Judged("p", CITY, 50, right=True, record=7)] * 20) is None


def test_the_winner_changes_where_the_record_of_the_sources_says_so() -> None:
    seen = [
        Observation(CITY, "Berlin", 90, "proud", NOW),
        Observation(CITY, "Bern", 65, "modest", NOW),
    ]
    assert merge(seen, now=NOW)[CITY].value == "Berlin"
    fitted = Belief(curves=fit(world(1, 100)))
    winner = merge(seen, now=NOW, belief=fitted)[CITY]
    assert winner.value == "Bern"
    assert [one.value for one in winner.alternatives] == ["Berlin"]


def test_of_what_nothing_was_judged_a_source_is_believed_as_it_states() -> None:
    fitted = Belief(curves=fit(world(1, 100)))
    assert fitted.sure("stranger", CITY, 80) == 0.8
    assert fit([]) == {}


def test_one_judgement_moves_a_source_a_little_and_a_thousand_move_it_all_the_way() -> None:
    one = fit([Judged("proud", CITY, 90, right=False)])["proud", CITY]
    assert 0.7 < one.sure(90) < 0.9
    many = fit([Judged("proud", CITY, 90, right=False)] * 1000)["proud", CITY]
    assert many.sure(90) < 0.02


def test_a_field_with_few_judgements_is_believed_as_its_provider_is() -> None:
    seen = [Judged("proud", PHONE, 90, right=False)] * 200
    seen += [Judged("proud", CITY, 90, right=True)]
    assert fit(seen)["proud", CITY].sure(90) < 0.3


JUDGED = st.builds(
    Judged,
    st.sampled_from(["a", "b"]),
    st.sampled_from([CITY, PHONE]),
    st.integers(0, 100),
    st.booleans(),
)


@given(st.lists(JUDGED, max_size=60), st.data())
def test_a_curve_never_falls_stays_in_bounds_and_does_not_depend_on_the_order(
    judged: list[Judged], data: st.DataObject
) -> None:
    curves = fit(judged)
    assert fit(data.draw(st.permutations(judged))) == curves
    for curve in curves.values():
        sure = [curve.sure(stated) for stated in range(101)]
        assert all(0.0 <= one <= 1.0 for one in sure)
        assert all(low <= high + 1e-9 for low, high in pairwise(sure))


def test_a_curve_is_linear_between_its_points() -> None:
    curve = Curve((Point(50, 0.2), Point(90, 0.6)))
    assert [round(curve.sure(at), 6) for at in (0, 25, 50, 70, 90, 95, 100)] == [
        *(0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]


def test_the_interval_of_few_is_wide_and_within_0_and_1() -> None:
    low, high = Bin(80, 5, 5).interval
    assert (round(low, 3), high) == (0.566, 1.0)
    low, high = Bin(80, 1000, 500).interval
    assert (round(low, 3), round(high, 3)) == (0.469, 0.531)
