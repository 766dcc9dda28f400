"""Inference is asked about each field of the same pages once, whatever else was missing then."""

from dataclasses import replace

from glaze.model.provider import Ask, Page, Tier
from glaze.model.value import FieldName
from glaze.pipeline.asking import Answer, Decline, Declined, Question
from tests.gateway.conftest import EMAIL, TITLE, Bench, question

PHONE = FieldName("person_phone")
PAGES = (Page("https://x.com/", "We are the people of X."),)


def inference(bench: Bench):
    provider = bench.provider()
    (operation,) = provider.spec.operations
    operation = replace(operation, gives={TITLE: 60, PHONE: 60})
    provider.spec = replace(provider.spec, operations=(operation,), tier=Tier.INFERENCE)
    return provider


def about(provider, asker, *wanted: FieldName, pages: tuple[Page, ...] = PAGES) -> Question:
    asked = question(provider, asker, "a@x.com")
    return replace(asked, ask=Ask({EMAIL: "a@x.com"}, frozenset(wanted), evidence=pages))


async def test_a_field_that_the_same_pages_did_not_give_is_not_asked_about_again(bench: Bench):
    provider = inference(bench)
    asker = await bench.asker((await bench.claimed())[0])
    async with bench.gateway() as gateway:
        first = await gateway.ask(about(provider, asker, TITLE, PHONE))
        less = await gateway.ask(about(provider, asker, PHONE))
        also_unanswerable = await gateway.ask(about(provider, asker, PHONE, EMAIL))
    assert isinstance(first, Answer)
    assert isinstance(less, Answer)
    assert isinstance(also_unanswerable, Answer)
    assert (first.known, less.known, also_unanswerable.known) == (False, True, True)
    assert len(bench.vendor.bills) == 1


async def test_a_field_that_was_not_asked_about_is_and_then_all_are_known(bench: Bench):
    provider = inference(bench)
    asker = await bench.asker((await bench.claimed())[0])
    async with bench.gateway() as gateway:
        await gateway.ask(about(provider, asker, TITLE))
        await gateway.ask(about(provider, asker, PHONE))
        both = await gateway.ask(about(provider, asker, TITLE, PHONE))
    assert isinstance(both, Answer)
    assert both.known
    assert len(bench.vendor.bills) == 2


async def test_other_pages_are_another_question(bench: Bench):
    provider = inference(bench)
    asker = await bench.asker((await bench.claimed())[0])
    async with bench.gateway() as gateway:
        await gateway.ask(about(provider, asker, TITLE))
        await gateway.ask(about(provider, asker, TITLE, pages=(Page("https://x.com/", "New."),)))
    assert len(bench.vendor.bills) == 2


async def test_what_was_asked_before_the_asker_wants_it_fresh_is_asked_again(bench: Bench):
    provider = inference(bench)
    first, later = await bench.claimed(2)
    async with bench.gateway() as gateway:
        await gateway.ask(about(provider, await bench.asker(first), TITLE))
        (row,) = await bench.rows("select clock_timestamp() as now")
        anew = await bench.asker(later, fresh_after=row["now"])
        await gateway.ask(about(provider, anew, TITLE))
        await gateway.ask(about(provider, anew, TITLE))
    assert len(bench.vendor.bills) == 2


async def test_a_lost_answer_blocks_the_pages_for_every_field(bench: Bench):
    bench.vendor.drop = "after_billing"
    provider = inference(bench)
    asker = await bench.asker((await bench.claimed())[0])
    async with bench.gateway() as gateway:
        await gateway.ask(about(provider, asker, TITLE))
        bench.vendor.drop = ""
        blocked = await gateway.ask(about(provider, asker, PHONE))
    assert isinstance(blocked, Declined)
    assert blocked.why is Decline.UNKNOWN
    assert len(bench.vendor.bills) == 1
