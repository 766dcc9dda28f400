"""Erases a person: keep them away, let what is under way end, then take them out until nothing is found."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import structlog

from glaze.errors import GlazeError, InputError
from glaze.model.failpoint import At, nowhere
from glaze.model.identity import identify
from glaze.model.mailbox import is_role
from glaze.model.personal import Finder, Traits, subjects_of
from glaze.model.profile import parse_linkedin
from glaze.model.value import BatchId, JobId, Json, WorkspaceId
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.personal import SCANNED, Erasure, Known, PersonalStore, Seen
from glaze.store.suppression import SuppressionStore
from glaze.store.worker import WorkerStore

log = structlog.get_logger("people")

WAIT_S = 0.5
"""How long to wait before looking again whether what is under way has ended."""
MOST_PASSES = 20
"""So many times something was found anew: whatever writes it does so past the suppression list."""
_EMPLOYER = ("company_domain", "company_name")
_PROFILES = ("person_twitter_url", "person_github_url", "person_facebook_url")


@dataclass(frozen=True, slots=True)
class _Held:
    """The jobs that name the person, and those among them about nobody else."""

    jobs: frozenset[JobId] = frozenset()
    about: frozenset[JobId] = frozenset()
    results: frozenset[int] = frozenset()
    batches: frozenset[BatchId] = frozenset()


class Eraser:
    """Erases people in steps that can each be done again: killed anywhere, it goes on from there."""

    def __init__(
        self,
        personal: PersonalStore,
        suppression: SuppressionStore,
        jobs: JobStore,
        workers: WorkerStore,
        ledger: LedgerStore,
        *,
        operations: Collection[str],
        at: At = nowhere,
    ) -> None:
        """Use these tables; ``operations`` (``provider.operation``) are those people are asked about."""
        self.personal = personal
        self.suppression = suppression
        self._jobs = jobs
        self._workers = workers
        self._ledger = ledger
        self._operations = frozenset(operations)
        self._at = at

    async def begin(self, workspace_id: WorkspaceId, given: Mapping[str, str], actor: str) -> int:
        """Keep the person away from now on, and record that they are to be erased; return its id.

        Raises: InputError where ``given`` identifies no person.
        """
        return await self.personal.begin(workspace_id, traits_of(given), actor)

    async def suppress(
        self, workspace_id: WorkspaceId, given: Mapping[str, str], actor: str
    ) -> int:
        """Keep the person away by what is given, and by what is stored of them that is theirs alone.

        Return how many of the keys are new.

        Raises: InputError where ``given`` identifies no person.
        """
        traits = traits_of(given)
        known = _traits_of(await self.personal.known(workspace_id, traits))
        keys = {*traits.keys, *known.keys}
        return await self.suppression.add(workspace_id, keys, actor)

    async def run(self, workspace_id: WorkspaceId, erasure_id: int) -> Erasure:
        """Erase to the end, however long jobs under way take."""
        while True:
            wait_s = await self.step(workspace_id, erasure_id)
            if wait_s is None:
                return await self.personal.get(workspace_id, erasure_id)
            await asyncio.sleep(wait_s)

    async def step(self, workspace_id: WorkspaceId, erasure_id: int) -> float | None:
        """Go on with an erasure: return the seconds to wait for jobs under way, None once it is done.

        Raises: NotFound.
        """
        erasure = await self.personal.get(workspace_id, erasure_id)
        if erasure.traits is None:
            return None
        await self._past_open_transactions()
        traits = await self._learn(workspace_id, erasure_id, erasure.traits)
        held = await self._held(workspace_id, Finder(traits))
        if held.about:
            await self._jobs.cancel(workspace_id, sorted(held.about))
        if await self.personal.under_way(workspace_id, held.jobs, held.batches):
            await self._rescue()
            return WAIT_S
        for _ in range(MOST_PASSES):
            removed = await self._pass(workspace_id, traits, held)
            self._at("passed")
            await self.personal.passed(workspace_id, erasure_id, removed)
            if not removed:
                await self.personal.finish(workspace_id, erasure_id, erasure.asked_by)
                log.info("a person is erased", erasure=erasure_id)
                return None
            await self._past_open_transactions()  # they may have copied what was there before
            traits = await self._learn(workspace_id, erasure_id, traits)
        raise GlazeError(f"erasure {erasure_id}: the person was found anew {MOST_PASSES} times")

    async def count(self, workspace_id: WorkspaceId, given: Mapping[str, str]) -> dict[str, int]:
        """Return in how many rows of each table a person is named; nothing is changed.

        Raises: InputError where ``given`` identifies no person.
        """
        traits = traits_of(given)
        known = await self.personal.known(workspace_id, traits)
        learned = traits.joined(_traits_of(known))
        shared = await self.personal.shared(workspace_id, [*learned.phones, *learned.emails])
        finder = Finder(learned.without(shared))
        found: Counter[str] = Counter()
        for table in SCANNED:
            async for seen in self._pages(workspace_id, table, finder, change=False):
                found[table] += len(seen.rows)
        return dict(+found)

    async def _past_open_transactions(self) -> None:
        """Wait for every transaction that was begun before: those begun later see who is suppressed."""
        left = await self.personal.open_transactions()
        while left:
            await asyncio.sleep(WAIT_S / 10)
            left &= await self.personal.open_transactions()

    async def _learn(self, workspace_id: WorkspaceId, erasure_id: int, traits: Traits) -> Traits:
        """Learn by what else the person is known, and keep them away by that, too."""
        known = await self.personal.known(workspace_id, traits)
        learned = traits.joined(_traits_of(known))
        shared = await self.personal.shared(workspace_id, [*learned.phones, *learned.emails])
        learned = learned.without(shared)
        if learned != traits:
            await self.personal.learn(workspace_id, erasure_id, learned)
        return learned

    async def _held(self, workspace_id: WorkspaceId, finder: Finder) -> _Held:
        jobs: set[JobId] = set()
        about: set[JobId] = set()
        results: set[int] = set()
        batches: set[BatchId] = set()
        for table in ("job_args", "batch_row"):
            async for seen in self._pages(workspace_id, table, finder, change=False):
                jobs |= seen.jobs
                about |= seen.about
                results |= seen.results
                batches |= seen.batches
        return _Held(frozenset(jobs), frozenset(about), frozenset(results), frozenset(batches))

    async def _rescue(self) -> None:
        """Take back what dead workers held, for there may be nobody else to."""
        await self._workers.bury()
        await self._jobs.rescue()

    async def _pass(self, workspace_id: WorkspaceId, traits: Traits, held: _Held) -> Counter[str]:
        """Go through all tables once; return how many rows lost something, by table."""
        finder = Finder(traits)
        known = await self.personal.known(workspace_id, traits)
        removed = Counter(
            await self.personal.erase_known(
                workspace_id,
                known,
                jobs=held.about,
                results=held.results,
                operations=self._operations,
            )
        )
        for table in SCANNED:
            async for seen in self._pages(workspace_id, table, finder, change=True):
                removed[table] += len(seen.rows)
                self._at("erased")
        hash_key = await self._ledger.hash_key(workspace_id)
        after: str | None = "0"
        while after is not None:
            seen = await self.personal.scan_answers(
                workspace_id, finder, after, jobs=held.about, hash_key=hash_key
            )
            removed["answer"] += len(seen.rows)
            after = seen.last
        return +removed

    async def _pages(
        self, workspace_id: WorkspaceId, table: str, finder: Finder, *, change: bool
    ) -> AsyncIterator[Seen]:
        after: str | None = None
        while True:
            seen = await self.personal.scan(workspace_id, table, finder, after, change=change)
            yield seen
            if seen.last is None:
                return
            after = seen.last


def person_keys(given: Mapping[str, str]) -> list[str]:
    """Return the keys (``scheme:value``) of the person that ``given`` identifies.

    Raises: InputError where it identifies no person.
    """
    identify(given)  # says what is wrong with it
    keys = subjects_of(given)
    if not keys:
        raise InputError(
            "give who is meant: email, linkedin_url, lead_id, contact_id, or name and company"
        )
    return keys


def traits_of(given: Mapping[str, str]) -> Traits:
    """Return by what an input says that a person is known.

    Raises: InputError where it identifies no person.
    """
    keys = person_keys(given)
    stated = [(str(name), value) for name, value in identify(given).known.items()]
    return _traits_of(
        Known(
            entities=(),
            keys=tuple((scheme, key) for scheme, _, key in (one.partition(":") for one in keys)),
            stated=tuple(one for one in stated if one[0].startswith("person_")),
            employers=tuple(str(value) for name, value in stated if name in _EMPLOYER),
        )
    )


def _traits_of(known: Known) -> Traits:
    told: dict[str, set[str]] = {}
    for field, value in known.stated:
        told.setdefault(field, set()).update(one.casefold() for one in _texts(value))
    keyed: dict[str, set[str]] = {}
    for scheme, key in known.keys:
        keyed.setdefault(scheme, set()).add(key)

    def of(*names: str) -> set[str]:
        return {one for name in names for one in told.get(name, ())}

    slugs = {*map(_slug, of("person_linkedin_url")), *map(_after_slash, keyed.get("linkedin", ()))}
    split = product(of("person_first_name"), of("person_last_name"))
    return Traits(
        emails=_sorted(
            {one for one in of("person_email") if not is_role(one)} | keyed.get("email", set())
        ),
        slugs=_sorted({form for one in slugs for form in (one, quote(one, safe="").casefold())}),
        urls=_sorted({_bare(one) for one in of(*_PROFILES)}),
        phones=_sorted(of("person_phone", "person_mobile")),
        names=_sorted({one for one in of("person_full_name") if " " in one}),
        split=tuple(sorted(split)),
        ids=_sorted(
            {*map(_after_slash, keyed.get("external", ()))}
            | keyed.get("apollo", set())
            | of("person_apollo_id")
        ),
        employers=_sorted(
            {one.casefold() for one in known.employers}
            | of("person_company_name", "person_company_domain")
        ),
        keys=_sorted({f"{scheme}:{key}" for scheme, key in known.keys} | _own_keys(known)),
    )


def _own_keys(known: Known) -> set[str]:
    """Return the keys of what sources state of the person and nobody shares: profile and Apollo's id."""
    return {
        key
        for field, value in known.stated
        if field in {"person_linkedin_url", "person_apollo_id"}
        for one in _texts(value)
        for key in subjects_of({field: one})
    }


def _after_slash(key: str) -> str:
    return key.partition("/")[2]


def _sorted(found: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(one for one in found if one))


def _texts(value: Json) -> list[str]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


def _slug(url: str) -> str:
    try:
        return parse_linkedin(url).slug.casefold()
    except ValueError:
        return ""


def _bare(url: str) -> str:
    return url.partition("://")[2].removeprefix("www.").rstrip("/") or url
