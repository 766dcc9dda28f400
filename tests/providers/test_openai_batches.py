"""OpenAI's batches: a file of questions, a batch of it, two files of results, found by its metadata."""

import json
from dataclasses import dataclass, field

import pytest
from test_llm import completion, question
from vendor_fake import VendorFake, values

from glaze.errors import ConnectFailed, FetchError
from glaze.model.inference import LlmConfig
from glaze.model.provider import Billed, BillingUnknown, Unbilled, VendorResponse, Verdict
from glaze.providers.openai_compatible import llm

NAMES = ("g1-1-a", "g1-2-b", "g1-3-c", "g1-4-d", "g1-5-e")
YEAR = "company_founded_year"
ASKED = dict.fromkeys(NAMES, question(YEAR))
ROW = {"field": YEAR, "value": 1998, "quote": "Acme was founded in 1998"}


@dataclass
class Batches(VendorFake):
    """A vendor whose answers are by the last part of the path: bytes, JSON, a status or an error."""

    parts: dict[str, object] = field(default_factory=dict)

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        found = self.parts[url.removeprefix(f"{self.base_url}/")]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, int):
            return VendorResponse(found, {"retry-after": "9"}, b'{"error": {}}', url)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return VendorResponse(200, {}, body, url)


def lines(*results: object) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in results).encode()


def result(name: str, *, status: int = 200, body: object = None) -> dict[str, object]:
    told = completion({"answers": [ROW]}) if body is None else body
    return {"custom_id": name, "response": {"status_code": status, "body": told}, "error": None}


def batch(status: str = "completed", **more: object) -> dict[str, object]:
    names = {"metadata": {"questions_0": " ".join(NAMES)}}
    return {"id": "batch_1", "status": status, **names, **more}


FILES = {"output_file_id": "file-out", "error_file_id": "file-err"}
EXPIRED = {"custom_id": NAMES[1], "response": None, "error": {"code": "batch_expired"}}
REFUSED = result(NAMES[3], status=400, body={"error": {"message": "too long"}})
DONE = {
    "batches/batch_1": batch(**FILES),
    "files/file-out/content": lines(result(NAMES[0])),
    "files/file-err/content": lines(REFUSED, EXPIRED),
}


async def collected(parts: dict[str, object], handle: str | None = "batch_1"):
    return await llm.collect_deferred("infer", handle, ASKED, Batches(parts=parts))


async def test_questions_are_uploaded_as_a_file_and_their_names_go_with_the_batch() -> None:
    http = Batches(parts={"files": {"id": "file-1"}, "batches": batch("validating")})
    http.tokens = NAMES[:2]
    taken, unasked = await llm.defer("infer", [question(YEAR), question(YEAR, text=" ")], http)
    upload, created = http.sent
    assert upload.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert (upload.content or b"").count(b"\r\n\r\nbatch\r\n") == 1
    (line,) = [json.loads(one) for one in (upload.content or b"").splitlines() if one[:1] == b"{"]
    assert (line["custom_id"], line["url"]) == (NAMES[0], "/v1/chat/completions")
    assert line["body"]["response_format"]["json_schema"]["strict"] is True
    assert created.json["input_file_id"] == "file-1"
    assert created.json["metadata"] == {"questions_0": NAMES[0]}
    assert (taken.verdict, taken.handle) == (Verdict.PENDING, "batch_1")
    assert unasked.billing == Unbilled()


async def test_a_hundred_names_fit_into_the_metadata_of_a_batch() -> None:
    http = Batches(parts={"files": {"id": "file-1"}, "batches": batch("validating")})
    http.tokens = [f"g1-{n:06d}-{'x' * 80}{n:03d}" for n in range(100)]
    await llm.defer("infer", [question(YEAR)] * 100, http)
    notes = http.sent[1].json["metadata"]
    assert len(notes) <= 16
    assert max(map(len, notes.values())) <= 512
    assert sum(len(text.split()) for text in notes.values()) == 100


async def test_each_result_is_its_own_whatever_became_of_the_others_and_costs_half() -> None:
    replies = await collected(DONE)
    first, expired, missing, refused, _ = (replies[name] for name in NAMES)
    assert values(first) == {YEAR: 1998}
    assert first.billing == Billed(76)  # half of 100 + 50.5, rounded up
    assert (expired.verdict, expired.billing) == (Verdict.VENDOR_ERROR, Unbilled())
    assert (refused.verdict, refused.billing) == (Verdict.BAD_INPUT, Unbilled())
    assert isinstance(missing.billing, BillingUnknown)


@pytest.mark.parametrize(
    "parts",
    [
        {"batches/batch_1": batch("in_progress")},
        {"batches/batch_1": batch("finalizing", **FILES)},
        {"batches/batch_1": 500},
        {**DONE, "files/file-err/content": 503},
        {**DONE, "files/file-out/content": lines(result(NAMES[0]), result(NAMES[1]))[:-40]},
    ],
    ids=["runs", "is made up", "fails", "a file fails", "half a file"],
)
async def test_what_is_not_there_whole_is_waited_for(parts: dict[str, object]) -> None:
    replies = await collected(parts)
    assert {(one.verdict, one.handle) for one in replies.values()} == {(Verdict.PENDING, "batch_1")}


async def test_a_batch_that_was_not_begun_costs_nothing() -> None:
    told = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
    replies = await collected({"batches/batch_1": batch("failed", errors=told)})
    assert {(one.verdict, one.billing, one.detail) for one in replies.values()} == {
        (Verdict.VENDOR_ERROR, Unbilled(), "Enqueued token limit reached")
    }


async def test_a_batch_whose_creation_was_not_answered_is_known_by_its_names_or_is_nowhere() -> (
    None
):
    found = await collected(
        {**DONE, "batches": {"data": [{"id": "batch_0"}, batch(**FILES)]}}, None
    )
    assert found[NAMES[0]].billing == Billed(76)
    runs = await collected({"batches": {"data": [batch("in_progress")]}}, None)
    assert {one.handle for one in runs.values()} == {"batch_1"}
    nowhere = await collected({"batches": {"data": [{"id": "batch_0", "metadata": None}]}}, None)
    assert {(one.verdict, one.billing) for one in nowhere.values()} == {
        (Verdict.VENDOR_ERROR, Unbilled())
    }
    for unread in (b"<html>", {"data": 3}, 500):
        replies = await collected({"batches": unread}, None)
        assert {one.verdict for one in replies.values()} == {Verdict.PENDING}


@pytest.mark.parametrize("upload", [500, 401, b"{", {"id": "no/file"}])
async def test_a_file_that_was_not_taken_is_nothing_that_can_be_charged(upload: object) -> None:
    http = Batches(parts={"files": upload})
    http.tokens = NAMES[:1]
    (reply,) = await llm.defer("infer", [question(YEAR)], http)
    assert (len(http.sent), reply.billing) == (1, Unbilled())
    assert reply.verdict is (Verdict.AUTH if upload == 401 else Verdict.VENDOR_ERROR)


async def test_an_upload_without_an_answer_says_that_nothing_was_sent_that_costs() -> None:
    http = Batches(parts={"files": ConnectFailed("reset", sent=True)})
    http.tokens = NAMES[:1]
    with pytest.raises(FetchError) as raised:
        await llm.defer("infer", [question(YEAR)], http)
    assert not raised.value.sent


def test_a_server_of_ones_own_is_always_asked_at_once() -> None:
    own = LlmConfig("qwen3", input_price_micros=1, output_price_micros=1, needs_key=False)
    operations = llm.with_config(own).spec.operations
    assert {one.deferred().is_deferred for one in operations} == {False}
    assert {one.deferred().is_deferred for one in llm.spec.operations} == {True}
