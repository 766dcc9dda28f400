"""How a batch is getting on: a live bar on a terminal, a plain line now and then elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from glaze.cli.screen import err, money, say
from glaze.model.request import EnrichResult
from glaze.model.value import FieldName

_PLAIN_EVERY_S = 5.0
_RATE_OVER_S = 120.0  # longer than the minute that most vendors count in


@dataclass(slots=True)
class Tally:
    """What results add up to, counted as they are read."""

    rows: int = 0
    complete: int = 0  # rows in which everything is filled
    filled: Counter[FieldName] = field(default_factory=Counter)
    given: Counter[FieldName] = field(default_factory=Counter)  # stood in the row: nobody found it
    cached: int = 0  # values that the cache gave for nothing
    bad: int = 0  # rows that could not be used
    partly: int = 0  # rows that were asked for by the rest of them
    by_source: Counter[str] = field(default_factory=Counter)  # values bought or read now
    troubles: Counter[tuple[str, str]] = field(default_factory=Counter)  # (stage, its error)
    over_budget: int = 0  # rows for which a source was too dear
    price_paused: Counter[str] = field(
        default_factory=Counter
    )  # provider -> rows it was not asked for

    def add(self, result: EnrichResult, stated: Container[FieldName]) -> None:
        """Count one row's result; a value below the floor counts as missing, as in the result.

        What the row ``stated`` is given, also where a source said the same and is named for it.
        """
        self.rows += 1
        self.complete += not result.missing
        for name, value in result.data.items():
            if name in result.missing:
                continue
            if name in stated:
                self.given[name] += 1
                continue
            self.filled[name] += 1
            self.cached += value.cached
            if not value.cached:
                self.by_source[value.source] += 1
        dear = False
        paused = set()
        for stage in result.stages:
            if stage.error:
                self.troubles[stage.name, stage.error] += 1
            dear |= "over budget" in (stage.detail or "")
            if "price paused" in (stage.detail or ""):
                paused.add(stage.name)
        self.over_budget += dear
        self.price_paused.update(paused)


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at a running batch. ``cost_micros`` is what it has spent so far."""

    done: int
    total: int
    filled: int
    cached: int
    cost_micros: int


@dataclass(slots=True)
class _Pace:
    """Rows a second over the last seconds, so that a pause or a burst shows."""

    looks: list[tuple[float, int]] = field(default_factory=list)

    def add(self, now: float, done: int) -> float:
        """Return the rate after a look at ``now`` (monotonic seconds)."""
        self.looks = [look for look in self.looks if look[0] >= now - _RATE_OVER_S]
        self.looks.append((now, done))
        (start, before), (end, after) = self.looks[0], self.looks[-1]
        return (after - before) / (end - start) if end > start else 0.0


def _line(now: Standing, rate: float) -> str:
    left = (now.total - now.done) / rate if rate > 0 else None
    parts = [
        f"{now.filled:,} fields",
        f"{now.cached:,} from cache",
        money(now.cost_micros),
        f"{rate:,.1f} rows/s",
    ]
    if left is not None and now.done < now.total:
        parts.append(f"{_duration(left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004  a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"  # noqa: PLR2004  an hour


@contextmanager
def shown_progress() -> Iterator[Callable[[Standing], None]]:
    """Yield a function that shows a batch's standing, for as long as the block runs."""
    pace = _Pace()
    if not err.is_terminal:
        yield _plain(pace)
        return
    columns: Sequence[TextColumn | BarColumn | TaskProgressColumn] = (
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} rows"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None, told="", visible=False)  # until there is a total

        def show(now: Standing) -> None:
            rate = pace.add(time.monotonic(), now.done)
            told = _line(now, rate)
            bar.update(task, completed=now.done, total=now.total, told=told, visible=True)

        yield show


def _plain(pace: _Pace) -> Callable[[Standing], None]:
    last: list[float] = []

    def show(now: Standing) -> None:
        moment = time.monotonic()
        rate = pace.add(moment, now.done)
        ended = now.done == now.total
        if last and moment - last[0] < _PLAIN_EVERY_S and not ended:
            return
        last[:] = [moment]
        say(f"{now.done:,}/{now.total:,} rows: {_line(now, rate)}")

    return show
