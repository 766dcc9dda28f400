"""Read tokens for browsers: signed, short-lived, kept nowhere."""

import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import jwt

from glaze.errors import KeyRefused
from glaze.model.access import Act, Narrowed, Principal, Role, Scope
from glaze.model.value import BatchId, JobId, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("access")

LONGEST_S = 3600
_ALGORITHM = "HS256"
_ISSUER = "glaze"
_CLAIMS = ("iss", "ws", "sub", "jti", "exp")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{1,200}")
_MADE_BY = re.compile(r"(key|user) ([0-9]{1,18})")


class IssuedToken(NamedTuple):
    """A token and when it ends (aware UTC)."""

    text: str
    expires_at: datetime


def is_token(text: str) -> bool:
    """Tell whether ``text`` has the form of a token; a key has not."""
    return _TOKEN.fullmatch(text) is not None


class TokenStore:
    """Signs tokens with a key derived from the workspace's own, and checks them."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        """Use the pools of ``db``."""
        self._db = db
        self._clock = clock

    async def issue(
        self,
        who: Principal,
        ttl_s: int,
        narrowed: Narrowed | None = None,
        acts: Collection[Act] = (),
    ) -> IssuedToken:
        """Return a token with which the workspace of ``who``, or a part of it, is seen for ``ttl_s``.

        With ``acts`` it may do these to the part, and who made it is in the audit log.

        Raises: KeyRefused where the key of ``who`` counts no more.
        """
        now = self._clock()
        expires_at = now + timedelta(seconds=ttl_s)
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "ws": who.workspace_id,
            "sub": who.actor,
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "exp": expires_at,
        }
        if who.session_id is not None:
            claims["sid"] = who.session_id
        if narrowed is not None:
            claims |= {"job": narrowed.job_id, "batch": narrowed.batch_id}
        if narrowed is not None and acts:
            claims["may"] = sorted(acts)
        signing = await self._signing(who.workspace_id, who.actor, who.session_id)
        if signing is None:
            raise KeyRefused("the key was revoked meanwhile")
        if "may" in claims:
            await self._note(who, claims)
        return IssuedToken(jwt.encode(claims, signing.key, _ALGORITHM), expires_at)

    async def _note(self, who: Principal, claims: Mapping[str, Any]) -> None:
        detail = {name: claims[name] for name in ("job", "batch", "may")}
        detail["expires_at"] = claims["exp"].isoformat()
        async with self._db.workspace(who.workspace_id) as conn:
            await note(conn, Deed(who.actor, "token.create", claims["jti"], detail))

    async def authenticate(self, text: str) -> tuple[Principal, float] | None:
        """Return on whose behalf who shows ``text`` acts, and for how many seconds more.

        None where it is forged or expired, or the key or session that made it counts no more.
        """
        try:
            openly = jwt.decode(text, options={"verify_signature": False})
            workspace_id, actor = WorkspaceId(int(openly["ws"])), str(openly["sub"])
            session_id = None if openly.get("sid") is None else int(openly["sid"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            return None
        if not (0 < workspace_id < 1 << 63 and 0 < (session_id or 1) < 1 << 63):
            return None
        signing = await self._signing(workspace_id, actor, session_id)
        if signing is None:
            return None
        try:
            claims = jwt.decode(
                text, signing.key, [_ALGORITHM], issuer=_ISSUER, options={"require": [*_CLAIMS]}
            )
        except jwt.InvalidTokenError:
            return None
        left_s = claims["exp"] - self._clock().timestamp()
        narrowed = _narrowed(claims)
        principal = Principal(
            workspace_id,
            f"token {claims['jti']} of {actor}",
            frozenset({Scope.READ}),
            narrowed,
            by_token=True,
            maker=actor,
            acts=_acts(claims) if narrowed and signing.writes else frozenset(),
        )
        return (principal, left_s) if left_s > 0 else None

    async def _signing(
        self, workspace_id: WorkspaceId, actor: str, session_id: int | None
    ) -> "_Signing | None":
        """Return what tokens of the workspace are signed with.

        None where ``actor`` counts no more, or signed out of the session in which it was made.
        """
        made_by = _MADE_BY.fullmatch(actor)
        params: dict[str, int | None] = {"key": None, "user": None, "session": session_id}
        if made_by is not None:
            params[made_by[1]] = int(made_by[2])
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["signing"], params)).fetchone()
        if row is None or not row["counts"]:
            return None
        scopes = set(map(Scope, row["scopes"]))
        if row["role"] is not None:
            scopes.add(Role(row["role"]).scope)
        key = hmac.digest(bytes(row["hash_key"]), b"read token", "sha256")
        return _Signing(key, not scopes.isdisjoint({Scope.WRITE, Scope.ADMIN}))


class _Signing(NamedTuple):
    key: bytes
    writes: bool  # whoever made the token may still change jobs


def _acts(claims: Mapping[str, Any]) -> frozenset[Act]:
    return frozenset(map(Act, claims.get("may", ())))


def _narrowed(claims: Mapping[str, Any]) -> Narrowed | None:
    job, batch = claims.get("job"), claims.get("batch")
    if job is None and batch is None:
        return None
    return Narrowed(None if job is None else JobId(job), None if batch is None else BatchId(batch))
