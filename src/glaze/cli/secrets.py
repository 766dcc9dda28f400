"""``glaze secrets``: the keys that vendors' keys are encrypted by."""

import typer

from glaze.boot.process import run
from glaze.boot.secrets import vendor_keys
from glaze.cli.opening import fleet
from glaze.cli.screen import out
from glaze.secrets.wrapping import new_key_text
from glaze.settings import load_settings
from glaze.store.workspace import WorkspaceStore

secrets = typer.Typer(
    help="Make and exchange the key that vendors' keys are encrypted by.", no_args_is_help=True
)


@secrets.command("new-key")
def new_key() -> None:
    """Print a new key-encryption key, for GLAZE_KEY_FILE or GLAZE_KEY_ENCRYPTION_KEYS."""
    print(new_key_text())


@secrets.command()
def rotate() -> None:
    """Wrap every workspace's data key by the first key-encryption key, while all goes on.

    Put the new key first and leave the old one behind it, run this, then take the old one away.
    """
    settings = load_settings()

    async def wrap() -> int:
        async with fleet(settings) as db:
            every = [one.id for one in await WorkspaceStore(db).list()]
            return await vendor_keys(settings, db).rewrap(every)

    out.print(f"data keys wrapped anew: {run(wrap())}")
