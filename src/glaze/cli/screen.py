"""What people read: results on standard output, everything else on standard error."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from glaze.model.value import MICROS_PER_DOLLAR, Json
from glaze.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]

_PIPED_WIDTH = 240
"""Of a table that goes into a pipe, unless COLUMNS says otherwise: no terminal cuts it there."""
_width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _PIPED_WIDTH
out = Console(highlight=False, soft_wrap=True, width=_width)
err = Console(stderr=True, highlight=False, soft_wrap=True)

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

STOPPING = "stopping: finishing what is under way"


def say(text: str) -> None:
    """Tell the user something on standard error, as it is: brackets are no markup."""
    err.print(text, markup=False)


def print_json(value: Json) -> None:
    """Print one JSON document on one line of standard output."""
    print(json.dumps(value, ensure_ascii=False))


def quiet(settings: Settings) -> Settings:
    """Log warnings only, unless the user chose a level: the screen shows what goes on."""
    if "log_level" in settings.model_fields_set:
        return settings
    return settings.with_changes(log_level="warning")


def money(micros: int) -> str:
    """Return an amount for people: cents, or finer where there is less than a cent."""
    value = micros / MICROS_PER_DOLLAR
    return f"${value:,.2f}" if micros % 10_000 == 0 else f"${value:,.4f}"


def shown(value: Json) -> str:
    """Return a field's value for people, on one line."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
    return "" if value is None else str(value)


def harmless(text: str) -> str:
    """Return one line of foreign text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "�" for char in text)


def cells(*texts: str) -> list[Text]:
    """Return the cells of a table's row with foreign text as it is: brackets are no markup.

    Each stays on its line, cut where its column is narrower.
    """
    return [Text(harmless(text), no_wrap=True, overflow="ellipsis") for text in texts]


def plain_table(*fixed: str, numbers: Sequence[str] = (), elastic: Sequence[str] = ()) -> Table:
    """Return a table without lines; where there is little room only ``elastic`` columns shrink."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in fixed:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, no_wrap=True, justify="right")
    for name in elastic:
        table.add_column(name)
    return table


@dataclass(frozen=True, slots=True)
class Stops:
    """What signals ask for: ``soft`` ends after what is under way, ``hard`` now."""

    soft: asyncio.Event
    hard: asyncio.Event


@contextmanager
def stop_on_signals(told: str) -> Iterator[Stops]:
    """Yield events for Ctrl-C or SIGTERM: the first is soft, and says ``told``; the second hard.

    A third cancels the running task, whatever it does.
    """
    stops = Stops(asyncio.Event(), asyncio.Event())
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def on_signal() -> None:
        if stops.hard.is_set() and task is not None:
            task.cancel()
        elif stops.soft.is_set():
            stops.hard.set()
        else:
            stops.soft.set()
            if told:
                say(told)

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stops
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
