"""A plan before spending: what is there already, to the value, and what the rest will probably cost (E13)."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from glaze.errors import InputError
from glaze.model.asking_rule import Terms
from glaze.model.identity import Identity, canonical_question, identify
from glaze.model.ledger import Allowance, Refused
from glaze.model.provider import ProviderSpec, Tier
from glaze.model.request import EnrichArgs
from glaze.model.value import MICROS_PER_CENT, FieldName, JobId, Json, Micros, WorkspaceId
from glaze.pipeline.asking import question_key
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.credentials import Credentials, Reach
from glaze.pipeline.enrichment import Policy
from glaze.pipeline.forecast import MOST_ROWS, SEED, Band, Forecast, OpenRow, World, forecast
from glaze.pipeline.order import Rules, full_name, next_operation
from glaze.pipeline.rates import Rates
from glaze.pipeline.sheet import Sheet
from glaze.pipeline.terms import StandingTerms, rules_of
from glaze.store.budget import BudgetStore
from glaze.store.entity import EntityStore
from glaze.store.history import HistoryStore
from glaze.store.ledger import LedgerStore
from glaze.store.plan import PlanStore

_CHUNK = 500
_NOBODY = JobId(0)


@dataclass(slots=True)
class Plan:
    """What a run over these rows would find, and what it would probably buy. Money in micros."""

    rows: int = 0
    wanted: int = 0  # values: rows times fields
    given: Counter[FieldName] = field(default_factory=Counter)  # rows that have it themselves
    yours: Counter[FieldName] = field(default_factory=Counter)  # rows for which the cache has it
    open: int = 0  # rows with a gap
    twins: int = 0  # of these, rows that mean the same as an earlier one: they cost nothing more
    answered: float = 0.0  # paid questions of a row with gaps that are answered already, on average
    forecast: Forecast | None = None  # None where nothing is missing
    allowance: Allowance = field(default_factory=Allowance)  # what the standing caps leave
    barred: dict[str, Refused] = field(default_factory=dict)  # operations that cannot be paid now

    def filled(self, name: FieldName) -> Band:
        """Return in how many rows a field will be there, with what is there already."""
        there = self.given[name] + self.yours[name]
        found = None if self.forecast is None else self.forecast.filled.get(name)
        if found is None:
            return Band(there, there, there)
        share = self.open / max(1, self.open - self.twins)
        return Band(
            *(min(self.rows, there + part * share) for part in (found.p5, found.p50, found.p95))
        )


def _identified(chunk: Iterable[dict[str, str]]) -> Iterator[tuple[dict[str, str], Identity]]:
    """Yield the rows that identify somebody, with whom."""
    for one in chunk:
        with suppress(InputError):
            yield one, identify(one)


@dataclass(frozen=True, slots=True)
class Planner:
    """Reads what the ledger holds and plays the rest through; writes nothing, sends nothing."""

    entities: EntityStore
    ledger: LedgerStore
    history: HistoryStore
    store: PlanStore
    specs: Sequence[ProviderSpec]
    credentials: Credentials
    policy: Policy
    beliefs: Beliefs
    budgets: BudgetStore
    standing: StandingTerms
    kind: str = "enrich"  # of the jobs that the run consists of

    async def plan(
        self,
        workspace_id: WorkspaceId,
        args: EnrichArgs,
        inputs: Iterable[dict[str, str]],
        now: datetime,
    ) -> Plan:
        """Plan a run over ``inputs`` under the arguments that all rows share.

        Args:
            workspace_id: Whose cache and history.
            args: Fields, order, limits; its input is not looked at.
            inputs: Rows; one that identifies nobody is left out, as a run leaves it out.
            now: When the run would begin.
        """
        plan = Plan()
        sample = _Sample()
        rows = iter(inputs)
        while chunk := [*islice(rows, _CHUNK)]:
            for sheet in await self._sheets(workspace_id, args, chunk, now):
                _count(plan, sheet)
                if sheet.missing and not sample.add(sheet):
                    plan.twins += 1
        if plan.open:
            plan.forecast = await self._forecast(workspace_id, args, plan, sample.kept, now)
        return plan

    async def _sheets(
        self,
        workspace_id: WorkspaceId,
        args: EnrichArgs,
        chunk: Sequence[dict[str, str]],
        now: datetime,
    ) -> list[Sheet]:
        """Return the rows as a run would open them, with what the cache holds."""
        terms = await self.standing.of(workspace_id, self.kind, args)
        anew_from = now if args.skip_cache else None
        belief = await self.beliefs.of(workspace_id)
        sheets = [
            Sheet(
                _NOBODY,
                args.model_copy(update={"input": one}),
                identity,
                now,
                anew_from,
                belief,
                terms,
            )
            for one, identity in _identified(chunk)
        ]
        kept = await self.entities.peek(workspace_id, [sheet.entity_keys() for sheet in sheets])
        for sheet, found in zip(sheets, kept, strict=True):
            sheet.add_cached(found)
        return sheets

    async def _forecast(
        self,
        workspace_id: WorkspaceId,
        args: EnrichArgs,
        plan: Plan,
        sheets: Sequence[Sheet],
        now: datetime,
    ) -> Forecast:
        reach = await self.credentials.of(workspace_id)
        answered = await self._answered(workspace_id, reach, args, sheets, now)
        plan.answered = sum(map(len, answered)) / max(1, len(answered))
        rows = [
            OpenRow(
                sheet.missing,
                frozenset(name for name, value in sheet.known.items() if value not in (None, "")),
                frozenset(done),
                sheet.country,
                sheet.subject,
            )
            for sheet, done in zip(sheets, answered, strict=True)
        ]
        tallies = await self.history.tallies(workspace_id, self.specs)
        needs = {name for s in self.specs for one in s.operations for n in one.needs for name in n}
        plan.allowance = await self.budgets.standing(workspace_id, self.policy.caps)
        rules, plan.barred = self._barred(args, sheets[0].terms, reach, plan.allowance)
        world = World(
            specs=self.specs,
            rules=rules,
            rates=Rates(tallies, self.specs),
            brought=await self.store.brought(workspace_id, needs),
            left_micros=_micros(args.max_cost_cents),
            pages=self.policy.llm_pages,
        )
        return forecast(rows, world, stands_for=plan.open - plan.twins)

    def _barred(
        self, args: EnrichArgs, terms: Terms, reach: Reach, allowance: Allowance
    ) -> tuple[Rules, dict[str, Refused]]:
        """Return the rules without what cannot be paid now, and which operations that takes away."""
        unpaid = {
            full_name(spec, one): no
            for spec in self.specs
            for one in spec.operations
            if (no := allowance.forbids(spec.name, one.name, one.price_micros))
        }
        unusable = {**reach.unusable, **self.policy.unusable}
        usual = rules_of(terms, opted_in=self.policy.opted_in, unusable=unusable)
        why = {name: no.detail for name, no in unpaid.items()}
        rules = replace(usual, unusable={**why, **usual.unusable})
        wanted = frozenset(args.required_fields)
        skipped = next_operation(self.specs, wanted, {}, None, rules=rules).skipped
        return rules, {
            one.name: unpaid[one.name] for one in skipped if one.why == why.get(one.name)
        }

    async def _answered(
        self,
        workspace_id: WorkspaceId,
        reach: Reach,
        args: EnrichArgs,
        sheets: Sequence[Sheet],
        now: datetime,
    ) -> list[set[str]]:
        """Return for each row which operations would cost nothing, for they were asked before."""
        done: list[set[str]] = [set() for _ in sheets]
        if args.skip_cache:
            return done
        hash_key = await self.ledger.hash_key(workspace_id)
        asked = [
            (
                place,
                full_name(spec, one),
                question_key(spec, one, reach.to(spec.name).credential, text, hash_key),
            )
            for place, sheet in enumerate(sheets)
            for spec in self.specs
            if spec.tier is Tier.EVIDENCE
            for one in spec.operations
            for text in _texts(one.needs, sheet.known)
        ]
        missing = {name for sheet in sheets for name in sheet.missing}
        belief = await self.beliefs.of(workspace_id)
        fresh, miss_fresh = now - belief.fresh.of_answer(missing), now - self.policy.miss_ttl
        found = await self.store.answered(
            workspace_id, [key for _, _, key in asked], fresh=fresh, miss_fresh=miss_fresh
        )
        for place in found:
            row, name, _ = asked[place]
            done[row].add(name)
        return done


@dataclass(slots=True)
class _Sample:
    """Rows with gaps, each meaning once, evenly likely to be among the kept."""

    kept: list[Sheet] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _rng: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311  no secret

    def add(self, sheet: Sheet) -> bool:
        """Take a row into account; False where one of the same meaning was before."""
        mark = hash(sheet.subject)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        if len(self.kept) < MOST_ROWS:
            self.kept.append(sheet)
        elif (place := self._rng.randrange(len(self._seen))) < MOST_ROWS:
            self.kept[place] = sheet
        return True


def _count(plan: Plan, sheet: Sheet) -> None:
    missing = sheet.missing
    plan.rows += 1
    plan.wanted += len(sheet.args.required_fields)
    plan.open += bool(missing)
    there = [name for name in sheet.args.required_fields if name not in missing]
    # What the row states is given, also where the cache agrees with it.
    stated = sheet.identity.known
    plan.yours.update(name for name in there if name not in stated)
    plan.given.update(name for name in there if name in stated)


def _texts(needs: Sequence[frozenset[FieldName]], known: Mapping[FieldName, Json]) -> Iterator[str]:
    return (canonical_question(one, known) for one in needs if one <= known.keys())


def _micros(cents: int | None) -> Micros | None:
    return None if cents is None else Micros(cents * MICROS_PER_CENT)
