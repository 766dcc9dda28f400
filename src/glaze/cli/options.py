"""Options that say what a file is asked for, the same for every command that reads one."""

from typing import Annotated

import typer

Fields = Annotated[
    str | None, typer.Option(help="Fields to fill, comma-separated; see docs/fields.md.")
]
Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="What it is about: company_website, linkedin_profile, company_linkedin, person, company.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; repeatable."),
]
MaxCost = Annotated[str | None, typer.Option(metavar="DOLLARS", help="Most that one row may cost.")]
Budget = Annotated[
    str | None, typer.Option(metavar="DOLLARS", help="Most that the whole file may cost.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(metavar="PROVIDER", help="Allow an opt-in provider; repeatable."),
]
Only = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Ask only these, comma-separated; opt-in ones are allowed by it."
    ),
]
Order = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Whom to ask first: learned, cheapest, originals, or names, comma-separated.",
    ),
]
Encoding = Annotated[str | None, typer.Option(help="Encoding of FILE, if misjudged.")]
SkipCache = Annotated[
    bool, typer.Option("--skip-cache", help="Ask again what was answered before.")
]
