"""The composition root: the only package that knows every class."""

from glaze.boot.app import App, boot
from glaze.boot.process import collect_rarely, run, utc_now
from glaze.boot.providers import Providers, configure_providers
from glaze.boot.server import fleet, running_server

__all__ = [
    "App",
    "Providers",
    "boot",
    "collect_rarely",
    "configure_providers",
    "fleet",
    "run",
    "running_server",
    "utc_now",
]
