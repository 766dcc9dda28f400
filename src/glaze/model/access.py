"""Who may do what: API keys, their scopes, and on whose behalf a request is answered."""

import base64
import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.value import BatchId, JobId, WorkspaceId

LONGEST_NAME = 100
COMMAND_LINE = "command line"
"""The actor of what is done with the database's own credentials."""
_PREFIX_BYTES = 5  # 8 characters of base 32
_SECRET_BYTES = 32
_KEY = re.compile(r"glz_(?P<workspace>[1-9][0-9]{0,17})_(?P<prefix>[a-z2-7]{8})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may be used for."""

    READ = "read"
    """See jobs, results, tables, spend."""
    WRITE = "write"
    """Also ask for work and change it; spends within the budgets."""
    ADMIN = "admin"
    """Also keys, members, budgets, vendor keys, settings, erasure."""
    CALLBACK = "callback"
    """Only answer a job that waits for a callback."""


_COVERED = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.WRITE: frozenset({Scope.READ, Scope.WRITE}),
    Scope.ADMIN: frozenset(Scope),
    Scope.CALLBACK: frozenset({Scope.CALLBACK}),
}


class Role(StrEnum):
    """What a member may do; each covers those before it."""

    VIEWER = "viewer"
    """See."""
    EDITOR = "editor"
    """Also ask for work, change it and spend within the budgets."""
    ADMIN = "admin"
    """Also keys, budgets, settings, and members up to admins."""
    OWNER = "owner"
    """Also owners."""

    @property
    def scope(self) -> Scope:
        """What a key would need to do the same."""
        return _SCOPES[self]

    def covers(self, other: "Role") -> bool:
        """Tell whether who has this role may give and take ``other``."""
        return _RANK[self] >= _RANK[Role.ADMIN] and _RANK[self] >= _RANK[other]


_SCOPES = {
    Role.VIEWER: Scope.READ,
    Role.EDITOR: Scope.WRITE,
    Role.ADMIN: Scope.ADMIN,
    Role.OWNER: Scope.ADMIN,
}
_RANK = {role: rank for rank, role in enumerate(Role)}


class Act(StrEnum):
    """What a token may do to the one job or batch that it is for, beside reading it."""

    RETRY = "retry"
    """Open it again, or the rows of it that failed; spends within the budgets."""
    CANCEL = "cancel"


class Narrowed(NamedTuple):
    """What a token may see, where it is not the whole workspace: one job, or one batch."""

    job_id: JobId | None = None
    batch_id: BatchId | None = None

    def covers(self, job_id: JobId | None, batch_id: BatchId | None) -> bool:
        """Tell whether a job, or a batch, or a job of a batch may be seen."""
        return (self.job_id is None or self.job_id == job_id) and (
            self.batch_id is None or self.batch_id == batch_id
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request is answered. ``actor`` goes into the audit log: ``key 12``."""

    workspace_id: WorkspaceId
    actor: str
    scopes: frozenset[Scope]
    narrowed: Narrowed | None = None
    by_token: bool = False  # a read token was shown, which can make no other
    role: Role | None = None  # of a member who signed in
    session_id: int | None = None  # with which they did
    maker: str | None = None  # of a read token: the actor who made it
    acts: frozenset[Act] = frozenset()  # of a token for one job or batch, which is asked for

    @property
    def counted_as(self) -> str:
        """Whose requests these are: of a key and all its tokens together."""
        return self.maker or self.actor

    def sees(self, job_id: JobId | None = None, batch_id: BatchId | None = None) -> bool:
        """Tell whether a job or batch of the workspace may be seen."""
        return self.narrowed is None or self.narrowed.covers(job_id, batch_id)

    def may(self, scope: Scope) -> bool:
        """Tell whether the scopes cover ``scope``."""
        return any(scope in _COVERED[own] for own in self.scopes)


class NewKey(NamedTuple):
    """A key as it was drawn; only ``prefix`` and ``digest`` are kept."""

    text: str
    prefix: str
    digest: bytes


class KeyParts(NamedTuple):
    """What a key says openly: whose it is, and which of theirs."""

    workspace_id: WorkspaceId
    prefix: str


def new_key(workspace_id: WorkspaceId) -> NewKey:
    """Draw a key of 256 random bits for ``workspace_id``: ``glz_<workspace>_<prefix>_<secret>``."""
    prefix = base64.b32encode(secrets.token_bytes(_PREFIX_BYTES)).decode().lower()
    text = f"glz_{workspace_id}_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewKey(text, prefix, digest_of(text))


def key_parts(text: str) -> KeyParts | None:
    """Return what a key says openly, or None where ``text`` has not the form of one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    return KeyParts(WorkspaceId(int(found["workspace"])), found["prefix"])


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a key. Of 256 random bits a fast hash is as good as a slow one."""
    return hashlib.sha256(text.encode()).digest()


def checked_scopes(given: Collection[str]) -> frozenset[Scope]:
    """Return ``given`` as scopes.

    Raises: InputError where one is unknown or there is none.
    """
    known = ", ".join(Scope)
    if not given:
        raise InputError(f"a key needs a scope: {known}")
    if unknown := sorted(set(given) - set(Scope)):
        raise InputError(f"no scope is called {', '.join(unknown)}; there are {known}")
    return frozenset(map(Scope, given))


def checked_name(name: str) -> str:
    """Return what a key is called, without space around it.

    Raises: InputError where it is empty, too long or not printable.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"a key's name has 1 to {LONGEST_NAME} printable characters")
    return name
