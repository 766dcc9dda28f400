"""Settings: what is misspelt is refused with a hint, what is out of bounds with its name."""

import re
from pathlib import Path

import pytest
from tests.docs.reading import ROOT

from glaze.boot.providers import configure_providers
from glaze.cli import demo
from glaze.errors import SettingsError
from glaze.model.provider import Limit
from glaze.settings import MOVED, PREFIX, ProviderOverride, Settings, load_settings
from glaze.settings import environment_names as names

NOWHERE = Path("no.env")
ELSEWHERE = """
    APOLLO_API_KEY APOLLO_MAX_CONTACTS_PER_REQUEST APOLLO_RATE_LIMIT_PER_MINUTE APOLLO_WEBHOOK_SECRET
    CELERY_BROKER_URL CELERY_RESULT_BACKEND CLEARBIT_WEBHOOK_SECRET CONCURRENCY CRON_SECRET DATABASE_URL
    GRACEFUL_SHUTDOWN_TIMEOUT HEALTH_CHECK_INTERVAL HEALTH_CHECK_PORT HUNTER_WEBHOOK_SECRET LINKEDIN_API_KEY
    LLM_API_KEY LLM_MODEL LLM_PROVIDER MAX_CONCURRENT_JOBS NEXT_PUBLIC_SUPABASE_ANON_KEY NEXT_PUBLIC_SUPABASE_URL
    POLL_INTERVAL QUEUE_NAME RATE_LIMIT_PER_HOUR RATE_LIMIT_PER_MINUTE RATE_LIMIT_PER_SECOND REDIS_URL
    RETRY_BACKOFF_MULTIPLIER RETRY_BASE_DELAY RETRY_MAX_DELAY SEARCH_API_KEY SUPABASE_ANON_KEY SUPABASE_URL
    TRIGGER_API_KEY WORKER_COUNT WORKER_SECRET_TOKEN
""".split()
"""Every variable that the job systems which Glaze replaces read."""


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)


def loaded(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return load_settings(NOWHERE)


def refusal(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    with pytest.raises(SettingsError) as refused:
        loaded(monkeypatch, **given)
    return str(refused.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("GLAZE_CONCURENCY", "GLAZE_CONCURRENCY"),
        ("GLAZE_QUEUE", "GLAZE_QUEUES"),
        ("GLAZE_LOGLEVEL", "GLAZE_LOG_LEVEL"),
        ("GLAZE_APOLLO_API_KEY", "APOLLO_API_KEY"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    assert f"{written} (did you mean {meant}?)" in refusal(monkeypatch, **{written: "1"})


def test_a_name_like_no_other_is_refused_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, GLAZE_XYZZY_42="1")
    assert "GLAZE_XYZZY_42" in told
    assert "did you mean" not in told


def test_an_unknown_override_of_a_provider_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = refusal(monkeypatch, GLAZE_PROVIDER__APOLLO__PRICE_CENT="1")
    assert "did you mean GLAZE_PROVIDER__APOLLO__PRICE_CENTS?" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLAZE_CONCURRENCY", "0"),
        ("GLAZE_LEASE_S", "601"),
        ("GLAZE_KEEP_JOBS_DAYS", "0.5"),
        ("GLAZE_PRUNE_S", "1"),
        ("GLAZE_LOG_LEVEL", "loud"),
        ("GLAZE_LOG_LEVELS", "jobs=loud"),
        ("GLAZE_LOG_LEVELS", "jobs"),
        ("GLAZE_PROVIDER__APOLLO__BATCH_SIZE", "0"),
    ],
)
def test_a_value_out_of_bounds_is_refused_and_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert name in refusal(monkeypatch, **{name: value})


def test_a_faulty_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"APOLLO_API_KEY": "canary-1", "GLAZE_PROVIDER__APOLLO__KEY": "canary-2"}
    told = refusal(monkeypatch, **given, GLAZE_CONCURRENCY="0")
    assert "canary" not in told
    monkeypatch.delenv("GLAZE_CONCURRENCY")
    settings = loaded(monkeypatch, **given)
    assert "canary" not in repr(settings)
    assert {"canary-1", "canary-2"} <= {*settings.secrets()}


def test_no_secret_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [
        name
        for name, of in names().items()
        if "SecretStr" in str(Settings.model_fields[of].annotation)
    ]
    assert "PAYMENT_WEBHOOK_SECRET" in secrets
    for name in (*secrets, f"{PREFIX}PROVIDER__APOLLO__KEY"):
        monkeypatch.setenv(name, " ")
    settings = load_settings(NOWHERE)
    assert settings.secrets() == []
    assert settings.provider["apollo"].key is None


def test_the_defaults_are_those_that_are_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)
    promised = {
        "queues": ("default",),
        "concurrency": 10,
        "poll_s": 1,
        "heartbeat_s": 10,
        "lease_s": 30,
        "shutdown_s": 30,
        "api_port": 3001,
        "cache_ttl_days": 7,
        "log_level": "info",
        "log_levels": {},
    }
    assert {name: getattr(settings, name) for name in promised} == promised


def test_levels_of_components_are_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, GLAZE_LOG_LEVELS="jobs=debug, gateway=WARNING")
    assert settings.log_levels == {"jobs": "debug", "gateway": "warning"}


def test_a_key_that_is_not_needed_raises_the_limit_where_it_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = configure_providers(loaded(monkeypatch))
    assert not {"github", "gravatar", "wikidata"} & bare.unusable.keys()
    assert bare.by_name["github"].spec.limits_of(keyed=False) == (Limit(30, 3600),)
    given = {"GLAZE_PROVIDER__GITHUB__KEY": "t", "GLAZE_CONTACT": "Acme data@acme.com"}
    keyed = configure_providers(loaded(monkeypatch, **given))
    assert keyed.access["github"].keyed
    assert keyed.by_name["github"].spec.limits_of(keyed=True) == (Limit(2_500, 3600),)
    assert keyed.access["wikidata"].key == "Acme data@acme.com"


def test_phones_are_asked_for_where_their_vendor_can_call_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = configure_providers(loaded(monkeypatch))
    assert "GLAZE_CALLBACK_URL" in without.unusable["apollo.people_phone"]
    reachable = loaded(monkeypatch, GLAZE_CALLBACK_URL="https://glaze.example")
    assert "apollo.people_phone" not in configure_providers(reachable).unusable
    assert "GLAZE_CALLBACK_URL" in refusal(monkeypatch, GLAZE_CALLBACK_URL="glaze.example")


@pytest.mark.parametrize("contact", ["Acme Research", "Ümlaut a@b.com", "Acme\na@b.com"])
def test_a_contact_without_an_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, contact: str
) -> None:
    assert "GLAZE_CONTACT" in refusal(monkeypatch, GLAZE_CONTACT=contact)


def test_what_a_provider_declares_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    before = configure_providers(loaded(monkeypatch)).by_name["apollo"].spec
    given = {
        "PRICE_CENTS": "4",
        "CALLS_PER_SECOND": "2",
        "CALLS_PER_MINUTE": "50",
        "CALLS_PER_HOUR": "900",
        "CONCURRENCY": "3",
        "BATCH_SIZE": "5",
        "RETRIES": "0",
        "TIMEOUT_S": "7",
    }
    changed = {f"GLAZE_PROVIDER__APOLLO__{name}": value for name, value in given.items()}
    spec = configure_providers(loaded(monkeypatch, **changed)).by_name["apollo"].spec
    assert spec.limits == (Limit(2, 1), Limit(50, 60), Limit(900, 3600))
    assert (spec.concurrency, spec.retries) == (3, 0)
    for op, was in zip(spec.operations, before.operations, strict=True):
        credits_ = was.price_micros // before.credit_micros
        assert (op.price_micros, op.timeout_s) == (credits_ * 40_000, 7)
        assert op.batch_size == min(5, was.batch_size)
    assert max(was.batch_size for was in before.operations) == 10


def test_the_price_of_a_credit_moves_every_operations_price_and_limits_become_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = {"PRICE_CENTS": "1", "CALLS_PER_MINUTE": "60"}
    named = {f"GLAZE_PROVIDER__HUNTER__{name}": value for name, value in changed.items()}
    spec = configure_providers(loaded(monkeypatch, **named)).by_name["hunter"].spec
    prices = {one.name: one.price_micros for one in spec.operations}
    assert (prices["email_finder"], prices["email_verifier"], prices["combined"]) == (
        10_000,
        5_000,
        20_000,
    )
    assert spec.limits == (Limit(60, 60),)
    assert not any(one.limits or one.bulk_limits for one in spec.operations)


def test_a_key_of_the_users_own_takes_no_part_in_the_demo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {"APOLLO_API_KEY": "real-one", "HUNTER_API_KEY": "real-two"}
    shaped = demo._demo_settings(loaded(monkeypatch, **own), "http://127.0.0.1:9400")
    assert not {"real-one", "real-two"} & {*shaped.secrets()}
    assert configure_providers(shaped).unusable.keys() >= {"hunter", "zerobounce"}
    assert "apollo" not in configure_providers(shaped).unusable


def test_names_of_other_systems_lead_to_settings_that_exist() -> None:
    overrides = {f"__{name.upper()}" for name in ProviderOverride.model_fields}
    for ours in MOVED.values():
        end = re.sub(rf"^{PREFIX}PROVIDER__(<NAME>|[A-Z]+)", "", ours)
        assert ours in names() or end in overrides, ours


def test_every_name_of_the_systems_that_glaze_replaces_stands_in_the_guide() -> None:
    guide = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert [name for name in ELSEWHERE if f"`{name}`" not in guide] == []
    assert MOVED.keys() <= {*ELSEWHERE}


@pytest.mark.parametrize(
    ("chosen", "other", "model"),
    [
        ("anthropic", "llm", "claude-haiku-5-5"),
        ("openai", "anthropic", "gpt-6-luna"),
    ],
)
def test_llm_provider_chooses_who_is_asked_and_the_other_gets_no_key(
    monkeypatch, chosen, other, model
):
    given = {"LLM_PROVIDER": chosen, "LLM_API_KEY": "secret"}
    providers = configure_providers(loaded(monkeypatch, **given))
    asked = {"llm", "anthropic"} - {other}
    assert providers.unusable[other] == f"LLM_PROVIDER is {chosen}"
    assert providers.access[other].key == ""
    for name in asked:
        assert name not in providers.unusable
        assert providers.access[name].key == "secret"
        assert providers.by_name[name].config.model == model
        (operation, *_) = providers.by_name[name].spec.operations
        assert operation.flags == model


def test_the_caps_of_the_model_make_up_its_highest_price(monkeypatch):
    caps = {"GLAZE_LLM_MAX_INPUT_TOKENS": "9500", "GLAZE_LLM_MAX_OUTPUT_TOKENS": "1000"}
    llm = configure_providers(loaded(monkeypatch, LLM_MODEL="m", **caps)).by_name["llm"]
    assert llm.config.model == "m"
    assert llm.spec.operation("infer").price_micros == 1000 + 500


@pytest.mark.parametrize(
    "given",
    [
        {"GLAZE_LEASE_S": "2"},
        {"GLAZE_HEARTBEAT_S": "60"},
        {"GLAZE_LEASE_S": "10", "GLAZE_HEARTBEAT_S": "6"},
    ],
)
def test_a_heartbeat_too_slow_for_its_lease_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    said = refusal(monkeypatch, **given)
    assert "GLAZE_HEARTBEAT_S" in said
    assert "half of GLAZE_LEASE_S" in said
