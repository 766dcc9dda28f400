"""Whatever a job does, its attempt ends as a value."""

import asyncio
import json
import random
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from glaze.errors import InputError, StoreUnavailable, UnknownField
from glaze.jobs.execute import Executor
from glaze.jobs.kind import Host, JobContext, Kind, Kinds
from glaze.logs import configure_logs
from glaze.model.job import INTERACTIVE, ClaimedJob, RetryPolicy
from glaze.model.outcome import Done, Failed, Outcome, Retry, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId, Json, WorkerId
from glaze.store.attempt import Ended


class Args(BaseModel):
    n: int


def job(args: Json, kind: str = "try") -> ClaimedJob:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return ClaimedJob(
        DEFAULT_WORKSPACE,
        JobId(1),
        kind,
        1,
        5,
        created,
        None,
        None,
        "order-7",
        WorkerId(1),
        1,
        args,
    )


async def attempt(run: object, args: Json = None, **options: object) -> Ended:
    kind = Kind("try", Args, run, **options)  # type: ignore[arg-type]
    return await executed(job({"n": 1} if args is None else args), {"try": kind})


async def executed(one: ClaimedJob, kinds: Kinds) -> Ended:
    return await Executor(kinds, Host(), rng=random.Random(1)).execute(one)


async def test_a_result_is_passed_on() -> None:
    async def run(args: Args, context: JobContext) -> Outcome:
        return Done({"n": args.n, "attempt": context.job.attempt})

    ended = await attempt(run)
    assert ended.outcome == Done({"n": 1, "attempt": 1})
    assert ended.body == '{"n":1,"attempt":1}'


async def test_an_unknown_kind_fails_for_good() -> None:
    ended = await executed(job({}, "nobody"), {})
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.code == "kind_unknown"


@pytest.mark.parametrize("args", [{}, {"n": "many"}, [], "text"])
async def test_bad_arguments_fail_for_good_and_say_where(args: Json) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise AssertionError("not reached")

    ended = await attempt(run, args)
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.code == "args_invalid"


async def test_a_model_that_refuses_by_an_error_of_ours_fails_for_good_too() -> None:
    class Picky(Args):
        @field_validator("n")
        @classmethod
        def _refuse(cls, n: int) -> int:
            raise InputError(f"{n} will not do")

    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise AssertionError("not reached")

    ended = await executed(job({"n": 1}), {"try": Kind("try", Picky, run)})
    assert isinstance(ended.outcome, Failed)
    assert (ended.outcome.code, ended.outcome.message) == ("args_invalid", "1 will not do")


async def test_a_crash_is_tried_again_with_its_stack_kept() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise ZeroDivisionError("seven by nothing")

    ended = await attempt(run)
    assert isinstance(ended.outcome, Retry)
    assert (ended.outcome.code, ended.outcome.message) == (
        "crashed",
        "ZeroDivisionError: seven by nothing",
    )
    assert "in run" in (ended.stack or "")


async def test_bad_input_is_permanent_and_an_outage_is_not() -> None:
    async def bad(_args: Args, _context: JobContext) -> Outcome:
        raise UnknownField("shoe_size")

    async def away(_args: Args, _context: JobContext) -> Outcome:
        raise StoreUnavailable("down")

    assert (await attempt(bad)).outcome == Failed("field_unknown", "shoe_size")
    outcome = (await attempt(away)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.code == "store_unavailable"


async def test_an_attempt_over_its_time_is_cancelled_and_tried_again() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        await asyncio.Event().wait()
        return Done()

    outcome = (await attempt(run, timeout_s=0.01)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.code == "timeout"


async def test_a_timeout_of_something_inside_is_not_the_jobs_own() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise TimeoutError("a socket")

    outcome = (await attempt(run)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.code == "crashed"


async def test_a_cancellation_from_inside_does_not_cost_the_worker_its_slot() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise asyncio.CancelledError

    outcome = (await attempt(run)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.code == "crashed"


async def test_the_workers_own_cancellation_passes_through() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        await asyncio.Event().wait()
        return Done()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(attempt(run))
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()


@pytest.mark.parametrize("result", [float("inf"), {1, 2}, b"bytes"])
async def test_a_result_that_cannot_be_kept_fails_for_good(result: object) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        return Done(result)  # type: ignore[arg-type]

    outcome = (await attempt(run)).outcome
    assert isinstance(outcome, Failed)
    assert outcome.code == "result_invalid"


async def test_what_is_no_outcome_is_a_mistake_of_the_kind() -> None:
    async def run(_args: Args, _context: JobContext) -> None:
        return None

    outcome = (await attempt(run)).outcome
    assert isinstance(outcome, Failed)
    assert outcome.code == "outcome_invalid"


async def test_a_retry_without_a_delay_takes_the_kinds_backoff() -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        return Retry("busy", "later")

    outcome = (await attempt(run, retry=RetryPolicy(base_s=60, jitter=0.1))).outcome
    assert isinstance(outcome, Retry)
    assert outcome.delay_s is not None
    assert 54 <= outcome.delay_s <= 66


@given(st.integers(1, 40), st.integers(), st.sampled_from([RetryPolicy(), INTERACTIVE]))
def test_backoff_doubles_up_to_its_cap_within_its_jitter(
    attempt_no: int, seed: int, policy: RetryPolicy
) -> None:
    plain = min(policy.cap_s, policy.base_s * 2 ** (attempt_no - 1))
    delay_s = policy.delay_s(attempt_no, random.Random(seed))
    assert plain * 0.9 <= delay_s <= plain * 1.1


async def test_a_line_logged_while_a_job_runs_names_the_job_and_none_does_afterwards(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        structlog.get_logger("kind").warning("within")
        return Done()

    kept = structlog.get_config()
    configure_logs("info", "json")
    try:
        await attempt(run)
        structlog.get_logger("kind").warning("afterwards")
    finally:
        structlog.configure(**kept)
    within, afterwards = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (within["job"], within["correlation"]) == (1, "order-7")
    assert "job" not in afterwards


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()])
async def test_a_job_that_asks_the_process_to_end_only_ends_itself(ending: BaseException) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        raise ending

    ended = await attempt(run)
    assert isinstance(ended.outcome, Retry)
    assert type(ending).__name__ in ended.outcome.message


@pytest.mark.parametrize(
    ("asked", "kept"), [(float("inf"), 365 * 86_400.0), (-5.0, 0.0), (7.5, 7.5)]
)
async def test_a_wait_that_cannot_be_had_is_brought_within_bounds(
    asked: float, kept: float
) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        return Retry("busy", "later", asked)

    ended = await attempt(run)
    assert isinstance(ended.outcome, Retry)
    assert ended.outcome.delay_s == kept


async def test_a_wait_that_is_no_number_is_the_kinds_own_and_a_far_snooze_ends() -> None:
    async def never(_args: Args, _context: JobContext) -> Outcome:
        return Retry("busy", "later", float("nan"))

    async def far(_args: Args, _context: JobContext) -> Outcome:
        return Snooze(datetime(9999, 1, 1, tzinfo=UTC), "much later")

    ended = await attempt(never)
    assert isinstance(ended.outcome, Retry)
    assert 0 < (ended.outcome.delay_s or 0) < 3600
    ended = await attempt(far)
    assert isinstance(ended.outcome, Snooze)
    assert ended.outcome.until.year == 3000


@pytest.mark.parametrize(
    "outcome",
    [
        Snooze(datetime(2030, 1, 1), "no zone"),  # noqa: DTZ001  the mistake itself
        Retry("busy", "later", "soon"),  # type: ignore[arg-type]
    ],
)
async def test_a_wait_that_is_none_fails_its_job_and_nobody_else(outcome: Outcome) -> None:
    async def run(_args: Args, _context: JobContext) -> Outcome:
        return outcome

    ended = await attempt(run)
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.code == "outcome_invalid"
