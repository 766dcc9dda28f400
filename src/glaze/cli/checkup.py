"""What ``glaze doctor`` looks at outside of Python and settings, one dependency after the other."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from glaze.boot.process import utc_now
from glaze.boot.providers import Providers
from glaze.errors import SecretError
from glaze.model.ledger import CallState
from glaze.model.provider import Tier
from glaze.net.client import HttpClient
from glaze.net.reach import unreachable
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.calls import CallFilter, CallStore
from glaze.store.check import server_time
from glaze.store.database import Database
from glaze.store.queues import QueueStore
from glaze.store.webhook import WebhookStore
from glaze.store.worker import WorkerStore
from glaze.store.workspace import Workspace, WorkspaceStore

LEAST_FREE_BYTES = 200 * 1024 * 1024
FEW_FREE_BYTES = 2 * 1024 * 1024 * 1024
MOST_SKEW = timedelta(seconds=5)
"""Signatures and expiries are told by this machine's clock, leases by the database's."""


class Grade(StrEnum):
    """How a check ended; only ``broken`` makes the command fail."""

    FINE = "ok"
    NOTE = "note"  # works without it
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; ``advice`` says what to do, where there is something to do."""

    subject: str
    grade: Grade
    told: str
    advice: str = ""


Free = Callable[[Path], int]
"""How many bytes are free where a folder is."""


def free_bytes(folder: Path) -> int:
    """Return what who runs this may still write where ``folder`` is."""
    return shutil.disk_usage(folder).free


def disk(folder: Path, free: Free = free_bytes) -> Finding:
    """Look at the room for data where ``folder`` is, or will be."""
    advice = "make room, or set GLAZE_DATA_DIR to another disk; PostgreSQL stops when it is full"
    return _room("disk", folder, (LEAST_FREE_BYTES, FEW_FREE_BYTES), advice, free)


def temporary(folder: Path, upload_mb: int, free: Free = free_bytes) -> Finding:
    """Look at the room for tables that are sent, and files that are written to be fetched."""
    largest = upload_mb * 1024 * 1024
    advice = f"make room, or set TMPDIR to another disk: a table may have {upload_mb} MB"
    return _room("temporary files", folder, (largest // 10, 2 * largest), advice, free)


def _room(
    subject: str, folder: Path, least_and_few: tuple[int, int], advice: str, free: Free
) -> Finding:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    left = free(there)
    told = f"{left / 2**30:.1f} GiB free at {there}"
    least, few = least_and_few
    if not os.access(there, os.W_OK):
        told = f"{there} cannot be written to"
        return Finding(subject, Grade.BROKEN, told, "give it to who runs Glaze, or name another")
    if left < few:
        return Finding(subject, Grade.BROKEN if left < least else Grade.NOTE, told, advice)
    return Finding(subject, Grade.FINE, told)


async def fleet(db: Database, keys: VendorKeys) -> AsyncIterator[Finding]:
    """Look at what the database knows: the clock, workers, queues, and of each workspace what it has."""
    yield clock(await server_time(db), utc_now())
    yield await _workers(db)
    for queue in await QueueStore(db).list():
        if queue.paused_at is not None:
            told = f"paused since {queue.paused_at:%Y-%m-%d %H:%M}, {queue.pending:,} jobs wait"
            advice = f"glaze queues resume {queue.name} hands them out again"
            yield Finding(f"queue {queue.name}", Grade.NOTE, told, advice)
    for workspace in await WorkspaceStore(db).list():
        async for finding in _workspace(db, workspace):
            yield finding
        for kept in await keys.list(workspace.id):
            if broken := await _unreadable(keys, workspace, kept.provider):
                yield broken


async def _workspace(db: Database, workspace: Workspace) -> AsyncIterator[Finding]:
    if not await KeyStore(db).some(workspace.id):
        told = f"workspace {workspace.name} has none that counts"
        advice = f"glaze keys create NAME --workspace {workspace.name}; commands need none"
        yield Finding("API keys", Grade.NOTE, told, advice)
    if await CallStore(db).page(workspace.id, CallFilter(states=(CallState.UNKNOWN,)), 1):
        told = f"workspace {workspace.name} has calls that may have been billed"
        advice = "their money stays reserved; see docs/ledger.md, unknown calls"
        yield Finding("ledger", Grade.NOTE, told, advice)
    for hook in await WebhookStore(db).list(workspace.id):
        subject = f"webhook {hook.id} ({hook.url})"
        if hook.disabled_at is not None:
            told = f"told nothing since {hook.disabled_at:%Y-%m-%d %H:%M}: {hook.disabled_why}"
            advice = f"mend the receiver, then: glaze webhooks enable {hook.id}"
            yield Finding(subject, Grade.NOTE, told, advice)
        elif hook.failing_since is not None:
            told = f"has not answered since {hook.failing_since:%Y-%m-%d %H:%M}"
            advice = f"glaze webhooks deliveries {hook.id} shows what it answers; nothing is lost"
            yield Finding(subject, Grade.NOTE, told, advice)


async def _unreadable(keys: VendorKeys, workspace: Workspace, provider: str) -> Finding | None:
    try:
        await keys.open(workspace.id, provider)
    except SecretError as error:
        told = f"workspace {workspace.name}: {error}"
        advice = "give the key-encryption key that it is kept under, or set the key anew"
        return Finding(f"key of {provider}", Grade.BROKEN, told, advice)
    return None


def clock(server: datetime, ours: datetime) -> Finding:
    """Compare the database's clock with this machine's."""
    apart = abs(server - ours)
    told = f"{apart.total_seconds():.1f} s from the database's"
    if apart <= MOST_SKEW:
        return Finding("clock", Grade.FINE, told)
    advice = "set both machines by NTP: signatures and tokens are refused outside their time"
    return Finding("clock", Grade.BROKEN, told, advice)


async def _workers(db: Database) -> Finding:
    living = await WorkerStore(db).living()
    silent = [one for one in living if one.lease_left_s <= 0]
    if silent:
        told = f"{', '.join(one.name for one in silent)} sent no heartbeat in time"
        advice = "look whether it hangs; its jobs are taken back by whoever lives"
        return Finding("workers", Grade.NOTE, told, advice)
    if not living:
        advice = "start one: glaze worker, or glaze up; jobs wait until then"
        return Finding("workers", Grade.NOTE, "none lives", advice)
    return Finding("workers", Grade.FINE, ", ".join(one.name for one in living))


def llm(settings: Settings, providers: Providers) -> Finding:
    """Tell whether a language model can be asked."""
    ready = [
        spec.name
        for spec in providers.specs
        if spec.tier is Tier.INFERENCE
        and spec.name not in providers.unusable
        and (not spec.opt_in or spec.name in settings.allow)
    ]
    if ready:
        return Finding("language model", Grade.FINE, ", ".join(ready))
    advice = "set LLM_API_KEY, or LLM_BASE_URL for a model of your own; the other sources go on"
    return Finding("language model", Grade.NOTE, "none is set up", advice)


async def vendors(settings: Settings, providers: Providers) -> list[Finding]:
    """Open a connection to every vendor in use and send nothing."""
    route = SandboxRoute.from_url(settings.sandbox_url) if settings.sandbox_url else None
    urls: dict[str, list[str]] = {}
    for name, url in _asked(settings, providers):
        urls.setdefault(url, []).append(name)
    async with HttpClient(sandbox=route) as http:
        failed = await unreachable(urls.keys(), http, route)
    if not failed:
        return [Finding("vendors", Grade.FINE, f"{len(urls)} addresses can be reached")]
    advice = "check the network, proxy or firewall, and GLAZE_SANDBOX_URL; other sources go on"
    return [
        Finding(f"provider {', '.join(urls[url])}", Grade.NOTE, f"{url}: {why}", advice)
        for url, why in failed.items()
    ]


def _asked(settings: Settings, providers: Providers) -> Iterator[tuple[str, str]]:
    """Yield whom a run may ask, with the address."""
    for spec in providers.specs:
        address = providers.access[spec.name].base_url
        closed = spec.opt_in and spec.name not in settings.allow
        if address and not closed and spec.name not in providers.unusable:
            yield spec.name, address
