"""People who sign in: what their sessions are known by, and what a password must be."""

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.access import Role
from glaze.model.value import WorkspaceId

LONGEST_EMAIL = 320
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
_SECRET_BYTES = 32
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_SHOWN = re.compile(r"(?P<kind>glzs|glzi)_(?P<workspace>[1-9][0-9]{0,17})_[A-Za-z0-9_-]{43}")


class Kind(StrEnum):
    """What a secret text is for; it begins so."""

    SESSION = "glzs"
    INVITATION = "glzi"


class NewSecret(NamedTuple):
    """A text of 256 random bits as it was drawn; only ``digest`` is kept."""

    text: str
    digest: bytes


def new_secret(kind: Kind, workspace_id: WorkspaceId) -> NewSecret:
    """Draw a secret that says which workspace it is of: ``glzs_<workspace>_<secret>``."""
    text = f"{kind}_{workspace_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewSecret(text, hashlib.sha256(text.encode()).digest())


def workspace_of(kind: Kind, text: str) -> WorkspaceId | None:
    """Return which workspace a secret says it is of, None where it has not the form of one."""
    found = _SHOWN.fullmatch(text)
    if found is None or found["kind"] != kind:
        return None
    return WorkspaceId(int(found["workspace"]))


def csrf_token(session: str) -> str:
    """Return what a page shows with each change, beside the cookie that it cannot read.

    It belongs to the one session, and who has it cannot tell the session.
    """
    return hmac.digest(session.encode(), b"glaze csrf", "sha256").hex()


def checked_email(email: str) -> str:
    """Return an address as it is kept: without space around it, in lower case.

    Raises: InputError where it is none.
    """
    email = email.strip().lower()
    if len(email) > LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InputError("an e-mail address is asked for, like ada@example.com")
    return email


def checked_password(password: str, email: str) -> str:
    """Return a password that may be one.

    Raises: InputError where it is too short, too long, of one character or the address itself.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if password.lower() == email or len(set(password)) < SHORTEST_PASSWORD // 3:
        raise InputError("the password is too easy to guess")
    return password


def checked_role(role: str) -> Role:
    """Return ``role`` as one. Raises: InputError."""
    if role not in set(Role):
        raise InputError(f"no role is called {role[:50]!r}; there are {', '.join(Role)}")
    return Role(role)
