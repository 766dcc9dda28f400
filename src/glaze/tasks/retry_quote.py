"""What opening ended jobs again would cost, before anybody does."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from glaze.model.bulk import Filter
from glaze.model.job import TERMINAL
from glaze.model.personal import is_erased
from glaze.model.request import EnrichArgs
from glaze.model.value import Json, WorkspaceId
from glaze.pipeline.plan import Planner
from glaze.store.control import ControlStore
from glaze.tasks.asking_again import quote
from glaze.tasks.enrich import NAME as ENRICH

LOOKED_AT = 1_000
"""So many of the newest jobs are looked at; the others are taken to be like them."""


@dataclass(frozen=True, slots=True)
class RetryQuote:
    """What it would cost to retry jobs, in micros; sums of what groups of them would."""

    jobs: int  # that can be retried
    priced: int  # of them, enrichments: the amounts are for these
    p50_micros: int
    p95_micros: int
    most_micros: int


async def retry_quote(
    control: ControlStore,
    planner: Planner,
    workspace_id: WorkspaceId,
    which: Filter,
    now: datetime,
) -> RetryQuote:
    """Foresee the cost of retrying; what they bought already is known and costs nothing.

    Raises: InputError where only states are asked for that cannot be retried.
    """
    which = which.within(TERMINAL)
    groups = await control.groups(workspace_id, which)
    enrichments = sum(one.jobs for one in groups if one.kind == ENRICH)
    amounts = [0.0, 0.0, 0.0]
    if enrichments:
        own = replace(which, kinds=(ENRICH,))
        page = await control.page(workspace_id, own, LOOKED_AT)
        found = await control.arguments(workspace_id, [one.id for one in page.jobs])
        share = enrichments / max(1, len(page.jobs))
        for args, inputs in _alike([*found.values()]):
            rows = len(inputs)
            told = await quote(planner, workspace_id, args, inputs, rows=rows, now=now)
            parts = (told.p50_micros, told.p95_micros, told.most_micros)
            amounts = [sum_ + share * part for sum_, part in zip(amounts, parts, strict=True)]
    jobs = sum(one.jobs for one in groups)
    return RetryQuote(jobs, enrichments, *(round(one) for one in amounts))


def _alike(found: Sequence[Json]) -> list[tuple[EnrichArgs, list[dict[str, str]]]]:
    """Return what asks for the same in the same way together, each with its inputs."""
    groups: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for args in found:
        if not isinstance(args, dict) or is_erased(args):
            continue
        given, rest = args.get("input"), {k: v for k, v in args.items() if k != "input"}
        if isinstance(given, dict) and not is_erased(given):
            words = {word: str(text) for word, text in given.items()}
            groups[json.dumps(rest, sort_keys=True)].append(words)
    alike: list[tuple[EnrichArgs, list[dict[str, str]]]] = []
    for rest_of, inputs in groups.items():
        try:
            shared = EnrichArgs.model_validate({**json.loads(rest_of), "input": inputs[0]})
        except ValidationError:  # of another version, which a retry would refuse as well
            continue
        alike.append((shared, inputs))
    return alike
