"""What does not work now, while the rest goes on: told apart from being down."""

from glaze.boot.providers import Providers
from glaze.boot.standing import standings
from glaze.model.provider import Tier
from glaze.pipeline.credentials import Reach
from glaze.settings import Settings
from glaze.store.health import Health


def degraded(
    settings: Settings, installed: Providers, health: Health, reach: Reach, *, workers: int
) -> list[str]:
    """Return what is missing or left alone now, in a few words each; empty where all works.

    Args:
        settings: What the process was started with.
        installed: The providers.
        health: How they fare.
        reach: Whom the workspace can ask.
        workers: How many workers of the fleet live.
    """
    found = standings(settings, installed, health, reach)
    usable = [one for one in found if not one.not_in_use]
    told = [f"{one.spec.name}: {one.state}" for one in usable if one.state != "ready"]
    if not any(one.spec.tier is Tier.INFERENCE for one in usable):
        told.append("llm: none is set up")
    if not any(one.spec.key_setting and one.key == "set" for one in usable):
        told.append("vendors: no key is set")
    if not workers:
        told.append("workers: none lives")
    return told
