"""How a call is named to its vendor, and found again by the name."""

import hmac
import re
from dataclasses import dataclass

from glaze.model.value import CallId, WorkspaceId

_TOKEN = re.compile(r"g([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Named:
    """What a token says that it names; only ``token_of`` tells whether it is genuine."""

    workspace_id: WorkspaceId
    call_id: CallId


def token_of(hash_key: bytes, workspace_id: WorkspaceId, call_id: CallId) -> str:
    """Return the call's token: the same whenever it is sent, and made by who has the key alone."""
    name = f"{workspace_id}-{call_id}"
    proof = hmac.digest(hash_key, f"call-token:{name}".encode(), "sha256").hex()
    return f"g{name}-{proof[:32]}"


def named_by(token: str) -> Named | None:
    """Return what ``token`` says that it names, None where it is no token."""
    found = _TOKEN.fullmatch(token)
    return Named(WorkspaceId(int(found[1])), CallId(int(found[2]))) if found else None


def callback_url(base_url: str, provider: str, token: str, secret: str = "") -> str:
    """Return where a vendor reports the call, "" where it cannot reach us.

    A ``secret`` is woven into it: of who has none of it no address is genuine.
    """
    if not base_url:
        return ""
    return f"{base_url.rstrip('/')}/v1/hooks/{provider}/{sealed(token, secret)}"


def sealed(token: str, secret: str) -> str:
    """Return what the last part of a callback's address is; the token itself without a secret."""
    if not secret:
        return token
    proof = hmac.digest(secret.encode(), f"callback:{token}".encode(), "sha256").hex()
    return f"{token}.{proof[:32]}"
