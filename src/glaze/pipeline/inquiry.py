"""One run's questions: whom it may ask, on whose behalf, and what it takes in of the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from glaze.model.field import EntityKind
from glaze.model.ledger import Allowance, Asker, Spend
from glaze.model.provider import (
    Ask,
    Operation,
    Page,
    Provider,
    ProviderSpec,
    Statement,
    Tier,
    Verdict,
)
from glaze.model.value import MICROS_PER_CENT, FieldName, Json, Micros
from glaze.pipeline.asking import Decline, Declined, Question
from glaze.pipeline.barring import is_barred
from glaze.pipeline.enrichment import Enrichment, Halt, Later, Policy, Stopped
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.order import Choice, Rules, is_verifier, next_operation, question_needs
from glaze.pipeline.settling import ASKS_TO_WAIT
from glaze.pipeline.sheet import SITE, Sheet
from glaze.pipeline.terms import rules_of
from glaze.store.budget import BudgetCap
from glaze.store.ledger import LedgerStore

MAIL_SOURCE = "dns_mx"
_LOOKED, STORING = 10, 95
"""Percent done when the cache was looked into, and when all that can be had is there."""
PAUSED_S = 1.0
"""How long a row of a paused batch waits; then it is due, and nobody claims it until resumed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for where it is not all that is missing: the fields, and what is in doubt."""

    fields: frozenset[FieldName]
    candidates: Mapping[FieldName, tuple[Json, ...]] = field(default_factory=dict)
    page: Page | None = None
    statements: Mapping[FieldName, tuple[Statement, ...]] = field(default_factory=dict)

    def on(self, page: Page) -> Self:
        """Return the same about ``page``."""
        return replace(self, page=page)

    def ask(self, known: Mapping[FieldName, Json]) -> Ask:
        """Return it as a question."""
        evidence = () if self.page is None else (self.page,)
        return Ask(known, self.fields, evidence, self.candidates, self.statements)


@dataclass(frozen=True, slots=True)
class Means:
    """What every run asks with."""

    gateway: Gateway
    ledger: LedgerStore
    providers: Mapping[str, Provider]
    policy: Policy
    clock: Callable[[], datetime]
    models: frozenset[str] = field(init=False, repr=False)  # the names of the language models

    def __post_init__(self) -> None:
        """Find the models once: they are looked at many times a run."""
        specs = (provider.spec for provider in self.providers.values())
        models = frozenset(spec.name for spec in specs if spec.tier is Tier.INFERENCE)
        object.__setattr__(self, "models", models)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Asks for one run, and writes what comes on its sheet."""

    means: Means
    task: Enrichment
    sheet: Sheet
    asker: Asker

    @classmethod
    async def open(cls, means: Means, task: Enrichment, sheet: Sheet) -> Self:
        """Find out on whose behalf, under which caps and about whom is asked."""
        sheet.allowance = await _allowance(means, task)
        return cls(means, task, sheet, await _asker(means, task, sheet))

    @property
    def rules(self) -> Rules:
        """By which rules is chosen."""
        policy = self.means.policy
        return rules_of(self.task.terms, opted_in=policy.opted_in, unusable=policy.unusable)

    @property
    def specs(self) -> list[ProviderSpec]:
        """What the providers declare; for a row of a batch, at the price of answering later."""
        specs = [provider.spec for provider in self.means.providers.values()]
        if not self.means.policy.deferring or self.task.job.batch_id is None:
            return specs
        return [
            replace(spec, operations=tuple(one.deferred() for one in spec.operations))
            for spec in specs
        ]

    async def ask(self, choice: Choice, wanted: Wanted | None = None) -> Halt | None:
        """Ask one provider and take in what it says; say so where the job cannot go on."""
        sheet, clock = self.sheet, self.means.clock
        sheet.tried.add(choice.name)
        if is_verifier(choice.operation):
            sheet.verifiers.add(choice.name)
        known = sheet.known
        # The best identifiers so far: they are what is sent, and so what the question is known by.
        needs = question_needs(choice.operation, known)
        begun = clock()
        tell(self.task, sheet, f"asking {choice.name}")
        if needs is None:
            sheet.note(choice.spec.name, begun, begun, detail="not asked: nothing to ask by")
            return None
        judging = sheet.judging()
        result = await self.means.gateway.ask(
            Question(
                provider=self.means.providers[choice.spec.name],
                operation=choice.operation,
                needs=needs,
                ask=wanted.ask(known) if wanted else Ask(known=known, want=sheet.missing),
                asker=self.asker,
                position=choice.position,
                missed=tuple(sheet.missed),
                reason=choice.reason,
                judge=judging,
                earlier=tuple(sorted(sheet.heard)),
                country=sheet.country or None,
                floor=min(
                    map(sheet.terms.floor_of, choice.operation.gives.keys() & sheet.missing),
                    default=sheet.terms.floor,
                ),
                also=tuple(
                    other
                    for other in choice.operation.needs
                    if other != needs and other <= known.keys()
                ),
                forbidden=sheet.forbids(choice),
            )
        )
        if isinstance(result, Declined):
            halt = await self._declined(choice, result)
            if halt is None:
                sheet.fail(choice, result, begun, clock())
            return halt
        sheet.take(choice, result, begun, clock(), judging.said)
        return Stopped(Decline.SUPPRESSED) if is_barred(result.verdict, result.detail) else None

    async def _declined(self, choice: Choice, result: Declined) -> Halt | None:
        """Tell a reason to wait or to stop from a source that merely has nothing for us."""
        if result.why in (Decline.STALE, Decline.CANCELLED):
            return Stopped(result.why)
        if result.why is Decline.PAUSED:
            return Later(PAUSED_S, "the batch is paused")
        if result.why in (Decline.BUDGET, Decline.PRICE):  # others were quicker: look again
            self.sheet.allowance = await _allowance(self.means, self.task)
        if result.verdict is Verdict.PENDING and _in_no_hurry(choice.operation):
            return None
        told = result.verdict is not None  # by the vendor, not by another who asks the same
        if result.why is not Decline.WAIT or (told and not choice.spec.patient):
            return None
        if result.verdict in ASKS_TO_WAIT and result.call_id is not None:
            job = self.task.job
            times = await self.means.ledger.times_told_to_wait(
                job.workspace_id, job.id, result.call_id
            )
            if times >= choice.spec.retries:
                self.sheet.outages += 1
                return None
        return Later(result.wait_s, f"{choice.spec.name}: {result.detail}")

    async def look_up_mail(self) -> None:
        """Learn whether the domain takes mail, so that addresses can be judged by it (E5)."""
        await self._ask_free(MAIL_SOURCE)

    async def gather_evidence(self) -> None:
        """Have the site's pages at hand: inference may only quote from them."""
        await self._load_pages()
        if not self.sheet.pages:
            await self._ask_free(SITE)
            await self._load_pages()

    async def _load_pages(self) -> None:
        """Bring the pages that lie stored with answers known from before."""
        for call_id in self.sheet.page_calls:
            pages = await self.means.gateway.pages(self.task.job.workspace_id, call_id)
            self.sheet.pages.extend(pages)
        self.sheet.page_calls.clear()

    async def _ask_free(self, name: str) -> None:
        """Ask a free provider that others need, as soon as it can be asked and if it may be."""
        provider = self.means.providers.get(name)
        if provider is None:
            return
        gives = frozenset(provider.spec.operations[0].gives)
        sheet = self.sheet
        step = next_operation(
            [provider.spec], gives, sheet.known, None, tried=sheet.tried, rules=self.rules
        )
        if step.choice is not None:
            await self.ask(step.choice)

    async def affords_model(self, choice: Choice) -> bool:
        """Tell whether one more call stays below what a job may spend on models."""
        cap = self.means.policy.llm_cap_micros
        if cap is None:
            return True
        spend = await spend_of(self.means, self.task)
        return spend.most_micros(self.means.models) + choice.operation.price_micros <= cap


async def spend_of(means: Means, task: Enrichment) -> Spend:
    """Return what the job's calls have cost so far."""
    books = await means.gateway.bookkeeping.of(task.job.workspace_id)
    return await books.spend(task.job.id)


def tell(task: Enrichment, sheet: Sheet, message: str) -> None:
    """Say how many of the wanted fields are there: nobody knows how many sources it will take."""
    share = 1 - len(sheet.missing) / len(sheet.args.required_fields)
    task.progress(_LOOKED + share * (STORING - _LOOKED), message)


async def _asker(means: Means, task: Enrichment, sheet: Sheet) -> Asker:
    person = sheet.identity.keys.get(EntityKind.PERSON, ())
    subjects = [f"{key.scheme}:{key.value}" for key in person]
    now = means.clock()
    skip = task.args.skip_cache
    return Asker(
        workspace_id=task.job.workspace_id,
        job_id=task.job.id,
        token=task.job.token,
        batch_id=task.job.batch_id,
        correlation_id=task.job.correlation_id,
        entities=dict(sheet.entities),
        budgets=sheet.allowance.of_all,
        provider_budgets=sheet.allowance.of_provider,
        subjects=await means.gateway.subjects(task.job.workspace_id, subjects),
        fresh_after=sheet.anew_from or now - sheet.belief.fresh.of_answer(sheet.missing),
        miss_fresh_after=task.job.created_at if skip else now - means.policy.miss_ttl,
    )


async def _allowance(means: Means, task: Enrichment) -> Allowance:
    """Look at what is left below every cap that the job's calls count against."""
    given = {
        ("job", str(task.job.id)): task.args.max_cost_cents,
        ("batch", str(task.job.batch_id)): task.job.batch_id and task.args.batch_max_cost_cents,
    }
    caps = [
        BudgetCap(scope, key, Micros(cents * MICROS_PER_CENT))
        for (scope, key), cents in given.items()
        if cents is not None
    ]
    return await means.ledger.allowance(task.job.workspace_id, caps, means.policy.caps)


def _in_no_hurry(operation: Operation) -> bool:
    """Tell whether an answer that is awaited may take a day, and whoever asks wants it at once.

    It was handed in by a row of a batch; it is merged when it comes.
    """
    return operation.deferral is not None and not operation.is_deferred
