"""``glaze demo``: the whole pipeline against the sandbox's vendors, with no account and no internet."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.table import Table
from rich.text import Text

from glaze.boot.process import run
from glaze.cli.ask import FileAsk, Limits, ask_of_file
from glaze.cli.enrich_file import check_rows, enrich_file, show_mapping
from glaze.cli.opening import boot
from glaze.cli.screen import INTERRUPTED, err, out, quiet, say
from glaze.errors import GlazeError
from glaze.files.cell import text_of
from glaze.files.reading import Row, read_rows
from glaze.files.source import inspect
from glaze.settings import Settings, load_settings

EXAMPLE = Path("examples/companies.csv")
FIELDS = (
    "company_name,company_industry,company_employee_count,company_city,company_phone,company_email"
)
_SHOWN_ROWS = 12
_OPT_IN = ("enrichlayer",)
_KEYS = frozenset({"apollo_api_key", "linkedin_api_key", "search_api_key", "llm_api_key"})
"""The vendors that take part; one search engine shows how search is used."""


def demo(
    file: Annotated[Path, typer.Argument(help="Rows of the sandbox's world.")] = EXAMPLE,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")] = Path(
        "demo.enriched.csv"
    ),
) -> None:
    """Enrich example companies end to end; vendors and sites are the sandbox's."""
    ask = ask_of_file(
        file,
        output=output,
        errors=None,
        fields=FIELDS,
        given=(),
        # Asked afresh each time, so that every run shows the whole path.
        limits=Limits(skip_cache=True, allow=_OPT_IN),
        provenance=True,
        as_json=False,
        encoding=None,
    )
    say("Every vendor and every site here is played by the sandbox on this machine: the companies")
    say("are made up, and the money is the sandbox's price list. Nothing leaves the machine.\n")
    with _sandbox() as url:
        settings = _demo_settings(quiet(load_settings()), url)
        show_mapping(ask)
        check_rows(ask)
        if not run(_run(settings, ask)):
            raise typer.Exit(INTERRUPTED)


async def _run(settings: Settings, ask: FileAsk) -> bool:
    async with boot(settings) as app:
        finished = await enrich_file(app, ask, concurrency=None, before_summary=show_rows)
    if finished:
        out.print("(spend is what the sandbox's vendors would have billed)")
    return finished


def _demo_settings(settings: Settings, url: str) -> Settings:
    """Return settings that reach the sandbox alone, with a database of the demo's own."""
    key = SecretStr("sandbox-demo")  # the prefix is what the sandbox accepts
    every = [name for name in Settings.model_fields if name.endswith("_api_key")]
    return settings.with_changes(
        database_url=None,
        data_dir=settings.data_dir.with_name(f"{settings.data_dir.name}-demo"),
        sandbox_url=url,
        # A key of the user's own stays at home: the demo is the same everywhere.
        **{name: key if name in _KEYS else None for name in every},
        allow=_OPT_IN,
        order=(),
        provider={},
        daily_cap_cents=None,
    )


@contextlib.contextmanager
def _sandbox() -> Iterator[str]:
    """Run the sandbox as a process of its own and yield its address.

    Raises: GlazeError where it does not start.
    """
    command = [sys.executable, "-m", "glaze_sandbox", "--port=0"]
    # Out of reach of the terminal's Ctrl-C: calls in flight are still answered.
    with subprocess.Popen(  # noqa: S603  our own module
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise GlazeError(f"the sandbox did not start: {' '.join(command)}")
            yield str(json.loads(line)["url"])
        finally:
            process.terminate()


def show_rows(ask: FileAsk) -> None:
    """Print the first rows of the output: each value with its confidence, source and cost."""
    written = inspect(ask.target.path)
    for row in read_rows(written):
        if not isinstance(row, Row) or row.row_no > _SHOWN_ROWS:
            break
        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        table.title = Text(" ".join(text_of(row.values[name]) for name in ask.source.columns))
        for name in ("field", "value", "conf.", "source", "cost $"):
            table.add_column(name)
        for field in ask.fields:
            parts = (field, f"{field}_confidence", f"{field}_source", f"{field}_cost_usd")
            cells = [text_of(row.values.get(name)) for name in parts]
            table.add_row(field, *(Text(cell or "-") for cell in cells))
        out.print(table)
        out.print()
    if written.sample and len(written.sample) > _SHOWN_ROWS:
        err.print(f"... all rows are in {ask.target.path}")
