"""From observations to one winner per field: agreement, disagreement and age (E5).

For a field, every observed value is a candidate. Its support is the confidence of the best source
that agrees with it, raised by each other one: of what is still in doubt, a witness of confidence c
removes c/2 (sources copy from one another, so no witness is wholly independent).
The best source that contradicts takes up to a tenth away. The candidate with the highest outcome
wins. Each rule is monotone: one more agreeing witness never lowers the confidence.

A status of a mailbox is about one address. Statuses of other addresses than the winning one do not
count, and an address that a verifier found undeliverable is hardly believed any more.

Lists and maps complete each other instead: the best source is the winner and gives the
provenance, the entries of the others are added behind its own.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from glaze.model.agreement import agree, comparable
from glaze.model.field import FIELDS, Field, FieldType
from glaze.model.mailbox import subject_of
from glaze.model.observation import Observation, Winner
from glaze.model.request import Alternative
from glaze.model.value import FieldName, Json

CEILING = 99
"""Nothing that is merged is certain."""

_EMAIL, _STATUS = FieldName("person_email"), FieldName("person_email_status")
_UNDELIVERABLE = "undeliverable"
_REFUTED_SHARE = 0.1  # what is left of an address that a verifier found undeliverable
_WITNESS_WEIGHT = 0.5
_CONTRADICTION = 0.10
# A value loses half its confidence in this many freshness spans beyond the first.
_HALF_LIFE_SPANS = 10
_MAX_ALTERNATIVES = 5
_MAX_ENTRIES = 200

_Families = Mapping[str, str]
FAMILIES: _Families = MappingProxyType({"llm": "website", "anthropic": "website"})
"""Who takes its data from whom: a model has read the site's own pages, so the two are one witness."""
_Rank = tuple[float, float, str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One observed value with how sure its source is of it now (0 to 1, aged)."""

    seen: Observation
    family: str
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
    families: _Families = FAMILIES,
    mailbox: str | None = None,
) -> dict[FieldName, Winner]:
    """Return the winner of each observed field, with its alternatives.

    The order of the observations does not matter, and a repeated one changes nothing.

    Args:
        observations: What sources stated, normalised and validated.
        now: Age is counted up to this moment.
        families: Provider name to the name of whoever it takes its data from; providers of one
            family are one witness. A provider that is not here is a family of its own.
        mailbox: The address that a status has to be about, by default the winning one.
    """
    by_field: dict[FieldName, list[Observation]] = defaultdict(list)
    for seen in observations:
        if seen.field not in FIELDS:
            continue  # stored by a version that had this field
        by_field[seen.field].append(seen)
    refuted = _refuted(by_field.get(_STATUS, ()), now)
    winners: dict[FieldName, Winner] = {}
    for name, stated in sorted(by_field.items()):  # the address before its status
        if name == _STATUS:
            won = winners.get(_EMAIL)
            stated = about_mailbox(stated, mailbox or (str(won.value) if won else None))  # noqa: PLW2901  of these alone
        if stated:
            candidates = _candidates(stated, now, families, refuted)
            winners[name] = _merge_field(FIELDS[name], candidates)
    return winners


def about_mailbox(statuses: Iterable[Observation], mailbox: str | None) -> list[Observation]:
    """Return the statuses that are about this address, or name none; all where none is given."""
    wanted = None if mailbox is None else mailbox.casefold()
    return [
        seen for seen in statuses if wanted is None or subject_of(seen.source_url) in (None, wanted)
    ]


def _refuted(statuses: Iterable[Observation], now: datetime) -> frozenset[str]:
    """Return the addresses of which the surest status is that no mail reaches them."""
    surest: dict[str, tuple[float, bool]] = {}
    for seen in statuses:
        address = subject_of(seen.source_url)
        if address is not None:
            age_s = (now - seen.retrieved_at).total_seconds()
            sure = aged(seen.confidence, age_s, FIELDS[_STATUS].fresh_s)
            told = (sure, seen.value == _UNDELIVERABLE)
            surest[address] = max(told, surest.get(address, told))
    return frozenset(address for address, (_, dead) in surest.items() if dead)


def aged(confidence: int, age_s: float, fresh_s: int) -> float:
    """Return how sure a source still is (0 to 1) of what it stated ``age_s`` seconds ago.

    Within the field's freshness nothing is lost; beyond it half is lost in ten times that span,
    so that a fresh value of a lesser source can beat a stale one of a better.
    """
    stale_spans = max(0.0, age_s - fresh_s) / fresh_s
    return confidence / 100 * math.pow(0.5, stale_spans / _HALF_LIFE_SPANS)


def _candidates(
    stated: Sequence[Observation], now: datetime, families: _Families, refuted: frozenset[str]
) -> list[_Candidate]:
    """Return the best statement of each family and value, best first."""
    field = FIELDS[stated[0].field]
    best: dict[tuple[str, str], _Candidate] = {}
    for seen in stated:
        age_s = (now - seen.retrieved_at).total_seconds()
        family = families.get(seen.provider, seen.provider)
        sure = aged(seen.confidence, age_s, field.fresh_s)
        form = comparable(seen.field, seen.value)
        # What the caller itself stated stays as it is, and comes back unharmed.
        if seen.field == _EMAIL and seen.call_id is not None and form in refuted:
            sure *= _REFUTED_SHARE
        found = _Candidate(seen, family, sure, form, _rank(seen, sure, form))
        known = best.get((family, form))
        if known is None or found.rank < known.rank:
            best[family, form] = found
    return sorted(best.values(), key=lambda found: found.rank)


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


def _merge_field(field: Field, candidates: Sequence[_Candidate]) -> Winner:
    scored = sorted(
        (_score(field, candidate, candidates) for candidate in candidates),
        key=lambda found: (-found.score, found.candidate.rank),
    )
    best = scored[0]
    if field.type in _ADDITIVE:
        union = _union(field, [found.candidate.seen.value for found in scored])
        return Winner(
            replace(best.candidate.seen, value=union), best.confidence, (), best.witnesses
        )
    return Winner(
        best.candidate.seen, best.confidence, _alternatives(field, scored), best.witnesses
    )


_ADDITIVE = frozenset({FieldType.LIST, FieldType.MAP})
_BEYOND_FORM = _ADDITIVE | {FieldType.COUNT, FieldType.MONEY, FieldType.DATE}


def _score(field: Field, candidate: _Candidate, others: Sequence[_Candidate]) -> _Scored:
    witnesses: dict[str, _Candidate] = {candidate.family: candidate}
    against = 0.0
    for other in others:  # best first, so that a family is heard with its surest statement
        if _agree(field, candidate, other):
            known = witnesses.get(other.family)
            if known is None or other.sure > known.sure:
                witnesses[other.family] = other
        elif field.type not in _ADDITIVE:
            against = max(against, other.sure)
    sure = sorted((witness.sure for witness in witnesses.values()), reverse=True)
    doubt = 1.0 - sure[0]
    for witness in sure[1:]:
        doubt *= 1.0 - _WITNESS_WEIGHT * witness
    names = tuple(sorted({witness.seen.provider for witness in witnesses.values()}))
    return _Scored(candidate, (1.0 - doubt) * (1.0 - _CONTRADICTION * against), names)


def _agree(field: Field, a: _Candidate, b: _Candidate) -> bool:
    """Tell whether two candidates mean the same; most fields have that in their forms."""
    if a.form == b.form:
        return True
    return field.type in _BEYOND_FORM and agree(field.name, a.seen.value, b.seen.value)


def _alternatives(field: Field, scored: Sequence[_Scored]) -> tuple[Alternative, ...]:
    """Return the other values, best first, each meaning once."""
    shown = [scored[0]]
    for found in scored[1:]:
        if not any(_agree(field, other.candidate, found.candidate) for other in shown):
            shown.append(found)
    return tuple(
        Alternative(
            value=found.candidate.seen.value,
            confidence=found.confidence,
            source=found.candidate.seen.provider,
        )
        for found in shown[1 : _MAX_ALTERNATIVES + 1]
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
