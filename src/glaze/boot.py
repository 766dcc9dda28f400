"""The composition root: the only module that knows every class."""

import asyncio
import copy
import gc
import os
import platform
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, TypeVar

import structlog
import uvloop

from glaze.errors import InputError, SettingsError
from glaze.jobs.burst import Burst, Summary
from glaze.jobs.kind import Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.waiting import Waiting
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.logs import configure_logs
from glaze.model.failpoint import At, nowhere
from glaze.model.inference import LlmConfig
from glaze.model.language_model import LanguageModel
from glaze.model.provider import Limit, Operation, Provider, ProviderSpec
from glaze.model.redact import Redactor
from glaze.model.value import FREE, MICROS_PER_CENT, Micros
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.asking import Access
from glaze.pipeline.collecting import Collector
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.order import ORIGINALS
from glaze.pipeline.run import Pipeline, Policy
from glaze.providers.registry import load_providers
from glaze.settings import ProviderOverride, Settings, environment_names
from glaze.store.batch import BatchStore
from glaze.store.batch_control import BatchControl
from glaze.store.calls import CallStore
from glaze.store.control import ControlStore
from glaze.store.database import Database, Recover, checked_dsn, password_of
from glaze.store.due import DueStore
from glaze.store.embedded import ensure_server
from glaze.store.entity import EntityStore
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.migrate import migrate, runtime_login
from glaze.store.queues import QueueStore
from glaze.store.record import RecordStore
from glaze.store.retention import Keep, RetentionStore
from glaze.store.schedule import ScheduleStore
from glaze.store.worker import WorkerStore
from glaze.store.workflow import WorkflowStore
from glaze.tasks.registry import load_kinds
from glaze.tasks.tools import Tools

log = structlog.get_logger("boot")

LLM_PROVIDERS = {"openai": "llm", "anthropic": "anthropic"}
"""What ``LLM_PROVIDER`` may be -> the provider that it chooses."""
_KEYED_CREDENTIAL = "env"
"""Name of the credential that settings hold: limits and questions belong to it."""
_SECONDS_PER_MINUTE = 60
_SECONDS_PER_HOUR = 3600
_GARBAGE_THRESHOLDS = (50_000, 20, 50)
"""Python's own (700, 10, 10) suit a script: a worker's thousands of short-lived objects a second
made the collector a fifth of its work."""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on uvloop, as all that this process does; return what it returns."""
    collect_rarely()
    return uvloop.run(main)


def collect_rarely() -> None:
    """Leave what the imports made out of every collection, and collect at a server's pace."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def utc_now() -> datetime:
    """Return the time: the clock of a running process."""
    return datetime.now(UTC)  # noqa: TID251  the one place that reads it


@dataclass(frozen=True, slots=True)
class Providers:
    """The installed providers as the settings shape them."""

    by_name: Mapping[str, Provider]
    access: Mapping[str, Access]
    unusable: Mapping[str, str]  # provider -> why it cannot be asked, and what to do
    problems: Sequence[str] = ()  # plug-ins that were left out

    @property
    def specs(self) -> list[ProviderSpec]:
        """The specs, in name order."""
        return [self.by_name[name].spec for name in sorted(self.by_name)]


@dataclass(frozen=True, slots=True)
class App:
    """Everything that a command, a route or a worker needs, wired."""

    settings: Settings
    db: Database
    jobs: JobStore
    batches: BatchStore
    workflows: WorkflowStore
    waiting: Waiting
    control: ControlStore
    queues: QueueStore
    batch_control: BatchControl
    records: RecordStore
    events: EventStore
    workers: WorkerStore
    schedules: ScheduleStore
    retention: RetentionStore
    ledger: LedgerStore
    collector: Collector
    calls: CallStore
    providers: Providers
    kinds: Kinds
    at: At
    redactor: Redactor
    wake: Wake

    @property
    def keep(self) -> Keep:
        """For how long what is over is kept."""
        return Keep(
            events_days=self.settings.keep_events_days,
            jobs_days=self.settings.keep_jobs_days,
            batches_days=self.settings.keep_batches_days,
            keys_days=self.settings.keep_keys_days,
            workers_days=self.settings.keep_workers_days,
        )

    def worker(
        self,
        *,
        queues: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        concurrency: int | None = None,
        memory_limit_bytes: int | None = None,
    ) -> Worker:
        """Return a worker of this process, not yet running.

        Raises: InputError for kinds that this version does not know.
        """
        options = self._options(queues=queues, kinds=kinds, concurrency=concurrency)
        options = replace(options, memory_limit_bytes=memory_limit_bytes)
        rng = random.Random()  # noqa: S311  jitter, no secret
        return Worker(
            self.db,
            self.kinds,
            options,
            rng=rng,
            at=self.at,
            redactor=self.redactor,
            collect=self.collector.sweep,
        )

    async def run_some(
        self,
        *,
        max_jobs: int = 10,
        timeout_ms: int = 25_000,
        queues: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        stop: asyncio.Event | None = None,
        abort: asyncio.Event | None = None,
    ) -> Summary:
        """Run up to ``max_jobs`` within ``timeout_ms``, for places where no process stays.

        ``stop`` ends it early, ``abort`` at once.

        Raises: InputError, StoreUnavailable.
        """
        options = self._options(queues=queues, kinds=kinds)
        burst = Burst(
            self.db,
            self.kinds,
            options,
            rng=random.Random(),  # noqa: S311  jitter, no secret
            wake=self.wake,
            at=self.at,
            redactor=self.redactor,
            collect=self.collector.sweep,
        )
        return await burst.run(max_jobs, timeout_ms, stop=stop, abort=abort)

    def _options(
        self,
        *,
        queues: Sequence[str] | None,
        kinds: Sequence[str] | None,
        concurrency: int | None = None,
    ) -> WorkerOptions:
        if unknown := sorted({*(kinds or ())} - self.kinds.keys()):
            known = ", ".join(sorted(self.kinds))
            raise InputError(f"no kind is called {', '.join(unknown)}; there are {known}")
        return WorkerOptions(
            queues=tuple(queues or self.settings.queues),
            kinds=tuple(kinds) if kinds else None,
            concurrency=concurrency or self.settings.concurrency,
            poll_s=self.settings.poll_s,
            heartbeat_s=self.settings.heartbeat_s,
            lease_s=self.settings.lease_s,
            shutdown_s=self.settings.shutdown_s,
            prune_s=self.settings.prune_s,
            keep=self.keep,
            name=f"{platform.node()}:{os.getpid()}",
            version=version("glaze"),
            host=platform.node(),
        )


@asynccontextmanager
async def boot(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    at: At = nowhere,
) -> AsyncIterator[App]:
    """Start what is needed and wire it; leaving waits for calls under way and lets go of all.

    Raises: StoreError when there is no usable database, SettingsError when settings and
    providers do not fit.
    """
    _configure_logs(settings, _redactor(settings))
    providers = configure_providers(settings)
    for problem in providers.problems:
        log.warning(problem)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(settings))
        redactor = _redactor(settings, server.dsn)
        _configure_logs(settings, redactor)
        await migrate(server.dsn)
        db = await stack.enter_async_context(
            Database.open(
                await server.runtime_dsn(), size=settings.pool_size, recover=server.recover
            )
        )
        route = SandboxRoute.from_url(settings.sandbox_url) if settings.sandbox_url else None
        http = await stack.enter_async_context(HttpClient(sandbox=route))
        ledger, entities = LedgerStore(db), EntityStore(db)
        gateway = await stack.enter_async_context(
            Gateway.open(
                ledger=ledger,
                limits=LimitStore(db),
                entities=entities,
                http=http,
                access=providers.access,
                callback_url=settings.callback_url,
                at=at,
            )
        )
        collector = Collector(
            gateway,
            DueStore(db),
            http,
            providers.by_name,
            clock=clock,
            base_url=settings.callback_url,
            at=at,
        )
        pipeline = Pipeline(gateway, ledger, providers.by_name, _policy(settings, providers), clock)
        wake = Wake(db.dsn)
        await stack.enter_async_context(_running(wake.run()))
        jobs, batches = JobStore(db, wake.hint, wake.ended), BatchStore(db, wake.hint)
        workflows = WorkflowStore(db, jobs)
        waiting = Waiting(db.dsn, jobs, workflows)
        await stack.enter_async_context(_running(waiting.run()))
        records = RecordStore(db)
        installed = load_kinds(
            Tools(
                pipeline=pipeline,
                http=http,
                jobs=jobs,
                batches=batches,
                records=records,
                clock=clock,
            )
        )
        for problem in installed.problems:
            log.warning(problem)
        yield App(
            settings=settings,
            db=db,
            jobs=jobs,
            batches=batches,
            workflows=workflows,
            waiting=waiting,
            control=ControlStore(db, jobs),
            queues=QueueStore(db),
            batch_control=BatchControl(db, batches),
            records=records,
            events=EventStore(db),
            workers=WorkerStore(db),
            schedules=ScheduleStore(db, jobs),
            retention=RetentionStore(db),
            ledger=ledger,
            collector=collector,
            calls=CallStore(db),
            providers=providers,
            kinds=installed.kinds,
            at=at,
            redactor=redactor,
            wake=wake,
        )


def _redactor(settings: Settings, dsn: str = "") -> Redactor:
    """Return what masks every secret that this process knows."""
    given = settings.database_url.get_secret_value() if settings.database_url else ""
    return Redactor([*settings.secrets(), password_of(given), password_of(dsn)])


def _configure_logs(settings: Settings, redactor: Redactor) -> None:
    configure_logs(
        settings.log_level, settings.log_format, levels=settings.log_levels, mask=redactor.facts
    )


@dataclass(frozen=True, slots=True)
class Server:
    """The database to use, and how to bring it back when it is gone (None: not ours to bring)."""

    dsn: str
    recover: Recover | None = None

    async def runtime_dsn(self) -> str:
        """Return what to work with: on a server of our own a login that owns nothing."""
        return self.dsn if self.recover is None else await runtime_login(self.dsn)


@asynccontextmanager
async def fleet(settings: Settings) -> AsyncIterator[Database]:
    """Open the database alone, with few connections: for who watches over work and does none.

    Raises: StoreError when there is no usable database.
    """
    configure_logs(settings.log_level, settings.log_format)
    async with running_server(settings) as server:
        await migrate(server.dsn)
        dsn = await server.runtime_dsn()
        async with Database.open(dsn, size=2, recover=server.recover) as db:
            yield db


@asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[Server]:
    """Give the configured database, or the embedded one for as long as it is needed.

    Raises: StoreError when the embedded server cannot be started.
    """
    if settings.database_url is not None:
        yield Server(checked_dsn(settings.database_url.get_secret_value()))
        return
    lease = await asyncio.to_thread(ensure_server, settings.data_dir)

    async def recover() -> None:
        await asyncio.to_thread(lease.recover)

    try:
        yield Server(lease.dsn, recover)
    finally:
        lease.release()


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let ``work`` run beside the body, and end with it."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()


def configure_providers(settings: Settings) -> Providers:
    """Shape the installed providers by the settings: prices, limits, addresses, keys.

    Raises: SettingsError where a setting names a provider that is not installed.
    """
    registry = load_providers()
    ordered = {name.partition(".")[0] for name in settings.order} - {"originals"}
    unknown = {*settings.provider, *settings.allow, *ordered} - registry.providers.keys()
    if unknown:
        known = ", ".join(sorted(registry.providers))
        raise SettingsError(
            f"no provider is called {', '.join(sorted(unknown))}; installed are {known}"
        )
    by_name, access, unusable = {}, {}, {}
    for name, installed in registry.providers.items():
        override = settings.provider.get(name, ProviderOverride())
        key = _key(installed.spec, override, settings)
        provider = _with_override(_with_model(installed, settings), override, keyed=bool(key))
        if isinstance(provider, LanguageModel) and name != LLM_PROVIDERS[settings.llm_provider]:
            unusable[name] = f"LLM_PROVIDER is {settings.llm_provider}"
            key = ""  # it is another vendor's
        by_name[name] = provider
        access[name] = Access(
            credential=_KEYED_CREDENTIAL if key else "none",
            key=key,
            base_url=override.base_url or provider.spec.base_url,
        )
        needs_key = provider.spec.key_setting is not None and not provider.spec.key_optional
        if needs_key and not key and name not in unusable:
            unusable[name] = f"no key: set {_variable(provider.spec)}"
        for operation in provider.spec.operations:
            if operation.needs_callback and not settings.callback_url:
                why = "the vendor wants an address to call back: set GLAZE_CALLBACK_URL"
                unusable[f"{name}.{operation.name}"] = why
    return Providers(by_name, access, unusable, registry.problems)


def _with_model(provider: Provider, settings: Settings) -> Provider:
    if not isinstance(provider, LanguageModel):
        return provider
    own = settings.provider.get(provider.spec.name, ProviderOverride()).base_url is not None
    chosen = provider.spec.name == LLM_PROVIDERS[settings.llm_provider]
    return provider.with_config(
        LlmConfig(
            model=(settings.llm_model if chosen else None) or provider.wire.default_model,
            input_price_micros=round(settings.llm_input_price * 1_000_000),
            output_price_micros=round(settings.llm_output_price * 1_000_000),
            max_input_tokens=settings.llm_max_input_tokens,
            max_output_tokens=settings.llm_max_output_tokens,
            needs_key=not own,  # a server of one's own asks for none
        )
    )


def _with_override(provider: Provider, override: ProviderOverride, *, keyed: bool) -> Provider:
    """Rebuild the provider with the user's own prices, sizes, times and limits."""
    spec = provider.spec
    operations = tuple(_operation(one, override, spec.credit_micros) for one in spec.operations)
    shaped = replace(
        spec,
        operations=operations,
        credit_micros=_own_price(override, spec.credit_micros) if spec.credit_micros else FREE,
        limits=_limits(override) or (keyed and spec.keyed_limits) or spec.limits,
        concurrency=override.concurrency or spec.concurrency,
        retries=spec.retries if override.retries is None else override.retries,
    )
    if shaped == spec:
        return provider
    changed = copy.copy(provider)
    changed.spec = shaped
    return changed


def _own_price(override: ProviderOverride, declared: Micros) -> Micros:
    if override.price_cents is None:
        return declared
    return Micros(round(override.price_cents * MICROS_PER_CENT))


def _operation(operation: Operation, override: ProviderOverride, credit: Micros) -> Operation:
    price = _own_price(override, credit or operation.price_micros)
    if credit:  # half a credit, or two: in proportion
        price = Micros(round(operation.price_micros * price / credit))
    shared = bool(_limits(override))  # the user's limits are for all of the provider together
    return replace(
        operation,
        limits=() if shared else operation.limits,
        bulk_limits=() if shared else operation.bulk_limits,
        price_micros=price,
        timeout_s=override.timeout_s or operation.timeout_s,
        batch_size=min(operation.batch_size, override.batch_size or operation.batch_size),
    )


def _limits(override: ProviderOverride) -> tuple[Limit, ...]:
    given = (
        (override.calls_per_second, 1),
        (override.calls_per_minute, _SECONDS_PER_MINUTE),
        (override.calls_per_hour, _SECONDS_PER_HOUR),
    )
    return tuple(Limit(calls, window_s) for calls, window_s in given if calls is not None)


def _key(spec: ProviderSpec, override: ProviderOverride, settings: Settings) -> str:
    given = override.key or getattr(settings, spec.key_setting or "", None)
    return given.get_secret_value() if given else ""


def _variable(spec: ProviderSpec) -> str:
    """Return the variable that sets a provider's key."""
    for variable, setting in environment_names().items():
        if setting == spec.key_setting:
            return variable
    return f"GLAZE_PROVIDER__{spec.name.upper()}__KEY"


def _policy(settings: Settings, providers: Providers) -> Policy:
    cap, models = settings.daily_cap_cents, settings.llm_max_cost_cents
    return Policy(
        ttl=timedelta(days=settings.cache_ttl_days),
        miss_ttl=timedelta(days=settings.miss_ttl_days),
        order=ORIGINALS if settings.order == ("originals",) else settings.order,
        opted_in=frozenset(settings.allow),
        unusable=providers.unusable,
        daily_cap_micros=None if cap is None else Micros(cap * MICROS_PER_CENT),
        llm_pages=settings.llm_max_pages,
        llm_cap_micros=None if models is None else Micros(round(models * MICROS_PER_CENT)),
    )
