"""Personal data in the tables: which hold any, what is found of one person, and what is left of it."""

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from glaze.errors import NotFound
from glaze.model.personal import Finder, Traits, is_erased
from glaze.model.value import BatchId, EntityId, JobId, Json, WorkspaceId
from glaze.store import suppression
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.turns import Meets, take_turn, whatever

_sql = statements("personal")

PAGE = 500
"""Rows that one statement looks at, so that none takes long."""

Change = Callable[[Finder, Json], Json]


def _document(finder: Finder, document: Json) -> Json:
    return finder.erase(document)


def _columns(finder: Finder, document: Json) -> Json:
    return finder.redact(document)


def _body(finder: Finder, text: Json) -> Json:
    """Erase from a text that is JSON itself."""
    kept = json.loads(str(text))
    left = finder.erase(kept)
    return text if left == kept else json.dumps(left, ensure_ascii=False)


def _winner(finder: Finder, document: Json) -> Json:
    """Erase from an entity's field: one that was about the person has no field left."""
    left = finder.erase(document)
    return {} if is_erased(left) else left


SCANNED: Mapping[str, Change] = {
    "job_args": _document,
    "batch_row": _document,
    "result": _document,
    "event": _document,
    "record": _document,
    "job_callback": _document,
    "schedule": _document,
    "webhook_delivery": _body,
    "webhook_attempt": _columns,
    "job": _columns,
    "batch": _columns,
    "workflow": _columns,
    "search": _columns,
    "payment": _columns,
    "credit_entry": _columns,
    "saved_view": _columns,
    "idempotency_key": _columns,
    "audit": _columns,
    "call": _columns,
    "vendor_request": _columns,
    "observation": _document,
    "entity_field": _winner,
    "decision": _winner,
    "icp_score": _document,
}
"""Tables that are looked through row by row, and how what is found in a row is taken out."""

ERASED = frozenset(SCANNED) | {
    "answer",
    "callback",
    "entity",
    "entity_key",
    "erasure",
    "job_tag",  # follows what a job is tagged with
    "question",
}
"""Tables that may hold personal data: a person is erased from each."""

FREE: Mapping[str, str] = {
    "api_key": "names that an admin gave keys, and hashes",
    "asking_rule": "kinds, fields and providers",
    "budget": "money, and what it is a cap of",
    "calibration": "how often sources were right",
    "circuit": "which vendors fail",
    "data_key": "keys that encrypt vendors' keys",
    "dead_alert": "kinds of jobs",
    "fresh_time": "fields and days",
    "icp": "what a good customer is like",
    "invitation": "the workspace's own people, who may sign in",
    "login_attempt": "hashes",
    "member": "the workspace's own people, who sign in",
    "seat_claim": "providers and processes",
    "session": "hashes",
    "paused_price": "providers and money",
    "queue": "names of queues",
    "rate_slot": "providers and times",
    "schema_migration": "names of migrations",
    "spend_cap": "providers and money",
    "suppression": "keyed hashes: without them nobody could be kept away",
    "vendor_room": "what vendors say is left",
    "vendor_seat": "providers and processes",
    "vendor_key": "vendors' keys, encrypted",
    "webhook": "endpoints of the workspace's own, and salts",
    "worker": "machines and processes",
    "workspace": "names of workspaces, and keys",
}
"""Tables with text or JSON in which no lead is named, and what it is instead."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One request to erase a person. ``removed`` counts rows by table; names nobody once finished."""

    id: int
    asked_by: str
    traits: Traits | None  # None once they are erased
    removed: Mapping[str, int]
    passes: int
    job_id: JobId | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the person whom some keys lead to."""

    entities: tuple[EntityId, ...]
    keys: tuple[tuple[str, str], ...]  # scheme and key
    stated: tuple[tuple[str, Json], ...]  # field and value
    employers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of a table: the rows that changed, or would, and where the next page begins."""

    rows: Sequence[Mapping[str, Any]]
    last: str | None
    jobs: frozenset[JobId] = frozenset()  # that these rows are the arguments of
    about: frozenset[JobId] = frozenset()  # among them, those about nobody else
    results: frozenset[int] = frozenset()  # of those
    batches: frozenset[BatchId] = frozenset()  # that these rows are in


@dataclass(frozen=True, slots=True)
class Retained:
    """For how many days a workspace keeps things; None: as the settings say."""

    answers_days: float | None = None
    results_days: float | None = None
    events_days: float | None = None
    logs_days: float | None = None


class PersonalStore:
    """Finds and erases a person in one workspace, in short transactions that can be done again."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    # -- erasures --------------------------------------------------------------------------------

    async def begin(self, workspace_id: WorkspaceId, traits: Traits, actor: str) -> int:
        """Suppress the person and record that they are to be erased; return the erasure's id."""
        async with self._db.workspace(workspace_id) as conn:
            await suppression.suppress(conn, traits.keys)
            row = await _one(conn, "begin", by=actor, traits=Jsonb(traits.as_json()))
            assert row is not None  # noqa: S101  an insert returns its row
            await note(conn, Deed(actor, "people.erase", str(row["id"])))
        return int(row["id"])

    async def get(self, workspace_id: WorkspaceId, erasure_id: int) -> Erasure:
        """Return an erasure. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            row = await _one(conn, "get", erasure=erasure_id)
        if row is None:
            raise NotFound(f"there is no erasure {erasure_id}")
        return _erasure(row)

    async def page(
        self, workspace_id: WorkspaceId, n: int = 100, *, before: int | None = None
    ) -> list[Erasure]:
        """Return up to ``n`` erasures, newest first, below the id ``before``."""
        async with self._db.workspace(workspace_id) as conn:
            return [_erasure(row) for row in await _all(conn, "page", n=n, before=before)]

    async def given_to(self, workspace_id: WorkspaceId, erasure_id: int, job_id: JobId) -> None:
        """Record which job goes on with it."""
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["of_job"], {"erasure": erasure_id, "job": job_id})

    async def learn(self, workspace_id: WorkspaceId, erasure_id: int, traits: Traits) -> None:
        """Record what else the person is known by, and suppress them by that, too."""
        async with self._db.workspace(workspace_id) as conn:
            await suppression.suppress(conn, traits.keys)
            params = {"erasure": erasure_id, "traits": Jsonb(traits.as_json())}
            await conn.execute(_sql["learn"], params)

    async def passed(
        self, workspace_id: WorkspaceId, erasure_id: int, removed: Mapping[str, int]
    ) -> None:
        """Count what one pass through all tables removed."""
        params = {"erasure": erasure_id, "removed": Jsonb(dict(removed))}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["passed"], params)

    async def finish(self, workspace_id: WorkspaceId, erasure_id: int, actor: str) -> None:
        """Forget by what the person was known, too."""
        async with self._db.workspace(workspace_id) as conn:
            if await _one(conn, "finish", erasure=erasure_id) is not None:
                await note(conn, Deed(actor, "people.erased", str(erasure_id)))

    async def open_transactions(self) -> frozenset[str]:
        """Return the transactions that are under way in this database, whoever's."""
        async with self._db.fleet() as conn:
            return frozenset(row["name"] for row in await _all(conn, "open_transactions"))

    # -- looking ---------------------------------------------------------------------------------

    async def known(self, workspace_id: WorkspaceId, traits: Traits) -> Known:
        """Return what is stored of whoever has these keys, addresses or profiles."""
        named = [
            dict(zip(("scheme", "key"), key.split(":", 1), strict=True)) for key in traits.keys
        ]
        profiles = [f"https://www.linkedin.com/in/{slug}" for slug in traits.slugs]
        async with self._db.workspace(workspace_id) as conn:
            found = await _all(
                conn, "entities", keys=Jsonb(named), values=[*traits.emails, *profiles]
            )
            ids = {"entities": [row["id"] for row in found]}
            led = await _all(conn, "keys", **ids)
            stated = await _all(conn, "stated", **ids)
            employers = await _all(conn, "employers", **ids)
        return Known(
            entities=tuple(EntityId(id_) for id_ in ids["entities"]),
            keys=tuple((row["scheme"], row["key"]) for row in led),
            stated=tuple((row["field"], row["value"]) for row in stated),
            employers=tuple(row["name"] for row in employers if row["name"]),
        )

    async def shared(self, workspace_id: WorkspaceId, values: Collection[str]) -> frozenset[str]:
        """Return which phone numbers and addresses, in lower case, companies have as well."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _all(conn, "shared", values=list(values))
        return frozenset(row["value"] for row in rows)

    async def under_way(
        self, workspace_id: WorkspaceId, jobs: Collection[JobId], batches: Collection[BatchId]
    ) -> bool:
        """Tell whether a worker holds one of the jobs, or a call for them or the batches' rows is on its way.

        What comes of calls whose time is over is not kept.
        """
        which = {"jobs": sorted(jobs), "batches": sorted(batches)}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["close_calls"], which)
            row = await _one(conn, "under_way", **which)
        return bool(row and row["n"])

    async def stories(self, workspace_id: WorkspaceId, known: Known) -> list[dict[str, Any]]:
        """Return a row for every value stated of these entities: source, call, cost, who asked."""
        async with self._db.workspace(workspace_id) as conn:
            return await _all(conn, "where_from", entities=list(known.entities))

    async def decided(self, workspace_id: WorkspaceId, known: Known) -> list[dict[str, Any]]:
        """Return a row for every decision of a person's about them."""
        async with self._db.workspace(workspace_id) as conn:
            return await _all(conn, "decided", entities=list(known.entities))

    async def scan(
        self,
        workspace_id: WorkspaceId,
        table: str,
        finder: Finder,
        after: str | None,
        *,
        change: bool,
    ) -> Seen:
        """Look at the next page of one of the ``SCANNED`` tables; with ``change`` take out what is found."""
        alter = SCANNED[table]
        begin = "" if table in _TEXT_KEYS else "0"
        async with self._db.workspace(workspace_id) as conn:
            where = {"after": begin if after is None else after, "like": finder.prefilter}
            found = await _all(conn, f"find_{table}", n=PAGE, **where)
            rows = [
                {"key": row["key"], "doc": left}
                for row in found
                if row["key"] is not None
                and (left := alter(finder, row["doc"])) is not row["doc"]
                and left != row["doc"]
            ]
            jobs, about, results = await _linked(conn, table, rows)
            if change and rows:
                await conn.execute(_sql[f"write_{table}"], {"rows": Jsonb(rows)})
                if table == "job_args":
                    await conn.execute(_sql["forget_keys"], {"jobs": sorted(about)})
        batches = {BatchId(row["key"][0]) for row in rows} if table == "batch_row" else ()
        last = found[0]["last"] if found else None
        return Seen(rows, last, jobs, about, results, frozenset(batches))

    async def scan_answers(
        self,
        workspace_id: WorkspaceId,
        finder: Finder,
        after: str,
        *,
        jobs: Collection[JobId],
        hash_key: bytes,
    ) -> Seen:
        """Look at the next page of raw answers, and keep of each what does not name the person.

        To ``jobs``, which are about nobody else, a name alone is theirs.
        """
        async with self._db.workspace(workspace_id) as conn:
            found = await _all(conn, "find_answer", n=PAGE, after=after, jobs=sorted(jobs))
            left = [
                {"key": row["key"], **kept}
                for row in found
                if (
                    kept := _answer_without(
                        finder, bytes(row["body"]), hash_key, theirs=bool(row["theirs"])
                    )
                )
            ]
            if left:
                await conn.execute(_sql["write_answer"], {"rows": Jsonb(left)})
        return Seen(left, str(found[-1]["key"]) if len(found) == PAGE else None)

    # -- erasing ---------------------------------------------------------------------------------

    async def erase_known(
        self,
        workspace_id: WorkspaceId,
        known: Known,
        *,
        jobs: Collection[JobId],
        results: Collection[int],
        operations: Collection[str],
    ) -> dict[str, int]:
        """Erase entities with all that was stated of them, and of the calls about them all but money.

        ``jobs`` are about nobody else: what they found (``results``) and said goes as well.

        ``operations`` (``provider.operation``) are those that people are asked about: a call of one
        that ``jobs`` made was about the person, though it found nobody.
        """
        ids = {"entities": list(known.entities)}
        asked = {"jobs": sorted(jobs), "operations": sorted(operations)}
        async with self._db.workspace(workspace_id) as conn:
            calls = await _all(
                conn, "calls", **ids, **asked, entity_texts=[*map(str, known.entities)]
            )
            told = {
                "calls": [row["id"] for row in calls],
                "questions": sorted({row["question_id"] for row in calls}),
            }
            of_calls = await _one(conn, "erase_calls", **ids, **told) if calls else None
            of_entities = await _one(conn, "erase_entities", **ids) if known.entities else None
            if known.entities:
                await conn.execute(_sql["remove_entities"], ids)
            linked = {"jobs": asked["jobs"], "results": sorted(results)}
            of_jobs = await _one(conn, "erase_linked", **linked)
        counts = {"call": of_calls, "entity": of_entities, "result": of_jobs}
        return {name: row["n"] for name, row in counts.items() if row and row["n"]}

    # -- retention -------------------------------------------------------------------------------

    async def retained(self, workspace_id: WorkspaceId) -> Retained:
        """Return for how long the workspace keeps things."""
        async with self._db.workspace(workspace_id) as conn:
            return await _retained(conn)

    async def retain(
        self,
        workspace_id: WorkspaceId,
        days: Retained,
        actor: str,
        meets: Meets[Retained] = whatever,
    ) -> None:
        """Set for how long the workspace keeps things; ``meets`` is shown how long until now."""
        said: dict[str, Any] = {name: getattr(days, name) for name in Retained.__slots__}
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "retention")
            meets(await _retained(conn))
            await conn.execute(_sql["set_retention"], said)
            await note(conn, Deed(actor, "retention.set", detail=said))


async def _retained(conn: Connection) -> Retained:
    row = await _one(conn, "retention")
    return Retained(**row) if row else Retained()


_TEXT_KEYS = frozenset({"record", "idempotency_key", "payment"})


async def _linked(
    conn: Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> tuple[frozenset[JobId], frozenset[JobId], frozenset[int]]:
    """Return the jobs that rows are the arguments of, those about the person alone, and their results."""
    about = [row["key"] for row in rows if is_erased(row["doc"])]
    if table == "job_args":
        jobs = [row["key"] for row in rows]
        theirs = await _all(conn, "results_of_jobs", jobs=about)
    elif table == "batch_row":
        found = [
            await _all(conn, "jobs_of_rows", rows=Jsonb([{"key": key} for key in keys]))
            for keys in ([row["key"] for row in rows], about)
        ]
        jobs, theirs = [row["id"] for row in found[0] if row["id"]], found[1]
    else:
        return frozenset(), frozenset(), frozenset()
    return (
        frozenset(map(JobId, jobs)),
        frozenset(JobId(row["id"]) for row in theirs if row["id"]),
        frozenset(int(row["result_id"]) for row in theirs if row["result_id"]),
    )


def _answer_without(
    finder: Finder, stored: bytes, hash_key: bytes, *, theirs: bool
) -> dict[str, str] | None:
    """Return an answer's row without the person; None where it does not name them.

    How it was come by goes then, for it quotes the answer.
    """
    kept: dict[str, Any] = json.loads(zlib.decompress(stored))
    raw = base64.b64decode(kept["raw"]).decode("utf-8", "surrogateescape")
    how: dict[str, Any] = kept.get("recording") or {}
    # Bodies of exchanges are kept byte by byte: as text they are read here alone.
    bodies = [
        (one.get("body") or "").encode("latin-1", "ignore") for one in how.get("exchanges", ())
    ]
    told = [one.decode("utf-8", "ignore") for one in bodies]
    whole: Json = [*map(_parsed, (raw, *told)), kept["pages"], how]
    if not (finder.mentions(whole) if theirs else finder.concerns(whole)):
        return None
    raw = _raw_without(finder, raw)
    pages = [{name: finder.marked(text) for name, text in one.items()} for one in kept["pages"]]
    body = raw.encode("utf-8", "surrogateescape")
    plain = {"raw": base64.b64encode(body).decode(), "pages": pages}
    if plain == {name: kept[name] for name in plain} and "recording" not in kept:
        return None
    text = json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return {
        "body": base64.b64encode(zlib.compress(text, 1)).decode(),
        "digest": hmac.new(hash_key, body, hashlib.sha256).hexdigest(),
    }


def _raw_without(finder: Finder, raw: str) -> str:
    document = _parsed(raw)
    if document is raw:
        return finder.marked(raw)
    left = finder.purge(document)
    return raw if left == document else json.dumps(left, ensure_ascii=False)


def _parsed(text: str) -> Json:
    """Return what a text says as JSON, or the text where it is none."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return text
    return found


def _erasure(row: Mapping[str, Any]) -> Erasure:
    traits = row["traits"]
    return Erasure(**{**row, "traits": None if traits is None else Traits.from_json(traits)})


async def _all(conn: Connection, name: str, **params: object) -> list[dict[str, Any]]:
    return await (await conn.execute(_sql[name], params)).fetchall()


async def _one(conn: Connection, name: str, **params: object) -> dict[str, Any] | None:
    return await (await conn.execute(_sql[name], params)).fetchone()
