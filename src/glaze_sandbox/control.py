"""The control routes below ``/_sandbox/``: truth, bills, faults, limits, counters, reset."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from itertools import islice

from aiohttp import web
from pydantic import ValidationError

from glaze_sandbox.faults import FaultSpec
from glaze_sandbox.knowledge import PROFILES
from glaze_sandbox.limits import LimitSpec
from glaze_sandbox.nameserver import CONTROL_HOST
from glaze_sandbox.receiver import RECEIVER_HOST
from glaze_sandbox.sites.traps import TRAPS, hosts_of
from glaze_sandbox.state import State
from glaze_sandbox.vendors.model import Habits
from glaze_sandbox.world.registers import all_truth

LINES_AT_ONCE = 100

Route = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _json(value: object, status: int = 200) -> web.Response:
    return web.json_response(value, status=status)


async def _lines(request: web.BaseRequest, rows: Iterable[object]) -> web.StreamResponse:
    """Send ``rows`` as JSON lines, a portion at a time: other requests go on meanwhile."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson; charset=utf-8"})
    await response.prepare(request)
    left = iter(rows)
    while portion := list(islice(left, LINES_AT_ONCE)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in portion)
        await response.write(text.encode())
        await asyncio.sleep(0)
    return response


class Control:
    """Answers the control routes, on any host."""

    def __init__(self, state: State) -> None:
        """Everything that is shown or changed lives in ``state``."""
        self._state = state
        self._routes: dict[tuple[str, str], Route] = {
            ("GET", "health"): self._health,
            ("GET", "hosts"): self._hosts,
            ("GET", "vendors"): self._vendors,
            ("GET", "stats"): self._stats,
            ("GET", "truth/companies.jsonl"): self._companies,
            ("GET", "truth/people.jsonl"): self._people,
            ("GET", "truth/sites.jsonl"): self._sites,
            ("GET", "billing"): self._billing,
            ("GET", "billing/duplicates"): self._duplicates,
            ("GET", "webhooks"): self._webhooks,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "limits"): self._list_limits,
            ("POST", "limits"): self._add_limit,
            ("DELETE", "limits"): self._clear_limits,
            ("POST", "llm"): self._habits,
            ("POST", "reset"): self._reset,
        }

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer the control route ``path``, given without its prefix."""
        if path == "canary":
            self._state.canary += 1
            return web.Response(text="the canary sings: a guard was passed\n")
        route = self._routes.get((request.method, path))
        if route is None:
            known = sorted(f"{method} /_sandbox/{name}" for method, name in self._routes)
            return _json({"error": "no such control route", "routes": known}, 404)
        try:
            return await route(request)
        except ValidationError as error:
            return _json({"error": json.loads(error.json(include_url=False))}, 422)

    async def _health(self, _: web.BaseRequest) -> web.StreamResponse:
        world = self._state.world
        return _json({"status": "ok", "seed": world.seed, "companies": len(world)})

    async def _hosts(self, _: web.BaseRequest) -> web.StreamResponse:
        world = self._state.world
        traps = {
            name: {"about": trap.about, "hosts": hosts_of(name), "addresses": trap.addresses}
            for name, trap in TRAPS.items()
        }
        companies = [
            {"domain": c.domain, "url": c.url, "dead": world.is_dead(c)} for c in world.companies()
        ]
        return _json(
            {
                "control": CONTROL_HOST,
                "receiver": RECEIVER_HOST,
                "vendors": {host: v.name for host, v in self._state.vendors.items()},
                "traps": traps,
                "companies": companies,
            }
        )

    async def _vendors(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json({name: asdict(profile) for name, profile in PROFILES.items()})

    async def _stats(self, _: web.BaseRequest) -> web.StreamResponse:
        state = self._state
        return _json(
            {
                "requests": state.requests,
                "statuses": state.statuses,
                "unbilled": state.unbilled,
                "billed": state.billing.totals(),
                "limit_violations": state.limits.violations,
                "limit_peaks": state.limits.peaks,
                "dns": state.zone.queries,
                "hung_up": state.hung_up,
                "canary": state.canary,
            }
        )

    async def _companies(self, request: web.BaseRequest) -> web.StreamResponse:
        world = self._state.world
        rows = (all_truth(c) | {"dead": world.is_dead(c)} for c in world.companies())
        return await _lines(request, rows)

    async def _people(self, request: web.BaseRequest) -> web.StreamResponse:
        world = self._state.world
        rows = (p.truth() for c in world.companies() for p in world.people_of(c))
        return await _lines(request, rows)

    async def _sites(self, request: web.BaseRequest) -> web.StreamResponse:
        sites = (self._state.site(domain) for domain in self._state.world.domains)
        return await _lines(request, (site.truth() for site in sites if site is not None))

    async def _billing(self, request: web.BaseRequest) -> web.StreamResponse:
        vendor = request.query.get("vendor")
        bills = self._state.billing.bills
        return _json([asdict(bill) for bill in bills if vendor in {None, bill.vendor}])

    async def _duplicates(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json(self._state.billing.duplicates())

    async def _webhooks(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json([asdict(message) for message in self._state.receiver.messages])

    async def _list_faults(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json([fault.describe() for fault in self._state.faults.active])

    async def _add_fault(self, request: web.BaseRequest) -> web.StreamResponse:
        spec = FaultSpec.model_validate_json(await request.read())
        known = {one.name for one in self._state.vendors.values()}
        if spec.vendor is not None and spec.vendor not in known:
            return _json({"error": f"no vendor is called {spec.vendor}: {sorted(known)}"}, 422)
        return _json(self._state.faults.add(spec).describe(), 201)

    async def _clear_faults(self, request: web.BaseRequest) -> web.StreamResponse:
        fault_id = request.query.get("id", "")
        self._state.faults.clear(int(fault_id) if fault_id.isdecimal() else None)
        return _json({"left": len(self._state.faults.active)})

    async def _list_limits(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json([spec.model_dump() for spec in self._state.limits.specs])

    async def _add_limit(self, request: web.BaseRequest) -> web.StreamResponse:
        spec = LimitSpec.model_validate_json(await request.read())
        self._state.limits.replace([*self._state.limits.specs, spec])
        return _json(spec.model_dump(), 201)

    async def _clear_limits(self, _: web.BaseRequest) -> web.StreamResponse:
        self._state.limits.replace([])
        return _json({"left": 0})

    async def _habits(self, request: web.BaseRequest) -> web.StreamResponse:
        self._state.model.habits = Habits.model_validate_json(await request.read())
        return _json(self._state.model.habits.model_dump())

    async def _reset(self, _: web.BaseRequest) -> web.StreamResponse:
        self._state.reset()
        return _json({"status": "reset"})
