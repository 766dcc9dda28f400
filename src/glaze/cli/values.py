"""``glaze values``: what is known of a record, and which of it a person has decided."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from glaze.boot.process import run
from glaze.cli.ask import input_of
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, quiet, say, shown
from glaze.errors import InputError
from glaze.model.decision import Decision
from glaze.model.value import FieldName, Json
from glaze.pipeline.deciding import Deciding, Standing
from glaze.settings import load_settings

T = TypeVar("T")

values = typer.Typer(
    help="See what is known of a record; confirm, choose, correct or lock a value.",
    no_args_is_help=True,
)

Record = Annotated[
    str,
    typer.Argument(
        metavar="RECORD",
        help="A domain, URL or e-mail address, or WORD=TEXT as in lead_id=42 or name=Acme.",
    ),
]
Field = Annotated[str, typer.Argument(metavar="FIELD", help="A canonical field.")]
By = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Who decides; it is kept with the decision.")
]


@values.command()
def show(record: Record, *, as_json: AsJson = False) -> None:
    """Show each field with its value, confidence, sources, alternatives and what was decided.

    An alternative may be given to `glaze values choose`.
    """

    async def look(deciding: Deciding) -> dict[FieldName, Standing]:
        return await deciding.standing(workspace(), who_is(record))

    found = run(_with(look))
    if as_json:
        for name, standing in found.items():
            print_json(_as_json(name, standing))
        return
    table = plain_table("field", numbers=("sure",), elastic=("value", "sources", "decided"))
    for name, standing in found.items():
        won, decided = standing.winner, standing.decision
        said = (
            "" if decided is None else f"{decided.act}{f' by {decided.by}' if decided.by else ''}"
        )
        witnesses = ", ".join(won.witnesses)
        table.add_row(*cells(name, str(won.confidence), shown(won.value), witnesses, said))
        for other in won.alternatives:
            table.add_row(*cells("", str(other.confidence), shown(other.value), other.source, ""))
    out.print(table)


@values.command()
def confirm(record: Record, field: Field, *, by: By = None) -> None:
    """Say that a field's value is true: it stays, and its sources were right."""

    async def act(deciding: Deciding) -> Decision:
        return await deciding.confirm(workspace(), who_is(record), field, by=by)

    _tell(run(_with(act)))


@values.command()
def choose(
    record: Record,
    field: Field,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The value; of a list or map, JSON.")
    ],
    *,
    by: By = None,
) -> None:
    """Say which value of a field is true: an alternative, or one that no source stated."""

    async def act(deciding: Deciding) -> Decision:
        who = who_is(record)
        return await deciding.choose(workspace(), who, field, _value(value), by=by)

    _tell(run(_with(act)))


@values.command()
def lock(record: Record, field: Field, *, by: By = None) -> None:
    """Keep a field's value as it is, whatever sources say; this does not say that it is true."""

    async def act(deciding: Deciding) -> Decision:
        return await deciding.lock(workspace(), who_is(record), field, by=by)

    _tell(run(_with(act)))


@values.command()
def unlock(record: Record, field: Field) -> None:
    """Take back what was decided of a field: its sources speak again."""

    async def act(deciding: Deciding) -> None:
        await deciding.unlock(workspace(), who_is(record), field)

    run(_with(act))
    say(f"{field} is its sources' again")


async def _with(act: Callable[[Deciding], Awaitable[T]]) -> T:
    async with boot(quiet(load_settings())) as app:
        return await act(app.deciding)


def who_is(record: str) -> dict[str, str]:
    """Return what identifies a record. Raises: InputError, UnknownField where it identifies none."""
    word, equals, text = record.partition("=")
    if equals and "/" not in word:
        return {word.strip(): text.strip()}
    return input_of(record)


def _value(text: str) -> Json:
    """Return a value as it is given: JSON where it looks like a list or a map.

    Raises: InputError.
    """
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        found: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"VALUE looks like JSON and is none: {error}") from None
    return found


def _tell(decision: Decision) -> None:
    say(f"{decision.field} is {shown(decision.value)}: {decision.act}")


def _as_json(name: FieldName, standing: Standing) -> dict[str, Json]:
    won, decided = standing.winner, standing.decision
    return {
        "field": name,
        **won.as_field_value().model_dump(mode="json", exclude={"cached", "cost_micros"}),
        "witnesses": list(won.witnesses),
        "decided": None
        if decided is None
        else {"act": decided.act, "by": decided.by, "at": decided.at.isoformat()},
    }
