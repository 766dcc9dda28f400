"""The job kind ``social_profile_discovery``: somebody's public profiles, with evidence."""

from pydantic import model_validator

from glaze.jobs.kind import JobContext, Kind
from glaze.model.field import EntityKind
from glaze.model.field_group import PROFILES
from glaze.model.identity import identify
from glaze.model.outcome import Done, Outcome, Partial
from glaze.model.profile import profile_site
from glaze.model.request import EnrichResult, FieldValue, ResultStatus
from glaze.model.value import FieldName, Json
from glaze.store.record import RecordKind
from glaze.tasks.enrich import LEAST_S, TIMEOUT_S, ask_pipeline, outcome_of
from glaze.tasks.record_enrichment import (
    AskOptions,
    Enriched,
    ExternalId,
    InputData,
    RecordRef,
    enrich_record,
    refuse_unknown_provider,
)
from glaze.tasks.tools import Tools

NAME = "social_profile_discovery"
_LISTS = frozenset({"company_social_urls", "person_social_urls"})


class ProfileSearch(AskOptions):
    """Whose profiles: one lead, contact or account of the caller's, or who ``input_data`` means."""

    lead_id: ExternalId | None = None
    contact_id: ExternalId | None = None
    account_id: ExternalId | None = None
    input_data: InputData | None = None

    @model_validator(mode="after")
    def _says_who(self) -> "ProfileSearch":
        named = [id_ for id_ in (self.lead_id, self.contact_id, self.account_id) if id_]
        if len(named) > 1 or not (named or self.input_data):
            raise ValueError("give one of lead_id, contact_id and account_id, or input_data")
        return self

    @property
    def ref(self) -> RecordRef | None:
        """The record that is meant, where one is."""
        for kind, id_ in (
            (RecordKind.LEAD, self.lead_id),
            (RecordKind.CONTACT, self.contact_id),
            (RecordKind.ACCOUNT, self.account_id),
        ):
            if id_ is not None:
                return RecordRef(kind, id_)
        return None

    def profiles(self, about: EntityKind) -> tuple[FieldName, ...]:
        """Return the profiles to look for: what is named, else all of them."""
        named = self.enrichment_types or self.required_fields
        return self.fields(about) if named else PROFILES[about]


def social_profile_discovery_kind(tools: Tools) -> Kind[ProfileSearch]:
    """Return the kind."""

    async def run(args: ProfileSearch, ctx: JobContext) -> Outcome:
        ref = args.ref
        if ref is None:
            return await _search(tools, args, ctx)
        fields = args.profiles(ref.about)
        ended = await enrich_record(tools, ctx, ref, args.input_data, args, fields=fields)
        if not isinstance(ended, Enriched):
            return ended
        return _told(ended.result, **{ref.word: ref.external_id})

    return Kind(
        name=NAME,
        args=ProfileSearch,
        run=run,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Find public profiles of a person or a company, each with its evidence.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )


async def _search(tools: Tools, args: ProfileSearch, ctx: JobContext) -> Outcome:
    who = args.input_data or {}
    is_person = EntityKind.PERSON in identify(who).keys
    fields = args.profiles(EntityKind.PERSON if is_person else EntityKind.COMPANY)
    found = await ask_pipeline(tools, args.ask(who, fields), ctx)
    return _told(found) if isinstance(found, EnrichResult) else found


def _told(result: EnrichResult, **more: Json) -> Outcome:
    """Add the profiles by site. Who has no page somewhere lacks nothing: one profile is a success."""
    profiles: dict[str, Json] = {
        site: _profile(value.value, value)
        for name, value in result.data.items()
        if (site := profile_site(name)) is not None
    }
    others = _others(result)
    ended = outcome_of(result, profiles=profiles, more_profiles=others, **more)
    found = profiles or others
    if result.status is ResultStatus.PARTIAL and found and isinstance(ended, Partial):
        return Done(ended.result)
    return ended


def _others(result: EnrichResult) -> list[Json]:
    """Return the profiles of the lists that no field of their own shows."""
    shown = {value.value for name, value in result.data.items() if profile_site(name)}
    return [
        _profile(url, value)
        for name, value in result.data.items()
        if name in _LISTS and isinstance(value.value, list)
        for url in value.value
        if url not in shown
    ]


def _profile(url: Json, value: FieldValue) -> dict[str, Json]:
    return {
        "url": url,
        "confidence": value.confidence,
        "source": value.source,
        "evidence": {"url": value.source_url, "quote": value.quote},
    }
