"""One enrichment from input to result: the page to read first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from glaze.errors import InputError, PersonSuppressed
from glaze.model.asking_rule import Terms
from glaze.model.belief import Belief
from glaze.model.field import FIELDS, EntityKind
from glaze.model.icp_score import Score
from glaze.model.identity import identify
from glaze.model.input_type import inferred_type, refuse_unfit
from glaze.model.job import ClaimedJob
from glaze.model.ledger import Allowance, Asker, Spend
from glaze.model.measure import Measures
from glaze.model.observation import Kept
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
from glaze.model.request import Costs, EnrichArgs, EnrichResult, ResultStatus, Stage
from glaze.model.value import (
    MICROS_PER_CENT,
    FieldName,
    JobId,
    Json,
    Micros,
    WorkspaceId,
)
from glaze.pipeline.asking import Decline, Declined, Question
from glaze.pipeline.barring import is_barred
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.books import Opened
from glaze.pipeline.experience import History
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.learned import Experience
from glaze.pipeline.merge import merging
from glaze.pipeline.official_site import DOMAIN, WEBSITE, seeker
from glaze.pipeline.order import (
    Choice,
    Rules,
    arranged,
    full_name,
    is_verifier,
    next_operation,
    question_needs,
)
from glaze.pipeline.scoring import Scoring
from glaze.pipeline.settling import ASKS_TO_WAIT
from glaze.pipeline.sheet import INPUT, SITE, Sheet
from glaze.pipeline.terms import StandingTerms, rules_of
from glaze.store.budget import BudgetCap
from glaze.store.entity import Remerge
from glaze.store.job import NO_JOB
from glaze.store.ledger import LedgerStore
from glaze.store.suppression import WHY

MAIL_SOURCE = "dns_mx"
_OVER_CAP = "not asked: the job's cap on models"
_LOOKED, _STORING = 10, 95
"""Percent done when the cache was looked into, and when all that can be had is there."""
PAUSED_S = 1.0
"""How long a row of a paused batch waits; then it is due, and nobody claims it until resumed."""


@dataclass(frozen=True, slots=True)
class Later:
    """The job has to wait ``wait_s`` seconds for ``reason``; nothing failed."""

    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job is not to go on: cancelled, another worker's by now, or about whom nothing may be kept."""

    why: Decline


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing is known and every source failed, one at least for a reason that may pass."""

    detail: str


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What one claimed job asks the pipeline for."""

    job: ClaimedJob
    args: EnrichArgs
    cancelled: Callable[[], bool]
    progress: Callable[[float, str], None] = lambda _percent, _message: None
    terms: Terms = field(default_factory=Terms)  # how it asks; the pipeline finds it out


@dataclass(frozen=True, slots=True)
class Policy:
    """What the workspace's settings say of every enrichment."""

    miss_ttl: timedelta = timedelta(days=1)
    order: Sequence[str] = ()  # as people give it: see ``arranged``
    opted_in: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, Micros] = field(default_factory=dict)  # standing ones, see store/budget.py
    llm_pages: int = 5  # most pages of a site that a model reads for one job
    llm_cap_micros: Micros | None = None  # most that one job spends on models
    deferring: bool = False  # rows of batches have models answer later, where that is cheaper


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a model is to read on a page: the fields, and the values that are in doubt."""

    want: frozenset[FieldName]
    candidates: Mapping[FieldName, tuple[Json, ...]] = field(default_factory=dict)
    page: Page | None = None
    statements: Mapping[FieldName, tuple[Statement, ...]] = field(default_factory=dict)

    def of(self, page: Page) -> "_Reading":
        """Return the same about ``page``."""
        return replace(self, page=page)

    def ask(self, known: Mapping[FieldName, Json]) -> Ask:
        """Return it as a question."""
        evidence = () if self.page is None else (self.page,)
        return Ask(known, self.want, evidence, self.candidates, self.statements)


_SITE_OF = _Reading(frozenset([DOMAIN, WEBSITE]))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Runs enrichments with these providers; stateless between runs."""

    gateway: Gateway
    ledger: LedgerStore
    providers: Mapping[str, Provider]
    policy: Policy
    clock: Callable[[], datetime]
    beliefs: Beliefs
    history: History | None = None  # what the order is learned from
    scoring: Scoring | None = None  # by the ideal customer profile
    standing: StandingTerms | None = None  # how the workspace has its jobs ask
    _models: frozenset[str] = field(init=False, repr=False)  # the names of the language models

    def __post_init__(self) -> None:
        """Find the models once: they are looked at many times a run."""
        specs = (provider.spec for provider in self.providers.values())
        models = frozenset(spec.name for spec in specs if spec.tier is Tier.INFERENCE)
        object.__setattr__(self, "_models", models)

    @property
    def _rivals(self) -> bool:
        """Whether two paid operations, or more, can be asked at all: else nothing is to be chosen."""
        usable = (
            one.spec for name, one in self.providers.items() if name not in self.policy.unusable
        )
        paid = [op for spec in usable for op in spec.operations if op.price_micros]
        return len(paid) > 1

    def _specs(self, task: Enrichment) -> list[ProviderSpec]:
        """Return what the providers declare; for a row of a batch, at the price of answering later."""
        specs = [provider.spec for provider in self.providers.values()]
        if not self.policy.deferring or task.job.batch_id is None:
            return specs
        return [
            replace(spec, operations=tuple(one.deferred() for one in spec.operations))
            for spec in specs
        ]

    async def run(self, task: Enrichment) -> EnrichResult | Later | Stopped | Unavailable:
        """Fill what is missing at the least cost: cache, waterfall, inference, merge, store.

        A run that is repeated (after a crash, a retry or a wait) finds what was bought and pays
        for nothing twice.
        """
        came = await (await self.of(task.job.workspace_id))._run(task)  # noqa: SLF001  its own
        if isinstance(came, EnrichResult):
            self.count(task.args, came, self.gateway.measures)
        return came

    async def known(
        self, workspace_id: WorkspaceId, kind: str, args: EnrichArgs
    ) -> EnrichResult | None:
        """Return what a job of this kind would answer from the cache alone; nothing is written.

        None where anybody would be asked, or anything of the entities changed. Whether the person
        is suppressed the store asks when it writes the answer down.
        """
        terms = await self._terms(workspace_id, kind, args)
        sheet = self._open(args, terms, await self.beliefs.of(workspace_id), self.clock())
        if isinstance(sheet, EnrichResult):
            return None
        begun = self.clock()
        books = await self.gateway.bookkeeping.of(workspace_id)
        recalled = await books.recall(sheet.entity_keys())
        if recalled is None:
            return None
        self._take_cached(sheet, recalled, begun)
        if sheet.missing or sheet.doubts(self._models):
            return None
        score = await self._score(workspace_id, sheet)
        return self._answer(sheet, {}, Costs(), score)

    async def of(self, workspace_id: WorkspaceId) -> "Pipeline":
        """Return the pipeline as a workspace can use it: without whom it has no key for."""
        unusable = (await self.gateway.credentials.of(workspace_id)).unusable
        if not unusable:
            return self
        policy = replace(self.policy, unusable={**unusable, **self.policy.unusable})
        return replace(self, policy=policy)

    def count(self, args: EnrichArgs, result: EnrichResult, measures: Measures) -> None:
        """Count an enrichment that has its result in ``measures``."""
        person = any(FIELDS[name].entity is EntityKind.PERSON for name in args.required_fields)
        about = "contact" if person else "company"
        asked_model = any(stage.name in self._models for stage in result.stages)
        measures.count("glaze_enrichments", about, result.status, "yes" if asked_model else "no")
        if result.costs.total:
            measures.count("glaze_enrichment_cost_micros", about, by=result.costs.total)

    async def _run(self, task: Enrichment) -> EnrichResult | Later | Stopped | Unavailable:
        terms = await self._terms(task.job.workspace_id, task.job.kind, task.args)
        task = replace(task, terms=terms)
        belief = await self.beliefs.of(task.job.workspace_id)
        sheet = self._open(task.args, terms, belief, task.job.created_at, job_id=task.job.id)
        if isinstance(sheet, EnrichResult):
            return sheet
        if not await self._check_cache(task, sheet):
            return _suppressed(task.args, sheet.now)
        _tell(task, sheet, "looked into the cache")
        if not sheet.missing and not sheet.doubts(self._models):
            return await self._result(task, sheet, {})
        asker = await self._asker(task, sheet)
        stopped = await self._waterfall(task, sheet, asker)
        if stopped is not None:
            return await self._ended_early(task, stopped, sheet.now)
        task.progress(_STORING, "storing what was found")
        final = await self._store(task, sheet)
        result = await self._result(task, sheet, final)
        if result.status is ResultStatus.FAILED and sheet.outages:
            errors = "; ".join(f"{s.name}: {s.error}" for s in result.stages if s.error)
            return Unavailable(errors)
        return result

    async def _ended_early(
        self, task: Enrichment, stopped: Later | Stopped, now: datetime
    ) -> EnrichResult | Later | Stopped:
        """Say of somebody who turned out to be suppressed that nothing is kept, and what was paid."""
        if stopped != Stopped(Decline.SUPPRESSED):
            return stopped
        costs = await self._costs(task)
        return _suppressed(task.args, now).model_copy(update={"costs": costs})

    async def _terms(self, workspace_id: WorkspaceId, kind: str, args: EnrichArgs) -> Terms:
        standing = self.standing or StandingTerms(self.policy.order)
        return await standing.of(workspace_id, kind, args)

    def _open(
        self,
        args: EnrichArgs,
        terms: Terms,
        belief: Belief,
        asked_at: datetime,
        *,
        job_id: JobId = NO_JOB,
    ) -> Sheet | EnrichResult:
        """Find out who is meant; an input that identifies nobody is a failed result."""
        now = self.clock()
        try:
            identity = identify(args.input)
            if args.type is not None:
                refuse_unfit(args.type, identity)
        except InputError as error:
            return EnrichResult(
                status=ResultStatus.FAILED,
                data={},
                missing=args.required_fields,
                stages=(Stage(name="input", duration_ms=0, error=f"{error.code}: {error}"),),
                timestamp=now,
            )
        anew = asked_at if args.skip_cache else None
        sheet = Sheet(job_id, args, identity, now, anew, belief, terms)
        if identity.notes:
            sheet.note(INPUT, now, now, detail=f"left aside: {'; '.join(identity.notes)}")
        return sheet

    async def _check_cache(self, task: Enrichment, sheet: Sheet) -> bool:
        """Take what is stored already; False where nothing may be kept of the person."""
        begun = self.clock()
        books = await self.gateway.bookkeeping.of(task.job.workspace_id)
        opened = await books.open(sheet.entity_keys())
        if opened.suppressed:
            return False
        if task.job.claim_no > 1:
            sheet.had = await self.ledger.asked_by_job(task.job.workspace_id, task.job.id)
        self._take_cached(sheet, opened, begun)
        return True

    def _take_cached(self, sheet: Sheet, opened: Opened, begun: datetime) -> None:
        sheet.entities = opened.entities
        sheet.add_cached(opened.kept)
        sheet.note("cache", begun, self.clock(), fields_found=tuple(sorted(sheet.from_cache)))

    async def _waterfall(
        self, task: Enrichment, sheet: Sheet, asker: Asker
    ) -> Later | Stopped | None:
        """Ask one provider after the other until nothing is missing or nobody is left."""
        while missing := sheet.missing:
            if task.cancelled():
                return Stopped(Decline.CANCELLED)
            if sheet.wants_email:
                await self._look_up_mail(task, sheet, asker)
            choice, reading = await self._next(task, sheet, missing)
            if choice is None:
                break
            if choice.spec.tier is Tier.INFERENCE:
                await self._gather_evidence(task, sheet, asker)
                stopped = await self._infer(task, sheet, asker, choice)
            else:
                stopped = await self._ask(task, sheet, asker, choice, reading)
            if stopped is not None:
                return stopped
            sheet.note_site(self.clock())
        stopped = await self._check(task, sheet, asker)
        return await self._resolve(task, sheet, asker) if stopped is None else stopped

    async def _next(
        self, task: Enrichment, sheet: Sheet, missing: frozenset[FieldName]
    ) -> tuple[Choice | None, _Reading | None]:
        """Decide whom to ask now, and for what where it is not what is missing.

        What evidence left open is told where inference begins.
        """
        specs = [sheet.belief.shaped(spec) for spec in self._specs(task)]
        step = next_operation(
            specs,
            missing,
            sheet.known,
            None,  # what was bought already costs nothing, so that caps are looked at last
            tried=sheet.tried,
            rules=self._rules(task),
            had=sheet.had,
            experience=await self._experience(task, sheet),
        )
        finding = self._seeker(task, sheet, missing, step.choice)
        if finding is not None:
            return finding, _SITE_OF
        if step.choice is None or step.choice.spec.tier is Tier.INFERENCE:
            skipped = "; ".join(f"{one.name}: {one.why}" for one in step.skipped)
            detail = f"missing {', '.join(sorted(missing))}" + (f"; {skipped}" if skipped else "")
            sheet.note_gaps(self.clock(), detail)
        return step.choice, None

    def _seeker(
        self, task: Enrichment, sheet: Sheet, missing: frozenset[FieldName], instead: Choice | None
    ) -> Choice | None:
        """Return who is to find the company's official site before anything else is asked."""
        return seeker(
            self._specs(task),
            missing,
            sheet.known,
            tried=sheet.tried,
            rules=self._rules(task),
            instead=instead,
            had=sheet.had,
        )

    def _rules(self, task: Enrichment) -> Rules:
        policy = self.policy
        return rules_of(task.terms, opted_in=policy.opted_in, unusable=policy.unusable)

    async def _experience(self, task: Enrichment, sheet: Sheet) -> Experience | None:
        """Return what was learned, in this step's circumstances, where the order asks for it."""
        if self.history is None or not arranged(task.terms.order)[1] or not self._rivals:
            return None
        rates = await self.history.rates(task.job.workspace_id)
        return Experience(rates, frozenset(sheet.heard), sheet.country, sheet.subject)

    async def _infer(
        self, task: Enrichment, sheet: Sheet, asker: Asker, choice: Choice
    ) -> Later | Stopped | None:
        """Ask a model for what is still missing, page after page."""
        return await self._read_pages(
            task,
            sheet,
            asker,
            choice,
            lambda: _Reading(sheet.missing & choice.operation.gives.keys()),
        )

    async def _check(self, task: Enrichment, sheet: Sheet, asker: Asker) -> Later | Stopped | None:
        """Have values in doubt judged against the site's pages, where a model may be asked."""

        def doubts() -> _Reading:
            found = sheet.doubts(self._models)
            return _Reading(frozenset(found), found)

        if not doubts().want:
            return None
        step = next_operation(
            self._specs(task),
            doubts().want,
            sheet.known,
            None,
            tried=sheet.tried | self._judges(choosing=True),
            rules=self._rules(task).without_floor(),
            checking=True,
        )
        if step.choice is None:
            return None
        await self._gather_evidence(task, sheet, asker)
        return await self._read_pages(task, sheet, asker, step.choice, doubts)

    async def _resolve(
        self, task: Enrichment, sheet: Sheet, asker: Asker
    ) -> Later | Stopped | None:
        """Have a model choose where sources still disagree and none is sure enough.

        One field a call, told by what each source said of it: the words of one source's page can
        sway no other field. Within the caps of the pages' reading.
        """
        conflicts = sheet.conflicts(self._models)
        for name, told in list(conflicts.items())[: self.policy.llm_pages]:
            step = next_operation(
                self._specs(task),
                frozenset([name]),
                sheet.known,
                None,
                tried=self._judges(choosing=False),
                rules=self._rules(task).without_floor(),
                checking=True,
            )
            if step.choice is None or task.cancelled():
                return None
            if not await self._affords_model(task, step.choice):
                at = self.clock()
                sheet.note(step.choice.spec.name, at, at, detail=_OVER_CAP)
                return None
            reading = _Reading(frozenset([name]), statements={name: told})
            failures = sheet.errored
            stopped = await self._ask(task, sheet, asker, step.choice, reading)
            if stopped is not None or sheet.errored > failures:
                return stopped
        return None

    def _judges(self, *, choosing: bool) -> frozenset[str]:
        """Return the operations that choose between sources, or those that check against a page."""
        return frozenset(
            full_name(provider.spec, operation)
            for provider in self.providers.values()
            for operation in provider.spec.operations
            if operation.checks and operation.chooses is choosing
        )

    async def _read_pages(
        self,
        task: Enrichment,
        sheet: Sheet,
        asker: Asker,
        choice: Choice,
        reading: Callable[[], "_Reading"],
    ) -> Later | Stopped | None:
        """Ask a model about one page after the other, each only for what is still open.

        One page a call: what a page says to a reader can touch no other page's values, and each
        page's answer is kept for whoever asks of it next. A failure ends the reading.
        """
        sheet.tried.add(choice.name)
        pages = {page.url: page for page in sheet.pages}
        if not pages:
            now = self.clock()
            sheet.note(choice.spec.name, now, now, detail="not asked: no page to quote from")
        for page in list(pages.values())[: self.policy.llm_pages]:
            failures, open_ = sheet.errored, reading()
            if not open_.want or task.cancelled():
                break
            if not await self._affords_model(task, choice):
                at = self.clock()
                sheet.note(choice.spec.name, at, at, detail=_OVER_CAP)
                break
            stopped = await self._ask(task, sheet, asker, choice, open_.of(page))
            if stopped is not None or sheet.errored > failures:
                return stopped
        return None

    async def _affords_model(self, task: Enrichment, choice: Choice) -> bool:
        """Tell whether one more call stays below what a job may spend on models."""
        if self.policy.llm_cap_micros is None:
            return True
        spend = await self._spend(task)
        most = spend.most_micros(self._models) + choice.operation.price_micros
        return most <= self.policy.llm_cap_micros

    async def _ask(
        self,
        task: Enrichment,
        sheet: Sheet,
        asker: Asker,
        choice: Choice,
        reading: "_Reading | None" = None,
    ) -> Later | Stopped | None:
        """Ask one provider and take in what it says; say so where the job cannot go on."""
        sheet.tried.add(choice.name)
        if is_verifier(choice.operation):
            sheet.verifiers.add(choice.name)
        known = sheet.known
        # The best identifiers so far: they are what is sent, and so what the question is known by.
        needs = question_needs(choice.operation, known)
        begun = self.clock()
        _tell(task, sheet, f"asking {choice.name}")
        if needs is None:
            sheet.note(choice.spec.name, begun, begun, detail="not asked: nothing to ask by")
            return None
        judging = sheet.judging()
        result = await self.gateway.ask(
            Question(
                provider=self.providers[choice.spec.name],
                operation=choice.operation,
                needs=needs,
                ask=reading.ask(known) if reading else Ask(known=known, want=sheet.missing),
                asker=asker,
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
            stopped = await self._declined(task, sheet, choice, result)
            if stopped is None:
                sheet.fail(choice, result, begun, self.clock())
            return stopped
        sheet.take(choice, result, begun, self.clock(), judging.said)
        return Stopped(Decline.SUPPRESSED) if is_barred(result.verdict, result.detail) else None

    async def _declined(
        self, task: Enrichment, sheet: Sheet, choice: Choice, result: Declined
    ) -> Later | Stopped | None:
        """Tell a reason to wait or to stop from a source that merely has nothing for us."""
        if result.why in (Decline.STALE, Decline.CANCELLED):
            return Stopped(result.why)
        if result.why is Decline.PAUSED:
            return Later(PAUSED_S, "the batch is paused")
        if result.why in (Decline.BUDGET, Decline.PRICE):  # others were quicker: look again
            sheet.allowance = await self._allowance(task)
        if result.verdict is Verdict.PENDING and _in_no_hurry(choice.operation):
            return None
        told = result.verdict is not None  # by the vendor, not by another who asks the same
        if result.why is not Decline.WAIT or (told and not choice.spec.patient):
            return None
        if result.verdict in ASKS_TO_WAIT and result.call_id is not None:
            times = await self.ledger.times_told_to_wait(
                task.job.workspace_id, task.job.id, result.call_id
            )
            if times >= choice.spec.retries:
                sheet.outages += 1
                return None
        return Later(result.wait_s, f"{choice.spec.name}: {result.detail}")

    async def _look_up_mail(self, task: Enrichment, sheet: Sheet, asker: Asker) -> None:
        """Learn whether the domain takes mail, so that addresses can be judged by it (E5)."""
        await self._ask_free(task, sheet, asker, MAIL_SOURCE)

    async def _gather_evidence(self, task: Enrichment, sheet: Sheet, asker: Asker) -> None:
        """Have the site's pages at hand: inference may only quote from them."""
        await self._load_pages(task, sheet)
        if not sheet.pages:
            await self._ask_free(task, sheet, asker, SITE)
            await self._load_pages(task, sheet)

    async def _load_pages(self, task: Enrichment, sheet: Sheet) -> None:
        """Bring the pages that lie stored with answers known from before."""
        for call_id in sheet.page_calls:
            sheet.pages.extend(await self.gateway.pages(task.job.workspace_id, call_id))
        sheet.page_calls.clear()

    async def _ask_free(self, task: Enrichment, sheet: Sheet, asker: Asker, name: str) -> None:
        """Ask a free provider that others need, as soon as it can be asked and if it may be."""
        provider = self.providers.get(name)
        if provider is None:
            return
        gives = frozenset(provider.spec.operations[0].gives)
        step = next_operation(
            [provider.spec], gives, sheet.known, None, tried=sheet.tried, rules=self._rules(task)
        )
        if step.choice is not None:
            await self._ask(task, sheet, asker, step.choice)

    async def _asker(self, task: Enrichment, sheet: Sheet) -> Asker:
        """Say on whose behalf, under which caps and about whom providers are asked."""
        sheet.allowance = await self._allowance(task)
        person = sheet.identity.keys.get(EntityKind.PERSON, ())
        subjects = [f"{key.scheme}:{key.value}" for key in person]
        now = self.clock()
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
            subjects=await self.gateway.subjects(task.job.workspace_id, subjects),
            fresh_after=sheet.anew_from or now - sheet.belief.fresh.of_answer(sheet.missing),
            miss_fresh_after=task.job.created_at if skip else now - self.policy.miss_ttl,
        )

    async def _allowance(self, task: Enrichment) -> Allowance:
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
        return await self.ledger.allowance(task.job.workspace_id, caps, self.policy.caps)

    async def _store(self, task: Enrichment, sheet: Sheet) -> Mapping[FieldName, Kept]:
        """Derive the entities' winners from everything ever observed; they are the next cache."""
        begun = self.clock()
        books = await self.gateway.bookkeeping.of(task.job.workspace_id)
        stored = await books.remerge(Remerge(sheet.entities, merging(sheet.belief), self.clock()))
        sheet.note("store", begun, self.clock(), fields_found=tuple(sorted(stored)))
        return stored

    async def _result(
        self, task: Enrichment, sheet: Sheet, final: Mapping[FieldName, Kept]
    ) -> EnrichResult:
        costs = await self._costs(task)
        score = await self._score(task.job.workspace_id, sheet)
        return self._answer(sheet, final, costs, score)

    def _answer(
        self, sheet: Sheet, final: Mapping[FieldName, Kept], costs: Costs, score: Score | None
    ) -> EnrichResult:
        begun = self.clock()
        data = sheet.values(final)
        missing = tuple(
            name
            for name in sheet.args.required_fields
            if name not in data or data[name].confidence < sheet.terms.floor_of(name)
        )
        sheet.note("merge_validate", begun, self.clock(), fields_found=tuple(sorted(data)))
        return EnrichResult(
            status=_status(sheet, missing),
            type=sheet.args.type or inferred_type(sheet.identity),
            data=data,
            missing=missing,
            costs=costs,
            stages=tuple(sheet.stages),
            timestamp=self.clock(),
            icp=score,
        )

    async def _score(self, workspace_id: WorkspaceId, sheet: Sheet) -> Score | None:
        if self.scoring is None:
            return None
        return await self.scoring.of(workspace_id, sheet.identity, sheet.entities)

    async def _costs(self, task: Enrichment) -> Costs:
        spend = await self._spend(task)
        inferred = sum(paid for name, paid in spend.paid.items() if name in self._models)
        return Costs(
            provider=sum(spend.paid.values()) - inferred,
            llm=inferred,
            unknown=spend.unknown_micros,
        )

    async def _spend(self, task: Enrichment) -> Spend:
        books = await self.gateway.bookkeeping.of(task.job.workspace_id)
        return await books.spend(task.job.id)


def _suppressed(args: EnrichArgs, now: datetime) -> EnrichResult:
    """Return what comes back of a person about whom nothing is kept or bought: nothing, and why."""
    return EnrichResult(
        status=ResultStatus.FAILED,
        data={},
        missing=args.required_fields,
        stages=(Stage(name="input", duration_ms=0, error=f"{PersonSuppressed.code}: {WHY}"),),
        timestamp=now,
    )


def _in_no_hurry(operation: Operation) -> bool:
    """Tell whether an answer that is awaited may take a day, and whoever asks wants it at once.

    It was handed in by a row of a batch; it is merged when it comes.
    """
    return operation.deferral is not None and not operation.is_deferred


def _tell(task: Enrichment, sheet: Sheet, message: str) -> None:
    """Say how many of the wanted fields are there: nobody knows how many sources it will take."""
    share = 1 - len(sheet.missing) / len(sheet.args.required_fields)
    task.progress(_LOOKED + share * (_STORING - _LOOKED), message)


def _status(sheet: Sheet, missing: tuple[FieldName, ...]) -> ResultStatus:
    if not missing:
        return ResultStatus.SUCCESS
    if sheet.errored and not sheet.answered and not sheet.winners:
        return ResultStatus.FAILED
    return ResultStatus.PARTIAL
