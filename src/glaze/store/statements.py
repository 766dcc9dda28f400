"""Named SQL statements, read from ``sql/*.sql``."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Statements:
    """The statements of one file, by name: ``sql["claim"]``."""

    def __init__(self, file: str) -> None:
        """Read ``sql/<file>.sql``: statements, each headed by ``-- name: <name>``."""
        text = resources.files("glaze.store").joinpath("sql", f"{file}.sql").read_text("utf-8")
        parts = _NAME.split(text)[1:]
        self._by_name = dict(zip(parts[::2], parts[1::2], strict=True))

    def __getitem__(self, name: str) -> LiteralString:
        """Return the statement called ``name``; it stands in our own files, so it is trusted."""
        return cast("LiteralString", self._by_name[name].strip())


def as_array(ids: Iterable[int]) -> str:
    """Return ``ids`` as the text of a ``bigint[]``: for groups of hundreds, that psycopg dumps slowly."""
    return f"{{{','.join(map(str, ids))}}}"


@cache
def statements(file: str) -> Statements:
    """Return the statements of ``sql/<file>.sql``, read once."""
    return Statements(file)
