"""The working sheet of one enrichment: what is known, what was stated, what is still missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from glaze.model.asking_rule import Terms
from glaze.model.belief import USER, Belief
from glaze.model.conflict import values_of
from glaze.model.field import FIELDS, EntityKind, FieldType
from glaze.model.identity import Identity, Key
from glaze.model.ledger import Allowance, Refused
from glaze.model.observation import Kept, Observation, Winner
from glaze.model.provider import Page, Statement, Verdict
from glaze.model.request import EnrichArgs, FieldValue, Stage
from glaze.model.value import CallId, EntityId, FieldName, JobId, Json
from glaze.pipeline.asking import Answer, Decline, Declined
from glaze.pipeline.gaps import gaps
from glaze.pipeline.merge import about_mailbox, merge
from glaze.pipeline.order import Choice
from glaze.pipeline.validate import Judging

INPUT = "input"
"""The source of what the caller stated: it costs nothing and comes back unharmed (E12)."""
INPUT_CONFIDENCE = 90
OFFICIAL_SITE = "official_site"
"""The stage that tells which site was found of a company whose name was given."""
SITE = "website"
"""The source whose pages a model reads."""
DERIVED_CONFIDENCE = 60
"""Of a website that was derived from a domain or an address: it is likely, not stated."""

_MOST_STATEMENTS = 12  # of one field, that a model is told
_COMPANY_DOMAIN = FieldName("company_domain")
_EMPLOYER_DOMAIN = FieldName("person_company_domain")
_WEBSITE = FieldName("company_website")
_EMAIL, _STATUS = FieldName("person_email"), FieldName("person_email_status")
_OF_MAILBOX = frozenset({_EMAIL, _STATUS})
_WEBSITE_WORDS = frozenset({"website", "url", "company_website"})
_MAIL_PROVIDER = FieldName("company_mail_provider")
_NO_MAIL = "none"
_MOST_TOLD = 20
"""Of so many readings that were rejected or lowered a stage tells why: a site may have hundreds."""
_COUNTRIES = (FieldName("person_country"), FieldName("company_country"))
_TELLS = frozenset({Verdict.MATCH, Verdict.NO_MATCH})
"""After these a field that is still missing was missed."""


@dataclass(slots=True)
class Sheet:
    """Everything one run gathers. ``now`` is the moment that ages and years are judged by."""

    job_id: JobId
    args: EnrichArgs
    identity: Identity
    now: datetime
    anew_from: datetime | None  # every older value is asked again, fresh or not
    belief: Belief
    terms: Terms = field(default_factory=Terms)
    observations: list[Observation] = field(default_factory=list)
    winners: dict[FieldName, Winner] = field(default_factory=dict)
    from_cache: set[FieldName] = field(default_factory=set)
    stored: dict[FieldName, Json] = field(default_factory=dict)  # all that is fresh of the entities
    entities: Mapping[EntityKind, EntityId] = field(default_factory=dict)
    allowance: Allowance = field(default_factory=Allowance)  # what may still be spent
    stages: list[Stage] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)  # among them, those that answered, hit or miss
    had: frozenset[str] = frozenset()  # those that an earlier try of this job has asked
    verifiers: set[str] = field(default_factory=set)  # among them, those asked about a mailbox
    missed: list[str] = field(default_factory=list)  # providers asked in vain, in order
    pages: list[Page] = field(default_factory=list)
    page_calls: list[CallId] = field(default_factory=list)  # known answers whose pages lie stored
    answered: int = 0  # sources that answered, hit or miss
    errored: int = 0  # sources that failed
    outages: int = 0  # among them, vendors whose failure may pass

    def __post_init__(self) -> None:
        """Take the caller's own statements as the first observations."""
        stated = [
            Observation(name, value, self._stated_confidence(name), INPUT, self.now)
            for name, value in self.identity.known.items()
            if name in self.args.required_fields
        ]
        self.add(stated)

    def _stated_confidence(self, name: FieldName) -> int:
        stated = name != _WEBSITE or not _WEBSITE_WORDS.isdisjoint(self.args.input)
        return INPUT_CONFIDENCE if stated else DERIVED_CONFIDENCE

    @property
    def missing(self) -> frozenset[FieldName]:
        """The required fields without a value above the floor."""
        return gaps(self.args.required_fields, self.winners, self.terms.floor_of)

    def doubts(self, models: frozenset[str]) -> dict[FieldName, tuple[Json, ...]]:
        """Return the values that a model may judge against the site's pages, by field.

        In doubt is a value below the floor that the site itself did not state, and where the
        caller wants it verified every one that another source contradicts. A field of which one of
        ``models`` has spoken is in doubt no more: it read the same pages.
        """
        heard = {seen.field for seen in self.observations if seen.provider in models}
        own = {seen.field for seen in self.observations if seen.provider == SITE}
        return {
            name: (winner.value, *(other.value for other in winner.alternatives))
            for name in self.args.required_fields
            if name not in heard
            and (winner := self.winners.get(name)) is not None
            and (
                (winner.confidence < self.terms.floor_of(name) and name not in own)
                or (self.args.verify and winner.alternatives)
            )
        }

    def conflicts(self, models: frozenset[str]) -> dict[FieldName, tuple[Statement, ...]]:
        """Return who states what of the fields on which sources disagree, none being sure enough.

        These are required fields below the floor, or any in conflict where the caller wants it
        verified. What ``models`` inferred is no source; and a choice is made once.
        """
        chosen = {seen.field for seen in self.observations if seen.is_choice}
        open_ = {
            name
            for name in self.args.required_fields
            if name not in chosen
            and (winner := self.winners.get(name)) is not None
            and winner.alternatives
            and (winner.confidence < self.terms.floor_of(name) or self.args.verify)
        }
        stated = {name: self._statements(name, models) for name in sorted(open_)}
        return {name: told for name, told in stated.items() if len(values_of(told)) > 1}

    def _statements(self, name: FieldName, models: frozenset[str]) -> tuple[Statement, ...]:
        seen = sorted(
            (
                one
                for one in self.observations
                if one.field == name and one.provider not in models and one.provider != USER
            ),
            key=lambda one: (-one.confidence, one.provider, str(one.value)),
        )
        told: list[Statement] = []
        for one in seen:
            day = one.retrieved_at.date().isoformat()
            statement = Statement(one.value, one.provider, day, one.source_url, one.quote)
            # What is stored comes once more with the answer that it is from: the same is told once,
            # so that it is the same question.
            if statement not in told:
                told.append(statement)
        return tuple(told[:_MOST_STATEMENTS])

    @property
    def known(self) -> dict[FieldName, Json]:
        """Identifiers and values so far; what the caller gave goes before what was learned."""
        learned = self.stored | {name: winner.value for name, winner in self.winners.items()}
        if _EMPLOYER_DOMAIN in learned:
            learned.setdefault(_COMPANY_DOMAIN, learned[_EMPLOYER_DOMAIN])
        return {**learned, **self.identity.known}

    @property
    def country(self) -> str:
        """The country of whom this is about, as far as it is known; "" where not."""
        known = self.known
        return next((str(known[name]) for name in _COUNTRIES if known.get(name)), "")

    @property
    def subject(self) -> str:
        """Who this is about, the same in every run."""
        keys = [key for keys in self.identity.keys.values() for key in keys]
        return "|".join(sorted(f"{key.scheme}:{key.value}" for key in keys))

    @property
    def wants_email(self) -> bool:
        """Whether an address is among what is missing: then the domain's mail is looked up first."""
        return any(FIELDS[name].type is FieldType.EMAIL for name in self.missing)

    def add(self, observations: Sequence[Observation]) -> None:
        """Take observations in and merge their fields anew."""
        self.observations.extend(observations)
        touched = {seen.field for seen in observations}
        if touched & _OF_MAILBOX:
            touched |= _OF_MAILBOX
        again = [seen for seen in self.observations if seen.field in touched]
        before = self.winners.get(_EMAIL)
        others = {name: won for name, won in self.winners.items() if name not in touched}
        self.winners = others | merge(
            again, now=self.now, mailbox=self._own_mailbox, belief=self.belief
        )
        after = self.winners.get(_EMAIL)
        if before is not None and after is not None and before.value != after.value:
            self.tried -= self.verifiers  # they spoke of another address

    def add_cached(self, kept: Mapping[FieldName, Kept]) -> None:
        """Take stored winners that are wanted and fresh enough.

        What an earlier try of this very job bought is not from the cache: this job paid for it.
        """
        sure = {name: one for name, one in kept.items() if self._is_fresh(one.winner)}
        status = sure.get(_STATUS)
        if status is not None and not self._is_about_own(status):
            del sure[_STATUS]
        # Not wanted, but a retry that knows as much as the first try asks the same questions.
        self.stored = {name: one.winner.value for name, one in sure.items()}
        fresh = {name: one for name, one in sure.items() if name in self.args.required_fields}
        self.from_cache |= {name for name, one in fresh.items() if one.job_id != self.job_id}
        self.add([one.winner.observation for one in fresh.values()])
        # The stored merge saw more witnesses than its winner alone tells.
        self.winners |= {
            name: one.winner
            for name, one in fresh.items()
            if name in self.winners and self.winners[name].value == one.winner.value
        }

    def _is_fresh(self, winner: Winner) -> bool:
        """Tell whether a stored winner need not be asked again; what a person decided never is."""
        seen = winner.observation
        after = self.anew_from or self.now - self.belief.fresh.of(seen.field)
        return seen.provider == USER or seen.retrieved_at >= after

    @property
    def _own_mailbox(self) -> str | None:
        """The address that the caller named: what is said of a mailbox has to be about it."""
        found = self.identity.known.get(_EMAIL)
        return found if isinstance(found, str) else None

    def _is_about_own(self, kept: Kept) -> bool:
        return bool(about_mailbox([kept.winner.observation], self._own_mailbox))

    def forbids(self, choice: Choice) -> Refused | None:
        """Return why a choice cannot be paid, None where it seems that it can."""
        operation = choice.operation
        return self.allowance.forbids(choice.spec.name, operation.name, operation.price_micros)

    def take(
        self,
        choice: Choice,
        answer: Answer,
        begun: datetime,
        ended: datetime,
        judged: Sequence[tuple[FieldName, str]] = (),
    ) -> None:
        """Take in an answer, and list its stage, with what was ``judged`` of the wanted fields."""
        before = self.missing
        self.answered += 1
        if answer.verdict in _TELLS:
            self.heard.add(choice.name)
        self.allowance = self.allowance.less(choice.spec.name, answer.price_micros)
        self.add(
            [
                Observation.of(
                    reading,
                    provider=choice.spec.name,
                    retrieved_at=ended,
                    call_id=answer.call_id,
                )
                for reading in answer.readings
            ]
        )
        self.pages.extend(answer.pages)
        if answer.known:
            self.page_calls.append(answer.call_id)
        if not answer.readings:
            self.missed.append(choice.spec.name)
        found = tuple(sorted(before - self.missing))
        wrong = dict.fromkeys(why for name, why in judged if name in self.args.required_fields)
        told = [*wrong][:_MOST_TOLD]
        detail = "; ".join([choice.reason, answer.detail, *answer.notes, *told]).strip("; ")
        self.note(
            choice.spec.name,
            begun,
            ended,
            cost_micros=answer.price_micros,
            fields_found=found,
            detail=("known already; " if answer.known else "") + detail,
        )

    def fail(self, choice: Choice, result: Declined, begun: datetime, ended: datetime) -> None:
        """List the stage of a source that gave no answer.

        That it would cost too much is no fault of its: what can be had for less is the result.
        """
        if result.why in (Decline.BUDGET, Decline.PRICE):
            told = self.forbids(choice)  # it was looked again since
            why = told.detail if told else result.detail
            self.note(choice.spec.name, begun, ended, detail=f"not asked: {why}")
            return
        self.missed.append(choice.spec.name)
        self.errored += result.why is not Decline.BUSY
        passing = result.verdict in (None, Verdict.VENDOR_ERROR) and choice.spec.base_url
        if result.why in (Decline.CIRCUIT, Decline.FAILED) and passing:
            self.outages += 1
        error = f"{result.why.value}: {result.detail}"
        self.note(choice.spec.name, begun, ended, error=error, detail=choice.reason)

    def judging(self) -> Judging:
        """Return what judges the readings of whoever is asked now."""
        return Judging(self.known, self.now, self._mx())

    def _mx(self) -> dict[str, bool]:
        domain, mail = self.known.get(_COMPANY_DOMAIN), self.winners.get(_MAIL_PROVIDER)
        if not isinstance(domain, str) or mail is None:
            return {}
        return {domain: mail.value != _NO_MAIL}

    def note(self, name: str, begun: datetime, ended: datetime, **facts: object) -> None:
        """List a stage with its duration, in milliseconds."""
        span_ms = round((ended - begun) / timedelta(milliseconds=1))
        self.stages.append(Stage.model_validate({"name": name, "duration_ms": span_ms, **facts}))

    def note_site(self, now: datetime) -> None:
        """List once which official site was found of a company that was given by name, and by what."""
        site = self.winners.get(_COMPANY_DOMAIN)
        if site is None or _COMPANY_DOMAIN in self.identity.known:
            return
        if any(stage.name == OFFICIAL_SITE for stage in self.stages):
            return
        seen = site.observation
        told = f"{site.value}, by {seen.provider}"
        shown = [part for part in (seen.source_url, seen.quote) if part]
        detail = f"{told}: {' | '.join(shown)}" if shown else told
        self.note(OFFICIAL_SITE, now, now, fields_found=(_COMPANY_DOMAIN,), detail=detail[:500])

    def note_gaps(self, now: datetime, detail: str) -> None:
        """List what the evidence left open: once, where inference begins or the waterfall ends."""
        if not any(stage.name == "gap_analysis" for stage in self.stages):
            self.note("gap_analysis", now, now, detail=detail)

    def entity_keys(self) -> dict[EntityKind, tuple[Key, ...]]:
        """Return the keys of every entity that this run concerns.

        Fields of a company that only its employee identifies hang on that employee's key.
        """
        keys = dict(self.identity.keys)
        kinds = {FIELDS[name].entity for name in self.args.required_fields}
        if EntityKind.COMPANY in kinds and EntityKind.COMPANY not in keys:
            owner = keys[EntityKind.PERSON][0]
            keys[EntityKind.COMPANY] = (Key("employer_of", f"{owner.scheme}:{owner.value}"),)
        return keys

    def values(self, final: Mapping[FieldName, Kept]) -> dict[FieldName, FieldValue]:
        """Return the required fields' values: ``final`` from the store, else as merged here."""
        shown = {}
        for name in self.args.required_fields:
            kept = final.get(name)
            if kept is not None and name == _STATUS and not self._is_about_own(kept):
                kept = None
            if kept is not None and self._is_fresh(kept.winner):
                cached = kept.job_id != self.job_id
                shown[name] = kept.winner.as_field_value(cached=cached)
            elif name in self.winners:
                shown[name] = self.winners[name].as_field_value(cached=name in self.from_cache)
        return shown
