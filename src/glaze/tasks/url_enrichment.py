"""The job kind ``url_enrichment``: whoever a website or a LinkedIn page belongs to."""

from pydantic import Field, model_validator

from glaze.errors import ArgsInvalid, Fault, InputError
from glaze.jobs.kind import JobContext, Kind
from glaze.model.field import EntityKind
from glaze.model.identity import identify
from glaze.model.input_type import InputType, entity_of, field_of
from glaze.model.job import INTERACTIVE
from glaze.model.outcome import Outcome
from glaze.model.request import EnrichResult
from glaze.tasks.enrich import LEAST_S, TIMEOUT_S, ask_pipeline, outcome_of
from glaze.tasks.record_enrichment import AskOptions, refuse_unknown_provider
from glaze.tasks.tools import Tools

NAME = "url_enrichment"


class UrlArgs(AskOptions):
    """A URL. With a ``type`` the fields may be short: ``name`` for ``company_name``."""

    url: str = Field(min_length=1, max_length=2048)
    type: InputType | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_names(cls, given: object) -> object:
        if not isinstance(given, dict) or not isinstance(given.get("type"), str):
            return given
        names = given.get("required_fields")
        if not isinstance(names, list | tuple):
            return given
        return given | {"required_fields": [_long(name, given["type"]) for name in names]}


def _long(name: object, type_: InputType) -> object:
    try:
        return field_of(name, type_) if isinstance(name, str) else name
    except InputError:
        return name  # the field's own validator says what is wrong, and where


def url_enrichment_kind(tools: Tools) -> Kind[UrlArgs]:
    """Return the kind."""

    async def run(args: UrlArgs, ctx: JobContext) -> Outcome:
        who = {"url": args.url}
        found = await ask_pipeline(tools, args.ask(who, args.fields(_about(args))), ctx)
        return outcome_of(found, url=args.url) if isinstance(found, EnrichResult) else found

    def check(args: UrlArgs) -> None:
        refuse_unknown_provider(tools, NAME, args)
        try:
            identify({"url": args.url})
        except InputError as error:
            raise ArgsInvalid(NAME, [Fault("url", str(error))]) from error

    return Kind(
        name=NAME,
        args=UrlArgs,
        run=run,
        retry=INTERACTIVE,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Enrich the company or person that a website or LinkedIn page belongs to.",
        check=check,
    )


def _about(args: UrlArgs) -> EntityKind:
    if args.type is not None:
        return entity_of(args.type)
    is_person = EntityKind.PERSON in identify({"url": args.url}).keys
    return EntityKind.PERSON if is_person else EntityKind.COMPANY
