"""Who is asked next: evidence first, cheapest first, and always with a reason (E9, E10, E12)."""

from glaze.model.provider import Operation, ProviderSpec, Tier
from glaze.model.value import FieldName, Json, Micros
from glaze.pipeline.order import Next, Rules, next_operation, question_needs

NAME, PHONE = FieldName("company_name"), FieldName("company_phone")
DOMAIN, EMAIL = FieldName("company_domain"), FieldName("person_email")
KNOWN: dict[FieldName, Json] = {DOMAIN: "acme.com"}
BOTH = frozenset({NAME, PHONE})


def source(
    name: str,
    *fields: FieldName,
    price: int = 0,
    needs: tuple[frozenset[FieldName], ...] = (frozenset({DOMAIN}),),
    tier: Tier = Tier.EVIDENCE,
    opt_in: bool = False,
    confidence: int = 80,
) -> ProviderSpec:
    operation = Operation("get", needs, dict.fromkeys(fields, confidence), Micros(price))
    return ProviderSpec(name, (operation,), tier=tier, opt_in=opt_in)


def asked(found: Next) -> str | None:
    return found.choice.name if found.choice else None


def whys(found: Next) -> dict[str, str]:
    return {skipped.name: skipped.why for skipped in found.skipped}


def test_the_cheaper_source_is_asked_first() -> None:
    sources = [source("dear", NAME, price=90_000), source("cheap", NAME, price=1_000)]
    found = next_operation(sources, BOTH, KNOWN, None)
    assert asked(found) == "cheap.get"
    assert found.choice is not None
    assert found.choice.reason == "cheapest of 2 ($0.001) for company_name"
    assert found.choice.position == 1


def test_at_the_same_price_the_one_that_covers_more_is_asked() -> None:
    sources = [source("one", NAME), source("two", NAME, PHONE)]
    assert asked(next_operation(sources, BOTH, KNOWN, None)) == "two.get"


def test_the_sites_own_words_go_first_and_a_round_of_many_sites_last() -> None:
    sources = [source("social", NAME, PHONE), source("website", NAME), source("other", NAME)]
    order = []
    while (found := asked(next_operation(sources, BOTH, KNOWN, None, tried={*order}))) is not None:
        order.append(found)
    assert order == ["website.get", "other.get", "social.get"]


def test_a_tie_is_decided_by_name_whatever_the_order_of_installation() -> None:
    sources = [source("website", NAME), source("dns_mx", NAME), source("aaa", NAME)]
    assert asked(next_operation(sources, BOTH, KNOWN, None)) == "website.get"
    assert asked(next_operation(sources[::-1], BOTH, KNOWN, None)) == "website.get"


def test_who_was_tried_is_not_asked_again() -> None:
    sources = [source("one", NAME), source("two", NAME)]
    found = next_operation(sources, BOTH, KNOWN, None, tried={"one.get"})
    assert asked(found) == "two.get"
    assert found.choice is not None
    assert found.choice.position == 2
    assert asked(next_operation(sources, BOTH, KNOWN, None, tried={"one.get", "two.get"})) is None


def test_what_one_operation_brought_is_not_bought_again_with_one_that_holds_it_too() -> None:
    needs = (frozenset({DOMAIN}),)
    half = Operation("half", needs, {NAME: 80}, Micros(1_000))
    whole = Operation(
        "whole", needs, {NAME: 80, PHONE: 80}, Micros(2_000), includes=frozenset({"half"})
    )
    vendor = [ProviderSpec("one", (half, whole))]
    assert asked(next_operation(vendor, BOTH, KNOWN, None)) == "one.half"
    assert asked(next_operation(vendor, BOTH, KNOWN, None, tried={"one.half"})) is None
    assert asked(next_operation(vendor, BOTH, KNOWN, None, tried={"one.whole"})) is None


def test_inference_waits_until_no_evidence_is_left_even_where_it_is_cheaper() -> None:
    sources = [source("llm", NAME, tier=Tier.INFERENCE), source("apollo", NAME, price=100_000)]
    assert asked(next_operation(sources, BOTH, KNOWN, None)) == "apollo.get"
    fixed = Rules(order=("llm", "apollo"))
    assert asked(next_operation(sources, BOTH, KNOWN, None, rules=fixed)) == "apollo.get"
    found = next_operation(sources, BOTH, KNOWN, None, tried={"apollo.get"})
    assert asked(found) == "llm.get"
    assert found.choice is not None
    assert found.choice.reason.startswith("no evidence source is left")


def test_inference_is_asked_when_evidence_is_not_to_be_paid_for() -> None:
    sources = [source("llm", NAME, tier=Tier.INFERENCE), source("apollo", NAME, price=100_000)]
    found = next_operation(sources, BOTH, KNOWN, Micros(40_000))
    assert asked(found) == "llm.get"
    assert whys(found) == {"apollo.get": "over budget: costs up to $0.10, $0.04 left"}


def test_a_source_that_costs_exactly_what_is_left_is_asked() -> None:
    sources = [source("apollo", NAME, price=100_000)]
    assert asked(next_operation(sources, BOTH, KNOWN, Micros(100_000))) == "apollo.get"


def test_a_source_without_its_identifiers_is_skipped_and_says_what_it_needs() -> None:
    sources = [source("finder", NAME, needs=(frozenset({EMAIL}), frozenset({NAME, PHONE})))]
    found = next_operation(sources, BOTH, KNOWN, None)
    assert asked(found) is None
    assert whys(found) == {"finder.get": "needs person_email or company_name and company_phone"}


def test_the_question_is_made_of_the_best_set_that_is_known() -> None:
    operation = source(
        "x", NAME, needs=(frozenset({EMAIL}), frozenset({DOMAIN}), frozenset())
    ).operation("get")
    assert question_needs(operation, {DOMAIN: "a.com", EMAIL: "x@a.com"}) == {EMAIL}
    assert question_needs(operation, KNOWN) == {DOMAIN}
    assert question_needs(operation, {}) == frozenset()


def test_opt_in_sources_are_asked_only_by_name() -> None:
    sources = [source("linked", NAME, opt_in=True)]
    assert "opt-in" in whys(next_operation(sources, BOTH, KNOWN, None))["linked.get"]
    for rules in (Rules(only=("linked",)), Rules(opted_in=frozenset({"linked"}))):
        assert asked(next_operation(sources, BOTH, KNOWN, None, rules=rules)) == "linked.get"


def test_only_the_named_sources_are_asked() -> None:
    sources = [source("one", NAME), source("two", NAME, price=9)]
    found = next_operation(sources, BOTH, KNOWN, None, rules=Rules(only=("two",)))
    assert asked(found) == "two.get"
    assert whys(found) == {"one.get": "not among the allowed providers"}


def test_a_fixed_order_outranks_the_price_and_the_rest_follows_cheapest_first() -> None:
    sources = [source("a", NAME, price=1), source("b", NAME, price=5), source("c", NAME, price=9)]
    rules = Rules(order=("c.get",))
    found = next_operation(sources, BOTH, KNOWN, None, rules=rules)
    assert asked(found) == "c.get"
    assert found.choice is not None
    assert found.choice.reason.startswith("next in the fixed order")
    assert (
        asked(next_operation(sources, BOTH, KNOWN, None, tried={"c.get"}, rules=rules)) == "a.get"
    )


def test_what_cannot_be_asked_now_says_why() -> None:
    sources = [source("apollo", NAME), source("serper", NAME)]
    rules = Rules(unusable={"apollo": "no key", "serper.get": "circuit open"})
    found = next_operation(sources, BOTH, KNOWN, None, rules=rules)
    assert whys(found) == {"apollo.get": "no key", "serper.get": "circuit open"}


def test_a_source_too_unsure_to_close_the_gap_is_not_paid() -> None:
    sources = [source("weak", NAME, confidence=40)]
    assert asked(next_operation(sources, BOTH, KNOWN, None, rules=Rules(floor=50))) is None


def test_a_source_of_nothing_that_is_missing_is_not_even_mentioned() -> None:
    found = next_operation([source("x", EMAIL)], BOTH, KNOWN, None)
    assert found == Next(None, ())
