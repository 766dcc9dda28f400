"""Everything that one sandbox holds, put together in one place."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO

from glaze_sandbox.billing import BillingLog, Clock
from glaze_sandbox.faults import FaultPlan
from glaze_sandbox.limits import RateLimits
from glaze_sandbox.nameserver import Zone
from glaze_sandbox.receiver import RECEIVER_HOST, Receiver
from glaze_sandbox.seeded import rng
from glaze_sandbox.sender import Sender
from glaze_sandbox.sites.render import Site, render_site
from glaze_sandbox.vendors.anthropic import Anthropic
from glaze_sandbox.vendors.apollo import Apollo
from glaze_sandbox.vendors.brave import Brave
from glaze_sandbox.vendors.brightdata import BrightData
from glaze_sandbox.vendors.clearbit import Clearbit
from glaze_sandbox.vendors.companies_house import CompaniesHouse
from glaze_sandbox.vendors.enrichlayer import EnrichLayer
from glaze_sandbox.vendors.exa import Exa
from glaze_sandbox.vendors.github import GitHub
from glaze_sandbox.vendors.gleif import Gleif
from glaze_sandbox.vendors.gravatar import Gravatar
from glaze_sandbox.vendors.hunter import Hunter
from glaze_sandbox.vendors.model import Habits, StandIn
from glaze_sandbox.vendors.openai import OpenAI
from glaze_sandbox.vendors.people_data_labs import PeopleDataLabs
from glaze_sandbox.vendors.rdap import Rdap
from glaze_sandbox.vendors.sec_edgar import SecEdgar
from glaze_sandbox.vendors.serper import Serper
from glaze_sandbox.vendors.social import Social
from glaze_sandbox.vendors.tavily import Tavily
from glaze_sandbox.vendors.wikidata import Wikidata
from glaze_sandbox.vendors.zerobounce import ZeroBounce
from glaze_sandbox.wire import Remembers, Vendor
from glaze_sandbox.world.population import World

SITES_KEPT = 2_000  # rendered sites in memory: about 25 kB each


def utc_now() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)  # noqa: TID251  the composition root's clock


@dataclass
class State:
    """The world, the vendors over it, and what has happened to them."""

    world: World
    zone: Zone
    billing: BillingLog
    faults: FaultPlan
    limits: RateLimits
    model: StandIn
    vendors: dict[str, Vendor]  # by host
    receiver: Receiver = field(default_factory=Receiver)
    sender: Sender = field(default_factory=Sender)
    requests: Counter[str] = field(default_factory=Counter)  # by vendor, or ``sites``
    statuses: Counter[str] = field(default_factory=Counter)  # by "vendor status"
    unbilled: Counter[str] = field(default_factory=Counter)  # by vendor
    hung_up: int = 0  # clients that went away before the end of an answer
    canary: int = 0  # requests that a guard should have stopped

    def __post_init__(self) -> None:
        """Keep the rendered sites of this world."""
        self._rendered = lru_cache(maxsize=SITES_KEPT)(self._render)

    def _render(self, index: int) -> Site:
        return render_site(self.world, self.world.company(index))

    def site(self, host: str) -> Site | None:
        """Return the site that answers at ``host``, None where the world has none."""
        company = self.world.by_domain(host)
        if company is None or self.world.is_dead(company):
            return None
        return self._rendered(company.index)

    def reset(self) -> None:
        """Forget bills, webhooks, counters, faults, limits, habits, DNS memory; the world stays."""
        self.billing.clear()
        self.faults.clear()
        self.limits.replace([])
        self.limits.forget()
        self.zone.forget()
        self.model.habits = Habits()
        for vendor in self.vendors.values():
            if isinstance(vendor, Remembers):
                vendor.forget()
        self.requests.clear()
        self.statuses.clear()
        self.unbilled.clear()
        self.receiver.messages.clear()
        self.hung_up = 0
        self.canary = 0


def new_state(
    seed: int = 7, companies: int = 500, billing_sink: IO[str] | None = None, clock: Clock = utc_now
) -> State:
    """Return a fresh sandbox over the world of ``seed``."""
    world = World(seed, companies)
    limits = RateLimits(time.monotonic)
    model = StandIn(seed)
    vendors: list[Vendor] = [
        Apollo(world, limits, clock),
        BrightData(world, clock),
        Clearbit(world, limits, clock),
        EnrichLayer(world),
        Gleif(world),
        Hunter(world),
        PeopleDataLabs(world, limits, clock),
        Rdap(world),
        Serper(world),
        Brave(world, limits),
        Tavily(world),
        Exa(world),
        OpenAI(seed, clock, model),
        Anthropic(seed, model, clock),
        ZeroBounce(world, clock),
        GitHub(world, clock),
        Gravatar(world, clock),
        Wikidata(world),
        CompaniesHouse(world, clock),
        SecEdgar(world),
        Social(world),
    ]
    by_host = {host: vendor for vendor in vendors for host in vendor.hosts}
    return State(
        world=world,
        zone=Zone(world, frozenset(by_host) | {RECEIVER_HOST}),
        billing=BillingLog(clock, billing_sink),
        faults=FaultPlan(rng(seed, "faults")),
        limits=limits,
        model=model,
        vendors=by_host,
    )
