"""``glaze jobs``: see jobs and steer them."""

import typer

from glaze.cli.act import cancel, change, purge, replay, retry
from glaze.cli.look import dead, list_jobs, show

jobs = typer.Typer(help="See jobs and steer any number of them.", no_args_is_help=True)
jobs.command("list")(list_jobs)
for command in (show, dead, retry, replay, cancel, change, purge):
    jobs.command(command.__name__)(command)
