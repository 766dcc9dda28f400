"""Where the build of the dashboard is, if there is one."""

from pathlib import Path

WHERE = Path(__file__).parents[1] / "web"
"""``make web`` builds it there, from ``web/``; in a wheel it is there."""
MISSING = "not built: make web, with Node 20 or newer; all else works without"
HOME = "/app/"
"""The path of its first page; the API has paths of the same names as its others."""


def is_built() -> bool:
    """Tell whether there is a dashboard to serve."""
    return (WHERE / "index.html").is_file()
