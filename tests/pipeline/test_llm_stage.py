"""The stage of the language model: one page a call, each page once, within its own caps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from glaze.model.provider import (
    Ask,
    BillingUnknown,
    Page,
    ProviderSpec,
    Reply,
    Tier,
    VendorHttp,
    Verdict,
)
from glaze.model.value import Micros
from glaze.pipeline.enrichment import Policy
from glaze.store.database import Database
from tests.pipeline.test_run import Desk, Source, stages, values

PAGES = tuple(Page(f"https://acme.com/{name}", f"Page {name}.") for name in ("home", "about", "imprint"))  # fmt: skip
CITY = {"company_city": "Columbus"}


def website(pages: tuple[Page, ...] = PAGES) -> Source:
    return Source("website", {"company_name": "Acme"}, pages=pages)


@dataclass
class Reader(Source):
    """A model that finds what it says on one page alone."""

    tier: Tier = Tier.INFERENCE
    finds_on: str = "https://acme.com/about"

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        (reply,) = await super().look_up(operation, asks, http)
        if asks[0].evidence[0].url != self.finds_on and reply.verdict is Verdict.MATCH:
            reply = replace(reply, verdict=Verdict.NO_MATCH, readings=())
        return [reply]

    @property
    def read(self) -> list[str]:
        return [page.url.rpartition("/")[2] for ask in self.asked for page in ask.evidence]


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


async def test_pages_are_read_one_a_call_until_nothing_is_missing(desk: Desk):
    model = Reader("llm", CITY, price=50)
    result = await desk.enrich([website(), model], ["company_city"])
    assert values(result) == CITY
    assert model.read == ["home", "about"]
    assert [len(ask.evidence) for ask in model.asked] == [1, 1]
    assert stages(result).count("llm") == 2
    assert result.costs.llm == 100


async def test_a_page_that_was_read_is_not_paid_for_again_and_a_new_one_is(desk: Desk):
    model = Reader("llm", CITY, price=50, finds_on="https://acme.com/team")
    await desk.enrich([website(), model], ["company_city"])
    again = await desk.enrich([website(), model], ["company_city"], skip_cache=False)
    assert (again.costs.llm, len(model.asked)) == (0, 3)
    more = (*PAGES, Page("https://acme.com/team", "We are in Columbus."))
    third = await desk.enrich([website(more), model], ["company_city"], skip_cache=True)
    assert values(third) == CITY


async def test_no_more_pages_are_read_than_the_setting_says(desk: Desk):
    model = Reader("llm", CITY, price=50, finds_on="nowhere")
    await desk.enrich([website(), model], ["company_city"], policy=Policy(llm_pages=2))
    assert model.read == ["home", "about"]


async def test_a_job_spends_no_more_on_models_than_the_setting_says(desk: Desk):
    model = Reader("llm", CITY, price=50, finds_on="nowhere")
    policy = Policy(llm_cap_micros=Micros(120))
    result = await desk.enrich([website(), model], ["company_city"], policy=policy)
    assert (len(model.asked), result.costs.llm) == (2, 100)
    assert "cap on models" in result.stages[stages(result).index("llm") + 2].detail


@dataclass
class Silent(Source):
    """A vendor, or a model, that does not say whether it charged."""

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation, http
        self.asked += asks
        return [Reply(Verdict.VENDOR_ERROR, BillingUnknown("it says nothing")) for _ in asks]


async def test_what_a_vendor_may_have_charged_does_not_count_against_the_models_cap(desk: Desk):
    vendor, model = Silent("vendor", CITY, price=500), Reader("llm", CITY, price=50)
    policy = Policy(llm_cap_micros=Micros(120))
    result = await desk.enrich([website(), vendor, model], ["company_city"], policy=policy)
    assert (len(vendor.asked), result.costs.unknown) == (1, 500)
    assert (result.costs.llm, values(result)["company_city"]) == (100, "Columbus")


async def test_what_a_model_may_have_charged_counts_against_the_models_cap(desk: Desk):
    silent = Silent("first", CITY, price=90, tier=Tier.INFERENCE)
    model = Reader("second", CITY, price=95, finds_on=PAGES[0].url)
    policy = Policy(llm_cap_micros=Micros(120))
    result = await desk.enrich([website(), silent, model], ["company_city"], policy=policy)
    assert (len(silent.asked), model.asked, result.costs.unknown) == (1, [], 90)


async def test_a_model_that_fails_is_not_asked_about_the_other_pages(desk: Desk):
    model = Reader("llm", CITY, price=50, verdict=Verdict.VENDOR_ERROR)
    await desk.enrich([website(), model], ["company_city"])
    assert len(model.asked) == 1


@dataclass
class Judge(Reader):
    """A model that confirms what it says where that is among the candidates."""

    checks: bool = True


def rivals(one: int, two: int) -> list[Source]:
    """Two vendors that disagree on the city, each needed for something else."""
    first = {"company_city": "Cleveland", "company_street": "High Street 1"}
    second = {"company_city": "Columbus", "company_phone": "+16145550102"}
    return [website(), Source("one", first, confidence=one), Source("two", second, confidence=two)]


WANTED = ["company_city", "company_street", "company_phone"]


async def test_a_value_that_fell_below_the_floor_is_checked_against_the_site_and_believed_again(
    desk: Desk,
):
    judge = Judge("llm", CITY, price=50, confidence=60)
    result = await desk.enrich([*rivals(72, 71), judge], WANTED, min_confidence=50)
    city = result.data["company_city"]
    assert (city.value, city.confidence >= 50, result.missing) == ("Columbus", True, ())
    assert judge.asked[0].candidates == {"company_city": ("Cleveland", "Columbus")}
    assert judge.read == ["home", "about"]  # found there: nothing is in doubt any more
    assert result.costs.llm == 100


async def test_without_a_model_a_value_below_the_floor_stays_missing(desk: Desk):
    result = await desk.enrich(rivals(72, 71), WANTED, min_confidence=50)
    assert result.missing == ("company_city",)


async def test_what_sources_disagree_on_is_checked_only_where_the_caller_wants_it_verified(
    desk: Desk,
):
    judge = Judge("llm", CITY, price=50, confidence=60)
    unasked = await desk.enrich([*rivals(85, 80), judge], WANTED)
    assert (values(unasked)["company_city"], judge.asked) == ("Cleveland", [])
    settled = await desk.enrich([*rivals(85, 80), judge], WANTED, verify=True)
    assert values(settled)["company_city"] == "Columbus"
    (rival,) = settled.data["company_city"].alternatives
    assert (rival.value, rival.source) == ("Cleveland", "one")


@dataclass
class Arbiter(Source):
    """A model that chooses what it says where a source states that."""

    tier: Tier = Tier.INFERENCE
    confidence: int = 40

    @property
    def spec(self) -> ProviderSpec:
        plain = super().spec
        (operation,) = plain.operations
        choosing = replace(operation, name="resolve", checks=True, chooses=True)
        return replace(plain, operations=(choosing,))

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        (reply,) = await super().look_up(operation, asks, http)
        readings = tuple(replace(one, raw="chosen among: both") for one in reply.readings)
        return [replace(reply, readings=readings)]


async def test_where_no_source_is_sure_enough_a_model_chooses_and_the_other_value_stays(
    desk: Desk,
):
    arbiter = Arbiter("llm", CITY, price=50)
    result = await desk.enrich([*rivals(64, 63), arbiter], WANTED, min_confidence=45)
    city = result.data["company_city"]
    assert (city.value, result.missing, result.costs.llm) == ("Columbus", (), 50)
    assert [one.value for one in city.alternatives] == ["Cleveland"]
    (asked,) = arbiter.asked
    (told,) = asked.statements.values()
    assert [(one.value, one.source) for one in told] == [("Cleveland", "one"), ("Columbus", "two")]
    assert asked.evidence == ()


async def test_a_choice_is_bought_once(desk: Desk):
    arbiter = Arbiter("llm", CITY, price=50)
    await desk.enrich([*rivals(64, 63), arbiter], WANTED, min_confidence=45)
    again = await desk.enrich([*rivals(64, 63), arbiter], WANTED, min_confidence=45)
    assert (len(arbiter.asked), again.costs.llm) == (1, 0)


async def test_a_choice_that_settled_nothing_is_bought_once(desk: Desk):
    arbiter = Arbiter("llm", CITY, verdict=Verdict.NO_MATCH, price=50)
    one = Source("one", {"company_city": "Cleveland", "company_street": ""}, confidence=64)
    two = Source("two", {"company_city": "Columbus", "company_phone": ""}, confidence=63)
    wanted = ["company_city", "company_phone", "company_street"]
    for _ in range(2):
        result = await desk.enrich([website(), one, two, arbiter], wanted, min_confidence=45)
        assert "company_city" in result.missing
    assert len(arbiter.asked) == 1


async def test_where_one_source_is_sure_enough_or_all_agree_nobody_chooses(desk: Desk):
    arbiter = Arbiter("llm", CITY, price=50)
    await desk.enrich([*rivals(90, 63), arbiter], WANTED, min_confidence=62)
    assert arbiter.asked == []


async def test_a_choice_keeps_to_the_jobs_cap_on_models(desk: Desk):
    arbiter = Arbiter("llm", CITY, price=50)
    policy = Policy(llm_cap_micros=Micros(40))
    result = await desk.enrich([*rivals(64, 63), arbiter], WANTED, min_confidence=45, policy=policy)
    assert (arbiter.asked, result.missing) == ([], ("company_city",))


async def test_a_model_that_read_the_site_is_no_second_witness_for_it(desk: Desk):
    own = Source("website", CITY, pages=PAGES, confidence=65)
    judge = Judge("llm", CITY, price=50, confidence=60)
    result = await desk.enrich([own, judge], ["company_city"], min_confidence=70)
    assert result.missing == ("company_city",)
    assert judge.asked == []


async def test_the_site_is_read_though_another_source_s_answer_was_known_already(desk: Desk):
    vendor = Source("vendor", {"company_city": ""}, verdict=Verdict.NO_MATCH, price=10)
    await desk.enrich([vendor], ["company_city"])
    model = Reader("llm", CITY, price=50)
    result = await desk.enrich([vendor, website(), model], ["company_city"])
    assert len(vendor.asked) == 1
    assert values(result) == CITY
