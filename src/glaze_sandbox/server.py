"""The server: HTTP routed by host name, with faults and limits in front of every vendor."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from glaze_sandbox.control import Control
from glaze_sandbox.faults import FaultKind, FaultSpec, other_rows
from glaze_sandbox.nameserver import CONTROL_HOST, DnsProtocol, answer
from glaze_sandbox.receiver import RECEIVER_HOST
from glaze_sandbox.sites.traps import TRAPS, trap_of
from glaze_sandbox.state import State
from glaze_sandbox.wire import Answer, Call, Metered, TellsRoom, Vendor, json_answer

HOST = "127.0.0.1"
KEY_PREFIX = "sandbox-"  # any key that begins so is good at every vendor
SPENT_PREFIX = "sandbox-spent"  # the key of an account without credits
CONTROL_PREFIX = "/_sandbox/"
VENDOR_PREFIX = "/vendor/"  # /vendor/<host>/<path>: for curl, without a Host header
DRIP_BYTES = 8
SERVER = "web"  # says nothing of what really serves: technologies are read from this header
MOST_BODY_BYTES = 256_000_000  # of Anthropic's batches, the largest that any takes
_PORT_TRIES = 50


class _Server(web.Server):
    """A server that takes bodies as large as the vendors it plays do."""

    def _make_request(self, *given: Any) -> web.BaseRequest:
        request = super()._make_request(*given)
        return request.clone(client_max_size=MOST_BODY_BYTES)


class Server:
    """Answers every request that reaches the sandbox."""

    def __init__(self, state: State) -> None:
        """``state`` holds the world and what happens to it."""
        self._state = state
        self._control = Control(state)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a client that goes away meanwhile is no error here."""
        try:
            return await self._route(request)
        except ConnectionError:
            self._state.hung_up += 1
            return web.Response(status=499)

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        host = request.host.partition(":")[0].lower()
        if path.startswith(CONTROL_PREFIX):
            return await self._control.answer(request, path.removeprefix(CONTROL_PREFIX))
        if path.startswith(VENDOR_PREFIX):
            host, _, path = path.removeprefix(VENDOR_PREFIX).partition("/")
            path = f"/{path}"
        vendor = self._state.vendors.get(host)
        if vendor is not None:
            return await self._vendor(request, vendor, host, path)
        return await self._site(request, host, path)

    async def _vendor(
        self, request: web.BaseRequest, vendor: Vendor, host: str, path: str
    ) -> web.StreamResponse:
        state = self._state
        state.requests[vendor.name] += 1
        body = await request.read()
        call = Call(host, request.method, path, request.query, request.headers, body)
        fault = state.faults.strike(vendor.name, host, path)
        if fault is not None and fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.kind is FaultKind.DROP_BEFORE_BILLING:
            return _drop(request)
        given = self._answer(vendor, call, fault)
        state.statuses[f"{vendor.name} {given.status}"] += 1
        if not given.charges:
            state.unbilled[vendor.name] += 1
        state.billing.record(vendor.name, vendor.key_of(call), given)
        state.sender.post_later(given.callbacks)
        return await _send(request, given, fault)

    def _answer(self, vendor: Vendor, call: Call, fault: FaultSpec | None) -> Answer:
        key = vendor.key_of(call)
        if not key.startswith(KEY_PREFIX):
            return vendor.refuse_key(call)
        if fault is not None and fault.kind is FaultKind.STATUS:
            return _faulty_status(vendor, call, fault)
        if key.startswith(SPENT_PREFIX) and isinstance(vendor, Metered):
            return vendor.refuse_credits(call)
        wait_s = self._state.limits.admit(vendor.name, key, call.path)
        given = vendor.answer(call) if wait_s is None else vendor.refuse_rate(call, wait_s)
        if not isinstance(vendor, TellsRoom):
            return given
        told = vendor.room_headers(self._state.limits.lefts(vendor.name, key))
        return replace(given, headers={**told, **given.headers})

    async def _site(self, request: web.BaseRequest, host: str, path: str) -> web.StreamResponse:
        self._state.requests["sites"] += 1
        if host == RECEIVER_HOST:
            await self._state.receiver.remember(request)
        fault = self._state.faults.strike(None, host, path)
        if fault is not None and fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.delay_s)
        elif fault is not None and fault.kind is not FaultKind.DRIP:
            return _spoil_site(request, fault)
        if (trap := trap_of(host)) is not None:
            if path == "/robots.txt" and not TRAPS[trap].robots_too:
                return web.Response(status=404)
            return await TRAPS[trap].respond(request)
        page = await self._page(host, path)
        return await _send(request, page, fault)

    async def _page(self, host: str, path: str) -> Answer:
        if host == RECEIVER_HOST:
            return self._state.receiver.answer(path)
        site = self._state.site(host)
        if site is None:
            text = f"Glaze sandbox: nobody lives at {host}; see {CONTROL_PREFIX}hosts\n"
            return Answer(404 if host == CONTROL_HOST else 421, text.encode(), "text/plain")
        if site.plan.slow_s:
            await asyncio.sleep(site.plan.slow_s)
        if host != site.company.host:  # keeps the scheme that the client came with
            return Answer(301, b"", headers={"Location": f"//{site.company.host}{path}"})
        page = site.pages.get(path) or site.pages.get(path.rstrip("/"))
        if page is None:
            gone = b"<!DOCTYPE html><title>404</title><h1>404</h1>"
            return Answer(404, gone, "text/html; charset=utf-8", headers=site.headers)
        return Answer(200, page.body, page.content_type, headers=site.headers)


def _faulty_status(vendor: Vendor, call: Call, fault: FaultSpec) -> Answer:
    if fault.status == 429:  # noqa: PLR2004  the one status that every vendor shapes itself
        return vendor.refuse_rate(call, fault.retry_after or 1)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return json_answer(fault.status, {"error": "sandbox fault"}, headers=headers)


def _spoil_site(request: web.BaseRequest, fault: FaultSpec) -> web.StreamResponse:
    if fault.kind is FaultKind.STATUS:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return web.Response(status=fault.status, text="sandbox fault", headers=headers)
    if fault.kind is FaultKind.MALFORMED:
        return web.Response(body=b"<html><body><div", headers={"Content-Type": "text/html"})
    return _drop(request)


def _drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _send(
    request: web.BaseRequest, given: Answer, fault: FaultSpec | None
) -> web.StreamResponse:
    body = given.body
    headers = {"Server": SERVER, "Content-Type": given.content_type, **given.headers}
    if fault is not None and fault.kind is FaultKind.DROP_AFTER_BILLING:
        return _drop(request)
    if fault is not None and fault.kind is FaultKind.MALFORMED:
        body = body[: len(body) // 2]
    if fault is not None and fault.kind in {FaultKind.SHUFFLED, FaultKind.SHORT}:
        body = other_rows(body, fault.kind)
    if fault is not None and fault.kind is FaultKind.DRIP:
        response = web.StreamResponse(status=given.status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        for start in range(0, len(body), DRIP_BYTES):
            await response.write(body[start : start + DRIP_BYTES])
            await asyncio.sleep(fault.delay_s)
        return response
    return web.Response(body=body, status=given.status, headers=headers)


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers."""

    port: int
    state: State

    @property
    def url(self) -> str:
        """The address without a trailing slash."""
        return f"http://{HOST}:{self.port}"


@asynccontextmanager
async def serve(state: State, port: int = 0) -> AsyncIterator[Running]:
    """Answer HTTP and DNS on 127.0.0.1 until the block ends; port 0 takes a free one.

    Raises: OSError when the port is taken.
    """
    runner = web.ServerRunner(_Server(Server(state).handle, access_log=None), shutdown_timeout=0.5)
    await runner.setup()
    try:
        bound, transport = await _bind(runner, state, port)
        try:
            yield Running(bound, state)
        finally:
            transport.close()
    finally:
        await state.sender.close()
        await runner.cleanup()


async def _bind(
    runner: web.ServerRunner, state: State, port: int
) -> tuple[int, asyncio.DatagramTransport]:
    """Take one port number for TCP and UDP: a free one may be taken on the other side."""
    loop = asyncio.get_running_loop()
    for left in reversed(range(_PORT_TRIES)):
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        bound = int(runner.addresses[0][1])
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: DnsProtocol(lambda wire: answer(state.zone, wire)), local_addr=(HOST, bound)
            )
        except OSError as error:
            await site.stop()
            if port or not left or error.errno != errno.EADDRINUSE:
                raise
        else:
            return bound, transport
    raise OSError(errno.EADDRINUSE, "no port is free for both TCP and UDP")
