"""The one way in from outside: nothing is written that no worker could run, or that nobody may ask for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from glaze.errors import ArgsInvalid, Fault, FetchError, InputError, KindInternal, UnknownKind
from glaze.jobs.kind import Kind, Kinds
from glaze.model.bulk import Filter
from glaze.model.job import NewJob
from glaze.model.label import checked_tags, checked_time, checked_webhook
from glaze.model.value import JobId, Json, WorkspaceId
from glaze.net.urls import vet_url
from glaze.store.job import JobStore

_PRIORITIES = range(1, 6)
_MOST_ATTEMPTS = 100
LONGEST_NAME = 255


def known_kind(kinds: Kinds, name: str) -> Kind[Any]:
    """Return the kind called ``name``.

    Raises: UnknownKind, which names those that there are.
    """
    kind = kinds.get(name)
    if kind is None:
        known = ", ".join(sorted(kinds))
        raise UnknownKind(f"no job kind is called {name!r}; there are {known}")
    return kind


def new_job(kinds: Kinds, name: str, args: Json, **options: Any) -> NewJob:
    """Return a checked job; ``options`` are fields of NewJob, by default the kind's own.

    Raises: UnknownKind; ArgsInvalid with the path of each fault; InputError.
    """
    kind = known_kind(kinds, name)
    return checked(kinds, kind.job(kind.parse(args), **options))


def checked(kinds: Kinds, job: NewJob) -> NewJob:
    """Return ``job`` if it may be asked for, and some worker can run it as it stands.

    Raises: UnknownKind; KindInternal; ArgsInvalid with the path of each fault; InputError where
        this installation cannot serve what it asks.
    """
    kind = known_kind(kinds, job.kind)
    if kind.internal:
        raise KindInternal(f"{kind.name} is internal: such a job comes with what it belongs to")
    args = kind.parse(job.args)
    if faults := [*_option_faults(job)]:
        raise ArgsInvalid(job.kind, faults)
    kind.check(args)
    return job


async def enqueue(
    jobs: JobStore, kinds: Kinds, workspace_id: WorkspaceId, new: Sequence[NewJob]
) -> list[JobId]:
    """Check all of ``new``, then insert all of it; return the ids in the same order.

    Raises: as ``checked`` and ``JobStore.enqueue``; then nothing was written.
    """
    return await jobs.enqueue(workspace_id, [checked(kinds, job) for job in new])


def replayable(kinds: Kinds, which: Filter) -> Filter:
    """Return ``which`` without the internal jobs that it does not name by id: others are replayed."""
    if which.ids is not None:
        return which
    internal = sorted(name for name, kind in kinds.items() if kind.internal)
    return replace(which, kinds_not=tuple(internal))


def vetted_webhook(url: str) -> str:
    """Return ``url`` where something public could be told of a job's end.

    Raises: InputError.
    """
    try:
        vet_url(checked_webhook(url))
    except FetchError as error:
        raise InputError(f"not a webhook URL: {error}") from None
    return url


def _option_faults(job: NewJob) -> Iterator[Fault]:
    if job.priority not in _PRIORITIES:
        yield Fault("priority", "give 1 (the most urgent) to 5")
    if not 1 <= job.max_attempts <= _MOST_ATTEMPTS:
        yield Fault("max_attempts", f"give 1 to {_MOST_ATTEMPTS}")
    if not 1 <= len(job.queue) <= LONGEST_NAME:
        yield Fault("queue", f"give a name of 1 to {LONGEST_NAME} characters")
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("run_at", lambda: job.due_at and checked_time(job.due_at, "run_at")),
        ("expires_at", lambda: job.expires_at and checked_time(job.expires_at, "expires_at")),
        ("tags", lambda: checked_tags(job.tags)),
        ("webhook_url", lambda: job.webhook_url is not None and vetted_webhook(job.webhook_url)),
    )
    for name, check in checks:
        try:
            check()
        except InputError as error:
            yield Fault(name, str(error))
