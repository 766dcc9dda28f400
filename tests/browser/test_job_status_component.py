"""``<glaze-job-status>`` (U4): in pages of another origin, whose browsers never hold an API key."""

import asyncio
import gzip
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Request, expect
from tests.browser.conftest import HERE, PATIENCE_MS
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

ROOT = HERE.parents[1]
WEB = ROOT / "web"
MODULES = WEB / "node_modules"
FUTURE = "2099-01-01T00:00:00Z"
MOST_BYTES = 15_000
PLAIN = """<!doctype html><html lang="en"><title>A host</title><link rel="icon" href="data:,">
<main><h1>A host</h1></main><script type="module" src="SERVER/component/glaze-job-status.js"></script>
<script type="module">
const shown = document.createElement("glaze-job-status");
window.told = [];
for (const name of ["job-update", "job-end", "glaze-error"])
  document.addEventListener(name, (event) => told.push([name, event.detail]));
for (const [name, value] of new URLSearchParams(location.search)) shown.setAttribute(name, value);
document.querySelector("main").append(shown);
</script></html>"""

Embed = Callable[..., Awaitable[Page]]


class Host:
    """Another application: pages, and a backend that makes tokens with its key."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.product, self.folder = product, folder
        self.ttl_s, self.tokens = 600, 0

    def token(self, asked: dict[str, str]) -> Any:
        self.tokens += 1
        body: dict[str, Any] = {f"{name}_id": int(value) for name, value in asked.items()}
        if body:
            body["may"] = ["retry", "cancel"]
        return self.product.ask("POST", "/v1/tokens", body | {"ttl_s": self.ttl_s})


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, host: Host, *given: Any) -> None:
        self.host = host
        super().__init__(*given, directory=str(host.folder))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path != "/glaze-token":
            super().do_GET()
            return
        try:
            told = json.dumps(self.host.token(dict(parse_qsl(url.query)))).encode()
        except OSError:  # Glaze is down
            self.send_error(502)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def consumer(_tools: None, tmp_path_factory: Any) -> Path:
    """The sample page with the package as npm would install it, built."""
    folder = tmp_path_factory.mktemp("host") / "page"
    shutil.copytree(ROOT / "examples" / "job-status-react", folder)
    packed = json.loads(
        run(WEB / "component", "npm", "pack", "--json", "--pack-destination", str(folder))
    )
    own = folder / "node_modules" / "@glaze" / "job-status"
    own.mkdir(parents=True)
    run(own, "tar", "xzf", str(folder / packed[0]["filename"]), "--strip-components=1")
    for name in ("react", "react-dom", "@types"):
        (folder / "node_modules" / name).symlink_to(MODULES / name)
    run(folder, "node", str(MODULES / "vite" / "bin" / "vite.js"), "build", "--logLevel", "error")
    return folder


@pytest.fixture(scope="session")
def host(consumer: Path, product: Product) -> Iterator[Host]:
    served = Host(product, consumer / "dist")
    (served.folder / "plain.html").write_text(PLAIN.replace("SERVER", product.url))
    server = ThreadingHTTPServer(("localhost", product.host_port), partial(Handler, served))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


@pytest_asyncio.fixture(loop_scope="session")
async def embed(
    browser: Browser, product: Product, host: Host, watch: Watch
) -> AsyncIterator[Embed]:
    """Open a page of the host that shows what is asked for; what it sends never has the key."""
    watch.also(product.host_url)
    context = await browser.new_context(reduced_motion="reduce", locale="en-US")
    context.set_default_timeout(PATIENCE_MS)
    await watch.follow(context)
    leaks: list[str] = []

    async def look(request: Request) -> None:
        headers = await request.all_headers()
        if product.key in json.dumps(headers) + request.url or "cookie" in headers:
            leaks.append(request.url)

    context.on("request", look)

    async def opened(path: str = "/plain.html", **attributes: Any) -> Page:
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        which = {name: value for name, value in named.items() if name in {"job", "batch"}}
        given = {"server": product.url, "token-url": f"/glaze-token?{urlencode(which)}"} | named
        page = await context.new_page()
        await page.goto(f"{product.host_url}{path}?{urlencode(given)}")
        return page

    host.ttl_s = 600
    yield opened
    await context.close()
    assert leaks == []


def job(product: Product, **given: Any) -> int:
    url = product.sandbox.get("hosts")["companies"][0]["url"]
    args = {"input": {"url": url}, "required_fields": ["company_name"]}
    body = {"kind": "enrich", "args": args, "run_at": FUTURE} | given
    return int(product.ask("POST", "/v1/jobs", body)["id"])


def begin(product: Product, job_id: int) -> None:
    product.ask("PATCH", f"/v1/jobs/{job_id}", {"run_at": "2000-01-01T00:00:00Z"})


async def test_the_package_type_checks_in_a_fresh_consumer_and_the_script_is_small(consumer: Path):
    await asyncio.to_thread(run, consumer, "node", str(MODULES / "typescript" / "bin" / "tsc"))
    installed = consumer / "node_modules" / "@glaze" / "job-status"
    package = json.loads((installed / "package.json").read_text())
    for export in package["exports"].values():
        assert all((installed / path).is_file() for path in export.values())
    assert {"README.md", "LICENSE"} <= {one.name for one in installed.iterdir()}
    assert "dependencies" not in package
    script = ROOT / "src" / "glaze" / "web" / "component" / "glaze-job-status.js"
    assert len(gzip.compress(script.read_bytes())) < MOST_BYTES


async def test_a_react_page_of_another_origin_sees_a_job_live_and_acts_on_it(
    embed: Embed, product: Product
):
    job_id = await asyncio.to_thread(job, product)
    page = await embed("/", job=job_id)
    await expect(page.locator("#state")).to_have_text("scheduled")
    await page.get_by_role("button", name="Cancel").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#ended")).to_have_text("ended as cancelled")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#ended")).to_have_text("ended as completed")
    await expect(page.get_by_role("list", name="Stages")).to_contain_text("merge_validate")
    assert await violations(page) == []


async def test_a_list_is_filtered_themed_and_changed_by_nobody(embed: Embed, product: Product):
    ours = await asyncio.to_thread(job, product, tags=["shown"])
    await asyncio.to_thread(job, product, tags=["other"])
    page = await embed(filter="tag=shown", actions="retry cancel", theme="dark")
    await expect(page.get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_role("listitem")).to_contain_text(f"Job {ours}")
    await expect(page.get_by_role("button")).to_have_count(0)
    await page.add_style_tag(content="glaze-job-status { --glaze-background: rgb(1, 2, 3) }")
    await expect(page.locator("glaze-job-status")).to_have_css("background-color", "rgb(1, 2, 3)")
    await page.evaluate(
        "document.querySelector('glaze-job-status').strings = {scheduled: 'spaeter'}"
    )
    await expect(page.get_by_role("listitem")).to_contain_text("spaeter")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    rows = [{"website": one["url"]} for one in product.sandbox.get("hosts")["companies"][:5]]
    body = {"rows": rows, "fields": ["company_name"]}
    batch = (await asyncio.to_thread(product.ask, "POST", "/v1/batches", body))["id"]
    follower = await embed(batch=batch)
    await expect(follower.get_by_text("5 of 5 rows")).to_be_visible()
    assert "/v1/jobs" not in asked  # rows of batches stand in no list
    newer = await asyncio.to_thread(job, product, tags=["shown"])
    await expect(page.get_by_role("listitem").first).to_contain_text(f"Job {newer}")


async def test_a_batch_is_followed_and_what_strangers_wrote_runs_no_script(
    embed: Embed, product: Product
):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    urls = [one["url"] for one in product.sandbox.get("hosts")["companies"][:2]]
    table = {"rows": [{"website": url} for url in urls], "fields": ["company_name"]}
    made = await asyncio.to_thread(product.ask, "POST", "/v1/batches", table | {"name": hostile})
    page = await embed(batch=made["id"])
    await expect(page.get_by_text(hostile)).to_be_visible()
    await expect(page.get_by_text("2 of 2 rows")).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text(f"Batch {made['id']}: finished")
    assert await page.locator("glaze-job-status img").count() == 0


async def test_a_token_that_expires_is_renewed_and_one_job_is_all_it_is_for(
    embed: Embed, product: Product, host: Host, watch: Watch
):
    watch.allow("401|404")
    job_id, other = [await asyncio.to_thread(job, product) for _ in range(2)]
    page = await embed(job=job_id)
    await expect(page.get_by_text("scheduled", exact=True)).to_be_visible()
    host.ttl_s, before = 1, host.tokens
    page = await embed(job=job_id)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while host.tokens < before + 2:  # noqa: ASYNC110  as who looks at the page would
            await asyncio.sleep(0.1)
    host.ttl_s = 600
    await asyncio.to_thread(begin, product, job_id)
    await expect(page.get_by_text("completed", exact=True)).to_be_visible()
    page = await embed(job=other, **{"token-url": f"/glaze-token?job={job_id}"})
    await page.wait_for_function(
        "told.some(([name, fault]) => name == 'glaze-error' && fault.status == 404)"
    )


async def test_the_component_outlives_the_server(embed: Embed, product: Product, watch: Watch):
    watch.allow("ERR_|502|503")
    job_id = await asyncio.to_thread(job, product)
    page = await embed(job=job_id)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(page.get_by_text("scheduled", exact=True)).to_be_visible()
    await asyncio.to_thread(product.stop)
    try:
        await expect(page.get_by_text("Offline")).to_be_visible()
    finally:
        await asyncio.to_thread(product.start)
    await asyncio.to_thread(begin, product, job_id)
    await expect(page.get_by_text("completed", exact=True)).to_be_visible()
    told = await page.evaluate(
        "told.filter(([name]) => name == 'job-end').map(([, one]) => one.job.id)"
    )
    assert told == [job_id]
