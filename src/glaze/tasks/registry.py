"""Finds the installed job kinds: one entry point each, a broken one never stops the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from glaze.errors import SettingsError
from glaze.jobs.kind import Kind, Kinds
from glaze.tasks.tools import Tools

GROUP = "glaze.kinds"
_OWN_PACKAGE = "glaze"

Factory = Callable[[Tools], Kind[Any]]
"""What an entry point names: it is given the tools and returns the kind."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The kinds by name, and a sentence for each plug-in that was left out."""

    kinds: Kinds
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A factory as a package offers it, loaded but not yet called."""

    name: str
    package: str
    factory: Factory

    def left_out(self, why: str) -> str:
        """Say that the plug-in is not used, and why."""
        return _left_out(self.name, self.package, why)


@dataclass(frozen=True, slots=True)
class Offers:
    """What the installed packages offer, by name, and what of it does not load."""

    by_name: Mapping[str, Offer]
    problems: tuple[str, ...] = ()


def load_kinds(tools: Tools, found: Iterable[EntryPoint] | None = None) -> Registry:
    """Make every kind that an installed package offers under ``glaze.kinds``.

    Args:
        tools: What the factories are given.
        found: The entry points, by default those of the installed packages.

    Returns:
        The usable kinds. A plug-in that does not load or breaks the contract is left out, and
        ``problems`` names its package and the reason.

    Raises: SettingsError where two packages offer one name: whose code a job of that kind would
        run must not depend on which was installed first.
    """
    offers = find_offers(found)
    kinds: dict[str, Kind[Any]] = {}
    problems = [*offers.problems]
    for name, offer in offers.by_name.items():
        made = _make(offer, tools)
        if isinstance(made, str):
            problems.append(offer.left_out(made))
        else:
            kinds[name] = made
    return Registry(kinds, tuple(problems))


def find_offers(found: Iterable[EntryPoint] | None = None) -> Offers:
    """Load the factories that installed packages offer, without calling any.

    Raises: SettingsError as ``load_kinds``, and where this installation lacks its own kinds.
    """
    points = sorted(entry_points(group=GROUP) if found is None else found, key=_precedence)
    if found is None and not any(_package(point) == _OWN_PACKAGE for point in points):
        raise SettingsError(
            "the installed glaze offers no job kinds: it was installed from an older version than"
            " this code; install it again (in a checkout: make dev)"
        )
    _refuse_twins(points)
    offers: dict[str, Offer] = {}
    problems: list[str] = []
    for point in points:
        try:
            factory = point.load()
        except Exception as error:  # noqa: BLE001  a plug-in's import may raise anything at all
            why = f"{point.value} does not load: {type(error).__name__}: {error}"
            problems.append(_left_out(point.name, _package(point), why))
        else:
            offers[point.name] = Offer(point.name, _package(point), factory)
    return Offers(offers, tuple(problems))


def _refuse_twins(points: Iterable[EntryPoint]) -> None:
    owners: dict[str, str] = {}
    for point in points:
        package = _package(point)
        if owners.setdefault(point.name, package) != package:
            raise SettingsError(
                f"packages {owners[point.name]} and {package} both offer a job kind called"
                f" {point.name!r}: uninstall one of the two"
            )


def _precedence(point: EntryPoint) -> tuple[bool, str, str]:
    package = _package(point)
    return (package != _OWN_PACKAGE, package, point.name)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "(unknown)"


def _left_out(name: str, package: str, why: str) -> str:
    return f"job kind {name!r} of package {package} is left out: {why}"


def _make(offer: Offer, tools: Tools) -> Kind[Any] | str:
    """Return the kind, or why it cannot be used."""
    try:
        kind = offer.factory(tools)
    except Exception as error:  # noqa: BLE001  a plug-in's factory may raise anything at all
        return f"its factory fails: {type(error).__name__}: {error}"
    if not isinstance(kind, Kind):
        return f"its factory returns {type(kind).__name__}, which is no Kind"
    faults = [*faults_of(kind)]
    if kind.name != offer.name:
        faults.insert(0, f"the entry point calls it {offer.name!r}, the kind itself {kind.name!r}")
    return "; ".join(faults) if faults else kind


def faults_of(kind: Kind[Any]) -> Iterator[str]:
    """Yield what is wrong with a kind, one sentence each; nothing for a sound one."""
    model: object = kind.args
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        yield "its arguments are no pydantic model"
    elif model.model_config.get("extra") != "forbid":
        yield "its arguments must refuse what they do not know: ConfigDict(extra='forbid')"
    if kind.timeout_s <= 0:
        yield "its timeout must be positive"
    if kind.retry.max_attempts < 1:
        yield "it must be tried at least once"
    if not kind.queue:
        yield "its queue has no name"
