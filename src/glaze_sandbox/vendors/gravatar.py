"""Gravatar: what some people made public under the hash of their address."""

import math
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256

from glaze_sandbox.billing import Clock
from glaze_sandbox.limits import Left
from glaze_sandbox.seeded import draw
from glaze_sandbox.vendors.github import has_account
from glaze_sandbox.wire import ANYONE, Answer, Call, json_answer
from glaze_sandbox.world.entities import Person
from glaze_sandbox.world.population import World

PROFILES = 0.18  # share of the people with an address
OUTDATED = 0.15  # share of the profiles: the job is a former one


class Gravatar:
    """Plays ``api.gravatar.com``."""

    name = "gravatar"
    hosts = ("api.gravatar.com",)

    def __init__(self, world: World, clock: Clock) -> None:
        """Draw the profiles out of ``world``; ``clock`` says when a window ends."""
        self._world = world
        self._clock = clock

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {
            sha256(person.email.encode()).hexdigest(): person
            for company in self._world.companies()
            for person in self._world.people_of(company)
            if person.email and draw("gravatar", person.slug) < PROFILES
        }

    def key_of(self, call: Call) -> str:
        """Return the Bearer key, or what everybody has."""
        return call.bearer() or ANYONE

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return json_answer(401, {"error": "Invalid API key", "code": "unauthorized"})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with the moment at which the window ends."""
        ends = int(self._clock().timestamp() + max(1, round(retry_after_s)))
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(ends)}
        return json_answer(429, {"error": "Rate limit exceeded"}, headers=headers)

    def room_headers(self, lefts: Sequence[Left]) -> dict[str, str]:
        """Return what is left of the window, and the moment at which it ends."""
        return {
            name: value
            for one in lefts[:1]
            for name, value in (
                ("x-ratelimit-limit", str(one.calls)),
                ("x-ratelimit-remaining", str(one.left)),
                ("x-ratelimit-reset", str(math.ceil(self._clock().timestamp() + one.reset_s))),
            )
        }

    def answer(self, call: Call) -> Answer:
        """Answer one profile."""
        digest = call.path.removeprefix("/v3/profiles/")
        person = self._people.get(digest)
        if person is None:
            return json_answer(404, {"error": "Profile not found", "code": "not_found"})
        return json_answer(200, _profile(person, digest))


def _profile(person: Person, digest: str) -> dict[str, object]:
    former = draw("gravatar", "former", person.slug) < OUTDATED
    accounts = [
        {"service_type": "github", "service_label": "GitHub", "is_hidden": False,
         "url": f"https://github.com/{person.slug}"},
    ]  # fmt: skip
    return {
        "hash": digest,
        "display_name": person.full_name,
        "profile_url": f"https://gravatar.com/{person.slug}",
        "avatar_url": f"https://0.gravatar.com/avatar/{digest}",
        "location": person.company.address.city,
        "description": "",
        "job_title": "Student" if former else person.title,
        "company": "University" if former else person.company.name,
        "verified_accounts": accounts if has_account(person) else [],
        "pronouns": "",
    }
