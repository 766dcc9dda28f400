"""GitHub's public accounts: companies', their people's, and those of strangers of the same name."""

import math
from collections.abc import Sequence

from glaze_sandbox.billing import Clock
from glaze_sandbox.limits import Left
from glaze_sandbox.seeded import draw
from glaze_sandbox.wire import ANYONE, Answer, Call, json_answer
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World

NAMES_SITE = 0.75  # share of the companies' accounts that name the site
STRANGERS = 0.4  # share of the companies without account whose name somebody else has taken
PEOPLE = 0.2  # share of the people who have an account


class GitHub:
    """Plays ``api.github.com``."""

    name = "github"
    hosts = ("api.github.com",)

    def __init__(self, world: World, clock: Clock) -> None:
        """Draw the accounts out of ``world``; ``clock`` says when a window ends."""
        self._world = world
        self._clock = clock

    def key_of(self, call: Call) -> str:
        """Return the token, or what everybody has."""
        return call.bearer() or ANYONE

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return json_answer(401, {"message": "Bad credentials", "status": "401"})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 403 with the moment at which the window ends."""
        ends = int(self._clock().timestamp() + max(1, round(retry_after_s)))
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(ends)}
        return json_answer(403, {"message": "API rate limit exceeded"}, headers=headers)

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
        """Answer one account."""
        login = call.path.removeprefix("/users/").lower()
        company, person = self._world.by_slug(login), self._world.person_by_slug(login)
        if company is not None and company.github:
            return json_answer(200, _organisation(company))
        if company is not None and draw("github", "stranger", company.slug) < STRANGERS:
            return json_answer(200, _stranger(company))
        if person is not None and has_account(person):
            return json_answer(200, _user(person))
        return json_answer(404, {"message": "Not Found", "status": "404"})


def has_account(person: Person) -> bool:
    """Tell whether the person has an account; its login is the slug of the profile."""
    return draw("github", "person", person.slug) < PEOPLE


def _account(login: str, kind: str, **more: object) -> dict[str, object]:
    empty = dict.fromkeys(("name", "company", "blog", "location", "email", "bio"))
    return {
        "login": login,
        "type": kind,
        "html_url": f"https://github.com/{login}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{len(login)}?v=4",
        "twitter_username": None,
        "followers": 12,
        **empty,
        **more,
    }


def _organisation(company: Company) -> dict[str, object]:
    names_site = draw("github", "site", company.domain) < NAMES_SITE
    return _account(
        company.slug,
        "Organization",
        name=company.name,
        blog=company.url if names_site else "",
        location=f"{company.address.city}, {BY_CODE[company.address.country].name}",
        email=company.email if draw("github", "email", company.domain) < NAMES_SITE / 2 else None,
        bio=company.description,
        twitter_username=company.twitter,
    )


def _stranger(company: Company) -> dict[str, object]:
    site = f"https://{company.slug}-games.example"
    return _account(company.slug, "Organization", name=company.name, blog=site, location="Mars")


def _user(person: Person) -> dict[str, object]:
    return _account(
        person.slug,
        "User",
        name=person.full_name,
        company=f"@{person.company.name}",
        bio=person.title,
    )
