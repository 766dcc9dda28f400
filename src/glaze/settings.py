"""Every setting of Glaze: one frozen object, read once at start from the environment and ``.env``."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from glaze.errors import SettingsError

PREFIX = "GLAZE_"

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]{1,255}")
Names = Annotated[tuple[str, ...], NoDecode]
"""A comma-separated list of names."""


LogLevel = Literal["debug", "info", "warning", "error"]
LevelByComponent = Annotated[dict[str, LogLevel], NoDecode]
"""Comma-separated pairs of component and level."""
DaysByField = Annotated[dict[str, Annotated[float, Field(ge=0, le=3650)]], NoDecode]
"""Comma-separated pairs of field and days."""


def _plain(name: str) -> AliasChoices:
    """Read a setting by its plain name, without prefix (FEATURES O7)."""
    return AliasChoices(name)


def _unless_empty(value: object) -> object:
    """Take no secret for one that is not set: whoever knows nothing would know it."""
    is_empty = isinstance(value, SecretStr) and not value.get_secret_value().strip()
    return None if is_empty else value


class ProviderOverride(BaseModel):
    """What a user may change of one provider: ``GLAZE_PROVIDER__APOLLO__PRICE_CENTS=4``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, description="address of the API")
    price_cents: float | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="most that one question can cost, or one credit where the vendor sells credits",
    )
    monthly_cap_cents: int | None = Field(
        default=None,
        ge=0,
        le=100_000_000,
        description="most that a workspace may spend on it in a month (UTC), unless"
        " `glaze budget` set another cap",
    )
    calls_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="replaces the provider's own limits, with the two below",
    )
    calls_per_second: int | None = Field(
        default=None, ge=1, le=10_000, description="the same for each second"
    )
    calls_per_hour: int | None = Field(
        default=None, ge=1, le=10_000_000, description="the same for each hour"
    )
    concurrency: int | None = Field(
        default=None, ge=1, le=5000, description="most requests under way at it in the whole fleet"
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="most questions in one bulk request; never more than the provider takes",
    )
    retries: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="waits for a rate limit after which a job goes on without the provider",
    )
    timeout_s: float | None = Field(
        default=None, gt=0, le=600, description="whole call, in seconds"
    )
    confidence: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(
        default_factory=dict,
        description="how sure of a field, 0 to 100, in place of the provider's own: add"
        " `__COMPANY_PHONE` and so on; the surest statement counts so, others in proportion",
    )
    key: SecretStr | None = Field(default=None, description="API key of this provider")

    @field_validator("key")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return _unless_empty(value)


class Settings(BaseSettings):
    """All settings. Each reads ``GLAZE_<NAME>`` unless its description gives a plain name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("DATABASE_URL"),
        description="PostgreSQL 15 or newer; empty: the embedded server",
    )
    data_dir: Path = Field(
        default=Path("~/.local/share/glaze"), description="folder of the embedded server"
    )
    pool_size: int = Field(
        default=8, ge=2, le=200, description="database connections of one process"
    )

    workspace: str = Field(
        default="default",
        description="workspace that commands act on, as `glaze --workspace NAME` says, too",
    )
    queues: Names = Field(default=("default",), description="queues a worker serves")
    concurrency: int = Field(default=10, ge=1, le=5000, description="jobs at once in a worker")
    poll_s: float = Field(default=1.0, gt=0, le=60, description="seconds between polls")
    heartbeat_s: float = Field(default=10.0, gt=0, le=60, description="seconds between heartbeats")
    lease_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="seconds after which a silent worker's jobs run again",
    )
    shutdown_s: float = Field(
        default=30.0, ge=0, le=600, description="seconds that running jobs get at shutdown"
    )

    keep_events_days: float = Field(
        default=30.0, ge=1, le=3650, description="days that the job log and the feed are kept"
    )
    keep_jobs_days: float = Field(
        default=30.0,
        ge=1,
        le=3650,
        description="days that a job is kept once it has ended, with arguments and result",
    )
    keep_batches_days: float = Field(
        default=30.0,
        ge=1,
        le=3650,
        description="days that a batch is kept once it has ended, with rows and results",
    )
    keep_keys_days: float = Field(
        default=1.0, ge=0, le=3650, description="days that an expired idempotency key is kept"
    )
    keep_workers_days: float = Field(
        default=7.0, ge=1, le=3650, description="days that a stopped worker stays in the registry"
    )
    prune_s: float = Field(
        default=3600.0,
        ge=10,
        le=86_400,
        description="seconds between two looks at what is older than that",
    )
    quiet_s: float = Field(
        default=30.0,
        ge=0.5,
        le=3600,
        description="seconds of less work after which a manager lets worker processes go",
    )
    memory_limit_mb: int | None = Field(
        default=None,
        ge=50,
        le=1_000_000,
        description="resident memory of a `glaze worker` process above which it drains and ends,"
        " for its manager to start a fresh one",
    )
    health_host: str = Field(
        default="127.0.0.1", description="address that the health port binds to"
    )
    health_port: int = Field(
        default=3002,
        ge=0,
        le=65535,
        description="port of a worker's /healthz, /readyz and /metrics; 0: none",
    )

    api_host: str = Field(
        default="127.0.0.1",
        description="address the API binds to; other than a loopback one only once there is a key",
    )
    api_port: int = Field(default=3001, ge=0, le=65535, description="port of the API")
    worker_secret_token: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("WORKER_SECRET_TOKEN"),
        description="who shows it to POST /v1/worker/run may have jobs run; unset: nobody",
    )
    cron_secret: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("CRON_SECRET"),
        description="who shows it to GET /v1/worker/cron may have jobs run; unset: nobody",
    )
    api_max_upload_mb: int = Field(
        default=512,
        ge=1,
        le=100_000,
        description="MiB that a table sent to POST /v1/batches may have, as it is sent",
    )
    api_receive_s: float = Field(
        default=30.0,
        ge=0.1,
        le=3600,
        description="seconds that a client has for the head of a request, and again for its body"
        " (of a table: for each piece)",
    )
    api_send_s: float = Field(
        default=60.0,
        ge=0.1,
        le=3600,
        description="seconds for which a client may take nothing of its answer; then it is cut off",
    )
    api_max_connections: int = Field(
        default=5_000,
        ge=1,
        le=1_000_000,
        description="connections that the API holds at once, live ones included; a further one is"
        " told 503",
    )
    forwarded_allow_ips: str | None = Field(
        default=None,
        min_length=1,
        max_length=2000,
        validation_alias=_plain("FORWARDED_ALLOW_IPS"),
        description="addresses of the proxies, with commas, that are believed for whom they ask"
        " (X-Forwarded-For); unset: nobody is",
    )
    api_cors_origins: Names = Field(
        default=(),
        description="origins whose pages may ask the API, with commas: https://app.example.com",
    )
    session_hours: float = Field(
        default=168.0, ge=0.1, le=8760, description="hours after which a member signs in again"
    )
    session_idle_hours: float = Field(
        default=12.0,
        ge=0.1,
        le=8760,
        description="hours without a request after which a member signs in again",
    )
    api_requests_per_minute: int = Field(
        default=6000,
        ge=1,
        le=10_000_000,
        description="requests that a key may make in a minute, of each API process",
    )
    api_beat_s: float = Field(
        default=15.0,
        ge=0.2,
        le=300,
        description="seconds between signs of life on live connections; so often their key or"
        " token is looked at",
    )

    cache_ttl_days: float = Field(
        default=7.0,
        ge=0,
        le=3650,
        description="days that a value stays fresh, unless its field has a longer time of its own"
        " (docs/fields.md); 0: none is",
    )
    fresh_days: DaysByField = Field(
        default_factory=dict,
        description="the same for single fields, as `company_phone=365,person_title=3`: days, at"
        " most 3650",
    )
    miss_ttl_days: float = Field(
        default=1.0, ge=0, le=3650, description="days that a source's 'not found' is believed"
    )
    daily_cap_cents: int | None = Field(
        default=None,
        ge=0,
        le=100_000_000,
        description="most that a workspace may spend in a day (UTC), US cents, unless"
        " `glaze budget` set another cap",
    )
    allow: Names = Field(default=(), description="opt-in providers that may be asked")
    order: Names = Field(
        default=(),
        description="whom to ask first: `learned` from the workspace's own history (also when empty),"
        " `cheapest`, `originals` (LinkedIn, website, search, LLM), or names of providers and"
        " operations, then `learned` or cheapest first",
    )
    shared_keys: Names = Field(
        default=(),
        description="providers whose keys among these settings every workspace may spend, or `all`;"
        " else only the first may, and others bring their own: `glaze providers set-key`",
    )
    provider: dict[str, ProviderOverride] = Field(
        default_factory=dict, description="overrides by provider, see docs/providers.md"
    )

    llm_provider: Literal["openai", "anthropic"] = Field(
        default="openai",
        validation_alias=_plain("LLM_PROVIDER"),
        description="which API the LLM speaks; openai covers every compatible server",
    )
    llm_model: str | None = Field(
        default=None,
        validation_alias=_plain("LLM_MODEL"),
        description="model name; empty: gpt-6-luna, of anthropic claude-haiku-5-5",
    )
    llm_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("LLM_API_KEY"), description="key of the LLM"
    )
    llm_input_price: float = Field(
        default=0.10, ge=0, le=1000, description="US dollars per million input tokens"
    )
    llm_output_price: float = Field(
        default=0.50, ge=0, le=1000, description="US dollars per million output tokens"
    )
    llm_max_input_tokens: int = Field(
        default=20_000,
        ge=8_000,
        le=1_000_000,
        description="most tokens of one prompt, counted as its bytes: no model sees more",
    )
    llm_max_output_tokens: int = Field(
        default=2_000, ge=100, le=100_000, description="most tokens of one answer"
    )
    llm_max_pages: int = Field(
        default=5, ge=1, le=50, description="most pages of a site that the LLM reads for one job"
    )
    llm_max_cost_cents: float | None = Field(
        default=None, ge=0, le=100_000, description="most that one job spends on the LLM, US cents"
    )
    llm_batch: Literal["off", "auto"] = Field(
        default="off",
        description=(
            "auto: rows of batches ask the LLM by its vendor's batch API, at half the"
            " price and up to a day later"
        ),
    )
    linkedin_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("LINKEDIN_API_KEY"),
        description="key of the LinkedIn data vendor (EnrichLayer)",
    )
    search_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("SEARCH_API_KEY"),
        description="key of the search API (Serper)",
    )
    brave_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("BRAVE_API_KEY"),
        description="key of the Brave Search API",
    )
    tavily_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("TAVILY_API_KEY"), description="key of Tavily"
    )
    exa_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("EXA_API_KEY"), description="key of Exa"
    )
    apollo_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("APOLLO_API_KEY"), description="key of Apollo"
    )
    brightdata_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("BRIGHTDATA_API_KEY"),
        description="key of Bright Data",
    )
    clearbit_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("CLEARBIT_API_KEY"),
        description="key of Clearbit, issued before 2024",
    )
    hunter_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("HUNTER_API_KEY"), description="key of Hunter"
    )
    pdl_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("PDL_API_KEY"), description="key of People Data Labs"
    )
    zerobounce_api_key: SecretStr | None = Field(
        default=None, validation_alias=_plain("ZEROBOUNCE_API_KEY"), description="key of ZeroBounce"
    )

    companies_house_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("COMPANIES_HOUSE_API_KEY"),
        description="key of Companies House, free of charge",
    )
    contact: SecretStr | None = Field(
        default=None,
        description="who asks, as `Acme Research data@acme.com`: sent as User-Agent to public sources"
        " that want to know; SEC EDGAR answers nobody else",
    )

    key_encryption_keys: SecretStr | None = Field(
        default=None,
        description="keys that wrap what workspaces' own vendor keys are encrypted by: 32 bytes in"
        " base64 each, with commas; the first wraps, all unwrap; make one: `glaze secrets new-key`",
    )
    key_file: Path | None = Field(
        default=None,
        description="file with such keys, one a line, read whenever one is needed",
    )
    key_command: str | None = Field(
        default=None,
        description="command that wraps and unwraps by a key management service instead: it is run"
        " as `COMMAND wrap CONTEXT` or `COMMAND unwrap CONTEXT`, base64 in and out",
    )

    callback_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="public address of this installation, as `https://glaze.example.com`, given to"
        " vendors that call back; unset: their answers are polled",
    )
    clearbit_webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("CLEARBIT_WEBHOOK_SECRET"),
        description="what Clearbit signs its callbacks with; unset: the key",
    )
    apollo_webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("APOLLO_WEBHOOK_SECRET"),
        description="woven into the address that Apollo, which signs nothing, reports to",
    )
    search_contact_cents: int = Field(
        default=25,
        ge=0,
        le=100_000,
        description="what one contact of a search costs whoever unlocks it, in US cents",
    )
    search_company_cents: int = Field(
        default=25,
        ge=0,
        le=100_000,
        description="the same of one company; looking for them costs a credit of Apollo's that is"
        " paid whether anybody unlocks them or not",
    )
    payment_webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=_plain("PAYMENT_WEBHOOK_SECRET"),
        description="signing secret of Stripe's webhook for `POST /v1/payments/stripe`; unset: every"
        " payment is refused",
    )
    sandbox_url: str | None = Field(
        default=None,
        description="address of a running sandbox, which then plays every vendor and site",
    )
    log_level: LogLevel = Field(default="info", description="least severe level that is logged")
    log_levels: LevelByComponent = Field(
        default_factory=dict,
        description="levels of single components, as `jobs=debug,gateway=warning`;"
        " a component is what a line has in its first brackets",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="form of a log line")
    traces_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        max_length=2048,
        description="OpenTelemetry collector that spans are told to, OTLP over HTTP, as"
        " http://127.0.0.1:4318; wants the extra `tracing`; unset: nothing is traced",
    )

    @field_validator("queues", "allow", "order", "shared_keys", "api_cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("api_cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin[:100]!r} is no origin like https://app.example.com")
        return value

    @field_validator("log_levels", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if faulty := [name for name, _, level in pairs if not (name.strip() and level.strip())]:
            raise ValueError(f"component=level is asked for, as jobs=debug, not {faulty[0]!r}")
        return {name.strip(): level.strip().lower() for name, _, level in pairs}

    @field_validator("fresh_days", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if faulty := [name for name, _, days in pairs if not (name.strip() and days.strip())]:
            raise ValueError(f"field=days is asked for, as person_title=3, not {faulty[0]!r}")
        return {name.strip(): days.strip() for name, _, days in pairs}

    @field_validator("contact")
    @classmethod
    def _names_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        said = value.get_secret_value().strip() if value else ""
        if said and not (said.isascii() and said.isprintable() and "@" in said):
            raise ValueError("a name and an e-mail address in ASCII are asked for")
        return SecretStr(said) if said else None

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("*")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return _unless_empty(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment only: ``load_settings`` has merged ``.env`` below it."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    def secrets(self) -> list[str]:
        """Return every secret among the settings."""
        given = [value for _, value in self if isinstance(value, SecretStr)]
        given += [one.key for one in self.provider.values() if one.key is not None]
        texts = [secret.get_secret_value() for secret in given]
        wrapping = self.key_encryption_keys
        return texts + (wrapping.get_secret_value().split(",") if wrapping else [])

    @property
    def seat_lease_s(self) -> float:
        """How long a silent process keeps its calls' seats at vendors, in seconds.

        They are free by the time that others may take over its jobs, however long ago its last
        heartbeat was when it died.
        """
        return self.lease_s - self.heartbeat_s

    @model_validator(mode="after")
    def _heartbeat_within_lease(self) -> Self:
        if self.heartbeat_s * 2 > self.lease_s:
            raise ValueError(
                f"GLAZE_HEARTBEAT_S ({self.heartbeat_s:g}) must be at most half of GLAZE_LEASE_S"
                f" ({self.lease_s:g}): a living worker would be taken for dead"
            )
        return self

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        given = (self.key_encryption_keys, self.key_file, self.key_command)
        if sum(one is not None for one in given) > 1:
            raise ValueError(
                "set one of GLAZE_KEY_ENCRYPTION_KEYS, GLAZE_KEY_FILE and GLAZE_KEY_COMMAND"
            )
        return self

    def with_changes(self, **changes: object) -> Self:
        """Return a copy with ``changes``, checked like any other settings."""
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**(kept | changes))


_OF_A_PROVIDER = tuple(ProviderOverride.model_fields)

MOVED: Mapping[str, str] = {
    "QUEUE_NAME": "GLAZE_QUEUES",
    "CONCURRENCY": "GLAZE_CONCURRENCY",
    "MAX_CONCURRENT_JOBS": "GLAZE_CONCURRENCY",
    "POLL_INTERVAL": "GLAZE_POLL_S",
    "HEALTH_CHECK_INTERVAL": "GLAZE_HEARTBEAT_S",
    "GRACEFUL_SHUTDOWN_TIMEOUT": "GLAZE_SHUTDOWN_S",
    "RATE_LIMIT_PER_SECOND": "GLAZE_PROVIDER__<NAME>__CALLS_PER_SECOND",
    "RATE_LIMIT_PER_MINUTE": "GLAZE_PROVIDER__<NAME>__CALLS_PER_MINUTE",
    "RATE_LIMIT_PER_HOUR": "GLAZE_PROVIDER__<NAME>__CALLS_PER_HOUR",
    "APOLLO_RATE_LIMIT_PER_MINUTE": "GLAZE_PROVIDER__APOLLO__CALLS_PER_MINUTE",
    "APOLLO_MAX_CONTACTS_PER_REQUEST": "GLAZE_PROVIDER__APOLLO__BATCH_SIZE",
    "SUPABASE_URL": "DATABASE_URL",
    "NEXT_PUBLIC_SUPABASE_URL": "DATABASE_URL",
    "CELERY_BROKER_URL": "DATABASE_URL",
    "CELERY_RESULT_BACKEND": "DATABASE_URL",
}
"""Names that other job systems give a setting of ours; they are not read, for their units differ."""


def environment_names() -> dict[str, str]:
    """Return every variable that Glaze reads, with the setting it sets."""
    names = {}
    for setting, info in Settings.model_fields.items():
        alias = info.validation_alias
        plain = alias.choices[0] if isinstance(alias, AliasChoices) else PREFIX + setting.upper()
        names[str(plain)] = setting
    return names


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """Read the settings: the environment first, then ``env_file`` where it exists.

    Raises: SettingsError that names the variable, what was wrong, and what to do.
    """
    from_file = {k: v for k, v in dotenv_values(env_file).items() if v is not None}
    for name, value in from_file.items():
        os.environ.setdefault(name, value)
    _refuse_unknown(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = set(environment_names())
    unknown = sorted(
        name
        for name in environment
        if name.startswith(PREFIX)
        and name not in known
        and not name.startswith((PREFIX + "PROVIDER__", PREFIX + "TEST_"))
    )
    if unknown:
        named = ", ".join(name + _meant(name, known) for name in unknown)
        raise SettingsError(
            f"unknown setting {named}: see docs/settings.md for the names, or unset it"
        )


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like ``name``, as a hint; "" where none is near."""
    near = get_close_matches(name, [*known], n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _explain(error: ValidationError) -> str:
    by_setting = {setting: name for name, setting in environment_names().items()}
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        where = [str(part) for part in fault["loc"]]
        if not where:  # settings that do not go together; the message names them
            lines.append(fault["msg"].removeprefix("Value error, "))
            continue
        name = by_setting.get(where[0], where[0])
        full = "__".join([name, *(part.upper() for part in where[1:])])
        told = fault["msg"]
        if fault["type"] == "extra_forbidden":
            given = [f"{name}__{where[1].upper()}__{key.upper()}" for key in _OF_A_PROVIDER]
            told = "there is no such setting" + _meant(full, given)
        lines.append(f"{full}: {told}")
    return "; ".join(lines)
