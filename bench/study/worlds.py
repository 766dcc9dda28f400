"""The worlds: who sells what at which price, and about whom one asks. Truth and coverage are the sandbox's."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from glaze.model.identity import Identity, identify
from glaze.model.provider import Operation, ProviderSpec
from glaze.model.value import FieldName, Micros
from glaze_sandbox.knowledge import Knowledge, Profile
from glaze_sandbox.world.entities import Person
from glaze_sandbox.world.make import segment_of
from glaze_sandbox.world.population import World

EMAIL, TITLE, PHONE = map(FieldName, ("person_email", "person_title", "person_phone"))
_BY = frozenset(map(FieldName, ("person_full_name", "company_domain")))
ASKED_BY = "+".join(sorted(_BY))
CONFIDENCE = 85
_CENT = 10_000


@dataclass(frozen=True)
class Vendor:
    """One vendor: its price in cents, whether misses cost it too, and what it knows.

    ``later`` is what it knows from the middle of the run on.
    """

    name: str
    cents: float
    hit: float
    fields: Mapping[FieldName, float]  # chance that a record holds the field
    misses_billed: bool = True
    by_region: Mapping[str, float] = field(default_factory=dict)  # us, eu, jp: added to ``hit``
    later: float | None = None

    @property
    def price(self) -> Micros:
        """The price of one question."""
        return Micros(round(self.cents * _CENT))

    @property
    def spec(self) -> ProviderSpec:
        """As Glaze sees it."""
        operation = Operation("find", (_BY,), dict.fromkeys(self.fields, CONFIDENCE), self.price)
        return ProviderSpec(self.name, (operation,))

    def knowledge(self, world: World, *, late: bool) -> Knowledge:
        """What it knows of a world's people; small companies are found less, as in the sandbox."""
        sizes = {"small": -0.1, "mid": 0.02, "large": 0.08}
        segments = {
            f"{region}-{size}": self.by_region.get(region, 0.0) + less
            for region in ("us", "eu", "jp")
            for size, less in sizes.items()
        }
        hit = self.later if late and self.later is not None else self.hit
        coverage = {"default": 0.0, **self.fields}
        profile = Profile(self.name, 0.0, hit, segments, coverage, wrong=0.03, stale=0.05)
        return Knowledge(profile, world)


@dataclass(frozen=True)
class Case:
    """One world of the study. ``fixed`` is the order that somebody once wrote down."""

    name: str
    story: str
    vendors: tuple[Vendor, ...]
    wanted: tuple[FieldName, ...]
    fixed: tuple[str, ...]
    reach: float | None  # most that learned may cost beside fixed

    @property
    def specs(self) -> list[ProviderSpec]:
        """The vendors as Glaze sees them."""
        return [vendor.spec for vendor in self.vendors]


@dataclass(frozen=True)
class Lead:
    """Somebody asked about: the input, who that is, the segment, and who knows what."""

    given: Mapping[str, str]
    identity: Identity
    region: str
    known_by: Mapping[str, frozenset[FieldName]]

    @property
    def country(self) -> str:
        """As the input states it."""
        return str(self.identity.known[FieldName("person_country")])

    @property
    def subject(self) -> str:
        """Who is asked about, as a run of the pipeline names it."""
        keys = [key for keys in self.identity.keys.values() for key in keys]
        return "|".join(sorted(f"{key.scheme}:{key.value}" for key in keys))


def leads(case: Case, seed: int, n: int) -> list[Lead]:
    """Return ``n`` people of the sandbox's world ``seed`` in an order by chance."""
    world = World(seed, n)
    people = [person for company in world.companies() for person in world.people_of(company)]
    random.Random(seed).shuffle(people)
    return list(_known(case, world, people[:n]))


def _known(case: Case, world: World, people: Sequence[Person]) -> Iterator[Lead]:
    knowledge = {
        (vendor.name, late): vendor.knowledge(world, late=late)
        for vendor in case.vendors
        for late in (False, True)
    }
    for place, person in enumerate(people):
        late = place >= len(people) // 2
        known_by = {}
        for vendor in case.vendors:
            believed = knowledge[vendor.name, late].person(person) or {}
            known_by[vendor.name] = frozenset(vendor.fields.keys() & believed.keys())
        truth = person.truth()
        given = {
            "person_full_name": truth["person_full_name"],
            "domain": truth["person_company_domain"],
            "country": truth["person_country"],
        }
        region = segment_of(person.company).partition("-")[0]
        yield Lead(given, identify(given), region, known_by)


_MAIL = {EMAIL: 0.92}
_BOTH = {EMAIL: 0.85, TITLE: 0.9}

CASES = (
    Case(
        "best",
        "The fixed order is already the best, though others could be as far as prices tell.",
        (
            Vendor("alder", 8, 0.82, _MAIL),
            Vendor("birch", 8.5, 0.60, _MAIL),
            Vendor("cedar", 10, 0.64, _MAIL),
            Vendor("elm", 12, 0.70, _MAIL),
        ),
        (EMAIL,),
        ("alder", "birch", "cedar", "elm"),
        1.05,
    ),
    Case(
        "poor",
        "The fixed order is poor: it begins with a dear one that knows little. Two fields are wanted.",
        (
            Vendor("alder", 3, 0.08, _BOTH),
            Vendor("birch", 8, 0.85, _BOTH),
            Vendor("cedar", 20, 0.45, _BOTH),
            Vendor("elm", 30, 0.35, _BOTH),
        ),
        (EMAIL, TITLE),
        ("elm", "cedar", "alder", "birch"),
        0.7,
    ),
    Case(
        "regions",
        "Each knows another part of the world; one knows a little of all.",
        (
            Vendor("atlas", 12, 0.08, _MAIL, by_region={"us": 0.8}),
            Vendor("boreas", 12, 0.08, _MAIL, by_region={"eu": 0.8}),
            Vendor("kaze", 12, 0.08, _MAIL, by_region={"jp": 0.8}),
            Vendor("terra", 18, 0.55, _MAIL),
        ),
        (EMAIL,),
        ("atlas", "boreas", "kaze", "terra"),
        None,
    ),
    Case(
        "drift",
        "In mid-run the best one loses its data, and a poor one gets it.",
        (
            Vendor("alder", 12, 0.85, _MAIL, later=0.2),
            Vendor("birch", 12, 0.2, _MAIL, later=0.85),
            Vendor("cedar", 25, 0.6, _MAIL),
        ),
        (EMAIL,),
        ("alder", "birch", "cedar"),
        None,
    ),
    Case(
        "hits",
        "Only hits cost, as Hunter, Apollo and People Data Labs have it, at their prices; three fields.",
        (
            Vendor("hunter", 2.45, 0.6, {EMAIL: 0.93, TITLE: 0.85}, misses_billed=False),
            Vendor("apollo", 10, 0.66, {EMAIL: 0.84, TITLE: 0.96}, misses_billed=False),
            Vendor("pdl", 28, 0.64, {EMAIL: 0.7, TITLE: 0.92, PHONE: 0.45}, misses_billed=False),
        ),
        (EMAIL, TITLE, PHONE),
        ("apollo", "hunter", "pdl"),
        None,
    ),
)
