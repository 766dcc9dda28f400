"""One enrichment from input to result: the page to read first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from glaze.errors import InputError, PersonSuppressed
from glaze.model.asking_rule import Terms
from glaze.model.belief import Belief
from glaze.model.field import FIELDS, EntityKind
from glaze.model.icp_score import Score
from glaze.model.identity import identify
from glaze.model.input_type import inferred_type, refuse_unfit
from glaze.model.measure import Measures
from glaze.model.observation import Kept
from glaze.model.provider import Tier
from glaze.model.request import Costs, EnrichArgs, EnrichResult, ResultStatus, Stage
from glaze.model.value import FieldName, JobId, WorkspaceId
from glaze.pipeline.asking import Decline
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.books import Opened
from glaze.pipeline.enrichment import Enrichment, Halt, Later, Stopped, Unavailable
from glaze.pipeline.experience import History
from glaze.pipeline.inference import check, infer, resolve
from glaze.pipeline.inquiry import STORING, Inquiry, Means, Wanted, spend_of, tell
from glaze.pipeline.learned import Experience
from glaze.pipeline.merge import merging
from glaze.pipeline.official_site import DOMAIN, WEBSITE, seeker
from glaze.pipeline.order import Choice, arranged, next_operation
from glaze.pipeline.scoring import Scoring
from glaze.pipeline.sheet import INPUT, Sheet
from glaze.pipeline.terms import StandingTerms
from glaze.store.entity import Remerge
from glaze.store.job import NO_JOB
from glaze.store.suppression import WHY

_SITE_OF = Wanted(frozenset([DOMAIN, WEBSITE]))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Runs enrichments with these providers; stateless between runs."""

    means: Means
    beliefs: Beliefs
    history: History | None = None  # what the order is learned from
    scoring: Scoring | None = None  # by the ideal customer profile
    standing: StandingTerms | None = None  # how the workspace has its jobs ask

    @property
    def _rivals(self) -> bool:
        """Whether two paid operations, or more, can be asked at all: else nothing is to be chosen."""
        unusable = self.means.policy.unusable
        usable = (one.spec for name, one in self.means.providers.items() if name not in unusable)
        paid = [op for spec in usable for op in spec.operations if op.price_micros]
        return len(paid) > 1

    async def run(self, task: Enrichment) -> EnrichResult | Later | Stopped | Unavailable:
        """Fill what is missing at the least cost: cache, waterfall, inference, merge, store.

        A run that is repeated (after a crash, a retry or a wait) finds what was bought and pays
        for nothing twice.
        """
        came = await (await self.of(task.job.workspace_id))._run(task)  # noqa: SLF001  its own
        if isinstance(came, EnrichResult):
            self.count(task.args, came, self.means.gateway.measures)
        return came

    async def known(
        self, workspace_id: WorkspaceId, kind: str, args: EnrichArgs
    ) -> EnrichResult | None:
        """Return what a job of this kind would answer from the cache alone; nothing is written.

        None where anybody would be asked, or anything of the entities changed. Whether the person
        is suppressed the store asks when it writes the answer down.
        """
        terms = await self._terms(workspace_id, kind, args)
        sheet = self._open(args, terms, await self.beliefs.of(workspace_id), self.means.clock())
        if isinstance(sheet, EnrichResult):
            return None
        begun = self.means.clock()
        books = await self.means.gateway.bookkeeping.of(workspace_id)
        recalled = await books.recall(sheet.entity_keys())
        if recalled is None:
            return None
        self._take_cached(sheet, recalled, begun)
        if sheet.missing or sheet.doubts(self.means.models):
            return None
        score = await self._score(workspace_id, sheet)
        return self._answer(sheet, {}, Costs(), score)

    async def of(self, workspace_id: WorkspaceId) -> "Pipeline":
        """Return the pipeline as a workspace can use it: without whom it has no key for."""
        unusable = (await self.means.gateway.credentials.of(workspace_id)).unusable
        if not unusable:
            return self
        policy = replace(self.means.policy, unusable={**unusable, **self.means.policy.unusable})
        return replace(self, means=replace(self.means, policy=policy))

    def count(self, args: EnrichArgs, result: EnrichResult, measures: Measures) -> None:
        """Count an enrichment that has its result in ``measures``."""
        person = any(FIELDS[name].entity is EntityKind.PERSON for name in args.required_fields)
        about = "contact" if person else "company"
        asked_model = any(stage.name in self.means.models for stage in result.stages)
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
        tell(task, sheet, "looked into the cache")
        if not sheet.missing and not sheet.doubts(self.means.models):
            return await self._result(task, sheet, {})
        halt = await self._waterfall(await Inquiry.open(self.means, task, sheet))
        if halt is not None:
            return await self._ended_early(task, halt, sheet.now)
        task.progress(STORING, "storing what was found")
        final = await self._store(task, sheet)
        result = await self._result(task, sheet, final)
        if result.status is ResultStatus.FAILED and sheet.outages:
            errors = "; ".join(f"{s.name}: {s.error}" for s in result.stages if s.error)
            return Unavailable(errors)
        return result

    async def _ended_early(
        self, task: Enrichment, halt: Halt, now: datetime
    ) -> EnrichResult | Halt:
        """Say of somebody who turned out to be suppressed that nothing is kept, and what was paid."""
        if halt != Stopped(Decline.SUPPRESSED):
            return halt
        costs = await self._costs(task)
        return _suppressed(task.args, now).model_copy(update={"costs": costs})

    async def _terms(self, workspace_id: WorkspaceId, kind: str, args: EnrichArgs) -> Terms:
        standing = self.standing or StandingTerms(self.means.policy.order)
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
        now = self.means.clock()
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
        begun = self.means.clock()
        books = await self.means.gateway.bookkeeping.of(task.job.workspace_id)
        opened = await books.open(sheet.entity_keys())
        if opened.suppressed:
            return False
        if task.job.claim_no > 1:
            sheet.had = await self.means.ledger.asked_by_job(task.job.workspace_id, task.job.id)
        self._take_cached(sheet, opened, begun)
        return True

    def _take_cached(self, sheet: Sheet, opened: Opened, begun: datetime) -> None:
        sheet.entities = opened.entities
        sheet.add_cached(opened.kept)
        sheet.note("cache", begun, self.means.clock(), fields_found=tuple(sorted(sheet.from_cache)))

    async def _waterfall(self, inquiry: Inquiry) -> Halt | None:
        """Ask one provider after the other until nothing is missing or nobody is left."""
        sheet = inquiry.sheet
        while missing := sheet.missing:
            if inquiry.task.cancelled():
                return Stopped(Decline.CANCELLED)
            if sheet.wants_email:
                await inquiry.look_up_mail()
            choice, wanted = await self._next(inquiry, missing)
            if choice is None:
                break
            if choice.spec.tier is Tier.INFERENCE:
                halt = await infer(inquiry, choice)
            else:
                halt = await inquiry.ask(choice, wanted)
            if halt is not None:
                return halt
            sheet.note_site(self.means.clock())
        halt = await check(inquiry)
        return await resolve(inquiry) if halt is None else halt

    async def _next(
        self, inquiry: Inquiry, missing: frozenset[FieldName]
    ) -> tuple[Choice | None, Wanted | None]:
        """Decide whom to ask now, and for what where it is not what is missing.

        What evidence left open is told where inference begins.
        """
        sheet, rules = inquiry.sheet, inquiry.rules
        specs = inquiry.specs
        step = next_operation(
            [sheet.belief.shaped(spec) for spec in specs],
            missing,
            sheet.known,
            None,  # what was bought already costs nothing, so that caps are looked at last
            tried=sheet.tried,
            rules=rules,
            had=sheet.had,
            experience=await self._experience(inquiry.task, sheet),
        )
        finding = seeker(  # of the company's official site, before anything else is asked
            specs,
            missing,
            sheet.known,
            tried=sheet.tried,
            rules=rules,
            instead=step.choice,
            had=sheet.had,
        )
        if finding is not None:
            return finding, _SITE_OF
        if step.choice is None or step.choice.spec.tier is Tier.INFERENCE:
            skipped = "; ".join(f"{one.name}: {one.why}" for one in step.skipped)
            detail = f"missing {', '.join(sorted(missing))}" + (f"; {skipped}" if skipped else "")
            sheet.note_gaps(self.means.clock(), detail)
        return step.choice, None

    async def _experience(self, task: Enrichment, sheet: Sheet) -> Experience | None:
        """Return what was learned, in this step's circumstances, where the order asks for it."""
        if self.history is None or not arranged(task.terms.order)[1] or not self._rivals:
            return None
        rates = await self.history.rates(task.job.workspace_id)
        return Experience(rates, frozenset(sheet.heard), sheet.country, sheet.subject)

    async def _store(self, task: Enrichment, sheet: Sheet) -> Mapping[FieldName, Kept]:
        """Derive the entities' winners from everything ever observed; they are the next cache."""
        begun = self.means.clock()
        books = await self.means.gateway.bookkeeping.of(task.job.workspace_id)
        stored = await books.remerge(
            Remerge(sheet.entities, merging(sheet.belief), self.means.clock())
        )
        sheet.note("store", begun, self.means.clock(), fields_found=tuple(sorted(stored)))
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
        begun = self.means.clock()
        data = sheet.values(final)
        missing = tuple(
            name
            for name in sheet.args.required_fields
            if name not in data or data[name].confidence < sheet.terms.floor_of(name)
        )
        sheet.note("merge_validate", begun, self.means.clock(), fields_found=tuple(sorted(data)))
        return EnrichResult(
            status=_status(sheet, missing),
            type=sheet.args.type or inferred_type(sheet.identity),
            data=data,
            missing=missing,
            costs=costs,
            stages=tuple(sheet.stages),
            timestamp=self.means.clock(),
            icp=score,
        )

    async def _score(self, workspace_id: WorkspaceId, sheet: Sheet) -> Score | None:
        if self.scoring is None:
            return None
        return await self.scoring.of(workspace_id, sheet.identity, sheet.entities)

    async def _costs(self, task: Enrichment) -> Costs:
        spend = await spend_of(self.means, task)
        inferred = sum(paid for name, paid in spend.paid.items() if name in self.means.models)
        return Costs(
            provider=sum(spend.paid.values()) - inferred,
            llm=inferred,
            unknown=spend.unknown_micros,
        )


def _suppressed(args: EnrichArgs, now: datetime) -> EnrichResult:
    """Return what comes back of a person about whom nothing is kept or bought: nothing, and why."""
    return EnrichResult(
        status=ResultStatus.FAILED,
        data={},
        missing=args.required_fields,
        stages=(Stage(name="input", duration_ms=0, error=f"{PersonSuppressed.code}: {WHY}"),),
        timestamp=now,
    )


def _status(sheet: Sheet, missing: tuple[FieldName, ...]) -> ResultStatus:
    if not missing:
        return ResultStatus.SUCCESS
    if sheet.errored and not sheet.answered and not sheet.winners:
        return ResultStatus.FAILED
    return ResultStatus.PARTIAL
