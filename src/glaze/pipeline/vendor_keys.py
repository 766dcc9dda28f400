"""Vendors' keys of a workspace's own: sealed when they are set, opened when a call is made."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from glaze.errors import InputError, SecretsUnavailable, SecretUnreadable
from glaze.model.access import COMMAND_LINE
from glaze.model.value import WorkspaceId
from glaze.secrets.envelope import new_key, seal, unseal
from glaze.secrets.wrapping import Wrapped, Wrapping
from glaze.store.vendor_key import SealedKey, VendorKeyStore, VendorKeyView, WrappedKey

LONGEST_KEY = 1000
DATA_KEY_REMEMBERED_S = 300.0
"""For so long a process does without asking for a data key again."""
_REMEMBERED = 10_000
_SHOWN_FROM = 16
"""Of a shorter key not even the last characters are told: they would be a good part of it."""


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A vendor's key, for one call."""

    text: str = field(repr=False)
    version: int


class _Remembered(NamedTuple):
    data_key: bytes
    until: float  # monotonic seconds


class VendorKeys:
    """Seals and opens keys under each workspace's data key."""

    def __init__(
        self,
        store: VendorKeyStore,
        wrapping: Wrapping | None,
        learn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Keep keys in ``store``, wrapped by ``wrapping`` (None: nobody has a key of their own).

        ``learn`` is told each key before it is used, so that it is masked in what is logged.
        """
        self._store = store
        self._wrapping = wrapping
        self._learn = learn
        self._known: OrderedDict[tuple[WorkspaceId, bytes], _Remembered] = OrderedDict()

    async def list(self, workspace_id: WorkspaceId) -> list[VendorKeyView]:
        """Return which providers have a key of the workspace's own."""
        return await self._store.list(workspace_id)

    async def put(
        self, workspace_id: WorkspaceId, provider: str, key: str, *, actor: str = COMMAND_LINE
    ) -> VendorKeyView:
        """Keep ``key`` for ``provider``, in place of the one before; calls from now on use it.

        Raises: InputError for what can be no key; SecretsUnavailable, SecretUnreadable.
        """
        key = _checked(key)
        self._learn(key)
        data_key = await self._data_key(workspace_id)
        sealed = seal(data_key, key.encode(), *_context(workspace_id, provider))
        last_four = key[-4:] if len(key) >= _SHOWN_FROM else ""
        return await self._store.put(workspace_id, provider, sealed, last_four, actor=actor)

    async def forget(
        self, workspace_id: WorkspaceId, provider: str, *, actor: str = COMMAND_LINE
    ) -> VendorKeyView | None:
        """Delete a key: no call is made with it any more. None where there was none."""
        return await self._store.forget(workspace_id, provider, actor=actor)

    async def open(self, workspace_id: WorkspaceId, provider: str) -> OpenedKey | None:
        """Return the key as it is now, for one call; None where there is none any more.

        Raises: SecretsUnavailable, SecretUnreadable.
        """
        kept = await self._store.read(workspace_id, provider)
        if kept is None:
            return None
        text = await self._opened(workspace_id, provider, kept)
        self._learn(text)
        return OpenedKey(text, kept.version)

    async def rewrap(
        self, workspace_ids: Iterable[WorkspaceId], *, actor: str = COMMAND_LINE
    ) -> int:
        """Wrap data keys by the key-encryption key that is in use now; return how many were not.

        Keys stay as they are and are used meanwhile.

        Raises: SecretsUnavailable, SecretUnreadable.
        """
        wrapping, changed = self._usable(), 0
        for workspace_id in workspace_ids:
            before = await self._store.data_key(workspace_id)
            if before is None or await wrapping.is_current(_wrapped(before)):
                continue
            context = _workspace(workspace_id)
            data_key = await wrapping.unwrap(_wrapped(before), context)
            after = await wrapping.wrap(data_key, context)
            changed += await self._store.rewrap(
                workspace_id, before, WrappedKey(after.text, after.by), actor=actor
            )
        return changed

    async def _data_key(self, workspace_id: WorkspaceId) -> bytes:
        """Return the workspace's data key; the first time, a new one."""
        wrapping = self._usable()
        kept = await self._store.data_key(workspace_id)
        if kept is None:
            made = await wrapping.wrap(new_key(), _workspace(workspace_id))
            kept = await self._store.add_data_key(workspace_id, WrappedKey(made.text, made.by))
        return await self._unwrapped(workspace_id, kept)

    async def _opened(self, workspace_id: WorkspaceId, provider: str, kept: SealedKey) -> str:
        data_key = await self._unwrapped(workspace_id, kept.data_key)
        try:
            return unseal(data_key, kept.sealed, *_context(workspace_id, provider)).decode()
        except SecretUnreadable as error:
            raise SecretUnreadable(f"the key of {provider}: {error}") from None

    async def _unwrapped(self, workspace_id: WorkspaceId, kept: WrappedKey) -> bytes:
        name, now = (workspace_id, kept.wrapped), time.monotonic()
        known = self._known.get(name)
        if known is not None and known.until > now:
            return known.data_key
        data_key = await self._usable().unwrap(_wrapped(kept), _workspace(workspace_id))
        self._known[name] = _Remembered(data_key, now + DATA_KEY_REMEMBERED_S)
        self._known.move_to_end(name)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return data_key

    def _usable(self) -> Wrapping:
        if self._wrapping is None:
            raise SecretsUnavailable(
                "vendors' keys are kept encrypted, and there is no key-encryption key: set"
                " GLAZE_KEY_FILE, GLAZE_KEY_ENCRYPTION_KEYS or GLAZE_KEY_COMMAND"
                " (see docs/security.md)"
            )
        return self._wrapping


def _checked(key: str) -> str:
    key = key.strip()
    if not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InputError(f"a vendor's key has 1 to {LONGEST_KEY} printable ASCII characters")
    return key


def _workspace(workspace_id: WorkspaceId) -> str:
    return f"workspace {workspace_id}"


def _context(workspace_id: WorkspaceId, provider: str) -> tuple[str, str, str]:
    return "vendor key", _workspace(workspace_id), provider


def _wrapped(kept: WrappedKey) -> Wrapped:
    return Wrapped(kept.wrapped, kept.wrapped_by)
