"""Gravatar: the profile that the owner of an e-mail address made public. Free; a key raises the limit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.room import RoomHeaders
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    field_sets,
    gives,
    identified_by,
    not_asked,
    objects_at,
    parse_json,
    reset_wait_s,
    text_at,
    unusable,
)

SURE = 80  # what the owner wrote, long ago perhaps
VERIFIED = 90  # an account that Gravatar saw the owner sign in to
_EMAIL = FieldName("person_email")

_PROFILE = Operation(
    name="profile",
    needs=field_sets("person_email"),
    gives=gives(
        person_full_name=SURE,
        person_first_name=75,
        person_last_name=75,
        person_title=70,
        person_company_name=70,
        person_summary=SURE,
        person_photo_url=SURE,
        person_linkedin_url=VERIFIED,
        person_twitter_url=VERIFIED,
        person_github_url=VERIFIED,
        person_facebook_url=VERIFIED,
        person_social_urls=VERIFIED,
    ),
    timeout_s=10.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="gravatar",
    operations=(_PROFILE,),
    base_url="https://api.gravatar.com/v3",
    limits=(Limit(100, 3600),),
    room_headers=(RoomHeaders("x-ratelimit-remaining", 3_600, "x-ratelimit-reset"),),
    keyed_limits=(Limit(1_000, 3600),),
    concurrency=5,
    patient=False,
)
_ACCOUNTS: Mapping[str, str] = {
    "github": "person_github_url",
    "twitter": "person_twitter_url",
    "x": "person_twitter_url",
    "facebook": "person_facebook_url",
    "linkedin": "person_linkedin_url",
}


class Gravatar:
    """Speaks to ``api.gravatar.com``. Only the hash of the address leaves the machine.

    Vendor facts: 404 is nobody; 429 with ``x-ratelimit-reset``; without a key some fields are
    left out.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by one profile."""
        needs = self.spec.operation(operation).needs
        return [await _one(identified_by(ask, needs).get(_EMAIL, ""), http) for ask in asks]


async def _one(email: str, http: VendorHttp) -> Reply:
    if not email:
        return not_asked("no e-mail address is known")
    digest = sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
    response = await http.request(
        "GET",
        f"{http.base_url}/profiles/{digest}",
        headers={"Authorization": f"Bearer {http.key}"} if http.key else {},
    )
    if response.status != HTTPStatus.OK:
        reply = unusable(_HABITS.get(response.status, Verdict.VENDOR_ERROR), response)
        wait_s = reply.retry_after_s or reset_wait_s(response, "x-ratelimit-reset")
        return replace(reply, retry_after_s=wait_s)
    profile = parse_json(response.body)
    if not isinstance(profile, Mapping) or not text_at(profile, "profile_url"):
        return unusable(Verdict.VENDOR_ERROR, response)
    readings = _read(profile)
    return Reply(
        Verdict.MATCH if readings.found else Verdict.NO_MATCH,
        Unbilled(),
        readings=readings.found,
        raw=response.body,
        notes=readings.notes,
    )


def _read(profile: Mapping[str, Json]) -> Readings:
    readings = Readings(_PROFILE.gives, url=text_at(profile, "profile_url"))
    for field, key in _FIELDS.items():
        readings.add(field, text_at(profile, key))
    own = []
    for account in objects_at(profile, "verified_accounts"):
        url = text_at(account, "url")
        if url is None or account.get("is_hidden") is True:
            continue
        own.append(url)
        named = _ACCOUNTS.get((text_at(account, "service_type") or "").lower())
        if named:
            readings.add(named, url)
    readings.add("person_social_urls", own)
    return readings


_FIELDS: Mapping[str, str] = {
    "person_full_name": "display_name",
    "person_first_name": "first_name",
    "person_last_name": "last_name",
    "person_title": "job_title",
    "person_company_name": "company",
    "person_summary": "description",
    "person_photo_url": "avatar_url",
}
_HABITS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    403: Verdict.AUTH,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}

gravatar = Gravatar()
