"""What keeps secrets: where key-encryption keys come from, and who checks passwords."""

from collections.abc import Callable

from glaze.api.signing_in import SignIns
from glaze.errors import SecretsUnavailable
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.secrets.passwords import Passwords
from glaze.secrets.wrapping import KeyCommand, OwnKeys, Wrapping, parse_keys
from glaze.settings import Settings
from glaze.store.database import Database
from glaze.store.member import MemberStore
from glaze.store.vendor_key import VendorKeyStore
from glaze.store.workspace import WorkspaceStore


def vendor_keys(
    settings: Settings, db: Database, learn: Callable[[str], None] = lambda _: None
) -> VendorKeys:
    """Return the workspaces' own vendor keys; ``learn`` as there.

    Raises: SettingsError for a key-encryption key that cannot be one.
    """
    return VendorKeys(VendorKeyStore(db), wrapping(settings), learn)


def sign_ins(settings: Settings, db: Database) -> SignIns:
    """Return who signs members in and out."""
    return SignIns(
        MemberStore(db),
        WorkspaceStore(db),
        Passwords(),
        lasts_s=settings.session_hours * 3600,
        idle_s=settings.session_idle_hours * 3600,
    )


def wrapping(settings: Settings) -> Wrapping | None:
    """Return what wraps data keys; None where nothing is set.

    Raises: SettingsError for a key among the settings that cannot be one.
    """
    path = settings.key_file
    if settings.key_command:
        return KeyCommand(settings.key_command)
    if settings.key_encryption_keys:
        given = settings.key_encryption_keys.get_secret_value()
        parse_keys(given)
        return OwnKeys(lambda: given)
    if path is None:
        return None

    def read() -> str:
        try:
            return path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not ASCII"
            raise SecretsUnavailable(f"GLAZE_KEY_FILE={path} cannot be read: {reason}") from None

    return OwnKeys(read)
