"""What every installed provider promises, whatever its vendor answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_fake import VendorFake, sample_ask

from glaze.model.field import FIELDS
from glaze.model.normalise import normalise
from glaze.model.provider import (
    Billed,
    BillingUnknown,
    Operation,
    Provider,
    Reply,
    Unbilled,
    Verdict,
)
from glaze.model.value import FREE
from glaze.providers.registry import faults_of, load_providers

PROVIDERS = load_providers().providers
OPERATIONS = [
    pytest.param(provider, operation, id=f"{name}-{operation.name}")
    for name, provider in PROVIDERS.items()
    for operation in provider.spec.operations
]
READS_NO_JSON = {"dns_mx", "social", "website"}
every_operation = pytest.mark.parametrize(("provider", "operation"), OPERATIONS)

HOSTILE_JSON = [
    None, True, 0, -1, 1e308, 10**40, "", "x", [], [[]], [None], {"error": "no"},
    {"person": True}, {"person": []}, {"person": "x"}, {"organization": 7},
    {"matches": {}}, {"matches": [1, 2]}, {"organic": {}}, {"knowledgeGraph": []},
    {"choices": {}}, {"choices": [None]}, {"choices": [{"message": 3}]},
    {"status": "failed", "error_code": "UNKNOWN_ERROR"},
    {"person": {"name": True, "email": 5, "city": [], "departments": "x", "organization": 3}},
]  # fmt: skip
NO_JSON = [
    b"", b"\x00", b"\xff\xfe\xfd", b"{", b'{"person": {"name": "Ja', b"[" * 50_000,
    b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>",
    b"Invalid API key. See https://docs.example/authentication",
]  # fmt: skip
HOSTILE_BODIES = [
    *NO_JSON, b"null", b"1" * 6_000, b'"{\\"error\\": \\"no\\"}"',
    *(json.dumps(value).encode() for value in HOSTILE_JSON),
]  # fmt: skip
# Any JSON, but with the keys that the vendors use, so that it reaches deep into the adapters.
KEYS = st.sampled_from(
    [
        "person",
        "organization",
        "matches",
        "name",
        "first_name",
        "email",
        "email_status",
        "linkedin_url",
        "country",
        "phone",
        "departments",
        "primary_phone",
        "credits_consumed",
        "status",
        "error",
        "organic",
        "title",
        "link",
        "snippet",
        "credits",
        "knowledgeGraph",
        "attributes",
        "website",
        "choices",
        "message",
        "content",
        "usage",
        "prompt_tokens",
        "completion_tokens",
        "experiences",
        "ends_at",
        "company",
        "hq",
        "company_size",
        "skills",
        "founded_year",
        "data",
        "attributes",
        "entity",
        "legalName",
        "legalAddress",
        "region",
        "addressLines",
        "services",
        "fields",
        "items",
        "company_number",
        "results",
        "bindings",
        "entities",
        "claims",
        "mainsnak",
        "type",
        "html_url",
        "blog",
        "location",
        "verified_accounts",
        "service_type",
        "ldhName",
        "events",
        "entities",
        "roles",
        "vcardArray",
        "links",
        "emails",
        "type",
        "value",
        "score",
        "verification",
        "employment",
        "linkedin",
        "handle",
        "geo",
        "countryCode",
        "category",
        "sic4Codes",
        "likelihood",
        "email_batch",
        "errors",
        "address",
        "sub_status",
        "metadata",
        "row",
        "full_name",
        "work_email",
        "job_title_levels",
        "phone_numbers",
        "location",
        "metrics",
        "web",
        "results",
        "url",
        "description",
        "query",
        "infobox",
        "costDollars",
        "total",
        "properties",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=30)
    | st.sampled_from(["Jane Doe", "a\x00b", "\ud800", "DE", "https://acme.com", "12", "1998"])
)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
BODIES = st.binary(max_size=200) | ANY_JSON.map(lambda value: json.dumps(value).encode())
STATUSES = st.integers(200, 599)


async def replies_to(provider: Provider, operation: Operation, http: VendorFake) -> list[Reply]:
    asks = [sample_ask(operation)] * operation.batch_size
    replies = list(await provider.look_up(operation.name, asks, http))
    assert len(replies) == len(asks)
    if operation.price_micros > FREE:
        assert len(http.sent) == 1
    for reply in replies:
        check(reply, operation)
    return replies


def check(reply: Reply, operation: Operation) -> None:
    assert isinstance(reply.billing, Unbilled | Billed | BillingUnknown)
    assert isinstance(reply.raw, bytes)
    assert reply.retry_after_s is None or 0 <= reply.retry_after_s <= 86_400
    for reading in reply.readings:
        assert reading.field in FIELDS
        assert reading.field in operation.gives
        assert 0 <= reading.confidence <= 100
        assert normalise(reading.field, reading.value) == reading.value
    said = [reply.detail, *reply.notes]
    said += [json.dumps(r.value, ensure_ascii=False) for r in reply.readings]
    said += [text for r in reply.readings for text in (r.quote, r.url, r.raw) if text]
    for text in said:
        assert "\x00" not in text
        text.encode()  # a lone surrogate cannot be stored


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_its_spec_is_sound(provider: Provider) -> None:
    assert [*faults_of(provider.spec)] == []


def test_every_built_in_provider_is_installed() -> None:
    built_in = """
        anthropic apollo brave dns_mx enrichlayer exa hunter llm serper tavily website
        github gleif gravatar people_data_labs rdap zerobounce wikidata companies_house sec_edgar social
    """
    assert set(built_in.split()) <= set(PROVIDERS)
    assert load_providers().problems == ()


@every_operation
@given(status=STATUSES, body=BODIES)
async def test_whatever_the_vendor_answers_is_one_sound_reply_per_ask(
    provider: Provider, operation: Operation, status: int, body: bytes
) -> None:
    await replies_to(provider, operation, VendorFake(status, body, records={}))


@every_operation
@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=range(len(HOSTILE_BODIES)))
async def test_a_success_that_cannot_be_read_is_never_called_free(
    provider: Provider, operation: Operation, body: bytes
) -> None:
    replies = await replies_to(provider, operation, VendorFake(200, body, records={}))
    if operation.price_micros > FREE:
        assert not any(isinstance(reply.billing, Unbilled) for reply in replies)
        assert not any(reply.readings for reply in replies)


@every_operation
async def test_half_an_answer_is_no_miss(provider: Provider, operation: Operation) -> None:
    if provider.spec.name in READS_NO_JSON:
        return
    empty = () if operation.price_micros else (b"{}", b"[]")  # it is Apollo's way to know nobody
    for body in (*NO_JSON, *empty):
        for reply in await replies_to(provider, operation, VendorFake(200, body, records={})):
            assert reply.verdict is not Verdict.NO_MATCH, body


@every_operation
@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 400, 401, 402, 403, 404, 408, 409, 410,
                                    413, 418, 422, 429, 451, 500, 502, 503, 504, 520, 529, 599])  # fmt: skip
async def test_no_status_but_200_yields_a_value_or_a_bill(
    provider: Provider, operation: Operation, status: int
) -> None:
    http = VendorFake(status, b'{"message": "no"}', {"retry-after": "17"}, records={})
    for reply in await replies_to(provider, operation, http):
        if operation.price_micros > FREE:
            assert reply.readings == ()
            assert not isinstance(reply.billing, Billed)
            assert reply.retry_after_s == 17


@every_operation
async def test_an_ask_it_cannot_put_to_the_vendor_sends_nothing_and_costs_nothing(
    provider: Provider, operation: Operation
) -> None:
    http = VendorFake(records={})
    bare = sample_ask(operation)
    bare = type(bare)(known={}, want=bare.want)
    (reply,) = await provider.look_up(operation.name, [bare], http)
    assert http.sent == []
    assert isinstance(reply.billing, Unbilled)
    assert reply.readings == ()


@every_operation
async def test_the_key_is_never_in_a_url_or_a_body(
    provider: Provider, operation: Operation
) -> None:
    http = VendorFake(records={})
    await provider.look_up(operation.name, [sample_ask(operation)], http)
    for sent in http.sent:
        assert http.key not in sent.url
        if provider.spec.key_in_question:
            continue
        assert http.key not in json.dumps([sent.params, sent.json])
