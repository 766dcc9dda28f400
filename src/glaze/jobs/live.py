"""Live updates: one reader a process follows the feeds of all workspaces that somebody subscribes to."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

import structlog

from glaze.errors import StoreUnavailable, TooManyRequests
from glaze.jobs.hearing import hear_ends
from glaze.jobs.retry import bear, going_on, pauses, set_within, until_available
from glaze.model.job import JobState
from glaze.model.value import BatchId, JobId, WorkspaceId
from glaze.store.event import Cursor, Event, EventStore

log = structlog.get_logger("live")

LOOK_EVERY_S = 0.5
"""So often the feed is looked at: most events give no hint, and one may be lost."""
SPACING_S = 0.05
"""At most one round of looks in this time, however many hints come."""
PAGE = 500
MOST_WAITING = 5_000
"""So many changes wait in memory for one subscriber; a slower one goes on from its cursor later."""
MOST_SUBSCRIBERS = 2_000
"""So many subscribers one workspace may have in one process."""

_STATES = {str(state): state for state in JobState} | {"claimed": JobState.PROCESSING}
"""Types of events after which a job's state is known."""


class Which(NamedTuple):
    """What a subscriber wants to hear of; None: all."""

    job_id: JobId | None = None
    batch_id: BatchId | None = None
    types: frozenset[str] | None = None

    def takes(self, event: Event) -> bool:
        """Tell whether ``event`` is wanted."""
        return (
            (self.job_id is None or event.job_id == self.job_id)
            and (self.batch_id is None or event.batch_id == self.batch_id)
            and (self.types is None or event.type in self.types)
        )


class Change:
    """An event as it is told to subscribers: what changed, by ids. It is encoded once for all."""

    def __init__(self, event: Event) -> None:
        """Tell of ``event``."""
        self.event = event
        self.cursor = event.cursor

    @cached_property
    def text(self) -> str:
        """The change as one line of JSON."""
        event = self.event
        told = {
            "event": "change",
            "id": str(event.cursor),
            "type": event.type,
            "job_id": event.job_id,
            "batch_id": event.batch_id,
            "state": _STATES.get(event.type) if event.job_id else None,
            "at": event.at.isoformat(),
        }
        return json.dumps(told)


class Told(NamedTuple):
    """What a subscriber is told at once, and where it stands then.

    ``reset``: what came before ``cursor`` is not known any more, read everything again. Without
    changes it only tells that the connection lives.
    """

    cursor: Cursor
    changes: Sequence[Change] = ()
    reset: bool = False


class _Feed:
    """Where the reader of one workspace stands, and who hears of what it reads."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.subscribers: set[_Subscriber] = set()

    def publish(self, events: Sequence[Event], cursor: Cursor) -> None:
        """Hand on what was read and stand at ``cursor``, in one step of the event loop."""
        changes = [Change(event) for event in events]
        self.cursor = cursor
        for one in [*self.subscribers]:
            one.offer(changes)


class _Subscriber:
    """One who listens: what waits for it, up to a bound."""

    def __init__(self, feed: _Feed, which: Which, cursor: Cursor) -> None:
        self.cursor = cursor  # nothing up to here is told again
        self.over = False
        self._feed = feed
        self._which = which
        self._waiting: deque[Change] = deque()
        self._some = asyncio.Event()

    def offer(self, changes: Sequence[Change]) -> None:
        wanted = [
            one for one in changes if one.cursor > self.cursor and self._which.takes(one.event)
        ]
        if not wanted:
            return
        self._waiting.extend(wanted)
        if len(self._waiting) > MOST_WAITING:
            log.info("subscriber too slow", waiting=len(self._waiting))
            self.end()
        self._some.set()

    def end(self) -> None:
        """Tell no more; what was not told is behind the cursor that the subscriber knows."""
        self.over = True
        self._feed.subscribers.discard(self)
        self._waiting.clear()
        self._some.set()

    async def take(self, seconds: float) -> Told:
        """Return what waits, or nothing after ``seconds``."""
        await set_within(self._some, seconds)
        self._some.clear()
        changes = [*self._waiting]
        self._waiting.clear()
        if not self.over:
            self.cursor = max(self.cursor, self._feed.cursor)
        return Told(self.cursor, changes)


class Live:
    """All subscribers of this process: one look at the feed of each workspace that has some."""

    def __init__(self, dsn: str, events: EventStore) -> None:
        """Listen on a connection of its own to ``dsn``, opened by ``run`` once somebody subscribes."""
        self._dsn = dsn
        self._events = events
        self._feeds: dict[WorkspaceId, _Feed] = {}
        self._somebody = asyncio.Event()
        self._heard = asyncio.Event()
        self._closed = False

    # -- who subscribes --------------------------------------------------------------------------

    def subscribers(self, workspace_id: WorkspaceId) -> int:
        """Return how many are told of a workspace here."""
        feed = self._feeds.get(workspace_id)
        return len(feed.subscribers) if feed else 0

    def check_room(self, workspace_id: WorkspaceId) -> None:
        """Refuse one subscriber too many. Raises: TooManyRequests."""
        if self.subscribers(workspace_id) >= MOST_SUBSCRIBERS:
            raise TooManyRequests(
                f"the workspace has {MOST_SUBSCRIBERS} subscribers here; close some",
                retry_after_s=30,
            )

    async def follow(
        self,
        workspace_id: WorkspaceId,
        which: Which,
        after: Cursor | None = None,
        *,
        beat_s: float = 15.0,
    ) -> AsyncGenerator[Told, None]:
        """Yield what happens after ``after`` (None: from now on), each change once and in order.

        Something is yielded every ``beat_s`` seconds. It ends when the process ends, or when the
        subscriber takes less than comes; who comes back with the last cursor has missed nothing.
        """
        reach = await until_available(lambda: self._events.reach(workspace_id), "subscribe")
        cursor = reach.tail if after is None else after
        if not reach.holds(cursor):
            cursor = reach.tail
            yield Told(cursor, reset=True)
        else:
            yield Told(cursor)
        # Far behind it reads alone, so that nothing piles up in memory meanwhile.
        full = True
        while full and not self._closed:
            events, cursor = await self._page(workspace_id, cursor)
            full = len(events) == PAGE
            if changes := _wanted(which, events):
                yield Told(cursor, changes)
        with self._subscribed(workspace_id, which, cursor) as (one, begins):
            while cursor < begins and not one.over:
                events, cursor = await self._page(workspace_id, cursor)
                if not events:
                    break
                # What comes after ``begins`` waits already.
                told = [event for event in events if event.cursor <= begins]
                if changes := _wanted(which, told):
                    yield Told(changes[-1].cursor, changes)
            one.cursor = max(one.cursor, begins)
            while not one.over:
                yield await one.take(beat_s)

    async def _page(
        self, workspace_id: WorkspaceId, cursor: Cursor
    ) -> tuple[Sequence[Event], Cursor]:
        return await until_available(
            lambda: self._events.feed(workspace_id, cursor, PAGE), "catch up"
        )

    @contextmanager
    def _subscribed(
        self, workspace_id: WorkspaceId, which: Which, cursor: Cursor
    ) -> Iterator[tuple[_Subscriber, Cursor]]:
        """Hear everything after the cursor that is given along."""
        feed = self._feeds.setdefault(workspace_id, _Feed(cursor))
        one = _Subscriber(feed, which, cursor)
        feed.subscribers.add(one)
        if self._closed:
            one.end()
        self._somebody.set()
        try:
            yield one, feed.cursor
        finally:
            feed.subscribers.discard(one)
            if not feed.subscribers and self._feeds.get(workspace_id) is feed:
                del self._feeds[workspace_id]

    @property
    def closed(self) -> bool:
        """Whether the process ends."""
        return self._closed

    def close(self) -> None:
        """End all subscriptions, also those that come later: the process ends."""
        self._closed = True
        for feed in self._feeds.values():
            for one in [*feed.subscribers]:
                one.end()

    # -- who reads -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen and read until cancelled; idle, and without a connection, until somebody subscribes."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(hear_ends(self._dsn, self._somebody, self._heard))
                group.create_task(self._read())
        finally:
            self.close()

    async def _read(self) -> None:
        pause = pauses()
        while going_on():
            if not self._feeds:
                self._somebody.clear()
            await self._somebody.wait()
            try:
                behind = await self._round()
                pause = pauses()
            except StoreUnavailable as error:
                bear(error, "read changes")
                await asyncio.sleep(next(pause))
                continue
            await asyncio.sleep(SPACING_S)
            if not behind:
                await set_within(self._heard, LOOK_EVERY_S)
            self._heard.clear()

    async def _round(self) -> bool:
        """Read one page of each workspace, all at once; tell whether there is more to read now."""
        feeds = dict(self._feeds)
        read = await self._events.feeds({id_: feed.cursor for id_, feed in feeds.items()}, PAGE)
        for workspace_id, events in read.items():
            feeds[workspace_id].publish(events, events[-1].cursor)
        return any(len(events) == PAGE for events in read.values())


def _wanted(which: Which, events: Sequence[Event]) -> list[Change]:
    return [Change(event) for event in events if which.takes(event)]
