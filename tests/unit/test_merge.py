"""Several sources become one value: their order is nothing, their agreement something (E5)."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from glaze.model.agreement import agree
from glaze.model.belief import USER, Belief
from glaze.model.observation import Observation, Winner
from glaze.model.value import CallId, FieldName, Json, ObservationId, Reading
from glaze.pipeline.merge import CEILING, DECIDED, aged, merge

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY_S = 86_400
NAME = FieldName("company_name")
COUNT = FieldName("company_employee_count")
TECH = FieldName("company_technologies")

POOLS: dict[str, list[Json]] = {
    "company_name": ["Acme", "ACME Inc.", "Acme GmbH", "Umbrella", "The Acme Co., Ltd."],
    "company_employee_count": [90, 95, 100, 104, 109, 500, 0],
    "company_city": ["Zürich", "Zurich", "Basel"],
    "company_phone": ["+4930123456", "+4930123457"],
    "company_website": ["https://www.acme.com", "https://acme.com", "https://acme.de"],
    "company_founded_date": ["1998", "1998-05", "1998-05-04", "2001-01-01"],
    "company_technologies": [["Nginx", "PHP"], ["php", "React"], ["Vue"]],
    "company_registry_ids": [{"lei": "x"}, {"lei": "y", "cik": "1"}, {"cik": "1"}],
}


@st.composite
def observations(draw: st.DrawFn, field: str | None = None) -> Observation:
    name = field or draw(st.sampled_from(sorted(POOLS)))
    return Observation(
        field=FieldName(name),
        value=draw(st.sampled_from(POOLS[name])),
        confidence=draw(st.integers(0, 100)),
        provider=draw(st.sampled_from(["apollo", "dns", "serper", "website"])),
        retrieved_at=NOW - timedelta(days=draw(st.integers(-1, 200))),
        source_url=draw(st.sampled_from([None, "https://acme.com/a", "https://acme.com/b"])),
        id=draw(st.none() | st.integers(1, 9).map(ObservationId)),
    )


def said(
    field: FieldName, value: Json, confidence: int, provider: str, *, days_ago: int = 0
) -> Observation:
    return Observation(field, value, confidence, provider, NOW - timedelta(days=days_ago))


@given(st.data(), st.lists(observations(), max_size=8))
def test_the_order_of_observations_does_not_matter(
    data: st.DataObject, seen: list[Observation]
) -> None:
    assert merge(data.draw(st.permutations(seen)), now=NOW) == merge(seen, now=NOW)


@given(st.lists(observations(), min_size=1, max_size=6), st.data())
def test_an_observation_repeated_changes_nothing(
    seen: list[Observation], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(seen), max_size=4))
    assert merge([*seen, *again], now=NOW) == merge(seen, now=NOW)


@given(st.data(), st.sampled_from(sorted(POOLS)))
def test_an_agreeing_witness_never_lowers_the_confidence(data: st.DataObject, field: str) -> None:
    seen = data.draw(st.lists(observations(field), min_size=1, max_size=6))
    witness = data.draw(observations(field))
    before = merge(seen, now=NOW)[FieldName(field)]
    if agree(FieldName(field), before.value, witness.value):
        after = merge([*seen, witness], now=NOW)[FieldName(field)]
        assert after.confidence >= before.confidence


def confidence_in(winner: Winner, field: str, value: Json) -> int | None:
    """Return how sure the merge is of ``value``, whether it won or not; None where it shows neither."""
    if winner.value == value:
        return winner.confidence
    shown = [
        one.confidence for one in winner.alternatives if agree(FieldName(field), one.value, value)
    ]
    return shown[0] if shown else None


EXCLUSIVE = st.sampled_from(["company_name", "company_city", "company_phone", "company_website"])
"""Fields of which one value is right, and agreement is one sort of sameness."""


@given(st.data(), EXCLUSIVE)
def test_a_contradiction_never_raises_the_confidence_of_what_it_contradicts(
    data: st.DataObject, field: str
) -> None:
    seen = data.draw(st.lists(observations(field), min_size=1, max_size=6))
    rival = data.draw(observations(field))
    before = merge(seen, now=NOW)[FieldName(field)]
    if not agree(FieldName(field), before.value, rival.value):
        after = merge([*seen, rival], now=NOW)[FieldName(field)]
        told = confidence_in(after, field, before.value)
        assert told is None or told <= before.confidence


@given(st.data(), EXCLUSIVE, st.integers(0, 100), st.integers(0, 100))
def test_a_dependent_witness_gives_no_more_than_the_surer_of_the_two_would_alone(
    data: st.DataObject, field: str, own: int, echoed: int
) -> None:
    others = data.draw(st.lists(observations(field), max_size=5))
    value = data.draw(st.sampled_from(POOLS[field]))
    first = said(FieldName(field), value, own, "enrichlayer")
    echo = said(FieldName(field), value, echoed, "brightdata")
    surer = max(first, echo, key=lambda one: one.confidence)
    belief = Belief({"enrichlayer": "linkedin", "brightdata": "linkedin"})
    both = merge([*others, first, echo], now=NOW, belief=belief)[FieldName(field)]
    alone = merge([*others, surer], now=NOW, belief=belief)[FieldName(field)]
    assert (both.value, both.confidence) == (alone.value, alone.confidence)


@given(st.integers(0, 100), st.integers(0, 100))
def test_two_that_share_an_origin_are_as_sure_as_the_surer_one(one: int, other: int) -> None:
    page = "https://acme.com/about"
    of_family = [said(NAME, "Acme", one, "enrichlayer"), said(NAME, "Acme", other, "brightdata")]
    belief = Belief({"enrichlayer": "linkedin", "brightdata": "linkedin"})
    of_page = [
        replace(said(NAME, "Acme", one, "website"), source_url=page),
        replace(said(NAME, "Acme", other, "reader"), source_url="http://www.Acme.com/about/#team"),
    ]
    surer = min(CEILING, max(one, other))
    assert merge(of_family, now=NOW, belief=belief)[NAME].confidence == surer
    assert merge(of_page, now=NOW)[NAME].confidence == surer


def test_two_pages_of_two_sources_are_two_witnesses() -> None:
    seen = [
        replace(said(NAME, "Acme", 80, "website"), source_url="https://acme.com/about"),
        replace(said(NAME, "Acme", 70, "reader"), source_url="https://acme.com/contact"),
    ]
    assert merge(seen, now=NOW)[NAME].confidence == 87


def test_a_second_source_on_one_page_does_not_contradict_more_than_the_first() -> None:
    rivals = [
        replace(said(NAME, "Umbrella", 60, name), source_url="https://x.com/a") for name in "ab"
    ]
    seen = [said(NAME, "Acme", 80, "website"), *rivals]
    assert merge(seen, now=NOW)[NAME].confidence == 62


def test_what_a_source_states_beside_is_no_contradiction_of_its_own() -> None:
    phone = FieldName("company_phone")
    seen = [said(phone, "+4930123456", 80, "website"), said(phone, "+4930123457", 70, "website")]
    winner = merge(seen, now=NOW)[phone]
    assert winner.confidence == 80
    assert [one.confidence for one in winner.alternatives] == [70]


def test_each_further_contradiction_lowers_more() -> None:
    sure = [
        merge([said(NAME, "Acme", 80, "website"), *rivals], now=NOW)[NAME].confidence
        for rivals in (
            [],
            [said(NAME, "Umbrella", 70, "apollo")],
            [said(NAME, "Umbrella", 70, "apollo"), said(NAME, "Initech", 70, "serper")],
        )
    ]
    assert sure == [80, 55, 44]


@given(st.data(), st.sampled_from(sorted(POOLS)))
def test_what_a_person_decided_wins_over_every_source_whatever_its_age(
    data: st.DataObject, field: str
) -> None:
    seen = data.draw(st.lists(observations(field), max_size=6))
    value = data.draw(st.sampled_from(POOLS[field]))
    decided = said(FieldName(field), value, 100, USER, days_ago=4000)
    winner = merge([*seen, decided], now=NOW)[FieldName(field)]
    assert (winner.value, winner.confidence) == (value, DECIDED)
    assert not any(agree(FieldName(field), one.value, value) for one in winner.alternatives)


@given(st.lists(observations(), min_size=1, max_size=8))
def test_confidence_stays_between_nothing_and_the_ceiling(seen: list[Observation]) -> None:
    for field, winner in merge(seen, now=NOW).items():
        assert 0 <= winner.confidence <= CEILING
        assert winner.observation.field == field
        assert winner.observation.provider in winner.witnesses


def test_a_single_fresh_source_keeps_its_own_confidence() -> None:
    assert merge([said(NAME, "Acme", 80, "website")], now=NOW)[NAME].confidence == 80


def test_two_sources_that_agree_are_believed_more_than_either() -> None:
    winner = merge(
        [said(NAME, "Acme", 80, "website"), said(NAME, "ACME Inc.", 70, "serper")], now=NOW
    )[NAME]
    assert winner.value == "Acme"
    assert winner.confidence == 87
    assert winner.witnesses == ("serper", "website")
    assert winner.alternatives == ()


def test_two_sources_of_one_family_are_one_witness() -> None:
    seen = [said(NAME, "Acme", 80, "website"), said(NAME, "Acme", 70, "serper")]
    one_feed = Belief({"website": "web", "serper": "web"})
    assert merge(seen, now=NOW, belief=one_feed)[NAME].confidence == 80


def test_where_two_independent_sources_disagree_the_winner_is_right_as_often_as_it_says() -> None:
    """Simulated: what sources state is how often each is right, and they never err alike."""
    rng = random.Random(7)
    bins: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for _ in range(4_000):
        rates = {name: rng.choice((55, 65, 75, 85, 92)) for name in ("apollo", "website")}
        stated = {name: name if rng.random() * 100 > rate else "so" for name, rate in rates.items()}
        seen = [said(NAME, stated[name], rate, name) for name, rate in rates.items()]
        winner = merge(seen, now=NOW)[NAME]
        if winner.alternatives:
            bins[winner.confidence // 5].append((winner.confidence / 100, winner.value == "so"))
    told = [
        abs(sum(sure for sure, _ in one) - sum(right for _, right in one)) for one in bins.values()
    ]
    conflicts = sum(map(len, bins.values()))
    assert conflicts > 1_000
    error = sum(told) / conflicts
    assert error < 0.05


def test_disagreement_keeps_the_best_and_the_alternative_and_lowers_by_how_sure_the_rival_is() -> (
    None
):
    winner = merge(
        [said(NAME, "Acme", 80, "website"), said(NAME, "Umbrella", 60, "serper")], now=NOW
    )[NAME]
    assert winner.value == "Acme"
    assert winner.confidence == 62
    assert [(a.value, a.source) for a in winner.alternatives] == [("Umbrella", "serper")]
    assert winner.alternatives[0].confidence == 23


def test_two_lesser_sources_together_beat_a_better_one_alone() -> None:
    winner = merge(
        [
            said(NAME, "Umbrella", 80, "apollo"),
            said(NAME, "Acme", 75, "website"),
            said(NAME, "Acme AG", 75, "serper"),
        ],
        now=NOW,
    )[NAME]
    assert winner.value in ("Acme", "Acme AG")


def test_a_fresh_value_beats_a_stale_one_of_a_better_source() -> None:
    stale, fresh = said(NAME, "Old", 95, "apollo", days_ago=60), said(NAME, "New", 80, "website")
    assert merge([stale, fresh], now=NOW)[NAME].value == "New"
    assert merge([stale], now=NOW)[NAME].confidence < 95


def test_nothing_is_lost_within_freshness_and_half_in_ten_times_that_beyond() -> None:
    assert aged(80, 7 * DAY_S, 7 * DAY_S) == 0.8
    assert aged(80, 77 * DAY_S, 7 * DAY_S) == 0.4
    assert aged(80, -DAY_S, 7 * DAY_S) == 0.8


def test_equal_claims_are_decided_by_time_then_by_name() -> None:
    older = said(NAME, "Umbrella", 80, "apollo", days_ago=2)
    assert merge([older, said(NAME, "Acme", 80, "website")], now=NOW)[NAME].value == "Acme"
    tie = [said(NAME, "Acme", 80, "website"), said(NAME, "Umbrella", 80, "apollo")]
    assert merge(tie, now=NOW)[NAME].value == "Umbrella"


def test_head_counts_within_a_tenth_agree() -> None:
    winner = merge([said(COUNT, 100, 80, "apollo"), said(COUNT, 95, 70, "website")], now=NOW)[COUNT]
    assert (winner.value, winner.alternatives) == (100, ())
    assert winner.confidence > 80


def test_lists_complete_each_other_with_the_best_source_first() -> None:
    winner = merge(
        [said(TECH, ["php", "React"], 60, "serper"), said(TECH, ["Nginx", "PHP"], 80, "website")],
        now=NOW,
    )[TECH]
    assert winner.value == ["Nginx", "PHP", "React"]
    assert winner.observation.provider == "website"
    assert winner.alternatives == ()


def test_a_result_shows_where_its_value_came_from() -> None:
    reading = Reading(NAME, "Acme", 80, quote="<title>Acme", url="https://acme.com")
    seen = Observation.of(reading, provider="website", retrieved_at=NOW)
    shown = merge([seen], now=NOW)[NAME].as_field_value(cached=True)
    assert (shown.source, shown.source_url, shown.quote) == (
        "website",
        "https://acme.com",
        "<title>Acme",
    )
    assert shown.cached


def test_a_field_that_no_longer_exists_is_passed_over() -> None:
    gone = said(FieldName("company_fax"), "x", 80, "website")
    assert list(merge([gone, said(NAME, "Acme", 80, "website")], now=NOW)) == [NAME]


def test_nothing_that_is_merged_is_certain() -> None:
    assert merge([said(NAME, "Acme", 100, "website")], now=NOW)[NAME].confidence == CEILING == 99


def bought(field: str, value: Json, confidence: int, *, about: str | None = None) -> Observation:
    return Observation(
        FieldName(field),
        value,
        confidence,
        "vendor",
        NOW,
        source_url=about and f"mailto:{about}",
        call_id=CallId(1),
    )


def test_a_status_counts_only_for_the_address_it_is_about() -> None:
    a, b = bought("person_email", "a@x.com", 90), bought("person_email", "b@x.com", 60)
    of_a = bought("person_email_status", "risky", 80, about="A@x.com")
    of_b = bought("person_email_status", "deliverable", 97, about="b@x.com")
    merged = merge([a, b, of_a, of_b], now=NOW)
    assert merged[FieldName("person_email_status")].value == "risky"
    alone = merge([of_b], now=NOW, mailbox="a@x.com")
    assert alone == {}


def test_an_address_found_undeliverable_loses_to_any_other_unless_a_surer_one_says_else() -> None:
    email = FieldName("person_email")
    a, b = bought("person_email", "a@x.com", 95), bought("person_email", "b@x.com", 40)
    dead = bought("person_email_status", "undeliverable", 90, about="a@x.com")
    assert merge([a, b, dead], now=NOW)[email].value == "b@x.com"
    alive = bought("person_email_status", "deliverable", 97, about="a@x.com")
    assert merge([a, b, dead, alive], now=NOW)[email].value == "a@x.com"


def choice(value: Json, confidence: int = 40) -> Observation:
    raw = "chosen among: Acme | Umbrella"
    return Observation(NAME, value, confidence, "llm", NOW, raw=raw, call_id=CallId(9))


def test_a_models_choice_takes_a_fifth_of_the_doubt_and_keeps_the_other_value() -> None:
    rivals = [said(NAME, "Acme", 44, "apollo"), said(NAME, "Umbrella", 46, "website")]
    before = merge(rivals, now=NOW)[NAME]
    after = merge([*rivals, choice("Acme")], now=NOW)[NAME]
    assert (before.value, after.value) == ("Umbrella", "Acme")
    support = 1 - (1 - 0.44) * 0.8
    odds, against = support / (1 - support), 0.46 / (1 - 0.46)
    assert after.confidence == round(odds / (1 + odds + against) * 100)
    assert [other.value for other in after.alternatives] == ["Umbrella"]


def test_a_choice_counts_for_the_site_though_a_reading_of_the_same_pages_does_not() -> None:
    rivals = [said(NAME, "Acme", 44, "website"), said(NAME, "Umbrella", 46, "apollo")]
    read = Observation(NAME, "Acme", 40, "llm", NOW, call_id=CallId(9))
    site = Belief({"llm": "website"})
    assert merge([*rivals, read], now=NOW, belief=site)[NAME].value == "Umbrella"
    assert merge([*rivals, choice("Acme")], now=NOW, belief=site)[NAME].value == "Acme"


def test_a_choice_that_no_source_states_any_more_is_no_value() -> None:
    winner = merge([said(NAME, "Umbrella", 10, "apollo"), choice("Acme")], now=NOW)[NAME]
    assert (winner.value, winner.alternatives) == ("Umbrella", ())


def test_what_is_left_of_a_field_may_be_nothing_but_a_choice() -> None:
    assert merge([choice("Acme")], now=NOW) == {}


def test_two_choices_are_one_witness() -> None:
    rivals = [said(NAME, "Acme", 44, "apollo"), said(NAME, "Umbrella", 46, "website")]
    once = merge([*rivals, choice("Acme")], now=NOW)[NAME]
    other = replace(choice("Acme"), provider="anthropic")
    assert merge([*rivals, choice("Acme"), other], now=NOW)[NAME].confidence == once.confidence
