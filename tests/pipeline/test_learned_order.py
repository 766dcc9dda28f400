"""The order of asking is learned from the workspace's own calls, on real PostgreSQL (E9, E13)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from glaze.model.history import HALF_LIFE
from glaze.model.provider import Ask, Billed, Reply, VendorHttp, Verdict
from glaze.model.request import EnrichArgs, EnrichResult
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Micros
from glaze.pipeline.enrichment import Enrichment, Policy, Stopped
from glaze.pipeline.experience import FRESH_S, History
from glaze.pipeline.lessons import lifts
from glaze.pipeline.rates import Rates
from glaze.pipeline.run import Pipeline
from glaze.store.database import Database
from glaze.store.history import HistoryStore
from tests.pipeline.test_run import Desk, Source

PHONE = FieldName("company_phone")
NUMBER = "+442071838750"


class Sometimes(Source):
    """A source that knows every ``every``-th company, and charges for the others, too."""

    every = 1

    async def look_up(
        self,
        operation: str,
        asks: list[Ask],
        http: VendorHttp,  # type: ignore[override]
    ) -> list[Reply]:
        (ask,) = asks
        (found,) = await super().look_up(operation, asks, http)
        number = int("".join(filter(str.isdigit, str(ask.known[FieldName("company_domain")]))))
        if number % self.every:
            return [Reply(Verdict.NO_MATCH, Billed(Micros(self.price)), raw=b"{}")]
        return [found]


def sometimes(name: str, price: int, every: int) -> Sometimes:
    source = Sometimes(name, {"company_phone": NUMBER}, price=price)
    source.every = every
    return source


class LearningDesk(Desk):
    """A desk whose pipeline learns: at its first question, from what was asked before."""

    @asynccontextmanager
    async def pipeline(self, sources: list[Source], policy: Policy) -> AsyncIterator[Pipeline]:  # type: ignore[override]
        async with super().pipeline(sources, policy) as plain:
            specs = [source.spec for source in sources]
            tasks = plain.means.gateway.tasks
            yield replace(plain, history=History(HistoryStore(self.db), specs, tasks))


@pytest.fixture
def desk(db: Database) -> LearningDesk:
    return LearningDesk(db)


async def first_asked(desk: Desk, sources: list[Source], n: int, **options: object) -> list[str]:
    """Enrich n companies one after the other; return who was asked first about each."""
    asked = []
    names = {source.name for source in sources}
    async with desk.pipeline(sources, Policy()) as pipeline:
        for i in range(n):
            args = EnrichArgs.model_validate(
                {
                    "input": {"domain": f"company{i}.com"},
                    "required_fields": (PHONE,),
                    "skip_cache": True,
                    **options,
                }
            )
            result = await pipeline.run(Enrichment(await desk.claimed(), args, lambda: False))
            assert isinstance(result, EnrichResult)
            asked.append(next(stage.name for stage in result.stages if stage.name in names))
    return asked


async def test_a_source_that_fills_little_for_its_price_sinks_once_thirty_calls_have_shown_it(
    desk: LearningDesk,
) -> None:
    cheap, good = sometimes("cheap", 10_000, every=50), sometimes("good", 20_000, every=1)
    cheapest = await first_asked(desk, [cheap, good], 32, order=("cheapest",))
    assert set(cheapest) == {"cheap"}
    # good has been asked only after cheap had missed: as the first it is unknown, and tried
    early = await first_asked(desk, [cheap, good], 12)
    assert {"cheap", "good"} == set(early)
    await first_asked(desk, [good], 30)
    assert set(await first_asked(desk, [cheap, good], 12)) == {"good"}
    assert set(await first_asked(desk, [cheap, good], 8, order=("cheap",))) == {"cheap"}


async def test_tallies_tell_what_each_source_filled_after_which_misses(desk: LearningDesk) -> None:
    sources = [sometimes("cheap", 10_000, every=4), sometimes("good", 20_000, every=2)]
    await first_asked(desk, sources, 12, order=("cheapest",))
    specs = [source.spec for source in sources]
    tallies = await HistoryStore(desk.db).tallies(DEFAULT_WORKSPACE, specs)
    told = {
        (one.operation, one.missed): (one.calls, round(one.filled / one.asked, 1))
        for one in tallies
    }
    assert told == {
        ("cheap.find", frozenset()): (12, 0.2),  # 3 of 12
        ("good.find", frozenset({"cheap.find"})): (9, 0.3),  # 3 of the 9 that cheap had missed
    }
    estimate = Rates(tallies, specs).of("cheap.find", PHONE, asked_by="company_domain")
    assert estimate.cost_micros == pytest.approx(10_000)
    assert all(one.asked_by == "company_domain" for one in tallies)


async def test_what_a_source_adds_is_a_share_of_all_that_were_asked_whatever_was_known_of_them(
    desk: LearningDesk,
) -> None:
    """Of four companies the first source's answer is there, bought for another field."""
    both = Source("both", {"company_city": "Ulm", "company_phone": "none"}, price=10_000)
    good = sometimes("good", 20_000, every=2)
    sources, specs = [both, good], [both.spec, good.spec]
    city = FieldName("company_city")
    await first_asked(desk, sources, 4, required_fields=(city,), skip_cache=False)
    await first_asked(desk, sources, 6, order=("cheapest",), skip_cache=False)
    store = HistoryStore(desk.db)
    tallies = await store.tallies(DEFAULT_WORKSPACE, specs)
    runs = await store.runs(DEFAULT_WORKSPACE, specs)
    assert runs == {city: 4, PHONE: 6}
    (lift,) = lifts(tallies, specs, runs)
    assert (lift.operation, lift.calls) == ("good.find", 6)
    assert lift.points == pytest.approx(0.5, abs=0.01)  # of six it filled three


async def test_the_newest_calls_weigh_most(desk: LearningDesk) -> None:
    source = sometimes("cheap", 10_000, every=1)
    await first_asked(desk, [source], 4)
    (tally,) = await HistoryStore(desk.db).tallies(DEFAULT_WORKSPACE, [source.spec])
    weights = [0.5 ** (age / HALF_LIFE) for age in range(4)]
    assert tally.asked == pytest.approx(sum(weights))
    assert tally.paid_micros == pytest.approx(10_000 * sum(weights))


async def test_a_run_that_is_repeated_asks_first_whom_it_has_paid_though_the_order_changed(
    desk: LearningDesk,
) -> None:
    cheap, good = sometimes("cheap", 10_000, every=1), sometimes("good", 20_000, every=1)
    job = await desk.claimed()
    args = EnrichArgs(
        input={"domain": "company1.com"},
        required_fields=(PHONE, FieldName("company_founded_year")),
        order=("good",),
    )
    async with desk.pipeline([cheap, good], Policy()) as pipeline:
        # it dies between the settlement of its first call and the end
        broken_off = await pipeline.run(Enrichment(job, args, lambda: bool(good.asked)))
        assert isinstance(broken_off, Stopped)
        changed = args.model_copy(update={"order": ("cheapest",)})
        again = Enrichment(job._replace(claim_no=2), changed, lambda: False)
        result = await pipeline.run(again)
    assert isinstance(result, EnrichResult)
    assert result.data[PHONE].source == "good"
    assert [len(cheap.asked), len(good.asked)] == [0, 1]


async def test_rates_are_read_once_and_again_when_they_are_old_never_for_a_row(
    db: Database,
) -> None:
    now = 100.0
    reads = 0

    class Counting(HistoryStore):
        async def tallies(self, *_args: object) -> tuple[()]:
            nonlocal reads
            reads += 1
            return ()

    async with asyncio.TaskGroup() as tasks:
        history = History(Counting(db), [], tasks, monotonic=lambda: now)
        await asyncio.gather(*(history.rates(DEFAULT_WORKSPACE) for _ in range(50)))
        assert reads == 1
        now += FRESH_S + 1
        for _ in range(50):
            await history.rates(DEFAULT_WORKSPACE)
        await asyncio.sleep(0)
    assert reads == 2
