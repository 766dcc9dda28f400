"""Whether a company's official site is to be found first, and by whom: what else asks by it is then open."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from glaze.model.provider import Operation, ProviderSpec, Tier
from glaze.model.value import FieldName, Json, Micros
from glaze.pipeline.order import (
    Choice,
    Rules,
    full_name,
    is_closed,
    next_operation,
    question_needs,
)

DOMAIN, WEBSITE = FieldName("company_domain"), FieldName("company_website")
_NAME = FieldName("company_name")
_MOST = Micros(10_000)
"""What one search for a site may cost, a cent: what is dearer knows more of a company than its site."""


def seeker(
    specs: Iterable[ProviderSpec],
    missing: frozenset[FieldName],
    known: Mapping[FieldName, Json],
    *,
    tried: AbstractSet[str],
    rules: Rules,
    instead: Choice | None,
    had: AbstractSet[str] = frozenset(),
) -> Choice | None:
    """Return who is to find the site of a company of which the name is known and no domain.

    None where nothing that is missing is asked by the domain, where nobody finds it for a cent,
    or where what would be asked ``instead`` costs less than finding the site and asking there.
    """
    if _NAME not in known or DOMAIN in known or WEBSITE in known:
        return None
    installed = list(specs)
    opened = _opened(installed, missing, known, tried=tried, rules=rules)
    if opened is None:
        return None
    usable = [
        spec
        for spec in installed
        if spec.tier is Tier.EVIDENCE
        and all(op.price_micros <= _MOST for op in spec.operations if DOMAIN in op.gives)
    ]
    found = next_operation(
        usable,
        frozenset([DOMAIN]),
        known,
        None,
        tried=tried,
        rules=rules.without_floor(),
        had=had,
    ).choice
    if found is None or _is_better(instead, found.operation.price_micros + opened, rules):
        return None
    return found


def _is_better(instead: Choice | None, price_micros: int, rules: Rules) -> bool:
    """Tell whether to ask ``instead``: a fixed order's next, or what costs no more."""
    if instead is None or instead.spec.tier is Tier.INFERENCE:
        return False
    names = {instead.spec.name, instead.name}
    return bool(names & {*rules.order}) or instead.operation.price_micros <= price_micros


def _opened(
    specs: Iterable[ProviderSpec],
    missing: frozenset[FieldName],
    known: Mapping[FieldName, Json],
    *,
    tried: AbstractSet[str],
    rules: Rules,
) -> int | None:
    """Return the least that asking by the domain costs for what is missing; None: nobody asks by it."""
    more = {**known, DOMAIN: "", WEBSITE: ""}
    prices = [
        operation.price_micros
        for spec in specs
        for operation in spec.operations
        if spec.tier is Tier.EVIDENCE
        and full_name(spec, operation) not in tried
        and rules.fills(spec, operation, missing)
        and not _is_shut(spec, operation, rules)
        and question_needs(operation, known) is None
        and question_needs(operation, more) is not None
    ]
    return min(prices, default=None)


def _is_shut(spec: ProviderSpec, operation: Operation, rules: Rules) -> bool:
    names = {spec.name, full_name(spec, operation)}
    allowed = {*rules.opted_in, *(rules.only or ())}
    return bool(names & rules.unusable.keys()) or is_closed(spec, operation, allowed)
