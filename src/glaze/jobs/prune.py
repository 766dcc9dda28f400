"""Prune what is old and over: page after page, with a pause after each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from time import monotonic

from glaze.jobs.retry import going_on
from glaze.store.retention import Keep, Pruned, RetentionStore

SHORTEST_PAUSE_S = 0.02


async def prune(
    store: RetentionStore, keep: Keep, pause_s: float = SHORTEST_PAUSE_S
) -> Counter[str]:
    """Prune everything once and return how many rows went, by name.

    After each page it rests for as long as the page took, and for ``pause_s`` seconds at least:
    it takes no more than half of a connection's time.
    """
    gone: Counter[str] = Counter()
    for workspace_id in await store.workspaces():
        own = await store.keep(workspace_id, keep)
        for look, days in (
            (store.events, own.events_days),
            (store.logs, own.logs_days),
            (store.deliveries, own.events_days),
            (store.jobs, own.jobs_days),
            (store.workflows, own.jobs_days),
            (store.batches, own.batches_days),
            (store.keys, own.keys_days),
            (store.results, own.results_days),
            (store.answers, own.answers_days),
        ):
            if days is None:
                continue
            async for page in _pages(partial(look, workspace_id, days), pause_s):
                gone.update(page.gone)
    async for page in _pages(lambda _after: store.workers(keep.workers_days), pause_s):
        gone.update(page.gone)
    return +gone


async def _pages(look: Callable[[str], Awaitable[Pruned]], pause_s: float) -> AsyncIterator[Pruned]:
    after: str | None = ""
    while going_on() and after is not None:
        begun = monotonic()
        page = await look(after)
        yield page
        after = page.last
        await asyncio.sleep(max(pause_s, monotonic() - begun))
