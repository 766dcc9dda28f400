"""The job kind ``deliver_webhook``: one JSON body to one URL, again until it is taken."""

import json
import random
import time
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import AwareDatetime, Field

from glaze.errors import AddressRefused, ArgsInvalid, Fault
from glaze.jobs.kind import JobContext, Kind
from glaze.model.job import RetryPolicy
from glaze.model.outcome import Done, Failed, Outcome, Retry
from glaze.model.provider import VendorResponse
from glaze.model.request import Strict
from glaze.model.value import Json
from glaze.model.vendor_body import retry_after_s
from glaze.model.webhook import LONGEST_WAIT_S, MOST_ATTEMPTS, RETRY_AFTER_S, wait_s
from glaze.net.client import Outgoing, RequestFact
from glaze.net.urls import vet_url
from glaze.tasks.courier import ANSWER_WITHIN_S, answered, signed
from glaze.tasks.tools import Tools

NAME = "deliver_webhook"
PRIORITY = 2
# What breaks off is tried again by these, what is refused by the plan of all webhooks.
RETRY = RetryPolicy(
    max_attempts=MOST_ATTEMPTS, base_s=RETRY_AFTER_S[0], multiplier=6.0, cap_s=LONGEST_WAIT_S
)
_MOST_ANSWER_BYTES = 64 * 1024


class Delivery(Strict):
    """What is told to whom. The end of a job that has a webhook's address makes one of itself."""

    url: str = Field(min_length=1, max_length=2048)
    type: str = Field(min_length=1, max_length=100)  # job.completed, job.dead, ...
    timestamp: AwareDatetime | None = None  # when it happened; else the job's own making
    data: dict[str, Json] = Field(default_factory=dict)
    result_id: int | None = None  # a stored result that goes with the data, as ``result``


def deliver_webhook_kind(tools: Tools) -> Kind[Delivery]:
    """Return the kind."""
    rng = random.Random()  # noqa: S311  jitter, no secret

    async def run(args: Delivery, ctx: JobContext) -> Outcome:
        data = dict(args.data)
        if args.result_id is not None:
            data["result"] = await tools.jobs.result(ctx.job.workspace_id, args.result_id)
        happened = args.timestamp or ctx.job.created_at  # the same at every try
        body: dict[str, Json] = {"type": args.type, "timestamp": happened.isoformat(), "data": data}
        secret = await tools.webhooks.job_secret(ctx.job.workspace_id)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = signed(f"msg_{ctx.job.id}", text, (secret,), now=tools.clock())
        request = _request(args.url, text, headers)
        facts: list[RequestFact] = []
        try:
            answer = await answered(tools.http, request, facts)
        except AddressRefused as error:
            return Failed(error.code, str(error))
        return _judged(answer, facts, ctx.job.attempt, rng)

    def check(args: Delivery) -> None:
        try:
            vet_url(args.url)
        except AddressRefused as error:
            raise ArgsInvalid(NAME, [Fault("url", str(error))]) from error

    return Kind(
        name=NAME,
        args=Delivery,
        run=run,
        retry=RETRY,
        timeout_s=2 * ANSWER_WITHIN_S,
        least_s=ANSWER_WITHIN_S,
        description="POST a JSON body to a URL, again until it is taken.",
        check=check,
        internal=True,
    )


def _request(url: str, body: str, headers: Mapping[str, str]) -> Outgoing:
    return Outgoing(
        "POST",
        url,
        time.monotonic() + ANSWER_WITHIN_S,
        _MOST_ANSWER_BYTES,
        headers,
        body.encode(),
        follow=False,  # a POST that is redirected would arrive as a GET without its body
    )


def _judged(
    answer: VendorResponse, facts: list[RequestFact], attempt: int, rng: random.Random
) -> Outcome:
    """Taken is any 2xx; 410 says that nobody listens there any more; all else may pass."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Done({"status": status, "duration_ms": facts[-1].duration_ms})
    if status == HTTPStatus.GONE:
        return Failed("webhook_gone", "the receiver answers 410: it wants no more")
    again = wait_s(attempt, rng, retry_after_s(answer))
    return Retry("webhook_refused", f"the receiver answers {status}", again)
