"""``ETag``, ``If-Match`` and ``If-None-Match``: a change is refused where somebody else made one since."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

from glaze.errors import EditConflict
from glaze.model.value import Json

IfMatch = Annotated[str | None, Header(max_length=200, description="the `ETag` that was read")]
IfNoneMatch = Annotated[
    str | None, Header(max_length=200, description="`*`: only where there is none yet")
]


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a change was meant for (RFC 9110, 13.1); without either header: whatever is there."""

    if_match: str | None
    if_none_match: str | None

    def check(self, there: str | None, what: str) -> None:
        """Let a change of ``what`` pass whose ETag is now ``there``; None: there is nothing yet.

        Raises: EditConflict.
        """
        if self.if_none_match is not None and there is not None:
            raise EditConflict(f"{what} is there already: read it, and change it with its ETag")
        if self.if_match is None or (there is not None and self._names(there)):
            return
        raise EditConflict(
            f"{what} was changed since it was read: read it again, and send its new ETag as If-Match"
        )

    @property
    def asked(self) -> bool:
        """Whether there is one at all."""
        return (self.if_match, self.if_none_match) != (None, None)

    def _names(self, there: str) -> bool:
        named = [one.strip() for one in (self.if_match or "").split(",")]
        return "*" in named or there in named


def etag_of(facts: Json) -> str:
    """Return what differs wherever ``facts`` do."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f'"{digest[:32]}"'


async def _precondition(
    if_match: IfMatch = None, if_none_match: IfNoneMatch = None
) -> Precondition:
    return Precondition(if_match, if_none_match)


async def _match_only(if_match: IfMatch = None) -> Precondition:
    return Precondition(if_match, None)


Meant = Annotated[Precondition, Depends(_precondition)]
"""For what may not be there yet."""
MeantForThis = Annotated[Precondition, Depends(_match_only)]
"""For what is there, or nothing can be done."""
