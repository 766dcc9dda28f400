"""Tags, webhooks and what a job replays: kept, checked, and part of what an idempotency key means."""

import pytest

from glaze.errors import IdempotencyConflict, InputError
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import JobId
from glaze.store.attempt import body_hash
from glaze.store.database import Database
from glaze.store.job import JobStore

HOOK = "https://hooks.example.com/glaze?token=s3cret"


async def test_a_job_keeps_its_tags_its_webhook_and_what_it_replays(db: Database) -> None:
    store = JobStore(db)
    [plain] = await store.enqueue(WS, [NewJob("try", {})])
    new = NewJob("try", {}, tags=("spring", "é t é", "spring"), webhook_url=HOOK, replay_of=plain)
    [labelled] = await store.enqueue(WS, [new])
    view = await store.get(WS, labelled)
    assert view is not None
    assert (view.tags, view.webhook_url, view.replay_of) == (("spring", "é t é"), HOOK, plain)
    bare = await store.get(WS, plain)
    assert bare is not None
    assert (bare.tags, bare.webhook_url, bare.replay_of) == ((), None, None)
    assert [job.tags for job in await store.page(WS)] == [("spring", "é t é"), ()]


@pytest.mark.parametrize(
    "tags",
    [("",), ("x" * 65,), (" edge",), ("line\nbreak",), ("nul\x00",), tuple(map(str, range(21)))],
)
async def test_what_is_no_tag_is_refused_and_nothing_is_inserted(
    db: Database, tags: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="tag"):
        await JobStore(db).enqueue(WS, [NewJob("try", {}), NewJob("try", {}, tags=tags)])
    assert await JobStore(db).page(WS) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/x",
        "ftp://example.com/s3cret",
        "http://",
        "http://[1/",
        "http://a:0/",
        "http://a:99999/",
        "https://example.com/s3cret x",
        "https://a/" + "x" * 2048,
    ],
)
async def test_what_is_no_webhook_is_refused_without_repeating_it(db: Database, url: str) -> None:
    with pytest.raises(InputError, match="webhook") as refused:
        await JobStore(db).enqueue(WS, [NewJob("try", {}, webhook_url=url)])
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "other",
    [{"tags": ("b",)}, {"webhook_url": HOOK}, {"replay_of": JobId(1)}],
)
async def test_an_idempotency_key_stands_for_tags_webhook_and_replay_too(
    db: Database, other: dict[str, object]
) -> None:
    first = {"tags": ("a",), "webhook_url": "http://example.com/"}
    await JobStore(db).enqueue(WS, [NewJob("try", {}, idempotency_key="k", **first)])  # type: ignore[arg-type]
    with pytest.raises(IdempotencyConflict):
        await JobStore(db).enqueue(
            WS,
            [NewJob("try", {}, idempotency_key="k", **(first | other))],  # type: ignore[arg-type]
        )


def test_a_job_without_labels_means_under_its_key_what_it_meant_before_there_were_any() -> None:
    known = "ca86da06a0ff"
    assert body_hash(NewJob("try", {"n": 1})).startswith(known)
