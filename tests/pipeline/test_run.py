"""One enrichment from input to result, on real PostgreSQL, with sources that say what we let them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from glaze.model.job import ClaimedJob, NewJob
from glaze.model.provider import (
    Ask,
    Billed,
    Limit,
    Operation,
    Page,
    Provider,
    ProviderSpec,
    Reply,
    Tier,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.request import EnrichArgs, EnrichResult, ResultStatus
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Json, Micros, Reading
from glaze.net.client import HttpClient
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.deciding import Deciding
from glaze.pipeline.enrichment import Enrichment, Policy, Unavailable
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.inquiry import Means
from glaze.pipeline.run import Pipeline
from glaze.store.budget import WHOLE_WORKSPACE
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.worker import WorkerStore

DOMAIN = FieldName("company_domain")


@dataclass
class Source:
    """A source of fixed values, and a list of what it was asked."""

    name: str
    says: Mapping[str, Json]
    price: int = 0
    tier: Tier = Tier.EVIDENCE
    opt_in: bool = False
    confidence: int = 80
    verdict: Verdict = Verdict.MATCH
    pages: tuple[Page, ...] = ()
    limits: tuple[Limit, ...] = ()
    patience_s: float | None = None
    checks: bool = False
    patient: bool = True
    asked: list[Ask] = field(default_factory=list)

    @property
    def spec(self) -> ProviderSpec:
        operation = Operation(
            name="find",
            needs=(frozenset({DOMAIN}),),
            gives={FieldName(name): self.confidence for name in self.says},
            price_micros=Micros(self.price),
            checks=self.checks,
        )
        return ProviderSpec(
            self.name,
            (operation,),
            base_url="" if self.name == "website" else f"http://{self.name}.test",
            limits=self.limits,
            patient=self.patient,
            tier=self.tier,
            opt_in=self.opt_in,
            notice="a test" if self.opt_in else "",
        )

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation, http
        self.asked += asks
        if self.verdict is not Verdict.MATCH:
            return [Reply(self.verdict, Unbilled(), detail="as the test has it") for _ in asks]
        readings = tuple(
            Reading(FieldName(name), value, self.confidence) for name, value in self.says.items()
        )
        billing = Billed(Micros(self.price)) if self.price else Unbilled()
        return [Reply(Verdict.MATCH, billing, readings, raw=b"raw", pages=self.pages) for _ in asks]


@dataclass
class Desk:
    """Runs enrichments one after the other on one database; ``now`` moves when told."""

    db: Database
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # noqa: TID251

    async def enrich(
        self,
        sources: Iterable[Source],
        wanted: Iterable[str],
        *,
        policy: Policy | None = None,
        given: Mapping[str, str] | None = None,
        **options: object,
    ) -> EnrichResult | Unavailable:
        job = await self.claimed()
        args = EnrichArgs.model_validate(
            {"input": given or {"domain": "acme.com"}, "required_fields": tuple(wanted), **options}
        )
        task = Enrichment(job, args, lambda: False)
        async with self.pipeline(sources, policy or Policy()) as pipeline:
            result = await pipeline.run(task)
        assert isinstance(result, EnrichResult | Unavailable)
        return result

    async def claimed(self) -> ClaimedJob:
        jobs = JobStore(self.db)
        worker = await WorkerStore(self.db).register("test", "0", ["default"], lease_s=60)
        await jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("enrich", {})])
        ((job,), _) = await jobs.claim("default", 1, worker)
        return job

    @asynccontextmanager
    async def pipeline(self, sources: Iterable[Source], policy: Policy) -> AsyncIterator[Pipeline]:
        providers: dict[str, Provider] = {source.name: source for source in sources}
        ledger = LedgerStore(self.db)
        async with (
            HttpClient() as http,
            Gateway.open(
                ledger=ledger,
                limits=LimitStore(self.db),
                entities=EntityStore(self.db),
                http=http,
                credentials=Credentials({}),
            ) as gateway,
        ):
            beliefs = Beliefs(source.spec for source in sources)
            means = Means(gateway, ledger, providers, policy, self.clock)
            yield Pipeline(means, beliefs)

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


def values(result: EnrichResult | Unavailable) -> dict[str, Json]:
    assert isinstance(result, EnrichResult)
    return {name: value.value for name, value in result.data.items()}


def stages(result: EnrichResult | Unavailable) -> list[str]:
    assert isinstance(result, EnrichResult)
    return [stage.name for stage in result.stages]


async def test_the_cheaper_source_closes_the_gap_and_the_dear_one_is_not_asked(desk: Desk):
    cheap = Source("cheap", {"company_phone": "+16145550102"}, price=1_000)
    dear = Source("dear", {"company_phone": "+16145550199"}, price=100_000)
    result = await desk.enrich([dear, cheap], ["company_phone"])
    assert values(result) == {"company_phone": "+16145550102"}
    assert (len(cheap.asked), len(dear.asked)) == (1, 0)
    assert isinstance(result, EnrichResult)
    assert result.status is ResultStatus.SUCCESS
    assert result.costs.model_dump() == {
        "provider": 1_000,
        "llm": 0,
        "unknown": 0,
        "total": 1_000,
        "total_cents": 0.1,
    }


async def test_the_stages_of_a_result_are_listed_in_order_with_cost_and_fields(desk: Desk):
    one = Source("one", {"company_phone": "+16145550102"}, price=5)
    result = await desk.enrich([one], ["company_phone", "company_vat_id"])
    assert stages(result) == ["cache", "one", "gap_analysis", "store", "merge_validate"]
    assert isinstance(result, EnrichResult)
    asked = result.stages[1]
    assert (asked.cost_micros, asked.fields_found, asked.error) == (5, ("company_phone",), None)
    assert result.missing == ("company_vat_id",)
    assert result.status is ResultStatus.PARTIAL


async def test_a_value_says_its_source_its_call_its_cost_and_when(desk: Desk):
    one = Source("one", {"company_phone": "+16145550102"}, price=7)
    result = await desk.enrich([one], ["company_phone"])
    assert isinstance(result, EnrichResult)
    phone = result.data[FieldName("company_phone")]
    assert (phone.source, phone.cost_micros, phone.cached) == ("one", 7, False)
    assert phone.call_id is not None
    assert abs(phone.retrieved_at - desk.now) < timedelta(minutes=1)


async def test_what_is_fresh_comes_from_the_cache_and_only_what_is_missing_is_bought(desk: Desk):
    phones = Source("phones", {"company_phone": "+16145550102"}, price=10)
    cities = Source("cities", {"company_city": "Columbus"}, price=10)
    await desk.enrich([phones, cities], ["company_phone"])
    again = await desk.enrich([phones, cities], ["company_city", "company_phone"])
    assert values(again) == {"company_city": "Columbus", "company_phone": "+16145550102"}
    assert (len(phones.asked), len(cities.asked)) == (1, 1)
    assert isinstance(again, EnrichResult)
    assert again.data[FieldName("company_phone")].cached
    assert again.costs.provider == 10


async def test_a_stale_value_is_bought_again_and_a_fresh_miss_is_not(desk: Desk):
    phones = Source("phones", {"company_email": "hello@acme.example"}, price=10)
    misses = Source("misses", {"company_city": ""}, verdict=Verdict.NO_MATCH, price=10)
    wanted = ["company_email", "company_city"]
    await desk.enrich([phones, misses], wanted)
    await desk.enrich([phones, misses], wanted)
    assert (len(phones.asked), len(misses.asked)) == (1, 1)
    desk.now += timedelta(days=8)
    await desk.enrich([phones, misses], wanted)
    assert (len(phones.asked), len(misses.asked)) == (2, 2)


async def test_skip_cache_asks_again_whatever_is_known(desk: Desk):
    phones = Source("phones", {"company_phone": "+16145550102"}, price=10)
    await desk.enrich([phones], ["company_phone"])
    result = await desk.enrich([phones], ["company_phone"], skip_cache=True)
    assert len(phones.asked) == 2
    assert isinstance(result, EnrichResult)
    assert not result.data[FieldName("company_phone")].cached


async def test_what_a_source_says_when_it_is_asked_again_takes_the_place_of_what_it_said(
    desk: Desk,
):
    phones = Source("phones", {"company_phone": "+16145550102"}, price=10, confidence=95)
    await desk.enrich([phones], ["company_phone"])
    phones.says, phones.confidence = {"company_phone": "+16145550199"}, 70  # it is less sure by now
    anew = await desk.enrich([phones], ["company_phone"], skip_cache=True)
    assert values(anew) == {"company_phone": "+16145550199"}
    stored = await desk.enrich([phones], ["company_phone"])
    assert values(stored) == {"company_phone": "+16145550199"}
    assert isinstance(stored, EnrichResult)
    phone = stored.data[FieldName("company_phone")]
    assert (phone.confidence, phone.alternatives, phone.cached) == (70, (), True)
    assert len(phones.asked) == 2


async def test_a_source_that_has_nothing_to_say_of_a_field_any_more_leaves_what_it_said(desk: Desk):
    told = {"company_phone": "+16145550102", "company_city": "Columbus"}
    phones = Source("phones", told, price=10)
    await desk.enrich([phones], [*told])
    phones.says = {"company_phone": "+16145550199"}
    await desk.enrich([phones], ["company_phone"], skip_cache=True)
    stored = await desk.enrich([phones], [*told])
    assert values(stored) == {"company_phone": "+16145550199", "company_city": "Columbus"}


async def test_who_is_asked_again_is_judged_once_by_what_he_said_last(desk: Desk):
    phones = Source("phones", {"company_phone": "+16145550102"}, price=10)
    for phone in ("+16145550102", "+16145550199", "+16145550199"):
        phones.says = {"company_phone": phone}
        await desk.enrich([phones], ["company_phone"], skip_cache=True)
    async with desk.db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute(
            "insert into decision (workspace_id, entity_id, field, value, act, decided_by)"
            " select distinct workspace_id, entity_id, field, '\"+16145550199\"'::jsonb, 'confirmed'::decision_act, 'me'"
            " from observation"
        )
    store = CalibrationStore(desk.db)
    assert [one.right for one in await store.judged_by_people(DEFAULT_WORKSPACE)] == [True]
    truth = {"acme.com": {FieldName("company_phone"): "+16145550102"}}
    assert [one.right for one in await store.judged_by(DEFAULT_WORKSPACE, truth)] == [False]


async def test_a_number_that_a_person_chooses_is_read_in_the_country_of_the_record(desk: Desk):
    register = Source("register", {"company_country": "DE"})
    await desk.enrich([register], ["company_country"])
    deciding = Deciding(EntityStore(desk.db), Beliefs([register.spec]), clock=desk.clock)
    who = {"domain": "acme.com"}
    made = await deciding.choose(DEFAULT_WORKSPACE, who, "company_phone", "030 12345678")
    assert made.value == "+493012345678"


async def test_inference_is_asked_last_with_the_pages_of_the_site_and_costs_count_as_llm(
    desk: Desk,
):
    site = Source("website", {"company_city": "Columbus"}, pages=(Page("https://acme.com/", "We"),))
    vendor = Source("vendor", {"company_industry": "x"}, verdict=Verdict.NO_MATCH, price=9_000)
    model = Source("llm", {"company_industry": "Mining"}, price=50, tier=Tier.INFERENCE)
    result = await desk.enrich([model, site, vendor], ["company_industry"])
    assert values(result) == {"company_industry": "Mining"}
    assert stages(result)[:5] == ["cache", "vendor", "gap_analysis", "website", "llm"]
    assert [page.text for page in model.asked[0].evidence] == ["We"]
    assert isinstance(result, EnrichResult)
    assert (result.costs.llm, result.costs.provider) == (50, 0)


async def test_without_a_page_to_quote_from_inference_is_not_asked(desk: Desk):
    model = Source("llm", {"company_industry": "Mining"}, price=50, tier=Tier.INFERENCE)
    result = await desk.enrich([model], ["company_industry"])
    assert model.asked == []
    assert isinstance(result, EnrichResult)
    assert [s.detail for s in result.stages if s.name == "llm"] == [
        "not asked: no page to quote from"
    ]


@pytest.mark.parametrize(
    ("policy", "options", "asked"),
    [
        (Policy(), {}, 0),
        (Policy(opted_in=frozenset({"scraper"})), {}, 1),
        (Policy(), {"providers": ("scraper",)}, 1),
        (Policy(unusable={"scraper": "no key"}, opted_in=frozenset({"scraper"})), {}, 0),
    ],
)
async def test_an_opt_in_source_is_asked_only_where_somebody_allowed_it_by_name(
    desk: Desk, policy: Policy, options: dict[str, object], asked: int
):
    scraper = Source("scraper", {"company_phone": "+16145550102"}, opt_in=True)
    await desk.enrich([scraper], ["company_phone"], policy=policy, **options)
    assert len(scraper.asked) == asked


async def test_a_call_that_could_pass_the_budget_is_not_made_and_the_result_says_so(desk: Desk):
    cheap = Source("cheap", {"company_city": "Columbus"}, price=10_000)
    dear = Source("dear", {"company_phone": "+16145550102"}, price=100_000)
    result = await desk.enrich([cheap, dear], ["company_phone", "company_city"], max_cost_cents=5)
    assert values(result) == {"company_city": "Columbus"}
    assert dear.asked == []
    assert isinstance(result, EnrichResult)
    assert result.status is ResultStatus.PARTIAL
    (told,) = [stage for stage in result.stages if stage.name == "dear"]
    assert told.detail == (
        "not asked: over budget: costs up to $0.10, $0.04 left of the job's $0.05"
    )


WRONG = {
    "company_email": ("hello at acme", "not an e-mail address"),
    "company_linkedin_url": ("https://www.linkedin.com/in/jane", "not a LinkedIn company page"),
    "company_phone": ("+1 111 111 1111", "a made-up number"),
    "company_country": ("Atlantis", "not a country"),
    "company_size": ("plenty", "not a number"),
    "company_employee_count": (90_000_000, "no plausible number of employees"),
    "company_founded_year": (1200, "not a year between"),
    "company_revenue": (0, "no plausible amount"),
}
DOUBTFUL = {
    "company_email": ("hello@elsewhere.com", "not at the company's domain acme.com", 64),
    "company_phone": ("+1 255 123 4567", "no number of its country's numbering plan", 48),
}


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(WRONG, id="no value of its field"),
        pytest.param({"company_email": ("hello@acme.com", "takes no mail")}, id="no MX"),
    ],
)
async def test_an_answer_that_is_wrong_is_rejected_and_the_result_says_why(
    desk: Desk, answers: Mapping[str, tuple[Json, str]]
):
    mail = Source("mail", {"company_mail_provider": "none"})
    vendor = Source("vendor", {name: value for name, (value, _) in answers.items()}, price=10)
    result = await desk.enrich([mail, vendor], [*answers, "company_mail_provider"])
    assert isinstance(result, EnrichResult)
    assert result.data.keys() == {"company_mail_provider"}
    assert set(result.missing) == answers.keys()
    (told,) = [stage.detail for stage in result.stages if stage.name == "vendor"]
    reasons = dict(
        part.split(" rejected: ", 1) for part in str(told).split("; ") if " rejected: " in part
    )
    assert {name for name, (_, why) in answers.items() if why not in reasons.get(name, "")} == set()


async def test_an_answer_that_is_doubtful_is_believed_less_and_the_result_says_why(desk: Desk):
    vendor = Source("vendor", {name: value for name, (value, *_) in DOUBTFUL.items()}, price=10)
    result = await desk.enrich([vendor], [*DOUBTFUL, "company_city"], min_confidence=0)
    assert isinstance(result, EnrichResult)
    (told,) = [stage.detail for stage in result.stages if stage.name == "vendor"]
    for name, (_, why, most) in DOUBTFUL.items():
        assert result.data[FieldName(name)].confidence <= most
        assert any(
            part.startswith(f"{name} believed less: ") and why in part
            for part in str(told).split("; ")
        ), (name, told)


async def test_the_day_s_cap_of_a_workspace_holds_across_jobs(desk: Desk):
    dear = Source("dear", {"company_phone": "+16145550102"}, price=100_000)
    policy = Policy(caps={WHOLE_WORKSPACE: Micros(150_000)})
    await desk.enrich([dear], ["company_phone"], policy=policy)
    second = await desk.enrich(
        [dear], ["company_phone"], policy=policy, given={"domain": "other.com"}
    )
    assert len(dear.asked) == 1
    assert isinstance(second, EnrichResult)
    assert [s.detail for s in second.stages if s.name == "dear"] == [
        "not asked: over budget: costs up to $0.10, $0.05 left of the day's $0.15"
    ]
    assert second.status is ResultStatus.PARTIAL


async def test_with_no_source_left_the_input_comes_back_unharmed_as_partial(desk: Desk):
    result = await desk.enrich(
        [],
        ["company_name", "company_phone"],
        given={"company": "Acme Mining Ltd", "domain": "acme.com"},
    )
    assert values(result) == {"company_name": "Acme Mining Ltd"}
    assert isinstance(result, EnrichResult)
    assert (result.status, result.missing) == (ResultStatus.PARTIAL, ("company_phone",))


async def test_an_input_that_identifies_nobody_is_a_failed_result_with_the_reason(desk: Desk):
    result = await desk.enrich([], ["company_phone"], given={"domain": "not a domain"})
    assert isinstance(result, EnrichResult)
    assert result.status is ResultStatus.FAILED
    assert "input_invalid" in (result.stages[0].error or "")


async def test_when_every_source_is_away_the_job_is_to_be_tried_again(desk: Desk):
    away = Source("away", {"company_phone": "+1"}, verdict=Verdict.VENDOR_ERROR, price=5)
    result = await desk.enrich([away], ["company_phone"])
    assert isinstance(result, Unavailable)
    assert "away" in result.detail


async def test_a_job_goes_on_without_a_source_whose_limit_it_is_not_to_wait_for(desk: Desk):
    says = {"company_name": "Acme"}
    scarce = Source("scarce", says, limits=(Limit(1, 3600),), patient=False)
    paid = Source("paid", says, price=1_000)
    for domain in ("acme.com", "umbrella.com"):
        result = await desk.enrich([scarce, paid], says, given={"domain": domain})
        assert result.status is ResultStatus.SUCCESS
    assert (len(scarce.asked), len(paid.asked)) == (1, 1)
    passed_over = next(stage for stage in result.stages if stage.name == "scarce")
    assert passed_over.error == "busy: rate limit"


async def test_one_outage_among_answers_only_makes_the_next_source_be_asked(desk: Desk):
    away = Source("away", {"company_phone": "+1"}, verdict=Verdict.VENDOR_ERROR, price=5)
    there = Source("there", {"company_phone": "+16145550102"}, price=6)
    result = await desk.enrich([away, there], ["company_phone"])
    assert values(result) == {"company_phone": "+16145550102"}
    assert isinstance(result, EnrichResult)
    assert result.status is ResultStatus.SUCCESS


async def test_sources_that_disagree_leave_the_losing_value_as_an_alternative(desk: Desk):
    weak = Source("weak", {"company_city": "Toledo"}, confidence=40, price=1)
    sure = Source("sure", {"company_city": "Columbus"}, confidence=90, price=2)
    result = await desk.enrich([weak, sure], ["company_city"], min_confidence=30)
    asked_more = await desk.enrich([weak, sure], ["company_city"], min_confidence=60)
    assert values(result) == {"company_city": "Toledo"}
    assert isinstance(asked_more, EnrichResult)
    city = asked_more.data[FieldName("company_city")]
    assert (city.value, [a.value for a in city.alternatives]) == ("Columbus", ["Toledo"])


async def test_a_person_s_employer_is_filled_from_what_the_source_learnt_of_it(desk: Desk):
    person = Source(
        "person", {"person_company_domain": "acme.com", "company_name": "Acme"}, price=3
    )
    result = await desk.enrich([person], ["company_name"], given={"email": "jane@acme.com"})
    assert values(result) == {"company_name": "Acme"}


def trio() -> list[Source]:
    return [
        Source("cheap", {"company_phone": "+16145550102"}, price=1, verdict=Verdict.NO_MATCH),
        Source("middling", {"company_phone": "+16145550102"}, price=2, verdict=Verdict.NO_MATCH),
        Source("dear", {"company_phone": "+16145550102"}, price=3, verdict=Verdict.NO_MATCH),
    ]


async def test_without_an_order_of_its_own_a_waterfall_goes_from_cheap_to_dear(desk: Desk):
    result = await desk.enrich(trio()[::-1], ["company_phone"])
    assert stages(result)[1:4] == ["cheap", "middling", "dear"]


async def test_a_fixed_order_is_asked_in_that_order(desk: Desk):
    policy = Policy(order=("dear", "cheap"))
    result = await desk.enrich(trio(), ["company_phone"], policy=policy)
    assert stages(result)[1:4] == ["dear", "cheap", "middling"]


async def test_a_provider_that_is_not_named_is_not_asked(desk: Desk):
    sources = trio()
    await desk.enrich(sources, ["company_phone"], providers=("middling",))
    assert [len(source.asked) for source in sources] == [0, 1, 0]


async def test_the_same_job_run_again_after_a_crash_still_knows_what_it_paid(desk: Desk):
    phones = Source("phones", {"company_phone": "+16145550102"}, price=10)
    job = await desk.claimed()
    args = EnrichArgs(input={"domain": "acme.com"}, required_fields=(FieldName("company_phone"),))
    task = Enrichment(job, args, lambda: False)
    async with desk.pipeline([phones], Policy()) as pipeline:
        first = await pipeline.run(task)
        again = await pipeline.run(task)
    assert len(phones.asked) == 1
    for result in (first, again):
        assert isinstance(result, EnrichResult)
        assert result.costs.total == 10
        phone = result.data[FieldName("company_phone")]
        assert (phone.cached, phone.cost_micros) == (False, 10)


async def test_a_source_that_breaks_strands_no_call_and_the_next_one_is_asked(desk: Desk):
    class Broken(Source):
        async def look_up(
            self, operation: str, asks: Sequence[Ask], http: VendorHttp
        ) -> Sequence[Reply]:
            raise RuntimeError(f"a bug in an adapter: {operation}, {len(asks)}, {http.base_url}")

    broken = Broken("broken", {"company_phone": "+1"}, price=1)
    sound = Source("sound", {"company_phone": "+16145550102"}, price=2)
    result = await desk.enrich([broken, sound], ["company_phone"])
    assert values(result) == {"company_phone": "+16145550102"}
    assert isinstance(result, EnrichResult)
    assert result.costs.unknown == 0


@dataclass
class Registry(Source):
    """A dear source that can be asked by domain or, less well, by name."""

    @property
    def spec(self) -> ProviderSpec:
        spec = Source.spec.fget(self)  # type: ignore[attr-defined]
        either = (frozenset({DOMAIN}), frozenset({FieldName("company_name")}))
        return replace(spec, operations=(replace(spec.operations[0], needs=either),))


@dataclass
class Finder(Source):
    """A cheap source that finds a company's domain by its name."""

    @property
    def spec(self) -> ProviderSpec:
        spec = Source.spec.fget(self)  # type: ignore[attr-defined]
        by_name = (frozenset({FieldName("company_name")}),)
        return replace(spec, operations=(replace(spec.operations[0], needs=by_name),))


async def test_a_company_bought_by_its_domain_is_not_bought_again_by_its_name(desk: Desk):
    says = {"company_domain": "acme.com", "company_vat_id": ""}
    finder = Finder("finder", says, price=1, verdict=Verdict.MATCH)
    registry = Registry(
        "registry", {"company_phone": "+16145550102", "company_vat_id": ""}, price=9
    )
    wanted = ["company_phone", "company_vat_id"]
    await desk.enrich([finder, registry], wanted)
    again = await desk.enrich([finder, registry], wanted, given={"company": "Acme Mining"})
    assert values(again)["company_phone"] == "+16145550102"
    assert len(registry.asked) == 1


async def test_a_retry_that_knows_more_asks_the_same_question_as_before(desk: Desk):
    finder = Finder("finder", {"company_domain": "acme.com", "company_city": "Columbus"}, price=1)
    registry = Registry(
        "registry", {"company_phone": "+1 614 555 0102", "company_vat_id": ""}, price=9
    )
    for _ in range(2):
        await desk.enrich(
            [finder, registry],
            ["company_city", "company_phone", "company_vat_id"],
            given={"company": "Acme Mining"},
        )
    assert (len(finder.asked), len(registry.asked)) == (1, 1)


async def test_a_source_asked_by_name_before_the_domain_was_known_is_not_asked_again_by_domain(
    desk: Desk,
):
    says = {"company_domain": "acme.com", "company_vat_id": ""}
    finder = Registry("finder", says, price=1)
    for _ in range(2):
        await desk.enrich([finder], ["company_vat_id"], given={"company": "Acme Mining"})
    await desk.enrich(
        [finder], ["company_vat_id"], given={"company": "Acme Mining", "domain": "acme.com"}
    )
    assert len(finder.asked) == 1
