"""Bright Data: LinkedIn pages collected on demand: trigger, progress, snapshot, and a notice.

Shapes follow the vendor's documentation and SDK. Its habits: a page is collected some seconds after
the trigger and charged then, whether anybody fetches it or not; a page that is not there is a record
with an ``error``, and free; some collections fail as a whole, free of charge.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from glaze_sandbox.billing import Clock
from glaze_sandbox.knowledge import BRIGHTDATA, Knowledge
from glaze_sandbox.seeded import draw, hex_id
from glaze_sandbox.wire import Answer, Call, Callback, Charge, json_answer
from glaze_sandbox.world.entities import Truth
from glaze_sandbox.world.population import World

RECORD_MICROS = 2_000
FAILING_SHARE = 0.03  # of the collections
QUICKEST_S, SLOWEST_S = 0.5, 2.5
DIGESTING_S = 0.3  # before it is ready
MOST_PAGES = 5_000
_ROOT = "/datasets/v3"
_DATASETS = {"gd_l1viktl72bvl7bjuj0": "profile", "gd_l1vikfnt1wgvvqz95w": "company"}

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What one trigger collects."""

    key: str
    records: tuple[Record, ...]
    fails: bool
    ready_at: float


class BrightData:
    """Plays ``api.brightdata.com``."""

    name = "brightdata"
    hosts = ("api.brightdata.com",)

    def __init__(self, world: World, clock: Clock) -> None:
        """Draw what the vendor believes out of ``world``."""
        self._world = world
        self._clock = clock
        self._known = Knowledge(BRIGHTDATA, world)
        self._triggers = 0
        self._snapshots: dict[str, _Snapshot] = {}

    def forget(self) -> None:
        """Forget every snapshot."""
        self._snapshots.clear()

    def key_of(self, call: Call) -> str:
        """Return the Bearer token."""
        return call.bearer()

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(401, "Invalid credentials")

    def refuse_credits(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 402."""
        return _error(402, "Account balance is too low")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429."""
        return _error(429, "Too many requests")

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        path = call.path.removeprefix(_ROOT)
        if call.method == "POST" and path == "/trigger":
            return self._trigger(call)
        _, kind, snapshot_id = (*path.split("/"), "", "")[:3]
        shows: dict[str, Callable[[_Snapshot, str], Answer]] = {
            "progress": self._progress,
            "snapshot": self._fetch,
        }
        snapshot = self._snapshots.get(snapshot_id)
        if call.method != "GET" or kind not in shows or snapshot is None:
            return _error(404, "Snapshot does not exist" if kind in shows else "Not found")
        if snapshot.key != self.key_of(call):
            return _error(404, "Snapshot does not exist")
        return shows[kind](snapshot, snapshot_id)

    def _trigger(self, call: Call) -> Answer:
        operation = _DATASETS.get(call.query.get("dataset_id", ""))
        asked = call.json()
        if operation is None:
            return _error(404, "dataset does not exist")
        if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_PAGES:
            return _error(400, "Invalid input: between 1 and 5000 urls")
        urls = [str(one.get("url", "")) if isinstance(one, dict) else "" for one in asked]
        if not all("linkedin.com/" in url for url in urls):
            return _error(400, "This input should be a valid url of linkedin.com")
        self._triggers += 1
        snapshot_id = f"s_{hex_id(self._world.seed, 'brightdata', self._triggers, length=20)}"
        fails = draw(self._world.seed, "brightdata-fails", *urls) < FAILING_SHARE
        pace = draw(self._world.seed, "brightdata-pace", snapshot_id)
        wait_s = QUICKEST_S + pace * (SLOWEST_S - QUICKEST_S)
        records = tuple(self._record(operation, url) for url in urls)
        self._snapshots[snapshot_id] = _Snapshot(
            self.key_of(call), records, fails, self._clock().timestamp() + wait_s
        )
        charges = tuple(
            Charge(operation, f"linkedin:{_slug(url)}", 1, RECORD_MICROS)
            for url, record in zip(urls, records, strict=True)
            if "error" not in record and not fails
        )
        notify = call.query.get("notify")
        status = "failed" if fails else "ready"
        notice = json.dumps({"snapshot_id": snapshot_id, "status": status}).encode()
        shown = {"Authorization": call.query.get("auth_header", "")}
        callbacks = (Callback(notify, notice, shown, wait_s),) if notify else ()
        return json_answer(
            200,
            {"snapshot_id": snapshot_id},
            charges=charges,
            request_id=snapshot_id,
            callbacks=callbacks,
        )

    def _status(self, snapshot: _Snapshot) -> str:
        left_s = snapshot.ready_at - self._clock().timestamp()
        if left_s > 0:
            return "digesting" if left_s < DIGESTING_S else "collecting"
        return "failed" if snapshot.fails else "ready"

    def _progress(self, snapshot: _Snapshot, snapshot_id: str) -> Answer:
        status = self._status(snapshot)
        return json_answer(200, {"snapshot_id": snapshot_id, "status": status})

    def _fetch(self, snapshot: _Snapshot, snapshot_id: str) -> Answer:
        status = self._status(snapshot)
        if status == "ready":
            return json_answer(200, list(snapshot.records), request_id=snapshot_id)
        if status == "failed":
            return _error(400, "Snapshot failed")
        told = {"status": "running", "message": "Snapshot is not ready yet, try again in 10s"}
        return json_answer(202, told)

    def _record(self, operation: str, url: str) -> Record:
        record = self._profile(url) if operation == "profile" else self._page(url)
        return record or {"input": {"url": url}, "error": "dead_page", "error_code": "dead_page"}

    def _profile(self, url: str) -> Record | None:
        person = self._world.person_by_slug(_slug(url))
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return None
        employer = believed.get("person_title") and person.company.name  # hidden for nearly all
        return {
            "id": person.slug,
            "url": url,
            "name": person.full_name,
            "city": believed.get("person_city"),
            "country_code": believed.get("person_country"),
            "position": None,
            "about": None,
            "current_company": {"name": employer},
            "experience": None,
            "followers": 120 + 7 * person.number,
        }

    def _page(self, url: str) -> Record | None:
        company = self._world.by_slug(_slug(url))
        believed: Truth | None = self._known.company(company) if company else None
        if company is None or believed is None:
            return None
        return {
            "id": company.slug,
            "url": url,
            "name": believed["company_name"],
            "website": believed["company_website"],
            "about": believed.get("company_description"),
            "industries": believed.get("company_industry"),
            "company_size": f"{believed['company_size']} employees"
            if "company_size" in believed
            else None,
            "founded": believed.get("company_founded_year"),
            "country_code": believed.get("company_country"),
            "followers": 900,
        }


def _slug(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].lower()


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer(status, {"error": message}, headers=headers)
