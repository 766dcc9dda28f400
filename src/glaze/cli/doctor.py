"""``glaze doctor``: what is there, what is missing, and what to do about it."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import typer
from rich.text import Text

from glaze.boot.process import run, utc_now
from glaze.boot.providers import configure_providers
from glaze.boot.secrets import vendor_keys
from glaze.boot.server import running_server
from glaze.cli.checkup import Finding, Grade, disk, fleet, llm, temporary, vendors
from glaze.cli.providers import read_standings
from glaze.cli.screen import out
from glaze.errors import GlazeError, SettingsError, StoreError
from glaze.net.sandbox import SandboxRoute
from glaze.settings import MOVED, Settings, load_settings
from glaze.store.check import OLDEST_SERVER, check_database
from glaze.store.database import Database
from glaze.tasks.registry import find_offers

_OLDEST_PYTHON = (3, 11)


def doctor() -> None:
    """Check every dependency and say what to do; exits with 1 if one is broken."""
    findings = run(_check())
    styles = {Grade.FINE: "green", Grade.NOTE: "yellow", Grade.BROKEN: "bold red"}
    for finding in findings:
        line = Text.assemble(
            (f"{finding.grade:7}", styles[finding.grade]), f"{finding.subject}: {finding.told}"
        )
        out.print(line)
        if finding.advice:
            out.print(f"       -> {finding.advice}", markup=False)
    if any(finding.grade is Grade.BROKEN for finding in findings):
        raise typer.Exit(1)


async def _check() -> list[Finding]:
    findings = [_python()]
    try:
        settings = load_settings()
    except SettingsError as error:
        return [*findings, Finding("settings", Grade.BROKEN, str(error), "see docs/settings.md")]
    findings.append(Finding("settings", Grade.FINE, "all read and within bounds"))
    findings += [
        Finding("settings", Grade.NOTE, f"{name} is not read", f"set {ours} instead")
        for name, ours in MOVED.items()
        if name in os.environ
    ]
    findings.append(disk(settings.data_dir))
    findings.append(temporary(Path(tempfile.gettempdir()), settings.api_max_upload_mb))
    findings.append(await _database(settings))
    findings += await _fleet(settings)
    findings += _providers(settings)
    findings += await _troubles(settings)
    findings += _kinds()
    findings.append(_network(settings))
    findings += await _outside(settings)
    return findings


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info >= _OLDEST_PYTHON:
        return Finding("Python", Grade.FINE, version)
    return Finding("Python", Grade.BROKEN, version, "install Python 3.11 or newer")


async def _database(settings: Settings) -> Finding:
    embedded = settings.database_url is None
    where = f"embedded, in {settings.data_dir}" if embedded else "DATABASE_URL"
    advice = (
        "see supervisor.log in the data folder, or set DATABASE_URL"
        if embedded
        else "check DATABASE_URL, that the server runs, and that this machine may connect"
    )
    try:
        async with running_server(settings) as server:
            state = await check_database(server.dsn)
    except StoreError as error:
        return Finding("PostgreSQL", Grade.BROKEN, f"{where}: {error}", advice)
    told = f"{state.major}, {where}"
    if state.major < OLDEST_SERVER:
        advice = f"Glaze needs PostgreSQL {OLDEST_SERVER} or newer"
        return Finding("PostgreSQL", Grade.BROKEN, told, advice)
    if state.pending:
        told += f", {len(state.pending)} migrations to apply"
        return Finding("PostgreSQL", Grade.NOTE, told, "run glaze migrate; other commands do it")
    return Finding("PostgreSQL", Grade.FINE, f"{told}, up to date")


def _providers(settings: Settings) -> Iterator[Finding]:
    try:
        providers = configure_providers(settings)
    except GlazeError as error:
        yield Finding("providers", Grade.BROKEN, str(error))
        return
    for problem in providers.problems:
        yield Finding("providers", Grade.NOTE, problem)
    for spec in providers.specs:
        subject = f"provider {spec.name}"
        if spec.name in providers.unusable:
            yield Finding(subject, Grade.NOTE, "not in use", providers.unusable[spec.name])
        elif spec.opt_in and spec.name not in settings.allow:
            advice = f"allow it with GLAZE_ALLOW={spec.name} or --allow {spec.name}"
            yield Finding(subject, Grade.NOTE, f"opt-in: {spec.notice}", advice)
        else:
            needs_key = spec.key_setting and not spec.key_optional
            yield Finding(subject, Grade.FINE, "ready" if needs_key else "ready, no key needed")


async def _troubles(settings: Settings) -> list[Finding]:
    """Name providers that the fleet does not ask now: an open circuit, a refused key, no credits."""
    try:
        found = await read_standings(settings, utc_now() - timedelta(days=1))
    except GlazeError:
        return []  # the database or the settings are broken: their own findings say so
    return [
        Finding(f"provider {one.spec.name}", Grade.NOTE, one.state, one.advice)
        for one in found
        if not one.not_in_use and one.state != "ready"
    ]


def _kinds() -> Iterator[Finding]:
    try:
        offers = find_offers()
    except SettingsError as error:
        yield Finding("job kinds", Grade.BROKEN, str(error))
        return
    for problem in offers.problems:
        yield Finding("job kinds", Grade.NOTE, problem)
    yield Finding("job kinds", Grade.FINE, ", ".join(sorted(offers.by_name)))


def _network(settings: Settings) -> Finding:
    if settings.sandbox_url:
        try:
            SandboxRoute.from_url(settings.sandbox_url)
        except SettingsError as error:
            return Finding("network", Grade.BROKEN, str(error), "correct GLAZE_SANDBOX_URL")
        told = f"sandboxed: all vendors and sites are played at {settings.sandbox_url}"
        return Finding("network", Grade.NOTE, told, "unset GLAZE_SANDBOX_URL for the real ones")
    return Finding("network", Grade.FINE, "not sandboxed")


async def _outside(settings: Settings) -> list[Finding]:
    """Look at the model and at the vendors. What cannot be configured is told of already."""
    try:
        providers = configure_providers(settings)
        return [llm(settings, providers), *await vendors(settings, providers)]
    except GlazeError:
        return []


async def _fleet(settings: Settings) -> list[Finding]:
    """Look at what a database with all migrations tells; of another there was a finding already."""
    try:
        async with running_server(settings) as server:
            if (await check_database(server.dsn)).pending:
                return []
            async with Database.open(await server.runtime_dsn(), size=2) as db:
                return [one async for one in fleet(db, vendor_keys(settings, db))]
    except (StoreError, SettingsError):
        return []
