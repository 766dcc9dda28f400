"""F8: pages read a second, beside parsing alone with the same parser.

The pages are the demo's: sites of the sandbox, fetched once. GLAZE_BENCH_PAGES names a folder of
saved pages (HTML, also gzipped; in it or below it) to measure on instead. Both read the same bytes
in UTF-8, and both are counted by whole pages: big ones weigh what they cost.
"""

import asyncio
import gzip
import json
import os
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

from selectolax.lexbor import LexborHTMLParser

from bench.figure import Figure
from glaze.providers.website import extract
from glaze.providers.website.charset import as_utf8
from glaze_sandbox.server import serve
from glaze_sandbox.state import new_state

ROUNDS = 5
COMPANIES = 120
SECTIONS = ("/", "/contact", "/about", "/imprint", "/impressum", "/team")
_MOST = 1_000
_HANG_S = 60.0

Pages = Sequence[tuple[bytes, str]]


def saved(folder: Path) -> Pages:
    """Return the pages of a folder."""
    files = sorted(path for path in folder.rglob("*.htm*") if path.is_file())[:_MOST]
    if not files:
        raise FileNotFoundError(f"there is no page in {folder}")
    unpack = {True: gzip.decompress, False: bytes}
    return [
        (
            as_utf8(unpack[path.suffix == ".gz"](path.read_bytes())),
            f"https://{path.name.split('.')[0]}.example/",
        )
        for path in files
    ]


async def of_sandbox() -> Pages:
    """Return pages of the sandbox's sites."""
    async with serve(new_state(companies=COMPANIES, seed=1)) as sandbox:
        return await asyncio.to_thread(_fetched, sandbox.url)


def _fetched(url: str) -> Pages:
    with urllib.request.urlopen(f"{url}/_sandbox/truth/sites.jsonl", timeout=_HANG_S) as answer:
        domains = [json.loads(line)["domain"] for line in answer]
    return [page for domain in domains for page in _site(url, domain)]


def _site(url: str, domain: str) -> Pages:
    """Return the pages of a site that answer with HTML."""
    found: list[tuple[bytes, str]] = []
    for path in SECTIONS:
        asked = urllib.request.Request(f"{url}{path}", headers={"Host": f"www.{domain}"})
        try:
            with urllib.request.urlopen(asked, timeout=_HANG_S) as answer:
                if "html" in (answer.headers["Content-Type"] or ""):
                    found.append((answer.read(), f"https://www.{domain}{path}"))
        except OSError:  # this site has no such page
            continue
    return found


def pace(read: Callable[[bytes, str], object], pages: Pages) -> float:
    """Return pages read a second of processor time, so that neighbours on the machine count less."""
    begun = process_time()
    for html, url in pages:
        read(html, url)
    return len(pages) / (process_time() - begun)


def measured(pages: Pages) -> tuple[list[float], list[float]]:
    """Return our paces and the parser's, in turns."""
    ours, reference = [], []
    pace(extract, pages)  # so that tables are loaded and numbers once read are known
    for _ in range(ROUNDS):
        reference.append(pace(lambda html, _url: LexborHTMLParser(html), pages))
        ours.append(pace(extract, pages))
    return ours, reference


async def run(_dsn: str) -> list[Figure]:
    """Take turns with the parser; no database has a part in it."""
    folder = os.environ.get("GLAZE_BENCH_PAGES")
    pages = saved(Path(folder)) if folder else await of_sandbox()
    ours, reference = measured(pages)
    size = sum(len(html) for html, _ in pages) // len(pages)
    name = f"F8 every reading of {len(pages)} {'saved' if folder else 'sandbox'} pages of {size:,} bytes"
    return [Figure(name, "pages/s", ours, "parsing alone", reference, ">= 0.40")]
