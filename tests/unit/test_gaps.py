"""The waterfall goes on as long as a wanted field is missing or doubtful."""

from datetime import UTC, datetime

from glaze.model.observation import Observation, Winner
from glaze.model.value import FieldName
from glaze.pipeline.gaps import gaps

NAME, PHONE = FieldName("company_name"), FieldName("company_phone")


def winner(field: FieldName, confidence: int) -> Winner:
    seen = Observation(field, "x", confidence, "website", datetime(2026, 1, 1, tzinfo=UTC))
    return Winner(seen, confidence)


def test_a_field_without_value_is_a_gap() -> None:
    assert gaps([NAME, PHONE], {NAME: winner(NAME, 80)}, lambda _: 50) == {PHONE}


def test_a_value_below_the_floor_is_a_gap_and_one_at_it_is_not() -> None:
    assert gaps([NAME], {NAME: winner(NAME, 49)}, lambda _: 50) == {NAME}
    assert gaps([NAME], {NAME: winner(NAME, 50)}, lambda _: 50) == frozenset()


def test_what_nobody_wants_is_no_gap() -> None:
    assert (
        gaps([NAME], {NAME: winner(NAME, 80), PHONE: winner(PHONE, 1)}, lambda _: 50) == frozenset()
    )
