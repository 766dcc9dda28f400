"""``glaze webhooks``: endpoints that are told what happens, and what they were told."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from glaze.boot.process import run, utc_now
from glaze.cli.choose import parse_past
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, say
from glaze.jobs.enqueue import vetted_webhook
from glaze.model.webhook import checked_types
from glaze.settings import load_settings
from glaze.store.webhook import Webhook, WebhookChange, WebhookStore, WithSecret
from glaze.store.webhook_delivery import Delivered, DeliveryStore

webhooks = typer.Typer(
    help="Tell endpoints what happens; see what they were told.", no_args_is_help=True
)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `glaze webhooks list` shows.")]
T = TypeVar("T")
_DAY_S = 86_400
_ACTOR = "command line"


class _Stores(NamedTuple):
    endpoints: WebhookStore
    deliveries: DeliveryStore


@webhooks.command("list")
def list_webhooks(*, as_json: AsJson = False) -> None:
    """List the endpoints."""
    found = _with(lambda stores: stores.endpoints.list(workspace()))
    if as_json:
        for webhook in found:
            print_json(_told(webhook))
        return
    if not found:
        say("there is no webhook; make one: glaze webhooks add URL")
        return
    table = plain_table("id", "events", "state", elastic=("url",))
    for webhook in found:
        events = ",".join(webhook.events)
        table.add_row(*cells(str(webhook.id), events, _state(webhook), webhook.url))
    out.print(table)


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="http or https, public.")],
    *,
    event: Annotated[
        list[str] | None,
        typer.Option(help="What it is told, repeatable: job.completed, batch.*. Default: all."),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an endpoint that is told what happens from now on, and print its secret, once."""
    vetted, types = vetted_webhook(url), checked_types(event or ["*"])
    made = _with(lambda stores: stores.endpoints.create(workspace(), vetted, types, description))
    _print_secret(made, as_json=as_json)


@webhooks.command()
def remove(webhook_id: Id) -> None:
    """Take an endpoint away, with the log of what it was told."""
    _with(lambda stores: stores.endpoints.remove(workspace(), webhook_id))
    out.print(f"webhook {webhook_id} is removed")


@webhooks.command()
def rotate(
    webhook_id: Id,
    *,
    overlap_days: Annotated[
        float, typer.Option(min=0, max=30, help="Days that both secrets sign.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint a new secret and print it, once."""
    overlap_s = overlap_days * _DAY_S
    made = _with(
        lambda stores: stores.endpoints.rotate(workspace(), webhook_id, overlap_s=overlap_s)
    )
    _print_secret(made, as_json=as_json)


@webhooks.command()
def disable(webhook_id: Id) -> None:
    """Tell an endpoint nothing any more."""
    _switch(webhook_id, disabled=True)


@webhooks.command()
def enable(webhook_id: Id) -> None:
    """Tell an endpoint again, beginning with what was still to be told."""
    _switch(webhook_id, disabled=False)


@webhooks.command()
def deliveries(
    webhook_id: Id,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what an endpoint was told, newest first, with how each try ended."""
    found = _with(lambda stores: stores.deliveries.page(workspace(), webhook_id, limit))
    if as_json:
        for delivery in found:
            print_json(_logged(delivery))
        return
    table = plain_table("id", "type", "state", "tries", "status", "ms", elastic=("error or next",))
    for delivery in found:
        table.add_row(*cells(*_row(delivery)))
    out.print(table)


@webhooks.command()
def replay(
    webhook_id: Id,
    *,
    delivery: Annotated[int | None, typer.Option(min=1, help="One that has ended.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="All that failed since: a time, or 2d ago.")
    ] = None,
) -> None:
    """Tell an endpoint again: one delivery, or all that failed since a time."""
    moment = parse_past(since, "--since")
    again = _with(
        lambda stores: stores.deliveries.replay(
            workspace(), webhook_id, delivery_id=delivery, since=moment
        )
    )
    out.print(f"{again} to be told again")


@webhooks.command()
def test(webhook_id: Id) -> None:
    """Tell an endpoint `webhook.test`; a worker sends it."""
    made = _with(
        lambda stores: stores.deliveries.test(workspace(), webhook_id, utc_now(), actor=_ACTOR)
    )
    out.print(f"delivery {made} is due")


def _with(act: Callable[[_Stores], Coroutine[Any, Any, T]]) -> T:
    async def acted() -> T:
        async with _stores() as stores:
            return await act(stores)

    return run(acted())


@asynccontextmanager
async def _stores() -> AsyncIterator[_Stores]:
    async with fleet(load_settings()) as db:
        yield _Stores(WebhookStore(db), DeliveryStore(db))


def _switch(webhook_id: int, *, disabled: bool) -> None:
    change = WebhookChange(disabled=disabled)
    turned = _with(lambda stores: stores.endpoints.change(workspace(), webhook_id, change))
    out.print(f"webhook {webhook_id} {_state(turned)}")


def _print_secret(made: WithSecret, *, as_json: bool) -> None:
    if as_json:
        print_json({**_told(made.webhook), "secret": made.secret})
        return
    say(f"webhook {made.webhook.id}; its secret is shown only now:")
    print(made.secret)


def _state(webhook: Webhook) -> str:
    if webhook.disabled_at is not None:
        return f"disabled ({webhook.disabled_why})"
    return f"failing since {webhook.failing_since:%Y-%m-%d}" if webhook.failing_since else "listens"


def _told(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "events": list(webhook.events),
        "state": _state(webhook),
        "created_at": webhook.created_at.isoformat(),
    }


def _row(delivery: Delivered) -> tuple[str, ...]:
    last: Any = delivery.attempts[-1] if delivery.attempts else {}
    tail = last.get("error") or ""
    if delivery.next_attempt_at is not None:
        tail = f"next {delivery.next_attempt_at:%Y-%m-%d %H:%M:%S} {tail}".strip()
    status, spent = last.get("status"), last.get("duration_ms")
    return (
        str(delivery.id),
        delivery.type,
        delivery.state,
        str(delivery.attempt),
        "" if status is None else str(status),
        "" if spent is None else str(spent),
        tail,
    )


def _logged(delivery: Delivered) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "job_id": delivery.job_id,
        "batch_id": delivery.batch_id,
        "state": delivery.state,
        "attempt": delivery.attempt,
        "next_attempt_at": delivery.next_attempt_at and delivery.next_attempt_at.isoformat(),
        "attempts": list(delivery.attempts),
        "body": delivery.body,
    }
