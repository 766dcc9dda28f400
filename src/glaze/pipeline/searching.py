"""A search that a vendor bills: asked through the ledger, so that it is paid once and within every cap."""

import json
from datetime import timedelta

from glaze.model.job import ClaimedJob
from glaze.model.ledger import Asker
from glaze.model.provider import Ask, Provider
from glaze.model.value import Json, Reading
from glaze.pipeline.asking import Answer, Decline, Declined, Question
from glaze.pipeline.run import Pipeline

_AT_MOST = timedelta(days=1)
"""A page of a search is shown again for so long, or as long as a miss counts: others may fit by now."""


async def search(
    pipeline: Pipeline, job: ClaimedJob, provider: Provider, criteria: Json
) -> bytes | Declined:
    """Return the answer of the one operation of ``provider``, bought now or known.

    ``criteria`` is what makes it the same search; what was bought by an attempt that died is found.
    """
    own = await pipeline.of(job.workspace_id)
    unusable = own.means.policy.unusable.get(provider.spec.name)
    if unusable is not None:
        return Declined(Decline.FAILED, f"{provider.spec.name}: {unusable}")
    result = await pipeline.means.gateway.ask(await _question(own, job, provider, criteria))
    if not isinstance(result, Answer):
        return result
    raw = await pipeline.means.ledger.raw(job.workspace_id, result.call_id)
    if raw is None:
        return Declined(Decline.FAILED, "the answer is not kept any more", call_id=result.call_id)
    return raw


async def _question(
    pipeline: Pipeline, job: ClaimedJob, provider: Provider, criteria: Json
) -> Question:
    (operation,) = provider.spec.operations
    allowance = await pipeline.means.ledger.allowance(
        job.workspace_id, [], pipeline.means.policy.caps
    )
    fresh_after = pipeline.means.clock() - min(_AT_MOST, pipeline.means.policy.miss_ttl)
    asker = Asker(
        workspace_id=job.workspace_id,
        job_id=job.id,
        token=job.token,
        batch_id=None,
        correlation_id=job.correlation_id,
        entities={},
        budgets=allowance.of_all,
        provider_budgets=allowance.of_provider,
        fresh_after=fresh_after,
        miss_fresh_after=fresh_after,
    )
    price = operation.price_micros
    return Question(
        provider=provider,
        operation=operation,
        needs=frozenset(),
        ask=Ask({}, frozenset()),
        asker=asker,
        position=1,
        missed=(),
        reason="a search",
        judge=_nothing,
        forbidden=allowance.forbids(provider.spec.name, operation.name, price),
        text=json.dumps(criteria, sort_keys=True, ensure_ascii=False),
    )


def _nothing(_stated: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """A search states nothing of anybody: it is read where it is shown."""
    return ()
