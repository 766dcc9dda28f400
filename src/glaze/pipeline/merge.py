"""From observations to one winner per field: agreement, disagreement and age (E5).

For a field, every observed value is a candidate, a hypothesis that excludes the others. What
speaks for it is put together by a noisy-or: the best source that agrees counts in full, every
further witness by half, for sources copy from one another. What speaks against it, other values
that other witnesses state, is put together in the same way. With the odds of both, f and a, the
candidate's confidence is f / (1 + f + a): it is right, or what contradicts it is, or neither. Of two
independent sources that is the probability itself. The highest wins.

A witness is neither a provider nor a page alone. Providers of one family (``ProviderSpec.family``)
take their data from one place; two that read one page have read the same. So what speaks for a
value is counted once by family and once by page, and the lesser of the two counts. What a
source states beside a value that it states, too, is its own second choice and no contradiction.

Each rule is monotone: one more statement that agrees never lowers a value's confidence, one that
contradicts never raises it, and one that shares a family or a page adds nothing but what it is
surer of.

What a person decided (``USER``) wins over every source, whatever its age.

A status of a mailbox is about one address. Statuses of other addresses than the winning one do not
count, and an address that a verifier found undeliverable is hardly believed any more.

A model's choice among values that sources disagree on is no evidence of its own: it is heard only
beside a source that states the same, and then as one more witness.

Lists and maps complete each other instead: the best source is the winner and gives the
provenance, the entries of the others are added behind its own.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from glaze.model.agreement import agree, comparable
from glaze.model.belief import NO_BELIEF, USER, Belief
from glaze.model.field import FIELDS, Field, FieldType
from glaze.model.mailbox import subject_of
from glaze.model.observation import Observation, Winner
from glaze.model.request import Alternative
from glaze.model.value import FieldName, Json
from glaze.model.web_address import page_of

CEILING = 99
"""Nothing that is merged is certain."""
DECIDED = 100
"""The confidence of what a person decided."""

_EMAIL, _STATUS = FieldName("person_email"), FieldName("person_email_status")
_UNDELIVERABLE = "undeliverable"
_REFUTED_SHARE = 0.1  # what is left of an address that a verifier found undeliverable
_OTHERS_WEIGHT = 0.5
# A value loses half its confidence in this many freshness spans beyond the first.
_HALF_LIFE_SPANS = 10
_MAX_ALTERNATIVES = 5
_CHOICE = "choice"  # the family of every model that chooses: two choices are one witness
_MAX_ENTRIES = 200

_Rank = tuple[float, float, str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One observed value with how sure its source is of it now (0 to 1, aged)."""

    seen: Observation
    family: str
    page: str  # the page it was read on; of what was read on none, the family's own
    sure: float
    form: str  # the value as text, for equality and for ties
    rank: _Rank


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: _Candidate
    score: float  # 0 to 1
    witnesses: tuple[str, ...]

    @property
    def confidence(self) -> int:
        """The score as shown: 0 to 99."""
        return min(CEILING, round(self.score * 100))


def merge(
    observations: Iterable[Observation],
    *,
    now: datetime,
    belief: Belief = NO_BELIEF,
    mailbox: str | None = None,
) -> dict[FieldName, Winner]:
    """Return the winner of each observed field, with its alternatives.

    The order of the observations does not matter, and a repeated one changes nothing.

    Args:
        observations: What sources stated, normalised and validated.
        now: Age is counted up to this moment.
        belief: What is known of the sources themselves.
        mailbox: The address that a status has to be about, by default the winning one.
    """
    by_field: dict[FieldName, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.field not in FIELDS:
            continue  # stored by a version that had this field
        by_field[seen.field].append(seen)
    refuted = _refuted(by_field.get(_STATUS, ()), now, belief)
    winners: dict[FieldName, Winner] = {}
    for name, stated in sorted(by_field.items()):  # the address before its status
        if name == _STATUS:
            won = winners.get(_EMAIL)
            stated = about_mailbox(stated, mailbox or (str(won.value) if won else None))  # noqa: PLW2901  of these alone
        decided = [seen for seen in stated if seen.provider == USER]
        sources = [seen for seen in stated if seen.provider != USER]
        candidates = _candidates(sources, now, belief, refuted)
        if candidates or decided:
            winners[name] = _merge_field(FIELDS[name], candidates, decided)
    return winners


def merging(
    belief: Belief,
) -> Callable[[Sequence[Observation], datetime], Mapping[FieldName, Winner]]:
    """Return the merge by ``belief``, as the store takes it."""
    return lambda seen, now: merge(seen, now=now, belief=belief)


def about_mailbox(statuses: Iterable[Observation], mailbox: str | None) -> list[Observation]:
    """Return the statuses that are about this address, or name none; all where none is given."""
    wanted = None if mailbox is None else mailbox.casefold()
    return [
        seen for seen in statuses if wanted is None or subject_of(seen.source_url) in (None, wanted)
    ]


def _refuted(statuses: Iterable[Observation], now: datetime, belief: Belief) -> frozenset[str]:
    """Return the addresses of which the surest status is that no mail reaches them."""
    surest: dict[str, tuple[float, bool]] = {}
    for seen in statuses:
        address = subject_of(seen.source_url)
        if address is not None:
            age_s = (now - seen.retrieved_at).total_seconds()
            sure = aged(seen.confidence, age_s, belief.fresh.span_s(_STATUS))
            told = (sure, seen.value == _UNDELIVERABLE)
            surest[address] = max(told, surest.get(address, told))
    return frozenset(address for address, (_, dead) in surest.items() if dead)


def aged(confidence: int, age_s: float, fresh_s: float) -> float:
    """Return how sure a source still is (0 to 1) of what it stated ``age_s`` seconds ago.

    Within the field's freshness nothing is lost; beyond it half is lost in ten times that span,
    so that a fresh value of a lesser source can beat a stale one of a better.
    """
    return confidence / 100 * _left(age_s, fresh_s)


def _left(age_s: float, fresh_s: float) -> float:
    stale_spans = max(0.0, age_s - fresh_s) / fresh_s
    return math.pow(0.5, stale_spans / _HALF_LIFE_SPANS)


def _candidates(
    seen_of_field: Sequence[Observation],
    now: datetime,
    belief: Belief,
    refuted: frozenset[str],
) -> list[_Candidate]:
    """Return the best statement of each family, page and value, best first."""
    best: dict[tuple[str, str, str], _Candidate] = {}
    for seen in seen_of_field:
        age_s = (now - seen.retrieved_at).total_seconds()
        family = _CHOICE if seen.is_choice else belief.family(seen.provider)
        stated = belief.sure(seen.provider, seen.field, seen.confidence)
        if seen.is_choice:  # what is known of a model's readings says nothing of its choices
            stated = seen.confidence / 100
        sure = stated * _left(age_s, belief.fresh.span_s(seen.field))
        form = comparable(seen.field, seen.value)
        # What the caller itself stated stays as it is, and comes back unharmed.
        if seen.field == _EMAIL and seen.call_id is not None and form in refuted:
            sure *= _REFUTED_SHARE
        page = (None if seen.is_choice else page_of(seen.source_url)) or f"of {family}"
        found = _Candidate(seen, family, page, sure, form, _rank(seen, sure, form))
        known = best.get((family, page, form))
        if known is None or found.rank < known.rank:
            best[family, page, form] = found
    stated_by = {form for family, _, form in best if family != _CHOICE}
    heard = [one for one in best.values() if one.family != _CHOICE or one.form in stated_by]
    return sorted(heard, key=lambda found: found.rank)


def _rank(seen: Observation, sure: float, form: str) -> _Rank:
    """Order statements, best first, wholly by what they are: surest, newest, then by name."""
    return (
        -sure,
        -seen.retrieved_at.timestamp(),
        seen.provider,
        form,
        seen.value if isinstance(seen.value, str) else json.dumps(seen.value, sort_keys=True),
        seen.id or seen.call_id or 0,
        f"{seen.confidence:03d}{seen.source_url}{seen.quote}{seen.raw}{seen.cost_micros}",
    )


def _merge_field(
    field: Field, candidates: Sequence[_Candidate], decided: Sequence[Observation]
) -> Winner:
    scored = sorted(
        (_score(field, candidate, candidates) for candidate in candidates),
        key=lambda found: (-found.score, found.candidate.rank),
    )
    if decided:
        return _decided(field, scored, max(decided, key=lambda one: one.retrieved_at))
    best = scored[0]
    if field.type in _ADDITIVE:
        union = _union(field, [found.candidate.seen.value for found in scored])
        return Winner(
            replace(best.candidate.seen, value=union), best.confidence, (), best.witnesses
        )
    return Winner(
        best.candidate.seen,
        best.confidence,
        _alternatives(field, scored[1:], best.candidate.seen.value),
        best.witnesses,
    )


def _decided(field: Field, scored: Sequence[_Scored], decision: Observation) -> Winner:
    """Return what a person decided, with what the sources say beside it."""
    also = {
        found.candidate.seen.provider
        for found in scored
        if agree(field.name, decision.value, found.candidate.seen.value)
    }
    others = _alternatives(field, scored, decision.value)
    return Winner(decision, DECIDED, others, tuple(sorted({USER, *also})))


_ADDITIVE = frozenset({FieldType.LIST, FieldType.MAP})
_BEYOND_FORM = _ADDITIVE | {FieldType.COUNT, FieldType.MONEY, FieldType.DATE}


def _score(field: Field, candidate: _Candidate, others: Sequence[_Candidate]) -> _Scored:
    witnesses = [other for other in others if _agree(field, candidate, other)]
    names = tuple(sorted({witness.seen.provider for witness in witnesses}))
    support = _odds(_support(witnesses))
    if field.type in _ADDITIVE:
        return _Scored(candidate, support / (1.0 + support), names)
    families = {witness.family for witness in witnesses}
    pages = {witness.page for witness in witnesses}
    rivals = [
        other
        for other in others
        if other.family not in families
        and other.page not in pages
        and not _agree(field, candidate, other)
    ]
    against = _odds(_support(rivals))
    return _Scored(candidate, support / (1.0 + support + against), names)


def _support(witnesses: Sequence[_Candidate]) -> float:
    """Return how sure (0 to 1) these are together, no origin counted twice.

    Args:
        witnesses: What states the same, or contradicts the same.
    """
    by_family: dict[str, float] = {}
    by_page: dict[str, float] = {}
    for one in witnesses:
        by_family[one.family] = max(one.sure, by_family.get(one.family, 0.0))
        by_page[one.page] = max(one.sure, by_page.get(one.page, 0.0))
    return min(_together(by_family.values()), _together(by_page.values()))


def _together(sure: Iterable[float]) -> float:
    """Return the noisy-or: the surest in full, each other by half."""
    surest, *others = sorted(sure, reverse=True) or [0.0]
    doubt = 1.0 - surest
    for one in others:
        doubt *= 1.0 - _OTHERS_WEIGHT * one
    return 1.0 - doubt


def _odds(sure: float) -> float:
    most = min(sure, CEILING / 100)
    return most / (1.0 - most)


def _agree(field: Field, a: _Candidate, b: _Candidate) -> bool:
    """Tell whether two candidates mean the same; most fields have that in their forms."""
    if a.form == b.form:
        return True
    return field.type in _BEYOND_FORM and agree(field.name, a.seen.value, b.seen.value)


def _alternatives(
    field: Field, scored: Sequence[_Scored], winning: Json
) -> tuple[Alternative, ...]:
    """Return the values other than ``winning``, best first, each meaning once."""
    shown: list[_Scored] = []
    for found in scored:
        value = found.candidate.seen.value
        if agree(field.name, winning, value):
            continue
        if not any(_agree(field, other.candidate, found.candidate) for other in shown):
            shown.append(found)
    return tuple(
        Alternative(
            value=found.candidate.seen.value,
            confidence=found.confidence,
            source=found.candidate.seen.provider,
        )
        for found in shown[:_MAX_ALTERNATIVES]
    )


def _union(field: Field, values: Sequence[Json]) -> Json:
    """Return the entries of all values; of equal ones the first stays."""
    if field.type is FieldType.MAP:
        entries: dict[str, Json] = {}
        for value in values:
            if isinstance(value, Mapping):
                entries = {**value, **entries}
        return dict(sorted(entries.items())[:_MAX_ENTRIES])
    items: dict[str, Json] = {}
    for value in values:
        listed = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        for item in listed:
            items.setdefault(str(item).casefold(), item)
    return list(items.values())[:_MAX_ENTRIES]
