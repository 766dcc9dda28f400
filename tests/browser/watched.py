"""Pages that are watched: what they ask of other origins, what their policy stops, what goes wrong."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_POLICY = """addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) =>
  console.error("policy:", violatedDirective, blockedURI, sourceFile));"""
_TELL = """async (rules) => (await axe.run(document, { runOnly: rules })).violations.map(
  ({ id, help, nodes }) => `${id}: ${help}\\n  ${nodes.map((one) => one.html + " " + one.failureSummary).join("\\n  ")}`)"""

SHIFTED = """() => new Promise((tell) => {
  const sum = (all) => all.filter((one) => !one.hadRecentInput).reduce((so_far, one) => so_far + one.value, 0);
  const seen = new PerformanceObserver((list) => tell(sum(list.getEntries())));
  seen.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => tell(sum(seen.takeRecords()))));
})"""
"""By which share of the screen a page has moved what it had shown: its layout shifts, summed."""


class Watch:
    """What went wrong in a context's pages."""

    def __init__(self, origin: str) -> None:
        self.faults: list[str] = []
        self._origins = {urlsplit(origin).netloc}
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Let what matches pass: an error that the test brings about."""
        self._allowed.append(pattern)

    def also(self, origin: str) -> None:
        """Let pages ask another server that the test started."""
        self._origins.add(urlsplit(origin).netloc)

    @property
    def unexpected(self) -> list[str]:
        """What went wrong and was not to."""
        return [one for one in self.faults if not any(re.search(p, one) for p in self._allowed)]

    async def follow(self, context: BrowserContext) -> None:
        await context.add_init_script(_POLICY)
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"thrown: {error.error}"))

    def _requested(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and url.netloc not in self._origins:
            self.faults.append(f"asked elsewhere: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"said: {message.text} {message.location.get('url', '')}")


async def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with a page, by WCAG 2.2 AA and good practice."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text("utf-8"))
    found: list[Any] = await page.evaluate(_TELL, RULES)
    return [str(one) for one in found]
