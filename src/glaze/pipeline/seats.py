"""Calls under way at one vendor: the fleet's cap, of which each process holds seats by lease."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from glaze.store.seat import Cap, SeatStore, Shared

log = structlog.get_logger("seats")

LOOK_S = 0.5
"""How often a holder renews its seats, lets go of those it does not need, and hears who waits."""
ASK_AGAIN_S = 0.1
"""How often one that waits asks for more."""
TURN_S = 0.5
"""How long one process keeps its seats where there are fewer of them than processes that want one."""
RENEWALS = 4
"""How often at least a lease is renewed before it would end."""


class Seats:
    """This process's part of a cap.

    Seats are taken from the database for all who wait here at once, handed on from call to call,
    and given back once they are not needed: under load a call costs no statement of its own.
    """

    def __init__(self, store: SeatStore, tasks: asyncio.TaskGroup, cap: Cap) -> None:
        """Hold seats of ``cap`` as long as there are calls; renew them in a task of ``tasks``."""
        self._store = store
        self._tasks = tasks
        self._cap = cap
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._held = self._in_use = 0
        self._peak = 0  # most in use since the last look
        self._share = cap.most  # what we may use; less than we hold where some are to go back
        self._turn_over = self._declared = self._keeping = self._closing = False
        self._turn_began = 0.0
        self._good_until = float("-inf")  # monotonic seconds: what we know of our lease
        self._stirred = asyncio.Event()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a seat for one call, waiting for it as long as it takes.

        Raises: StoreUnavailable where the database cannot be asked for one.
        """
        await self._sit()
        try:
            yield
        finally:
            self._leave()

    @property
    def held(self) -> bool:
        """Whether what we hold is ours for sure: a process that stood still may have lost it."""
        return time.monotonic() < self._good_until

    def close(self) -> None:
        """Give seats back as soon as their calls end."""
        self._closing = True
        self._stirred.set()

    async def _sit(self) -> None:
        seat: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        first = not self._waiting
        self._waiting.append(seat)
        self._hand_on()
        if first and not seat.done():  # those who come after are asked for at the next look
            self._stirred.set()
        if not self._keeping:
            self._keeping = True
            self._tasks.create_task(self._keep())
        try:
            await seat
        except asyncio.CancelledError:
            if not seat.cancelled() and seat.exception() is None:  # it was ours just then
                self._leave()
            raise

    def _leave(self) -> None:
        self._in_use -= 1
        self._hand_on()
        if self._in_use < self._held and (self._closing or self._held > self._share):
            self._stirred.set()

    def _hand_on(self) -> None:
        """Let those go who waited longest, as far as there are seats that are ours for sure."""
        while self.held and self._waiting and self._in_use < min(self._held, self._share):
            seat = self._waiting.popleft()
            if not seat.done():
                self._in_use += 1
                self._peak = max(self._peak, self._in_use)
                seat.set_result(None)

    async def _keep(self) -> None:
        """Ask for seats as long as there are calls, and give back what they leave."""
        try:
            while True:
                await asyncio.sleep(0)  # those about to ask are counted as well
                self._stirred.clear()
                try:
                    await self._look()
                except Exception as error:  # noqa: BLE001  whoever waits raises it
                    self._refuse(error)
                if not (self._waiting or self._in_use or self._held):
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._stirred.wait()
        finally:
            self._keeping = False

    def _pause_s(self) -> float:
        renewed_s = min(LOOK_S, self._cap.lease_s / RENEWALS)
        return min(ASK_AGAIN_S, renewed_s) if self._waiting else renewed_s

    async def _look(self) -> None:
        """Let go of what is over our share or was not needed lately, and ask for what is wanted.

        What we let go of is used by nobody here from before the database is told.
        """
        needed = 0 if self._closing and not self._waiting else self._peak
        self._held = max(self._in_use, min(self._held, self._share, needed))
        self._peak = self._in_use
        wanted = self._in_use + sum(not seat.done() for seat in self._waiting)
        begun = time.monotonic()
        if not self._declared:
            await self._store.declare(self._cap)
            self._declared = True
        before = self._held
        told = await self._store.share(self._cap, keep=before, wanted=wanted, last=self._turn_over)
        if told.held < min(before, self._in_use):  # we stood still, and others have them
            over = self._in_use - told.held
            log.warning("calls under way without a seat", provider=self._cap.provider, calls=over)
        self._held = told.held
        self._good_until = begun + self._cap.lease_s
        self._judge_turn(told, began=not before)
        self._hand_on()

    def _judge_turn(self, told: Shared, *, began: bool) -> None:
        if began:
            self._turn_began = time.monotonic()
        kept_s = time.monotonic() - self._turn_began
        self._turn_over = told.crowded and told.held > 0 and kept_s > TURN_S
        self._share = 0 if self._turn_over else told.share

    def _refuse(self, error: Exception) -> None:
        log.warning("no seats", provider=self._cap.provider, error=str(error))
        self._held = 0
        waiting, self._waiting = self._waiting, deque()
        for seat in waiting:
            if not seat.done():
                seat.set_exception(error)
