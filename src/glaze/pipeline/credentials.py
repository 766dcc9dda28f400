"""Whose key pays: a workspace's own, the installation's where it may be spent, or none."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from glaze.errors import SecretUnreadable
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.pipeline.asking import Access
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.store.vendor_key import VendorKeyView

LOOK_EVERY_S = 5.0
"""After how long a process knows that another one set a first key, or forgot one."""
NO_KEY = "none"
"""Name of the credential of who shows no key."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a workspace can ask, by which credential, and whom not for want of a key."""

    access: Mapping[str, Access]
    unusable: Mapping[str, str] = field(default_factory=dict)  # provider -> what to do

    def to(self, provider: str) -> Access:
        """Return how a provider is reached; one that was never heard of needs no key."""
        return self.access.get(provider, Access())


@dataclass(frozen=True, slots=True)
class Sharing:
    """Which of the installation's keys other workspaces than the first may spend."""

    names: frozenset[str] = frozenset()
    everything: bool = False

    def covers(self, provider: str) -> bool:
        """Tell whether a provider's key is shared."""
        return self.everything or provider in self.names


class Credentials:
    """Tells for each workspace with which key a provider is asked."""

    def __init__(
        self,
        installed: Mapping[str, Access],
        keys: VendorKeys | None = None,
        *,
        needed: Mapping[str, str] | None = None,
        closed: Collection[str] = (),
        sharing: Sharing = Sharing(everything=True),
    ) -> None:
        """Begin with the installation's own keys.

        Args:
            installed: The installation's access to each provider.
            keys: Workspaces' own keys; None: there are none.
            needed: Providers that cannot be asked without a key, and the variable that sets it.
            closed: Providers that the settings leave out whoever has a key.
            sharing: What other workspaces than the first may spend.
        """
        self._installed = installed
        self._keys = keys
        self._needed = needed or {}
        self._closed = frozenset(closed)
        self._sharing = sharing
        self._known: dict[WorkspaceId, tuple[float, Reach]] = {}

    @property
    def installation(self) -> Reach:
        """Whom the installation's keys alone reach."""
        return self._reach(DEFAULT_WORKSPACE, {})

    async def of(self, workspace_id: WorkspaceId) -> Reach:
        """Return whom a workspace can ask now."""
        looked, reach = self._known.get(workspace_id, (0.0, None))
        if reach is None or time.monotonic() - looked > LOOK_EVERY_S:
            own = [] if self._keys is None else await self._keys.list(workspace_id)
            reach = self._reach(workspace_id, {one.provider: one for one in own})
            self._known[workspace_id] = (time.monotonic(), reach)
        return reach

    def renew(self, workspace_id: WorkspaceId) -> None:
        """Look again: a key of the workspace was set or forgotten."""
        self._known.pop(workspace_id, None)

    async def held(
        self, workspace_id: WorkspaceId, provider: str, credential: str
    ) -> Access | None:
        """Return the access by a credential that a call was made with, None where it is gone."""
        current = (await self.of(workspace_id)).to(provider)
        before = self._installed.get(provider, Access())
        return next((one for one in (current, before) if one.credential == credential), None)

    async def key(self, provider: str, access: Access) -> str:
        """Return the key itself, for one call; "" for keyless.

        Raises: SecretsUnavailable, SecretUnreadable; StoreUnavailable.
        """
        if access.own_of is None or self._keys is None:
            return access.key
        opened = await self._keys.open(access.own_of, provider)
        if opened is None:
            self.renew(access.own_of)
            raise SecretUnreadable(f"the workspace's key of {provider} was forgotten")
        return opened.text

    def _reach(self, workspace_id: WorkspaceId, own: Mapping[str, VendorKeyView]) -> Reach:
        access, unusable = {}, {}
        for name, installed in self._installed.items():
            spendable = workspace_id == DEFAULT_WORKSPACE or self._sharing.covers(name)
            if name in own and name not in self._closed:
                access[name] = _own(workspace_id, installed, own[name])
            elif installed.key and spendable:
                access[name] = installed
            else:
                access[name] = replace(installed, credential=NO_KEY, key="", key_print="")
                if name in self._needed and name not in self._closed:
                    unusable[name] = _missing(name, self._needed[name], workspace_id)
        return Reach(access, unusable)


def _own(workspace_id: WorkspaceId, installed: Access, key: VendorKeyView) -> Access:
    """Return the access by a workspace's own key.

    Its credential is named for the workspace, not for the key: a new key of the same account buys
    nothing again. A secret that another account's callbacks are signed with is not its.
    """
    return replace(
        installed,
        credential=f"workspace {workspace_id}",
        key="",
        key_print=f"v{key.version}",
        webhook_secret="",
        own_of=workspace_id,
    )


def _missing(name: str, variable: str, workspace_id: WorkspaceId) -> str:
    if workspace_id == DEFAULT_WORKSPACE:
        return f"no key: set {variable}"
    return f"no key of the workspace's own: glaze providers set-key {name}"
