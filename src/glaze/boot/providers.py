"""The installed providers as the settings shape them: prices, limits, addresses, keys."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from glaze.errors import InputError, NotFound, SettingsError
from glaze.model.belief import declared
from glaze.model.field import FIELDS
from glaze.model.freshness import Freshness
from glaze.model.inference import LlmConfig
from glaze.model.language_model import LanguageModel
from glaze.model.provider import Limit, Operation, Provider, ProviderSpec
from glaze.model.value import FREE, MICROS_PER_CENT, FieldName, Micros
from glaze.pipeline.asking import Access
from glaze.pipeline.credentials import NO_KEY, Credentials, Sharing
from glaze.pipeline.enrichment import Policy
from glaze.pipeline.order import arranged
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.providers.registry import load_providers
from glaze.settings import ProviderOverride, Settings, environment_names
from glaze.store.budget import WHOLE_WORKSPACE, StandingCaps

LLM_PROVIDERS = {"openai": "llm", "anthropic": "anthropic"}
"""What ``LLM_PROVIDER`` may be -> the provider that it chooses."""
EVERY_KEY = "all"
_KEYED_CREDENTIAL = "env"
"""Name of the credential that settings hold: limits and questions belong to it."""
_SECONDS_PER_MINUTE = 60
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Providers:
    """The installed providers as the settings shape them."""

    by_name: Mapping[str, Provider]
    access: Mapping[str, Access]
    closed: Mapping[str, str]  # provider or operation -> why nobody can ask it, and what to do
    needed: Mapping[str, str]  # provider that wants a key -> the variable that sets it
    problems: Sequence[str] = ()  # plug-ins that were left out

    @property
    def specs(self) -> list[ProviderSpec]:
        """The specs, in name order."""
        return [self.by_name[name].spec for name in sorted(self.by_name)]

    @property
    def unusable(self) -> Mapping[str, str]:
        """Whom the installation's own keys do not reach, and why."""
        return {**self.credentials().installation.unusable, **self.closed}

    def credentials(
        self,
        keys: VendorKeys | None = None,
        sharing: Sharing = Sharing(),  # noqa: B008  a value
    ) -> Credentials:
        """Return what tells each workspace's key, from ``keys`` or the installation's own."""
        closed = [name for name in self.closed if name in self.by_name]
        return Credentials(self.access, keys, needed=self.needed, closed=closed, sharing=sharing)


def configure_providers(settings: Settings) -> Providers:
    """Shape the installed providers by the settings: prices, limits, addresses, keys.

    Raises: SettingsError where a setting names a provider that is not installed.
    """
    registry = load_providers()
    ordered = {name.partition(".")[0] for name in arranged(settings.order)[0]}
    allowed = {name.partition(".")[0] for name in settings.allow}  # operations have to be, too
    named = {*settings.provider, *allowed, *ordered, *settings.shared_keys} - {EVERY_KEY}
    unknown = named - registry.providers.keys()
    if unknown:
        known = ", ".join(sorted(registry.providers))
        raise SettingsError(
            f"no provider is called {', '.join(sorted(unknown))}; installed are {known}"
        )
    _refuse_unknown_fields(settings, registry.providers)
    by_name, access, closed, needed = {}, {}, {}, {}
    for name, installed in registry.providers.items():
        override = settings.provider.get(name, ProviderOverride())
        key = _key(installed.spec, override, settings)
        provider = _with_override(_with_model(installed, settings), override)
        if isinstance(provider, LanguageModel) and name != LLM_PROVIDERS[settings.llm_provider]:
            closed[name] = f"LLM_PROVIDER is {settings.llm_provider}"
            key = ""  # it is another vendor's
        by_name[name] = provider
        access[name] = Access(
            credential=_KEYED_CREDENTIAL if key else NO_KEY,
            key=key,
            base_url=override.base_url or provider.spec.base_url,
            webhook_secret=_webhook_secret(name, settings),
        )
        if provider.spec.key_setting is not None and not provider.spec.key_optional:
            needed[name] = _variable(provider.spec)
        for operation in provider.spec.operations:
            if operation.needs_callback and not settings.callback_url:
                why = "the vendor wants an address to call back: set GLAZE_CALLBACK_URL"
                closed[f"{name}.{operation.name}"] = why
    return Providers(by_name, access, closed, needed, registry.problems)


def checked_vendor(providers: Providers, name: str) -> None:
    """Let a provider pass that takes a key.

    Raises: InputError where none is installed under that name, or it takes none.
    """
    provider = providers.by_name.get(name)
    if provider is None:
        raise NotFound(f"no provider is called {name[:80]}: see glaze providers")
    if provider.spec.key_setting is None:
        raise InputError(f"{name} takes no key")


def sharing(settings: Settings) -> Sharing:
    """Return which keys of the settings other workspaces than the first may spend."""
    names = frozenset(settings.shared_keys)
    return Sharing(names - {EVERY_KEY}, EVERY_KEY in names)


def _with_model(provider: Provider, settings: Settings) -> Provider:
    if not isinstance(provider, LanguageModel):
        return provider
    own = settings.provider.get(provider.spec.name, ProviderOverride()).base_url is not None
    chosen = provider.spec.name == LLM_PROVIDERS[settings.llm_provider]
    return provider.with_config(
        LlmConfig(
            model=(settings.llm_model if chosen else None) or provider.wire.default_model,
            input_price_micros=round(settings.llm_input_price * 1_000_000),
            output_price_micros=round(settings.llm_output_price * 1_000_000),
            max_input_tokens=settings.llm_max_input_tokens,
            max_output_tokens=settings.llm_max_output_tokens,
            needs_key=not own,  # a server of one's own asks for none
        )
    )


def _with_override(provider: Provider, override: ProviderOverride) -> Provider:
    """Rebuild the provider with the user's own prices, sizes, times and limits."""
    spec = provider.spec
    operations = tuple(_operation(one, override, spec.credit_micros) for one in spec.operations)
    shaped = replace(
        spec,
        operations=operations,
        credit_micros=_own_price(override, spec.credit_micros) if spec.credit_micros else FREE,
        limits=_limits(override) or spec.limits,
        keyed_limits=() if _limits(override) else spec.keyed_limits,
        concurrency=override.concurrency or spec.concurrency,
        retries=spec.retries if override.retries is None else override.retries,
    )
    if shaped == spec:
        return provider
    changed = copy.copy(provider)
    changed.spec = shaped
    return changed


def _own_price(override: ProviderOverride, declared: Micros) -> Micros:
    if override.price_cents is None:
        return declared
    return Micros(round(override.price_cents * MICROS_PER_CENT))


def _operation(operation: Operation, override: ProviderOverride, credit: Micros) -> Operation:
    price = _own_price(override, credit or operation.price_micros)
    if credit:  # half a credit, or two: in proportion
        price = Micros(round(operation.price_micros * price / credit))
    shared = bool(_limits(override))  # the user's limits are for all of the provider together
    return replace(
        operation,
        limits=() if shared else operation.limits,
        bulk_limits=() if shared else operation.bulk_limits,
        price_micros=price,
        timeout_s=override.timeout_s or operation.timeout_s,
        batch_size=min(operation.batch_size, override.batch_size or operation.batch_size),
    )


def _limits(override: ProviderOverride) -> tuple[Limit, ...]:
    given = (
        (override.calls_per_second, 1),
        (override.calls_per_minute, _SECONDS_PER_MINUTE),
        (override.calls_per_hour, _SECONDS_PER_HOUR),
    )
    return tuple(Limit(calls, window_s) for calls, window_s in given if calls is not None)


def _key(spec: ProviderSpec, override: ProviderOverride, settings: Settings) -> str:
    given = override.key or getattr(settings, spec.key_setting or "", None)
    return given.get_secret_value() if given else ""


def _webhook_secret(name: str, settings: Settings) -> str:
    given = getattr(settings, f"{name}_webhook_secret", None)
    return given.get_secret_value() if given else ""


def _variable(spec: ProviderSpec) -> str:
    """Return the variable that sets a provider's key."""
    for variable, setting in environment_names().items():
        if setting == spec.key_setting:
            return variable
    return f"GLAZE_PROVIDER__{spec.name.upper()}__KEY"


def policy(settings: Settings, providers: Providers) -> Policy:
    """Return what the settings say of freshness, order and money to every enrichment."""
    models = settings.llm_max_cost_cents
    return Policy(
        miss_ttl=timedelta(days=settings.miss_ttl_days),
        order=settings.order,
        opted_in=frozenset(settings.allow),
        unusable=providers.closed,
        caps=standing_caps(settings),
        llm_pages=settings.llm_max_pages,
        deferring=settings.llm_batch == "auto",
        llm_cap_micros=None if models is None else Micros(round(models * MICROS_PER_CENT)),
    )


def _refuse_unknown_fields(settings: Settings, installed: Mapping[str, Provider]) -> None:
    for name, given in set_confidences(settings).items():
        if strange := sorted(given.keys() - declared(installed[name].spec)):
            raise SettingsError(
                f"GLAZE_PROVIDER__{name.upper()}__CONFIDENCE__{strange[0].upper()}:"
                f" {name} gives no field {strange[0]}; see docs/fields.md for the names"
            )


def freshness(settings: Settings) -> Freshness:
    """Return how long values stay fresh.

    Raises: SettingsError where a field is set that there is not.
    """
    if strange := sorted(settings.fresh_days.keys() - FIELDS.keys()):
        raise SettingsError(
            f"GLAZE_FRESH_DAYS: there is no field {strange[0]}; see docs/fields.md for the names"
        )
    return Freshness(
        timedelta(days=settings.cache_ttl_days),
        {FieldName(name): timedelta(days=days) for name, days in settings.fresh_days.items()},
    )


def set_confidences(settings: Settings) -> dict[str, dict[FieldName, int]]:
    """Return the confidences that the user set, by provider and field."""
    return {
        name: {FieldName(field): sure for field, sure in override.confidence.items()}
        for name, override in settings.provider.items()
        if override.confidence
    }


def standing_caps(settings: Settings) -> StandingCaps:
    """Return the caps that hold where a workspace set none of its own."""
    cents = {WHOLE_WORKSPACE: settings.daily_cap_cents}
    cents |= {name: override.monthly_cap_cents for name, override in settings.provider.items()}
    return {name: Micros(cap * MICROS_PER_CENT) for name, cap in cents.items() if cap is not None}
