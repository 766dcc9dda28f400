"""Which operation to ask next, with the reason why: evidence first, then as fixed, learned or cheapest."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from glaze.model.asking_rule import Way
from glaze.model.provider import Operation, ProviderSpec, Tier
from glaze.model.value import FieldName, Json, Micros
from glaze.pipeline.learned import Experience, choose

ORIGINALS: tuple[str, ...] = ("enrichlayer", "website", "serper", "llm")
"""A named fixed order: LinkedIn data, website, search, LLM."""
LEARNED, CHEAPEST, AS_ORIGINALS = "learned", "cheapest", "originals"
"""Words that name an order, beside the names of providers and operations."""

# Of what is equally cheap the entity's own words come first, and last what visits many sites.
_AMONG_EQUALS = {"website": -1, "social": 1}
# What covers as much, too, is asked in this order.
_TIE_BREAK = ("website", "dns_mx", "apollo", "enrichlayer", "serper", "llm")


_AS_ALL = Way()
_NOWHERE = 1_000_000
"""The place of what no fixed order names."""
_EMAIL, _STATUS = FieldName("person_email"), FieldName("person_email_status")


@dataclass(frozen=True, slots=True)
class Choice:
    """The operation to ask now. ``reason`` goes into the call's provenance."""

    spec: ProviderSpec
    operation: Operation
    reason: str
    position: int  # in this waterfall, from 1

    @property
    def name(self) -> str:
        """The operation's full name: ``apollo.match``."""
        return full_name(self.spec, self.operation)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An operation that could give a missing field, and why it is not asked."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Next:
    """The decision: whom to ask (None: nobody is left) and who was passed over."""

    choice: Choice | None
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the caller and the workspace allow; the same for all steps of a waterfall.

    ``order`` names providers or operations (``apollo`` or ``apollo.match``) to ask first, in that
    order; the others follow as learned, or cheapest first. ``only`` restricts the waterfall to these and is also
    how an opt-in provider is allowed; ``opted_in`` allows it without restricting.
    ``unusable`` maps providers or operations to why they cannot be asked now: "no key",
    "circuit open until 12:00". An operation counts for a field only where the confidence it
    states reaches ``floor``. ``fields`` are those with a way of their own: what it says of a field
    goes before the rest, and an operation comes as early as the first of its fields wants it.
    """

    order: Sequence[str] = ()
    learned: bool = False
    only: Sequence[str] | None = None
    opted_in: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    floor: int = 0
    fields: Mapping[FieldName, Way] = field(default_factory=dict)

    def without_floor(self) -> "Rules":
        """Return the same for values that need not reach a floor by themselves."""
        fields = {name: replace(way, floor=None) for name, way in self.fields.items()}
        return replace(self, floor=0, fields=fields)

    def floor_of(self, name: FieldName) -> int:
        """Return the confidence that an operation has to state to count for a field."""
        own = self.fields.get(name, _AS_ALL).floor
        return self.floor if own is None else own

    def allowed_for(self, name: FieldName) -> Sequence[str] | None:
        """Return the only providers and operations that count for a field; None for all."""
        own = self.fields.get(name, _AS_ALL).providers
        return self.only if own is None else own

    def fills(
        self, spec: ProviderSpec, operation: Operation, missing: AbstractSet[FieldName]
    ) -> list[FieldName]:
        """Return the missing fields it gives above the floor and may give, in name order."""
        gives = operation.gives
        names = {spec.name, full_name(spec, operation)}
        return sorted(
            name
            for name in missing & gives.keys()
            if gives[name] >= self.floor_of(name)
            and ((only := self.allowed_for(name)) is None or names & set(only))
        )

    def order_of(self, name: FieldName) -> Sequence[str]:
        """Return whom to ask first for a field."""
        own = self.fields.get(name, _AS_ALL).order
        return self.order if own is None else arranged(own)[0]


def arranged(words: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Read an order as people give it: whom to ask first, and whether the others go as learned.

    ``learned`` or nothing: as learned. ``cheapest``: cheapest first. ``originals``, or names: these
    first, the others cheapest first, or as learned where ``learned`` ends the list.
    """
    names = tuple(word for word in words if word not in (LEARNED, CHEAPEST))
    learned = words[-1] == LEARNED if words else True
    return (ORIGINALS if names == (AS_ORIGINALS,) else names), learned


def full_name(spec: ProviderSpec, operation: Operation) -> str:
    """Return the name of an operation among all providers' operations."""
    return f"{spec.name}.{operation.name}"


def is_closed(spec: ProviderSpec, operation: Operation, allowed: AbstractSet[str]) -> bool:
    """Tell whether an operation, or its provider, has to be allowed by its name and is not."""
    name = full_name(spec, operation)
    by_provider = spec.opt_in and not {spec.name, name} & allowed
    return by_provider or (operation.opt_in and name not in allowed)


def is_verifier(operation: Operation) -> bool:
    """Tell whether an operation says of an address what its mailbox is worth, and nothing else."""
    by_address = operation.needs == (frozenset({_EMAIL}),)
    return by_address and _STATUS in operation.gives and _EMAIL not in operation.gives


def question_needs(
    operation: Operation, known: Mapping[FieldName, Json]
) -> frozenset[FieldName] | None:
    """Return the identifiers that make up the question: the best set wholly known, or None."""
    return next((needs for needs in operation.needs if needs <= known.keys()), None)


def next_operation(
    candidates: Iterable[ProviderSpec],
    missing: frozenset[FieldName],
    known: Mapping[FieldName, Json],
    left_micros: Micros | None,
    *,
    tried: AbstractSet[str] = frozenset(),
    rules: Rules | None = None,
    checking: bool = False,
    had: AbstractSet[str] = frozenset(),
    experience: Experience | None = None,
) -> Next:
    """Choose the operation to ask next for ``missing``, or nobody.

    Eligible is what gives a missing field, has its identifiers in ``known``, was not tried, is
    allowed and whose maximum price fits. Evidence goes before inference whatever the order; then
    the fixed order, then what is free, then as learned, else price and how much of what is missing
    it covers.

    Args:
        candidates: The specs of all installed providers.
        missing: The fields that are wanted and not filled.
        known: Identifiers and values so far.
        left_micros: What may still be spent; None for no limit.
        tried: Full names of operations already asked or found wanting.
        rules: What the caller and the workspace allow.
        checking: Choose among the operations that judge values in doubt, else among all others.
        had: Full names of operations that this very job has bought answers of: they come first, for
            they cost nothing any more, however the order has changed meanwhile.
        experience: What was learned; it counts where the rules say so.
    """
    case = _Case(missing, known, left_micros, rules or Rules(), had, experience)
    eligible: list[_Found] = []
    skipped: list[Skipped] = []
    for spec in candidates:
        for operation in spec.operations:
            name = full_name(spec, operation)
            if name in tried or _was_had(spec, operation, tried):
                continue
            if operation.checks is not checking or not missing & operation.gives.keys():
                continue
            why = case.forbids(spec, operation) or case.lacks(spec, operation)
            if why is None:
                eligible.append((spec, operation))
            else:
                skipped.append(Skipped(name, why))
    evidence = [found for found in eligible if found[0].tier is Tier.EVIDENCE]
    rivals = evidence or eligible
    if not rivals:
        return Next(None, tuple(skipped))
    (spec, operation), reason = case.pick(rivals)
    return Next(Choice(spec, operation, reason, len(tried) + 1), tuple(skipped))


_Found = tuple[ProviderSpec, Operation]


@dataclass(frozen=True, slots=True)
class _Case:
    """One decision: what it depends on, and what follows for an operation."""

    missing: frozenset[FieldName]
    known: Mapping[FieldName, Json]
    left_micros: Micros | None
    rules: Rules
    had: AbstractSet[str]
    experience: Experience | None

    def forbids(self, spec: ProviderSpec, operation: Operation) -> str | None:
        """Return why the rules do not let this operation be asked, or None."""
        names = {spec.name, full_name(spec, operation)}
        wanted = self.missing & operation.gives.keys()
        only = [self.rules.allowed_for(name) for name in wanted]
        if not any(one is None or names & set(one) for one in only):
            return "not among the allowed providers"
        by_name = {name for one in only if one is not None for name in one}
        if is_closed(spec, operation, {*by_name, *self.rules.opted_in}):
            notice = spec.notice if spec.opt_in else ""
            return f"opt-in: allow it by name{f' ({notice})' if notice else ''}"
        unusable = self.rules.unusable
        return next((unusable[name] for name in sorted(names) if name in unusable), None)

    def lacks(self, spec: ProviderSpec, operation: Operation) -> str | None:
        """Return what an operation lacks to be asked or to be worth it, or None."""
        if not self.fills(spec, operation):
            wanted = self.missing & operation.gives.keys()
            floor = min(map(self.rules.floor_of, wanted), default=self.rules.floor)
            return f"its confidence is below the floor of {floor}"
        if question_needs(operation, self.known) is None:
            return f"needs {_wanted(operation)}"
        if self.left_micros is not None and operation.price_micros > self.left_micros:
            price, left = _dollars(operation.price_micros), _dollars(max(self.left_micros, 0))
            return f"over budget: costs up to {price}, {left} left"
        return None

    def fills(self, spec: ProviderSpec, operation: Operation) -> list[FieldName]:
        """Return the missing fields that it may fill, in name order."""
        return self.rules.fills(spec, operation, self.missing)

    def place(self, spec: ProviderSpec, operation: Operation) -> int:
        """Return its place in the fixed order of the field that wants it first."""
        places = (
            _place(spec, operation, self.rules.order_of(name))
            for name in self.fills(spec, operation)
        )
        return min(places, default=_NOWHERE)

    def pick(self, rivals: Sequence[_Found]) -> tuple[_Found, str]:
        """Return whom to ask among ``rivals``, and why."""
        first = min(rivals, key=lambda found: self.rank(*found))
        spec, operation = first
        if full_name(*first) in self.had:
            return first, "answered to this job before"
        fixed = self.place(spec, operation) < _NOWHERE
        evidence = spec.tier is Tier.EVIDENCE
        if evidence and operation.price_micros and not fixed and self.rules.learned:
            learned = self._learned(rivals)
            if learned is not None:
                return learned
        return first, self.reason(spec, operation, rivals=len(rivals))

    def _learned(self, rivals: Sequence[_Found]) -> tuple[_Found, str] | None:
        """Return the paid rival that is worth most, as far as was learned."""
        if self.experience is None:
            return None
        worths = {}
        for spec, operation in rivals:
            needs = question_needs(operation, self.known) or frozenset()
            name = full_name(spec, operation)
            worths[name] = self.experience.worth(name, self.fills(spec, operation), needs)
        chosen = choose(worths, self.experience)
        if chosen is None:
            return None
        name, why = chosen
        found = next(found for found in rivals if full_name(*found) == name)
        return found, f"{why}; one of {len(rivals)}" if len(rivals) > 1 else why

    def rank(
        self, spec: ProviderSpec, operation: Operation
    ) -> tuple[bool, int, int, int, int, int, str]:
        """Return the sort key of an eligible operation, the first to ask being the least."""
        return (
            full_name(spec, operation) not in self.had,
            self.place(spec, operation),
            operation.price_micros,
            _AMONG_EQUALS.get(spec.name, 0),
            -sum(operation.gives[name] for name in self.fills(spec, operation)),
            _place(spec, operation, _TIE_BREAK),
            full_name(spec, operation),
        )

    def reason(self, spec: ProviderSpec, operation: Operation, *, rivals: int) -> str:
        """Say, for people, why this operation was chosen among ``rivals``."""
        if self.place(spec, operation) < _NOWHERE:
            why = "next in the fixed order"
        elif rivals == 1:
            why = "the only one left"
        else:
            why = f"cheapest of {rivals}"
        if spec.tier is Tier.INFERENCE:
            why = f"no evidence source is left; {why}"
        price = _dollars(operation.price_micros) if operation.price_micros else "free"
        return f"{why} ({price}) for {', '.join(self.fills(spec, operation))}"


def _was_had(spec: ProviderSpec, operation: Operation, tried: AbstractSet[str]) -> bool:
    """Tell whether what an operation would answer was asked for with another one already."""
    others = (
        other
        for other in spec.operations
        if other.name in operation.includes or operation.name in other.includes
    )
    return any(full_name(spec, other) in tried for other in others)


def _place(spec: ProviderSpec, operation: Operation, order: Sequence[str]) -> int:
    names = {spec.name, full_name(spec, operation)}
    return next((place for place, name in enumerate(order) if name in names), _NOWHERE)


def _wanted(operation: Operation) -> str:
    return " or ".join(" and ".join(sorted(needs)) for needs in operation.needs) or "evidence"


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.4f}".rstrip("0").ljust(5, "0")
