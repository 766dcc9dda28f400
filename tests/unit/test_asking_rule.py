"""How one job asks, out of what it says itself, the workspace's rules, and the settings (E9)."""

from glaze.model.asking_rule import EVERY, AskingRule, Terms, Way, terms_of
from glaze.model.provider import Operation, ProviderSpec
from glaze.model.value import FieldName, Micros
from glaze.pipeline.order import Rules, next_operation

PHONE, NAME = FieldName("company_phone"), FieldName("company_name")
RULES = [
    AskingRule(EVERY, EVERY, Way(order=("apollo",), floor=40)),
    AskingRule("enrich", EVERY, Way(floor=45, providers=("apollo", "hunter"))),
    AskingRule(EVERY, PHONE, Way(order=("hunter",), floor=70)),
    AskingRule("enrich", PHONE, Way(floor=80)),
    AskingRule("another", PHONE, Way(floor=99)),
]


def test_a_rule_about_both_goes_before_the_fields_and_that_before_the_kinds() -> None:
    terms = terms_of(Way(), RULES, "enrich", ("cheapest",))
    assert (terms.order, terms.floor, terms.providers) == (("apollo",), 45, ("apollo", "hunter"))
    assert terms.fields[PHONE] == Way(order=("hunter",), floor=80)
    assert (terms.floor_of(PHONE), terms.floor_of(NAME)) == (80, 45)
    elsewhere = terms_of(Way(), RULES, "record_enrichment", ("cheapest",))
    assert (elsewhere.floor_of(PHONE), elsewhere.floor_of(NAME), elsewhere.providers) == (
        70,
        40,
        None,
    )


def test_what_a_job_says_itself_holds_for_all_of_its_fields() -> None:
    terms = terms_of(Way(("cheapest",), 10, ("serper",)), RULES, "enrich", ())
    assert (terms.order, terms.floor_of(PHONE), terms.providers) == (("cheapest",), 10, ("serper",))
    assert terms.fields[PHONE] == Way()


def test_without_a_rule_the_settings_and_the_usual_floor_hold() -> None:
    assert terms_of(Way(), [], "enrich", ("originals",)) == Terms(("originals",), 50, None, {})


def spec(name: str, price: int, **gives: int) -> ProviderSpec:
    fields = {FieldName(field): sure for field, sure in gives.items()}
    needs = (frozenset({FieldName("company_domain")}),)
    return ProviderSpec(name, (Operation("get", needs, fields, Micros(price)),))


SPECS = [
    spec("apollo", 10, company_phone=60, company_name=90),
    spec("hunter", 20, company_phone=75, company_name=90),
]


def asked(*missing: FieldName, **rules: object) -> str | None:
    known = {FieldName("company_domain"): "acme.com"}
    found = next_operation(SPECS, frozenset(missing), known, None, rules=Rules(**rules))
    return found.choice and found.choice.spec.name


def test_the_order_of_a_field_is_its_own() -> None:
    own = {PHONE: Way(order=("hunter",))}
    assert asked(PHONE) == "apollo"
    assert asked(PHONE, fields=own) == "hunter"
    assert asked(NAME, fields=own) == "apollo"
    assert asked(PHONE, order=("apollo",), fields=own) == "hunter"


def test_the_floor_of_a_field_is_its_own() -> None:
    own = {PHONE: Way(floor=70)}
    assert asked(PHONE, floor=50, fields=own) == "hunter"
    assert asked(PHONE, NAME, floor=50, fields=own) == "apollo"  # for the name
    assert asked(PHONE, fields={PHONE: Way(floor=80)}) is None


def test_the_providers_of_a_field_are_its_own() -> None:
    own = {PHONE: Way(providers=("hunter.get",))}
    assert asked(PHONE, fields=own) == "hunter"
    assert asked(NAME, fields=own) == "apollo"
    assert asked(PHONE, only=("apollo",), fields=own) == "hunter"
    assert asked(PHONE, fields={PHONE: Way(providers=("serper",))}) is None
