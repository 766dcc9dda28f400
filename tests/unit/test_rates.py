"""What the ledger teaches of providers: rates in their circumstances, and what follows for the order (E13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glaze.model.history import Tally
from glaze.model.provider import Operation, ProviderSpec, Tier
from glaze.model.value import FieldName, Json, Micros
from glaze.pipeline.learned import TRIAL_EVERY, Experience
from glaze.pipeline.lessons import lessons, lifts
from glaze.pipeline.order import Rules, arranged, next_operation
from glaze.pipeline.rates import LEAST, Rates

EMAIL, PHONE = FieldName("person_email"), FieldName("person_phone")
NAME = FieldName("person_full_name")
KNOWN: dict[FieldName, Json] = {NAME: "Ada Lovelace"}
FIELDS = frozenset({EMAIL, PHONE})


def source(
    name: str, *fields: FieldName, price: int = 0, tier: Tier = Tier.EVIDENCE
) -> ProviderSpec:
    operation = Operation(
        "get", (frozenset({NAME}),), dict.fromkeys(fields or (EMAIL,), 80), Micros(price)
    )
    return ProviderSpec(name, (operation,), tier=tier)


def tally(
    name: str,
    asked: float,
    rate: float,
    *,
    price: int,
    field: FieldName = EMAIL,
    missed: tuple[str, ...] = (),
    country: str = "",
    seconds: float = 1.0,
) -> Tally:
    return Tally(
        f"{name}.get",
        field,
        frozenset(f"{one}.get" for one in missed),
        str(NAME),
        country,
        round(asked),
        asked,
        asked * rate,
        asked * price,
        asked * seconds,
    )


A, B, C = (
    source("a", price=10_000),
    source("b", price=20_000),
    source("c", price=90_000),
)
SPECS = [A, B, C]


def first(
    specs: list[ProviderSpec],
    *tallies: Tally,
    question: str | None = None,
    earlier: frozenset[str] = frozenset(),
    left: int | None = None,
    rules: Rules | None = None,
    missing: frozenset[FieldName] = frozenset({EMAIL}),
) -> tuple[str, str]:
    """Return who is asked first by this history, and why; as a rule in no trial."""
    rates = Rates(tallies, specs)
    names = [question] if question else [f"q{n}" for n in range(1000)]
    cases = [Experience(rates, earlier, question=name) for name in names]
    case = next(one for one in cases if question or not one.is_trial)
    found = next_operation(
        specs,
        missing,
        KNOWN,
        None if left is None else Micros(left),
        tried=earlier,
        rules=rules or Rules(learned=True),
        experience=case,
    )
    assert found.choice is not None
    return found.choice.spec.name, found.choice.reason


def trial_question(rates: Rates) -> str:
    return next(name for name in map(str, range(1000)) if Experience(rates, question=name).is_trial)


def test_without_history_the_cheapest_is_asked_first() -> None:
    assert first(SPECS) == ("a", "cheapest of 3 ($0.01) for person_email")


def test_what_fills_more_for_a_dollar_is_asked_first_and_the_reason_states_the_figures() -> None:
    poor, good = tally("a", 400, 0.05, price=10_000), tally("b", 340, 0.62, price=20_000)
    name, reason = first(SPECS, poor, good)
    assert name == "b"
    assert reason == "fills 62 % of person_email at $0.02 expected, 340 asked; one of 3"


def test_what_fills_more_for_a_dollar_waits_for_who_is_named_before_it() -> None:
    poor, good = tally("a", 400, 0.05, price=10_000), tally("b", 340, 0.62, price=20_000)
    assert first(SPECS, poor, good, rules=Rules(order=("a",), learned=True))[0] == "a"


def test_below_thirty_calls_nothing_is_learned() -> None:
    poor, good = tally("a", 400, 0.05, price=10_000), tally("b", LEAST - 1, 0.9, price=20_000)
    assert first(SPECS, poor, good)[0] == "a"
    assert first(SPECS, poor, tally("b", LEAST, 0.9, price=20_000))[0] == "b"


def test_a_source_that_saw_only_the_hard_ones_is_not_taken_for_a_poor_one() -> None:
    # b was asked only where a had missed: of those it fills few, which says nothing of the rest
    late = tally("b", 500, 0.08, price=20_000, missed=("a",))
    rates = Rates([tally("a", 1000, 0.5, price=10_000), late], SPECS)
    assert rates.of("b.get", EMAIL, asked_by=NAME).rate == 0.5
    assert not rates.of("b.get", EMAIL, asked_by=NAME).known
    after = rates.of("b.get", EMAIL, frozenset({"a.get"}), NAME)
    assert after.rate == pytest.approx(0.08, abs=0.01)
    assert after.known


def test_what_is_found_easily_bounds_what_is_found_hard() -> None:
    rates = Rates([tally("b", 400, 0.1, price=20_000)], SPECS)
    assert rates.of("b.get", EMAIL, frozenset({"a.get"})).rate == pytest.approx(0.1, abs=0.01)


def test_only_misses_of_paid_sources_of_the_same_field_are_circumstances() -> None:
    free, other = source("free"), source("other", PHONE, price=5)
    specs = [*SPECS, free, other]
    rates = Rates([tally("a", 100, 0.4, price=10_000, missed=("free", "other"))], specs)
    assert rates.of("a.get", EMAIL, frozenset({"free.get", "other.get"}), NAME).asked == 100
    assert rates.of("a.get", EMAIL, frozenset(), NAME).asked == 100


def test_a_rare_country_leans_on_all_and_a_frequent_one_speaks_for_itself() -> None:
    rates = Rates(
        [
            tally("a", 2000, 0.8, price=10_000, country="US"),
            tally("a", 400, 0.1, price=10_000, country="JP"),
            tally("a", 2, 0.0, price=10_000, country="MT"),
        ],
        SPECS,
    )
    overall = rates.of("a.get", EMAIL, asked_by=NAME).rate
    assert overall == pytest.approx(0.68, abs=0.01)
    assert rates.of("a.get", EMAIL, asked_by=NAME, country="JP").rate < 0.12
    assert rates.of("a.get", EMAIL, asked_by=NAME, country="MT").rate > overall * 0.8


def test_where_misses_are_free_the_cheaper_hit_comes_first_however_rare() -> None:
    rare = tally("b", 200, 0.2, price=4_000)  # 20,000 a hit, nothing a miss
    dear = tally("c", 200, 0.9, price=81_000)
    assert first([B, C], rare, dear)[0] == "b"


def test_of_what_is_worth_as_much_the_quicker_is_asked() -> None:
    slow = tally("a", 200, 0.5, price=10_000, seconds=9)
    twin = source("z", price=10_000)
    quick = tally("z", 200, 0.5, price=10_000, seconds=1)
    assert first([A, twin], slow, quick)[0] == "z"


def test_what_fills_two_of_the_missing_fields_may_cost_more_than_what_fills_one() -> None:
    wide, narrow = source("wide", EMAIL, PHONE, price=15_000), A
    history = [tally("a", 99, 0.6, price=10_000)] + [
        tally("wide", 99, 0.6, price=15_000, field=name) for name in (EMAIL, PHONE)
    ]
    assert first([wide, narrow], *history, missing=FIELDS)[0] == "wide"
    assert first([wide, narrow], *history, missing=frozenset({EMAIL}))[0] == "a"


def test_what_is_free_is_asked_before_anything_is_paid_for() -> None:
    specs = [*SPECS, source("free")]
    assert first(specs, tally("a", 900, 0.99, price=10_000))[0] == "free"


def test_every_fourth_question_or_so_goes_to_who_may_be_better() -> None:
    history = [tally("a", 500, 0.3, price=10_000)]
    rates = Rates(history, SPECS)
    names = [f"{n}@acme.com" for n in range(1000)]
    trials = [name for name in names if Experience(rates, question=name).is_trial]
    assert 1000 / TRIAL_EVERY * 0.8 < len(trials) < 1000 / TRIAL_EVERY * 1.2
    name, reason = first(SPECS, *history, question=trials[0])
    assert name == "b"  # c would not be better if it filled all
    assert reason == "on trial, 0 asked: it may do better than a.get; one of 3"


def test_nobody_is_tried_who_cannot_be_better() -> None:
    history = [tally("a", 500, 0.9, price=10_000)]
    question = trial_question(Rates(history, SPECS))
    assert first(SPECS, *history, question=question)[0] == "a"


def test_after_bad_luck_a_source_is_tried_again_once_its_calls_have_aged() -> None:
    good = tally("a", 1400, 0.4, price=10_000)
    question = trial_question(Rates([good], SPECS))
    unlucky = tally("b", 30, 0.1, price=20_000)
    assert first([A, B], good, unlucky, question=question)[0] == "a"
    aged = tally("b", 0.5, 0.1, price=20_000)
    assert first([A, B], good, aged, question=question)[0] == "b"


def test_a_job_that_goes_on_asks_first_whom_it_has_asked() -> None:
    history = [tally("a", 400, 0.05, price=10_000), tally("b", 340, 0.62, price=20_000)]
    experience = Experience(Rates(history, SPECS), question="q")
    found = next_operation(
        SPECS,
        frozenset({EMAIL}),
        KNOWN,
        None,
        rules=Rules(learned=True),
        had=frozenset({"c.get"}),
        experience=experience,
    )
    assert found.choice is not None
    assert found.choice.name == "c.get"
    assert found.choice.reason == "answered to this job before"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ((), ((), True)),
        (("learned",), ((), True)),
        (("cheapest",), ((), False)),
        (("apollo", "hunter.email_finder"), (("apollo", "hunter.email_finder"), False)),
        (("apollo", "learned"), (("apollo",), True)),
        (("originals",), (("enrichlayer", "website", "serper", "llm"), False)),
    ],
)
def test_an_order_is_given_in_words(
    words: tuple[str, ...], meant: tuple[tuple[str, ...], bool]
) -> None:
    assert arranged(words) == meant


NAMES = ("a", "b", "c", "d", "e")
specs_ = st.lists(
    st.builds(
        source,
        st.sampled_from(NAMES),
        st.sampled_from([EMAIL, PHONE]),
        price=st.sampled_from([0, 1_000, 20_000, 280_000]),
        tier=st.sampled_from(Tier),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda spec: spec.name,
)
tallies_ = st.lists(
    st.builds(
        tally,
        st.sampled_from(NAMES),
        st.floats(0.01, 2000),
        st.floats(0, 1),
        price=st.integers(0, 300_000),
        field=st.sampled_from([EMAIL, PHONE]),
        missed=st.lists(st.sampled_from(NAMES), max_size=4, unique=True).map(tuple),
        country=st.sampled_from(["", "DE"]),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(specs_, tallies_, st.integers(0, 300_000), st.text(max_size=3), st.randoms())
def test_whatever_was_learned_no_budget_is_passed_and_evidence_goes_first(
    specs: list[ProviderSpec], tallies: list[Tally], left: int, question: str, random: object
) -> None:
    experience = Experience(Rates(tallies, specs), question=question)
    rules = Rules(learned=True)

    def choose(among: list[ProviderSpec]) -> tuple[str, str] | None:
        found = next_operation(
            among, FIELDS, KNOWN, Micros(left), rules=rules, experience=experience
        )
        return found.choice and (found.choice.name, found.choice.reason)

    chosen = choose(specs)
    by_name = {f"{spec.name}.get": spec for spec in specs}
    fitting = [spec for spec in specs if spec.operation("get").price_micros <= left]
    assert (chosen is None) is (not fitting)
    if chosen is None:
        return
    assert by_name[chosen[0]].operation("get").price_micros <= left
    if by_name[chosen[0]].tier is Tier.INFERENCE:
        assert all(spec.tier is Tier.INFERENCE for spec in fitting)
    shuffled = list(specs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(shuffled) == chosen


@settings(max_examples=40)
@given(specs_, tallies_, st.permutations(NAMES), st.text(max_size=3))
def test_a_fixed_order_is_kept_whatever_was_learned(
    specs: list[ProviderSpec], tallies: list[Tally], order: list[str], question: str
) -> None:
    rates = Rates(tallies, specs)
    tried: set[str] = set()
    asked: list[ProviderSpec] = []
    while True:
        experience = Experience(rates, frozenset(tried), question=question)
        rules = Rules(order=tuple(order), learned=True)
        found = next_operation(
            specs, FIELDS, KNOWN, None, tried=tried, rules=rules, experience=experience
        )
        if found.choice is None:
            break
        tried.add(found.choice.name)
        asked.append(found.choice.spec)
    expected = sorted(specs, key=lambda s: (s.tier is Tier.INFERENCE, order.index(s.name)))
    assert [spec.name for spec in asked] == [spec.name for spec in expected]


@settings(max_examples=40)
@given(tallies_, st.lists(st.sampled_from(NAMES), max_size=4).map(frozenset))
def test_an_estimate_is_a_chance_within_its_interval(
    tallies: list[Tally], earlier: frozenset[str]
) -> None:
    specs = [source(name, EMAIL, PHONE, price=9_000) for name in NAMES]
    rates = Rates(tallies, specs)
    for name in NAMES:
        found = rates.of(f"{name}.get", EMAIL, frozenset(f"{one}.get" for one in earlier), NAME)
        assert 0 <= found.low <= found.rate <= found.high <= 1
        assert found.cost_micros >= 0


def test_what_a_source_adds_is_counted_where_others_had_missed_with_its_sample_size() -> None:
    tallies = [
        tally("a", 200, 0.5, price=10_000),
        tally("b", 100, 0.2, price=20_000, missed=("a",)),
        tally("c", 50, 0.0, price=90_000, missed=("a", "b")),
    ]
    found = {one.operation: one for one in lifts(tallies, SPECS, {EMAIL: 200})}
    assert set(found) == {"b.get", "c.get"}
    assert found["b.get"].calls == 100
    assert found["b.get"].rate == pytest.approx(0.2)
    assert found["b.get"].points == pytest.approx(0.1)  # 20 more of 200 that were asked about
    assert found["b.get"].low < 0.2 < found["b.get"].high
    assert found["c.get"].low == pytest.approx(0, abs=1e-9)
    assert found["c.get"].high > 0.03  # nothing of 50 is not nothing


def test_what_filled_whatever_others_had_missed_adds_all_of_it_and_no_more() -> None:
    """A model is asked about several pages of one company."""
    tallies = [tally("a", 50, 0.0, price=10_000), tally("b", 90, 0.6, missed=("a",), price=20_000)]
    assert [one.points for one in lifts(tallies, SPECS, {EMAIL: 50})] == [1.0]


def test_lessons_come_in_the_order_in_which_one_would_ask() -> None:
    tallies = [
        tally("a", 400, 0.05, price=10_000, country="DE"),
        tally("b", 340, 0.62, price=20_000, country="US"),
        tally("a", 60, 0.02, price=10_000, missed=("b",)),
    ]
    found = lessons(tallies, SPECS)
    assert [(one.operation, one.missed) for one in found] == [
        ("b.get", ()),
        ("a.get", ()),
        ("a.get", ("b.get",)),
    ]
    assert found[0].per_fill_micros == pytest.approx(32_258, rel=0.02)
    countries = {one.country: one.calls for one in lessons(tallies, SPECS, segments=True)}
    assert countries == {"DE": 400, "US": 340, "": 60}
