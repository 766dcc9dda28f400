"""Key-encryption keys, which wrap data keys: keys of our own, or a command that asks a KMS."""

import asyncio
import base64
import binascii
import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from glaze.errors import SecretsUnavailable, SecretUnreadable, SettingsError
from glaze.secrets.envelope import KEY_BYTES, new_key, seal, unseal

_COMMAND_S: Final = 15.0
"""How long a command may take."""
_LONGEST_SAID = 300
BY_COMMAND: Final = "command"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key under a key-encryption key, and the id of that one."""

    text: bytes = field(repr=False)
    by: str


class Wrapping(Protocol):
    """Keeps data keys safe by a key that the database does not have."""

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """Wrap ``data_key`` for ``context`` by the key that is in use now.

        Raises: SecretsUnavailable.
        """
        ...

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Return the data key.

        Raises: SecretUnreadable for another context, or a key-encryption key that is not at hand;
            SecretsUnavailable where it cannot be told now.
        """
        ...

    async def is_current(self, wrapped: Wrapped) -> bool:
        """Tell whether it was wrapped by the key that is in use now; False where nobody can tell."""
        ...


class OwnKeys:
    """Keys that this process is given. The first wraps; all of them unwrap."""

    def __init__(self, given: Callable[[], str]) -> None:
        """Take the keys that ``given`` returns, read anew each time: a file may be exchanged."""
        self._given = given

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """Wrap by the first key."""
        key = self._keys()[0]
        return Wrapped(seal(key, data_key, "data key", context), key_id(key))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Unwrap by the key that it was wrapped by."""
        for key in self._keys():
            if key_id(key) == wrapped.by:
                return unseal(key, wrapped.text, "data key", context)
        raise SecretUnreadable(
            f"the key-encryption key {wrapped.by} is not among those given; put it back behind the"
            " first, then: glaze secrets rotate"
        )

    async def is_current(self, wrapped: Wrapped) -> bool:
        """Compare the id with the first key's."""
        return wrapped.by == key_id(self._keys()[0])

    def _keys(self) -> Sequence[bytes]:
        return parse_keys(self._given())


class KeyCommand:
    """A command that wraps and unwraps by a KMS: ``COMMAND wrap CONTEXT``, base64 in and out."""

    def __init__(self, command: str) -> None:
        """Run ``command``, split as a shell would; no shell runs it."""
        self._command = shlex.split(command)

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """Have it wrapped."""
        return Wrapped(await self._run("wrap", data_key, context), BY_COMMAND)

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Have it unwrapped."""
        if wrapped.by != BY_COMMAND:
            raise SecretUnreadable(
                f"it was wrapped by the key-encryption key {wrapped.by}, not by GLAZE_KEY_COMMAND"
            )
        data_key = await self._run("unwrap", wrapped.text, context)
        if len(data_key) != KEY_BYTES:
            raise SecretUnreadable("GLAZE_KEY_COMMAND returned something that is no data key")
        return data_key

    async def is_current(self, wrapped: Wrapped) -> bool:
        """A KMS has versions of its own: wrapped anew it is wrapped by the newest."""
        del wrapped
        return False

    async def _run(self, verb: str, given: bytes, context: str) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                verb,
                context,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise SecretsUnavailable(f"GLAZE_KEY_COMMAND cannot be run: {error.strerror}") from None
        try:
            async with asyncio.timeout(_COMMAND_S):
                out, said = await process.communicate(base64.b64encode(given) + b"\n")
        except TimeoutError:
            raise SecretsUnavailable(
                f"GLAZE_KEY_COMMAND {verb} took over {_COMMAND_S:g} s"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            told = said.decode("utf-8", "replace").strip()[:_LONGEST_SAID]
            raise SecretsUnavailable(
                f"GLAZE_KEY_COMMAND {verb} ended with {process.returncode}: {told}"
            )
        try:
            return base64.b64decode(out.strip(), validate=True)
        except binascii.Error:
            raise SecretsUnavailable(f"GLAZE_KEY_COMMAND {verb} printed no base64") from None


def parse_keys(text: str) -> list[bytes]:
    """Return the keys in ``text``: each 32 bytes in base64, with commas or line by line.

    Raises: SettingsError; what was given is not repeated.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    words = [word.strip() for line in lines for word in line.split(",") if word.strip()]
    try:
        keys = [base64.b64decode(word, validate=True) for word in words]
    except binascii.Error:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise SettingsError(
            f"a key-encryption key is {KEY_BYTES} bytes in base64; make one: glaze secrets new-key"
        )
    return keys


def key_id(key: bytes) -> str:
    """Return what a key-encryption key is known by; it says nothing of the key."""
    return hashlib.sha256(b"glaze key-encryption key" + key).hexdigest()[:12]


def new_key_text() -> str:
    """Return a new key-encryption key as settings take it."""
    return base64.b64encode(new_key()).decode()
