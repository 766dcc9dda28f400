"""How each provider stands: what it declares, what the settings make of it, and how it fares."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from glaze.boot.providers import Providers
from glaze.model.provider import Limit, ProviderSpec
from glaze.model.room import Cause
from glaze.model.value import Json
from glaze.pipeline.asking import Access
from glaze.pipeline.credentials import Reach
from glaze.settings import Settings
from glaze.store.health import Calls, CircuitView, Health, Seated, Told, Window

_SAID: Mapping[Cause, str] = {
    Cause.KEY: "key refused",
    Cause.CREDITS: "out of credits",
    Cause.QUOTA: "quota used up",
    Cause.PAUSE: "asked to wait",
    Cause.WINDOW: "limit reached",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One provider: what it declares, what the settings make of it, and how it fares."""

    spec: ProviderSpec
    not_in_use: str  # why, "" where it can be asked
    key: str  # set, own, missing, not needed, optional
    base_url: str
    limits: tuple[Limit, ...]
    calls: Calls
    windows: tuple[Window, ...]
    seats: Seated | None  # none where the number of calls under way is not capped, or none was made
    told: tuple[Told, ...]
    circuit: CircuitView | None

    @property
    def state(self) -> str:
        """What keeps it back, or ``ready``."""
        if self.not_in_use:
            return "not in use"
        if self.circuit and self.circuit.state != "closed":
            return f"circuit {self.circuit.state}"
        for cause, said in _SAID.items():
            if any(one.cause is cause and one.calls_left == 0 for one in self.told):
                return said
        return "ready"

    @property
    def advice(self) -> str:
        """What to do about what keeps it back."""
        if self.state == _SAID[Cause.KEY]:
            return "correct its key: a new one is tried at once"
        if self.state == _SAID[Cause.CREDITS]:
            return "buy credits, or set another key; it is tried again every five minutes"
        return f"it is tried again by itself; see glaze providers {self.spec.name}"


def standings(
    settings: Settings, installed: Providers, health: Health, reach: Reach
) -> list[Standing]:
    """Put together what is known of each provider, in name order, as far as ``reach`` goes."""
    return [_standing(spec, settings, installed, health, reach) for spec in installed.specs]


def _standing(
    spec: ProviderSpec, settings: Settings, installed: Providers, health: Health, reach: Reach
) -> Standing:
    access = reach.to(spec.name)
    unusable = {**reach.unusable, **installed.closed}
    closed = spec.opt_in and spec.name not in settings.allow
    why = f"opt-in: GLAZE_ALLOW={spec.name}" if closed else ""

    def is_ours(one: Window | Told | Seated) -> bool:
        name, _, _endpoint = one.name.partition(".")
        return (name, one.credential) == (spec.name, access.credential)

    return Standing(
        spec=spec,
        not_in_use=unusable.get(spec.name, why),
        key=_key(spec, access),
        limits=spec.limits_of(keyed=access.keyed),
        base_url=access.base_url,
        calls=health.calls.get(spec.name, Calls()),
        windows=tuple(filter(is_ours, health.windows)),
        seats=next(filter(is_ours, health.seats), None) if spec.concurrency else None,
        told=tuple(filter(is_ours, health.told)),
        circuit=next(
            (
                one
                for one in health.circuits
                if (one.name, one.base_url) == (spec.name, access.base_url)
            ),
            None,
        ),
    )


def _key(spec: ProviderSpec, access: Access) -> str:
    if access.own_of is not None:
        return "own"
    if access.key:
        return "set"
    if spec.key_setting is None:
        return "not needed"
    return "optional" if spec.key_optional else "missing"


def as_document(one: Standing) -> Json:
    """Return a standing for machines: times as ISO 8601, money in micros, spans in seconds."""
    spec = one.spec
    operations: list[Json] = [
        {
            "name": op.name,
            "price_micros": op.price_micros,
            "batch_size": op.batch_size,
            "timeout_s": op.timeout_s,
            "gives": sorted(op.gives),
            "limits": [_limit(limit) for limit in (*op.limits, *op.bulk_limits)],
        }
        for op in spec.operations
    ]
    return {
        "name": spec.name,
        "state": one.state,
        "in_use": not one.not_in_use,
        "reason": one.not_in_use,
        "key": one.key,
        "opt_in": spec.opt_in,
        "notice": spec.notice,
        "base_url": one.base_url,
        "retries": spec.retries,
        "concurrency": spec.concurrency,
        "seats": _seats(one),
        "operations": operations,
        "limits": [_limit(limit) for limit in one.limits],
        "headroom": [_plain(asdict(window)) for window in one.windows],
        "told": [_plain(asdict(told)) for told in one.told],
        "circuit": _plain(asdict(one.circuit)) if one.circuit else {"state": "closed"},
        "calls": _plain(asdict(one.calls)),
    }


def _seats(one: Standing) -> Json:
    if one.spec.concurrency is None:
        return None
    under_way, waiting = (one.seats.under_way, one.seats.waiting) if one.seats else (0, 0)
    return {"most": one.spec.concurrency, "under_way": under_way, "waiting": waiting}


def _limit(limit: Limit) -> Json:
    return {"calls": limit.calls, "window_s": limit.window_s}


def _plain(row: Mapping[str, object]) -> Json:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value  # type: ignore[misc]
        for name, value in row.items()
    }
