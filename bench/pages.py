"""U1, U2: a table of 100,000 rows and 1,000,000 jobs in a real browser, and how soon each page paints.

Run by ``make bench-pages``: it needs the built dashboard and Chromium.
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.figure import Figure
from bench.looking import fill as fill_jobs
from bench.serving import free_port, serving
from glaze.boot.app import App, boot
from glaze.boot.process import utc_now
from glaze.boot.secrets import sign_ins
from glaze.model.access import Role
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import BatchId
from glaze.settings import Settings
from glaze.store.batch import NewBatch
from glaze.store.member import By

ROWS = int(os.environ.get("GLAZE_BENCH_TABLE_ROWS", "100_000"))
JOBS = int(os.environ.get("GLAZE_BENCH_JOBS", "1_000_000"))
ROUNDS = int(os.environ.get("GLAZE_BENCH_ROUNDS", "3"))
FIELDS = ("company_name", "company_industry", "company_city", "company_description")
FIELDS += ("company_region", "company_street", "company_email", "company_employee_count")
IN_SIGHT = [(row, field) for row in range(1, 13) for field in FIELDS[:4]]
CELLS_PER_S, SECONDS = 100, 10
SCROLL_S = 15
AT_ONCE = 4
DESK = {"width": 1440, "height": 900}
PATHS = ("/", "/tables", "/tables/1", "/tables/new", "/jobs", "/jobs/1", "/queues", "/workers")
PATHS += ("/providers", "/schedules", "/dead-letters", "/audit", "/account")
MAIL, PASSWORD = "bench@example.com", "correct horse battery staple"
BUILT = Path(__file__).parents[1] / "src" / "glaze" / "web" / "index.html"
HANG_S = 120.0

TABLE = """
set session_replication_role = replica;  -- what it refers to is there: no need to look 2,000,000 times
set search_path = glaze;
create temporary table known on commit preserve rows as
  select n, e.id as entity, nextval(pg_get_serial_sequence('glaze.result', 'id')) as result
  from generate_series(1, {rows}) n cross join lateral (select nextval(pg_get_serial_sequence('glaze.entity', 'id')) + 0 * n as id) e;
create temporary table cell on commit preserve rows as
  select k.n, k.entity, k.result, f.name as field, nextval(pg_get_serial_sequence('glaze.observation', 'id')) as observation,
    to_jsonb(case f.name when 'company_name' then 'Company ' || (k.n * 7919 %% {rows}) when 'company_email' then 'info@firm' || k.n || '.com'
      when 'company_employee_count' then (k.n * 31 %% 5000)::text when 'company_description' then 'Makes things of every sort for people number ' || k.n
      else initcap(substr(f.name, 9)) || ' ' || (k.n * 17 %% 300) end) as value,
    (40 + (k.n * 13 + f.ord * 7) %% 60)::int as confidence, (array['apollo', 'website', 'serper'])[1 + (k.n + f.ord) %% 3] as provider
  from known k cross join unnest(%(fields)s::text[]) with ordinality f(name, ord) where (k.n + f.ord) %% 11 <> 0;
insert into entity (workspace_id, id, kind) select 1, entity, 'company' from known;
insert into entity_key (workspace_id, kind, scheme, key, entity_id) select 1, 'company', 'domain', 'firm' || n || '.com', entity from known;
insert into observation (workspace_id, id, entity_id, call_id, field, value, confidence, provider, source_url, retrieved_at)
  select 1, observation, entity, 1, field, value, confidence, provider, 'https://firm' || n || '.com/about', now() - interval '3 days' from cell;
insert into entity_field (workspace_id, entity_id, field, value, confidence, observation_id, retrieved_at)
  select 1, entity, field, value, confidence, observation, now() - interval '3 days' from cell;
insert into result (workspace_id, id, body) select 1, result, jsonb_build_object('status', 'success', 'timestamp', now(), 'missing', '[]'::jsonb,
    'data', jsonb_object_agg(field, jsonb_build_object('value', value, 'confidence', confidence, 'source', provider, 'retrieved_at', now() - interval '3 days',
      'source_url', 'https://firm' || n || '.com/about', 'alternatives', '[]'::jsonb))) from cell group by n, result;
insert into batch_row (workspace_id, batch_id, row_no, state, input, result_id, places)
  select 1, %(batch)s, n, 'completed', jsonb_build_object('website', 'https://firm' || n || '.com'), result,
    jsonb_build_object('company', jsonb_build_array(jsonb_build_array('domain', 'firm' || n || '.com'))) from known order by n;
update batch set state = 'finished', total = {rows}, completed = {rows}, told = {rows}, finished_at = now() where id = %(batch)s;
set session_replication_role = origin;
"""

WATCH = """
window.told = {long: [], seen: new Map()};
window.empty = (grid) => grid.querySelector('.grid-row:not([aria-rowindex="2"]) .skeleton');  // the active row stays, far above
new PerformanceObserver((list) => list.getEntries().forEach((one) => told.long.push(one.duration))).observe({type: 'longtask', buffered: true});
new MutationObserver(() => { told.first ??= document.querySelector('.grid[aria-busy=false] .filled, .jobs-scroll a') ? performance.now() : undefined; })
  .observe(document, {childList: true, subtree: true, attributes: true, attributeFilter: ['aria-busy']});
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SCROLL = """async (ms) => {
  const grid = document.querySelector('.grid'), frames = [], begun = performance.now(), end = grid.scrollHeight - grid.clientHeight;
  let last = begun, bare = 0; told.long = [];
  for (let now = begun; now - begun < ms; ) {
    grid.scrollTop = end * Math.min(1, (now - begun) / ms);
    now = await new Promise(requestAnimationFrame);
    frames.push(now - last); last = now;
    if (empty(grid)) bare += 1;
  }
  const stopped = performance.now();
  grid.scrollTop = end;
  await new Promise((done) => { const look = () => empty(grid) || !grid.querySelector('.grid-row:not([aria-rowindex="2"]) .filled') ? requestAnimationFrame(look) : done(); requestAnimationFrame(look); });
  return {frames: frames.slice(1), empty: bare / frames.length, filled: performance.now() - stopped, long: told.long};
}"""
# A walk as with a wheel: three rows a frame.
WALK = """async (ms) => {
  const grid = document.querySelector('.grid'), frames = [], begun = performance.now();
  let last = begun, bare = 0; told.long = [];
  for (let now = begun; now - begun < ms; ) {
    grid.scrollTop += 46;
    now = await new Promise(requestAnimationFrame);
    frames.push(now - last); last = now;
    if (empty(grid)) bare += 1;
  }
  return {frames: frames.slice(1), empty: bare / frames.length, filled: 0, long: told.long};
}"""
ARRIVE = """() => { told.long = [];
  new MutationObserver((all) => all.forEach(({target}) => {
    const text = target.textContent ?? '', found = /^told (\\d+)$/.exec(text);
    if (found && !told.seen.has(found[1])) told.seen.set(found[1], Date.now());
  })).observe(document.querySelector('.grid-body'), {childList: true, characterData: true, subtree: true}); }"""
ARRIVED = "() => ({seen: [...told.seen], long: told.long})"


def lacking() -> str | None:
    """Return what is missing that this needs."""
    if _chromium() is None:
        return "Chromium is missing: make browser-deps"
    return None if BUILT.exists() else "the dashboard is not built: make web"


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


async def _table(app: App, dsn: str) -> BatchId:
    """Make a finished table whose every value has its evidence, as a run leaves it."""
    settings = {"required_fields": [*FIELDS]}
    batch = await app.batches.create(WS, NewBatch("enrich", settings, name="Everybody"))
    with psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as owner:
        text = TABLE.replace("{rows}", str(ROWS))
        owner.execute(text, {"fields": [*FIELDS], "batch": batch})
        owner.execute("vacuum analyze")
    return batch


@contextlib.asynccontextmanager
async def _product(dsn: str) -> AsyncIterator[str]:
    port = free_port()
    settings = {
        "DATABASE_URL": dsn,
        "GLAZE_API_PORT": str(port),
        "GLAZE_LOG_LEVEL": "error",
        "GLAZE_API_REQUESTS_PER_MINUTE": "1000000",
    }
    async with serving(["-m", "glaze.cli", "up"], port, **settings):
        yield f"http://localhost:{port}"


@contextlib.asynccontextmanager
async def _signed_in(browser: Browser, url: str) -> AsyncIterator[BrowserContext]:
    """A browser of its own: nothing is kept from before."""
    context = await browser.new_context(viewport=DESK, locale="en-US")
    await context.add_init_script(WATCH)
    answer = await context.request.post(
        f"{url}/v1/session", data={"email": MAIL, "password": PASSWORD}
    )
    if answer.status != 200:
        raise RuntimeError(await answer.text())
    yield context
    await context.close()


async def _opened(context: BrowserContext, address: str) -> tuple[Page, float]:
    """Open a page and wait for its first rows; return it and after how many ms they stood there."""
    page = await context.new_page()
    await page.goto(address)
    return page, float(await _until(page, "told.first"))


async def _until(page: Page, what: str) -> Any:
    """Return what an expression of the page is, once it is something."""
    look = f"const look = () => {what} ? done({what}) : setTimeout(look, 10)"
    async with asyncio.timeout(HANG_S):
        return await page.evaluate(f"() => new Promise((done) => {{ {look}; look(); }})")


async def _memory(page: Page) -> float:
    """Return MiB that the page's script holds."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("HeapProfiler.collectGarbage")
    used = await cdp.send("Runtime.getHeapUsage")
    return float(used["usedSize"]) / 2**20


async def _table_figures(browser: Browser, url: str, app: App, batch: BatchId) -> list[Figure]:
    first: list[float] = []
    sorting: list[float] = []
    filtering: list[float] = []
    scrolls: list[dict[str, Any]] = []
    walks: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    before: list[float] = []
    after: list[float] = []
    address = f"{url}/app/tables/{batch}"
    for n in range(ROUNDS):
        async with _signed_in(browser, url) as context:
            page, ms = await _opened(context, address)
            first.append(ms)
            before.append(await _memory(page))
            told.append(await _changes(page, app, n))
            walks.append(await page.evaluate(WALK, 5000))
            scrolls.append(await page.evaluate(SCROLL, SCROLL_S * 1000))
            after.append(await _memory(page))
        for query, took in (("sort=-company_name", sorting), ("is=low&text=999", filtering)):
            async with _signed_in(browser, url) as context:
                page, ms = await _opened(context, f"{address}?{query}")
                took.append(ms)
    what = f"U2 {ROWS:,} rows of {len(FIELDS)} fields in a browser"
    return [
        _bar(f"{what}: to the first rows", "ms", first, 1000),
        _bar(f"{what}: to the first rows sorted by a field", "ms", sorting, 5000),
        _bar(f"{what}: to the first rows of a filter and a search", "ms", filtering, 5000),
        _bar(
            f"{what}: frames while scrolling as with a wheel, p95 ({_hitches(walks)})",
            "ms",
            [_p95(one["frames"]) for one in walks],
            33,
        ),
        _bar(
            f"{what}: frames while dragging through the whole in {SCROLL_S} s, p95 ({_hitches(scrolls)})",
            "ms",
            [_p95(one["frames"]) for one in scrolls],
            33,
        ),
        _bar(
            f"{what}: from the end of the drag to filled rows",
            "ms",
            [one["filled"] for one in scrolls],
            500,
        ),
        _bar(
            f"{what}: memory of the page after all of it ({statistics.median(before):.0f} MiB at first)",
            "MiB",
            after,
            100,
        ),
        _bar(
            f"{what}: {statistics.median(one['rate'] for one in told):.0f} cells a second change,"
            f" until they stand in the grid, p95 ({_hitches(told)})",
            "ms",
            [_p95(one["late"]) for one in told],
            1500,
        ),
    ]


async def _changes(page: Page, app: App, turn: int) -> dict[str, Any]:
    """Let cells in sight be decided one after the other, and note when each stood in the grid.

    A cell is late until it shows what was decided, or what was decided of it later.
    """
    await page.evaluate(ARRIVE)
    first, count = turn * 1_000_000, CELLS_PER_S * SECONDS
    made = [0.0] * count
    begun = time.perf_counter()

    async def decide(start: int) -> None:
        for n in range(start, count, AT_ONCE):
            await asyncio.sleep(max(0.0, begun + n / CELLS_PER_S - time.perf_counter()))
            row, field = IN_SIGHT[n % len(IN_SIGHT)]
            given = {"website": f"https://firm{row}.com"}
            await app.deciding.choose(WS, given, field, f"told {first + n}")
            await app.batch_control.tell_decided(WS, BatchId(1), row, field)
            made[n] = utc_now().timestamp() * 1000

    await asyncio.gather(*(decide(n) for n in range(AT_ONCE)))
    rate = count / (time.perf_counter() - begun)
    last = [str(first + n) for n in range(count - len(IN_SIGHT), count)]
    await _until(page, f"{last}.every((mark) => told.seen.has(mark))")
    found = await page.evaluate(ARRIVED)
    seen = {int(mark) - first: at for mark, at in found["seen"]}
    late = [
        min(seen[m] for m in range(n, count, len(IN_SIGHT)) if m in seen) - at
        for n, at in enumerate(made)
    ]
    return {"late": late, "long": found["long"], "rate": rate, "frames": []}


async def _job_figures(browser: Browser, url: str) -> list[Figure]:
    first: list[float] = []
    filters: dict[str, list[float]] = {}
    looks = {
        "failed": "state=%5B%22failed%22%2C%22dead%22%5D",
        "a rare word": "text=firm29999",
        "a word and a state": "text=orblomar&state=%5B%22failed%22%2C%22dead%22%5D",
        "a rare tag": "tag=q42",
    }
    for _ in range(ROUNDS):
        async with _signed_in(browser, url) as context:
            _, ms = await _opened(context, f"{url}/app/jobs")
            first.append(ms)
            for name, query in looks.items():
                page, ms = await _opened(context, f"{url}/app/jobs?{query}")
                filters.setdefault(name, []).append(ms)
                await page.close()
    what = f"U1 list of {JOBS:,} jobs in a browser: to the first rows"
    return [
        _bar(what, "ms", first, 1000),
        *(_bar(f"{what}, {name}", "ms", took, 1000) for name, took in filters.items()),
    ]


async def _paints(browser: Browser, url: str) -> Figure:
    """Return the first paint of the slowest page, of a browser that has nothing of it yet."""
    slowest: list[float] = []
    names: list[str] = []
    for _ in range(ROUNDS):
        took: dict[str, float] = {}
        for path in PATHS:
            async with _signed_in(browser, url) as context:
                page = await context.new_page()
                await page.goto(f"{url}/app{path}")
                took[path] = float(await _until(page, PAINTED))
        name = max(took, key=took.__getitem__)
        slowest.append(took[name])
        names.append(name)
        print("   " + ", ".join(f"{path} {ms:.0f}" for path, ms in took.items()))
    which = "slowest of " + str(len(PATHS)) + " pages: " + ", ".join(names)
    return _bar(f"U1 first paint, nothing kept from before ({which})", "ms", slowest, 1000)


def _p95(each: Sequence[float]) -> float:
    return statistics.quantiles(each, n=20)[18]


def _hitches(rounds: Sequence[dict[str, Any]]) -> str:
    """Tell of long tasks, and how many frames showed rows that were not there yet."""
    long = [ms for one in rounds for ms in one["long"]]
    said = f"{len(long) / len(rounds):.1f} tasks above 50 ms"
    said += f", the longest {max(long):.0f} ms" if long else ""
    if rounds[0]["frames"]:
        said += (
            f", {statistics.median(one['empty'] for one in rounds):.0%} of frames with rows to come"
        )
    return said


def _bar(name: str, unit: str, ours: Sequence[float], bar: float) -> Figure:
    return Figure(name, unit, ours, "the bar", [bar] * len(ours), f"<= {bar:,.0f} {unit}")


async def run(dsn: str) -> list[Figure]:
    """Fill, then look at it with a browser; where there is none, say so and measure nothing."""
    if (what := lacking()) is not None:
        print(f"pages: {what}")
        return []
    settings = Settings(database_url=dsn, log_level="error")
    async with boot(settings) as app:
        await sign_ins(settings, app.db).add(WS, MAIL, Role.OWNER, PASSWORD, By())
        batch = await _table(app, dsn)
        async with _product(dsn) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=_chromium())
            figures = await _table_figures(browser, url, app, batch)
            fill_jobs(dsn, 1, JOBS)
            figures += await _job_figures(browser, url)
            figures.append(await _paints(browser, url))
            await browser.close()
    return figures
