"""What is checked of a rule by which a workspace has its jobs ask, whoever sets it."""

from collections.abc import Collection

from glaze.errors import InputError
from glaze.model.asking_rule import EVERY, AskingRule
from glaze.model.field import known_field
from glaze.pipeline.order import CHEAPEST, LEARNED, arranged


def refuse_unknown(rule: AskingRule, kinds: Collection[str], providers: Collection[str]) -> None:
    """Refuse a rule that names what there is not, or that says nothing.

    Args:
        rule: The rule.
        kinds: The installed kinds of jobs.
        providers: The installed providers.

    Raises: InputError; UnknownField for its field.
    """
    way = rule.way
    if way.order is None and way.floor is None and way.providers is None:
        raise InputError("say an order, a least confidence, or providers: the rule says nothing")
    if rule.kind != EVERY and rule.kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise InputError(f"no kind of job is called {rule.kind!r}; installed are {known}")
    if rule.field != EVERY:
        known_field(rule.field)
        if {LEARNED, CHEAPEST} & {*(way.order or ())}:
            raise InputError("the order of a field names providers: what is learned is of all")
    named = {*arranged(way.order or ())[0], *(way.providers or ())}
    unknown = sorted({name.partition(".")[0] for name in named} - {*providers})
    if unknown:
        known = ", ".join(sorted(providers))
        raise InputError(f"no provider is called {', '.join(unknown)}; installed are {known}")
