"""How well the website provider reads the sandbox's sites: precision and recall per field.

Run it for the table: ``python tests/flow/extraction_truth.py --companies 300``.
"""

import argparse
import asyncio
import json
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glaze.model.provider import Ask, Reply
from glaze.model.value import FieldName
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.net.vendor import BoundHttp
from glaze.providers.website import website
from glaze_sandbox.server import serve
from glaze_sandbox.state import new_state

FIELDS = (
    *("company_name", "company_legal_name", "company_phone", "company_email", "company_street"),
    *("company_city", "company_region", "company_postal_code", "company_country"),
    *("company_linkedin_url", "company_twitter_url", "company_facebook_url", "company_logo_url"),
    *("company_founded_year", "company_vat_id", "company_opening_hours"),
)
_AT_ONCE = 8
_HANG_S = 120.0


@dataclass
class Score:
    """Counts of one field over all sites; only the best reading of a site counts."""

    published: int = 0  # sites that print or mark up a value
    read: int = 0  # sites for which a value was read
    right: int = 0  # of those read, as published, or as the site says in prose
    found: int = 0  # of those published, read as published

    @property
    def precision(self) -> float:
        """Right ones among those read, 1 where none was."""
        return self.right / self.read if self.read else 1.0

    @property
    def recall(self) -> float:
        """Found ones among those published, 1 where none was."""
        return self.found / self.published if self.published else 1.0


async def read_sites(companies: int, seed: int) -> tuple[list[dict[str, Any]], dict[str, Reply]]:
    """Return the truth about every site, and what the provider read over real HTTP, by domain."""
    async with serve(new_state(companies=companies, seed=seed)) as sandbox:
        truth = await asyncio.to_thread(_truth, sandbox.url)
        async with HttpClient(sandbox=SandboxRoute.from_url(sandbox.url)) as client:
            turns = asyncio.Semaphore(_AT_ONCE)
            replies = await asyncio.gather(*(_look_up(client, turns, site) for site in truth))
    return truth, {site["domain"]: reply for site, reply in zip(truth, replies, strict=True)}


def _truth(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/_sandbox/truth/sites.jsonl", timeout=_HANG_S) as answer:
        return [json.loads(line) for line in answer]


async def _look_up(client: HttpClient, turns: asyncio.Semaphore, site: Mapping[str, Any]) -> Reply:
    async with turns:
        http = BoundHttp(client, deadline=time.monotonic() + _HANG_S)
        known = {FieldName("company_domain"): site["domain"]}
        ask = Ask(known=known, want=frozenset(map(FieldName, FIELDS)))
        [reply] = await website.look_up("site", [ask], http)
        return reply


def scores(truth: Sequence[Mapping[str, Any]], replies: Mapping[str, Reply]) -> dict[str, Score]:
    """Compare the best reading of each field with what each site publishes."""
    found: dict[str, Score] = defaultdict(Score)
    for site in truth:
        best: dict[str, Any] = {}
        for reading in replies[site["domain"]].readings:
            best.setdefault(reading.field, reading.value)
        for name in FIELDS:
            published = site["published"].get(name, [])
            allowed = [*published, *site["stated"].get(name, [])]
            score = found[name]
            score.published += bool(published)
            if name in best:
                score.read += 1
                score.right += _is_among(best[name], allowed)
                score.found += _is_among(best[name], published)
    return dict(found)


def _is_among(value: object, allowed: Sequence[object]) -> bool:
    plain = value[0] if isinstance(value, list) and len(value) == 1 else value
    return str(plain).casefold() in {str(one).casefold() for one in allowed}


def table(found: Mapping[str, Score]) -> str:
    """Return the scores as lines of text."""
    lines = [f"{'field':24}{'published':>10}{'read':>6}{'precision':>11}{'recall':>8}"]
    lines += [
        f"{name:24}{one.published:10}{one.read:6}{one.precision:11.3f}{one.recall:8.3f}"
        for name, one in found.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table for a world of the size and seed asked for."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--companies", type=int, default=300)
    given.add_argument("--seed", type=int, default=7)
    options = given.parse_args()
    truth, replies = asyncio.run(read_sites(options.companies, options.seed))
    print(table(scores(truth, replies)))  # noqa: T201  a command's output


if __name__ == "__main__":
    main()
