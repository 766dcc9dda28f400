"""Finds the installed providers: one entry point each, a broken one never stops the others."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from glaze.model.belief import RESERVED
from glaze.model.field import FIELDS
from glaze.model.provider import Limit, Operation, Provider, ProviderSpec, Resend

GROUP = "glaze.providers"
_OWN_PACKAGE = "glaze"
_MOST_CONFIDENT = 100


@dataclass(frozen=True, slots=True)
class Registry:
    """The providers by name, and a sentence for each plug-in that was left out."""

    providers: Mapping[str, Provider]
    problems: tuple[str, ...] = ()


def load_providers(found: Iterable[EntryPoint] | None = None) -> Registry:
    """Load every provider that an installed package offers under ``glaze.providers``.

    Args:
        found: The entry points, by default those of the installed packages.

    Returns:
        The usable providers. A plug-in that does not load, breaks the contract or takes the name
        of another is left out, and ``problems`` names its package and the reason. A built-in
        provider keeps its name, among others the package that comes first by name does.
    """
    providers: dict[str, Provider] = {}
    owners: dict[str, str] = {}
    problems: list[str] = []
    for point in sorted(entry_points(group=GROUP) if found is None else found, key=_precedence):
        package = _package(point)
        if point.name in owners:
            problems.append(
                f"provider {point.name!r} of package {package} is left out: package "
                f"{owners[point.name]} has one of that name; uninstall one of the two"
            )
            continue
        loaded = _load(point)
        if isinstance(loaded, str):
            problems.append(f"provider {point.name!r} of package {package} is left out: {loaded}")
        else:
            providers[point.name], owners[point.name] = loaded, package
    return Registry(providers, tuple(problems))


def _precedence(point: EntryPoint) -> tuple[bool, str, str]:
    package = _package(point)
    return (package != _OWN_PACKAGE, package, point.name)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "(unknown)"


def _load(point: EntryPoint) -> Provider | str:
    """Return the provider, or why it cannot be used."""
    try:
        provider = point.load()
    except Exception as error:  # noqa: BLE001  a plug-in's import may raise anything at all
        return f"{point.value} does not load: {type(error).__name__}: {error}"
    spec = getattr(provider, "spec", None)
    if not isinstance(spec, ProviderSpec):
        return f"{point.value} is no provider: it has no `spec` of type ProviderSpec"
    if isinstance(provider, type) or not inspect.iscoroutinefunction(
        getattr(provider, "look_up", None)
    ):
        return f"{point.value} is no provider: name a ready object with `async def look_up`"
    faults = [*faults_of(spec), *_collecting_faults(provider, spec)]
    if spec.name != point.name:
        faults.insert(0, f"the entry point calls it {point.name!r}, its spec {spec.name!r}")
    return "; ".join(faults) if faults else _as_provider(provider)


def _collecting_faults(provider: object, spec: ProviderSpec) -> Iterator[str]:
    """Yield what an answer that comes later would lack."""
    collects = inspect.iscoroutinefunction(getattr(provider, "collect", None))
    for operation in spec.operations:
        if operation.collect_s and operation.resend is not Resend.IDEMPOTENT and not collects:
            yield f"{operation.name}: its answers may come later, so `async def collect` is needed"


def _as_provider(provider: Provider) -> Provider:
    return provider


def faults_of(spec: ProviderSpec) -> Iterator[str]:
    """Yield what is wrong with a spec, one sentence each; nothing for a sound one."""
    if not spec.operations:
        yield "it declares no operation"
    if spec.name in RESERVED:
        yield f"{spec.name!r} names no provider: call it otherwise"
    if spec.family != spec.family.strip():
        yield "its family must be a name without blanks around it"
    names = [operation.name for operation in spec.operations]
    if len(set(names)) < len(names):
        yield "two operations have the same name"
    yield from _pace_faults(spec)
    if spec.opt_in and not spec.notice.strip():
        yield "it is opt-in, but no notice says why"
    for operation in spec.operations:
        yield from _operation_faults(operation)
        if not operation.includes <= {*names} - {operation.name}:
            yield f"{operation.name}: it includes an operation that there is not"


def _pace_faults(spec: ProviderSpec) -> Iterator[str]:
    if not _all_positive((*spec.limits, *spec.keyed_limits)):
        yield "its limits must each be of positive calls and seconds"
    if min(spec.room, spec.room if spec.concurrency is None else spec.concurrency) < 1:
        yield "its concurrency and its room must be at least 1"


def _all_positive(limits: Iterable[Limit]) -> bool:
    return all(limit.calls > 0 and limit.window_s > 0 for limit in limits)


def _operation_faults(operation: Operation) -> Iterator[str]:
    fields = set(operation.gives).union(*operation.needs)
    if unknown := sorted(name for name in fields if name not in FIELDS):
        yield f"{operation.name}: unknown fields {', '.join(unknown)}"
    if not operation.gives or not operation.needs or not all(operation.needs):
        yield f"{operation.name}: needs and gives must not be empty"
    if not all(0 <= confidence <= _MOST_CONFIDENT for confidence in operation.gives.values()):
        yield f"{operation.name}: confidence is 0 to 100"
    price = operation.price_micros
    if type(price) is not int or price < 0:
        yield f"{operation.name}: the price is a whole number of micros, 0 or more"
    if operation.batch_size < 1 or operation.timeout_s <= 0:
        yield f"{operation.name}: batch size and timeout must be positive"
    if not _all_positive((*operation.limits, *operation.bulk_limits)):
        yield f"{operation.name}: its limits must each be of positive calls and seconds"
    yield from _later_faults(operation)


def _later_faults(operation: Operation) -> Iterator[str]:
    """Yield what does not go together where an answer may be had after its request."""
    again = operation.resend in (Resend.IDEMPOTENT, Resend.COLLECT)
    if operation.collect_s < 0 or (again and not operation.collect_s):
        yield f"{operation.name}: what may be had again needs collect_s, some seconds to have it in"
    if operation.collect_s and operation.batch_size > 1:
        yield f"{operation.name}: with collect_s it takes one question in a request"
    if operation.resend is Resend.SAFE and operation.price_micros:
        yield f"{operation.name}: only what is free may be asked again as it is"
