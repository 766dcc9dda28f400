"""``glaze extract``: every reading the scraper finds in saved pages, with the passage it stands in."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from glaze.cli.screen import err, out, print_json, say, shown
from glaze.errors import FetchError, InputError, UnreadableFile
from glaze.model.value import Json
from glaze.net.urls import vet_url
from glaze.providers.website.extract import extract as readings_of
from glaze.providers.website.extract import rows

_SUFFIXES = (".html", ".htm", ".xhtml", ".html.gz", ".htm.gz")
_MOST_BYTES = 20_000_000
"""Of a page after unpacking; the scraper takes fewer, and a gzip bomb gets no further."""
_NOWHERE_HOST = "page.invalid"
_NOWHERE = f"https://{_NOWHERE_HOST}/"  # what a page of unknown address is read under, never shown
_SAYS_WHERE = (
    re.compile(
        rb"<link\b(?=[^>]*\brel\s*=\s*[\"']?canonical)[^>]*\bhref\s*=\s*[\"']?([^\"'\s>]+)",
        re.IGNORECASE,
    ),
    re.compile(
        rb"<meta\b(?=[^>]*\bproperty\s*=\s*[\"']?og:url)[^>]*\bcontent\s*=\s*[\"']?([^\"'\s>]+)",
        re.IGNORECASE,
    ),
)


@dataclass(frozen=True, slots=True)
class _SavedPage:
    name: str  # path below the folder without suffix, or as the list of pages has it
    path: Path
    url: str = ""


def extract(
    source: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="HTML, also gzipped.")],
    *,
    url: Annotated[
        str | None, typer.Option(help="Where the page was found; else as the page says itself.")
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(help="JSON lines of page (a name), url and file: what a folder's files are."),
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a reading.")] = False,
) -> None:
    """Show every reading of saved pages, best first within each field; nothing is fetched."""
    if url is not None:
        _check_url(url, "--url")
    listed = _read_list(pages) if pages else {}
    unread = 0
    for page in _pages(source, listed):
        try:
            html = _read(page.path)
        except UnreadableFile as error:
            if page.path == source:
                raise
            say(f"left out: {error}")
            unread += 1
            continue
        _show(page.name, html, page.url or url or _own_url(html), jsonl=jsonl)
    if unread:
        raise typer.Exit(1)


def _show(name: str, html: bytes, where: str | None, *, jsonl: bool) -> None:
    """Print what a page says; of one without address no link that would be made up."""
    found = list(rows(readings_of(html, where or _NOWHERE)))
    if where is None:
        found = [row | {"url": None} for row in found if _NOWHERE_HOST not in str(row["value"])]
    if jsonl:
        for row in found:
            print_json({"page": name, **row})
        return
    out.print(Text(f"{name}  {where or '(its address is unknown: give --url)'}", style="bold"))
    out.print(_table(found) if found else "  nothing found")


def _pages(source: Path, listed: Mapping[str, tuple[str, str]]) -> Iterator[_SavedPage]:
    if source.is_file():
        files = [source]
    elif source.is_dir():
        files = [*_regular(source)]
    elif source.exists():
        raise UnreadableFile(f"{source} is not a regular file")
    else:
        raise UnreadableFile(f"there is no file or folder {source}")
    if not files:
        raise UnreadableFile(f"{source} holds no page ({', '.join(_SUFFIXES)})")
    for path in files:
        name = _name(path.name if path == source else path.relative_to(source).as_posix())
        page, url = listed.get(name) or listed.get(_name(path.name)) or (name, "")
        yield _SavedPage(page, path, url)


def _regular(folder: Path) -> Iterator[Path]:
    """Yield the pages in a folder by name; a pipe or a device, which could be waited for, is none."""
    for path in sorted(folder.rglob("*")):
        if not path.name.lower().endswith(_SUFFIXES) or path.is_dir():
            continue
        if path.is_file():
            yield path
        else:
            say(f"left out: {path} is not a regular file")


def _check_url(url: str, what: str) -> None:
    try:
        vet_url(url)
    except FetchError as error:
        raise InputError(
            f"{what} {url[:100]}: give the page's http or https address ({error})"
        ) from None


def _name(path: str) -> str:
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if path.lower().endswith(suffix):
            return path[: -len(suffix)]
    return path


def _read(path: Path) -> bytes:
    """Return a page's bytes, unpacked and cut at _MOST_BYTES. Raises: UnreadableFile."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as page:
            html = page.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"cannot read {path}: {error}") from error
    if len(html) > _MOST_BYTES:
        say(f"{path}: only the first {_MOST_BYTES:,} bytes are read")
    return html[:_MOST_BYTES]


def _own_url(html: bytes) -> str | None:
    """Return where the page says it belongs: its canonical link, or og:url."""
    for pattern in _SAYS_WHERE:
        found = pattern.search(html)
        if found and found[1].startswith((b"http://", b"https://")):
            return found[1].decode("utf-8", "replace")
    return None


def _read_list(path: Path) -> Mapping[str, tuple[str, str]]:
    """Return name and URL of pages, by the name of their file without folder and suffix."""
    try:
        records = [
            json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()
        ]
        listed = {
            _name(Path(record.get("file", record["page"])).name): (record["page"], record["url"])
            for record in records
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"--pages {path}: not JSON lines of page and url ({error})") from error
    for _, url in listed.values():
        _check_url(str(url), f"--pages {path}:")
    return listed


def _table(found: list[dict[str, Json]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", width=err.width)
    for name in ("field", "value", "conf.", "quote"):
        table.add_column(name, overflow="fold")
    for row in found:
        cells = [Text(shown(row[name])) for name in ("field", "value", "confidence", "quote")]
        table.add_row(*cells)
    return table
