"""The moment at which a call leaves: its connection stands, and its permit is good."""

import asyncio
import time
from collections.abc import Callable

import structlog

from glaze.errors import HeldBack, StoreUnavailable
from glaze.pipeline.limiter import Limiter, Permit, Wait

log = structlog.get_logger("departure")

SEND_WITHIN_S = 2.0
"""An intent older than this, by the monotonic clock, is not sent any more: the world moved on."""
_CONNECT_WITHIN_S = 5.0
"""How much longer that may take where the vendor is slow to accept a connection."""

_RAN_OUT = "not sent: the permit ran out"
_TOO_OLD = "not sent: too long since the intent was recorded"


class Departure:
    """Holds one call back until its permit's moment. Await it whenever a request is about to leave.

    A permit that came too late is given back, and another one taken: how long connecting takes is
    known only when it is done. The first request of a call waits; those after it belong to it.
    """

    def __init__(
        self,
        limiter: Limiter,
        permit: Permit,
        *,
        begun: float,
        has_room: Callable[[], bool],
    ) -> None:
        """Go by a permit of ``limiter``.

        ``begun`` is when the intent began to be recorded, a reading of ``time.monotonic()``;
        ``has_room`` tells whether the room that was given at the vendor is still ours.
        """
        self.held_s = 0.0
        self.refused: str | None = _TOO_OLD if _age(begun) > SEND_WITHIN_S else None
        self._limiter = limiter
        self._permit: Permit | None = permit
        self._begun = begun
        self._has_room = has_room
        self._gone = False
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        """Wait until the call may leave.

        Raises: HeldBack where it must not leave any more; ``refused`` says why.
        """
        async with self._turn:
            if self._gone:
                return
            if self.refused is None:
                since = time.monotonic()
                self.refused = await self._too_late()
                self.held_s = time.monotonic() - since
            if self.refused is not None:
                raise HeldBack(self.refused)
            self._gone = True

    async def close(self) -> None:
        """Let another have the permit, where nothing has left with it."""
        permit, self._permit = self._permit, None
        if permit is not None and not self._gone:
            await self._limiter.give_back(permit)

    async def _too_late(self) -> str | None:
        try:
            while self._permit is None or not await self._limiter.ready(self._permit):
                await self.close()
                if _age(self._begun) > SEND_WITHIN_S + _CONNECT_WITHIN_S:
                    return _TOO_OLD
                permit = await self._limiter.permit()
                if isinstance(permit, Wait):
                    return _RAN_OUT
                self._permit = permit
        except StoreUnavailable as error:
            log.warning("no second permit", slots=self._limiter.slots.name, error=str(error))
            return f"{_RAN_OUT} and no other could be had"
        except Exception:  # whatever it is: nothing was sent, and that must be recorded
            log.exception("no second permit", slots=self._limiter.slots.name)
            return f"{_RAN_OUT} and no other could be had"
        if _age(self._begun) > SEND_WITHIN_S + _CONNECT_WITHIN_S:
            return _TOO_OLD
        return None if self._has_room() else "not sent: its room at the vendor may be another's"


def _age(begun: float) -> float:
    return time.monotonic() - begun
