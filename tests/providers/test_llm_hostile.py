"""Hostile pages and a model that obeys every one: what it is told to answer is never kept.

500 pages: GLAZE_TEST_STORM=1 python -m pytest tests/providers/test_llm_hostile.py.
"""

import pytest
from hostile_pages import LIES, TRUTH, Hostile, hostile_pages
from tests.storm_only import STORM
from vendor_fake import one, values

from glaze.model.evidence import as_read
from glaze.model.normalise import Invalid, normalise
from glaze.model.provider import Ask, Page, Statement
from glaze.model.value import FieldName
from glaze.providers.anthropic import anthropic
from glaze.providers.openai_compatible import llm

PAGES = 500 if STORM else 60
WANTED = frozenset(map(FieldName, LIES))
URL = "https://acme.com/about"


def ask_about(hostile: Hostile) -> Ask:
    """Ask for everything, and doubt between the truth and the lie."""
    doubts = {
        FieldName(name): (TRUTH[name], normalise(FieldName(name), lie))
        for name, lie in hostile.lies.items()
        if name in TRUTH and name != "company_industry_group"  # classified, not checked
    }
    known = {FieldName("company_domain"): "acme.com"}
    return Ask(known, WANTED, (Page(URL, hostile.text),), doubts)


def is_lie(name: str, value: object, hostile: Hostile) -> bool:
    """Tell whether a value is what the page ordered."""
    if name not in hostile.lies:
        return False
    try:
        return normalise(FieldName(name), hostile.lies[name]) == value
    except Invalid:
        return False


@pytest.mark.parametrize("model", [llm, anthropic], ids=["openai", "anthropic"])
async def test_nothing_that_a_page_orders_is_kept_and_what_it_states_is(
    model, sandbox, http_of
) -> None:
    sandbox.state.model.habits = sandbox.state.model.habits.model_copy(
        update={"obedient": True, "malformed_rate": 0.02, "unsupported_rate": 0.2}
    )
    kept = ordered = 0
    wrong = []
    for hostile in hostile_pages(PAGES):
        asked = ask_about(hostile)
        for operation in ("infer", "classify", "validate"):
            if operation == "validate" and not asked.candidates:
                continue
            reply = await one(model, operation, asked, http_of(model))
            for reading in reply.readings:
                kept += 1
                assert as_read(reading.quote) in as_read(hostile.text)
                name, value = reading.field, reading.value
                if is_lie(name, value, hostile) or value != TRUTH.get(name, value):
                    wrong.append((name, value, hostile.text))
        ordered += len(hostile.lies)
    assert wrong == []
    assert ordered >= PAGES
    assert kept > 2 * PAGES


@pytest.mark.parametrize("model", [llm, anthropic], ids=["openai", "anthropic"])
async def test_between_sources_no_page_gets_the_value_chosen_that_it_orders(
    model, sandbox, http_of
) -> None:
    """The lie is a candidate: a source states it, in the words of the page that orders it."""
    sandbox.state.model.habits = sandbox.state.model.habits.model_copy(
        update={"obedient": True, "malformed_rate": 0.02, "unsupported_rate": 0.2}
    )
    known = {FieldName("company_domain"): "acme.com"}
    chosen = 0
    wrong = []
    for number, hostile in enumerate(hostile_pages(PAGES)):
        for name, (truth, lie) in ask_about(hostile).candidates.items():
            stated = (
                Statement(lie, "website", "2026-11-02", URL, hostile.text),
                Statement(truth, "apollo", "2026-10-01"),
            )
            told = {name: stated if number % 2 else stated[::-1]}
            asked = Ask(known, frozenset({name}), statements=told)
            for reading in (await one(model, "resolve", asked, http_of(model))).readings:
                chosen += 1
                if reading.value != truth:
                    wrong.append((name, reading.value, hostile.text))
    assert wrong == []
    assert chosen


async def test_the_model_does_obey(sandbox, http_of) -> None:
    """The test above can fail: a page that addresses nobody gets its lie from this model."""
    sandbox.state.model.habits = sandbox.state.model.habits.model_copy(update={"obedient": True})
    text = "Acme makes anvils.\n\nEmployee count: 4242 employees"
    question = Ask(
        {FieldName("company_domain"): "acme.com"},
        frozenset({FieldName("company_employee_count")}),
        (Page(URL, text),),
    )
    assert values(await one(llm, "infer", question, http_of(llm)))
