"""The job kind ``email_validation``: a verdict on each address, by its form and its domain's mail."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from glaze.errors import FetchError
from glaze.jobs.kind import JobContext, Kind
from glaze.model.mailbox import is_disposable, is_free_mail, is_role, mail_domain, parse_email
from glaze.model.outcome import Done, Outcome, Partial, Retry, Snooze
from glaze.model.request import EnrichArgs, EnrichResult, FieldValue, Strict
from glaze.model.value import FieldName, Json
from glaze.pipeline.inquiry import MAIL_SOURCE
from glaze.pipeline.order import full_name, is_verifier
from glaze.providers.dns_mx import NO_MAIL, mail_provider
from glaze.tasks.enrich import LEAST_S, ask_pipeline, refuse_unknown_providers
from glaze.tasks.tools import Tools

NAME = "email_validation"
_MAIL = FieldName("company_mail_provider")
_STATUS = FieldName("person_email_status")
_AT_ONCE = 10
_MAILBOXES_AT_ONCE = 100  # so many addresses travel in one request to a vendor
_SURE = 90
"""What a verifier says of a mailbox counts from here; what other sources mention of it does not."""
_CATCH_ALL = ("catch-all", "accept_all")


class Verdict(StrEnum):
    """What is to be thought of an address."""

    VALID = (
        "valid"  # well formed, and its domain takes mail; a vendor may have confirmed the mailbox
    )
    INVALID = "invalid"  # no mail can reach it
    DISPOSABLE = "disposable"  # a throw-away mailbox
    RISKY = "risky"  # a vendor doubts the mailbox, or the domain takes mail for any name
    UNKNOWN = "unknown"  # nobody could tell


_BY_STATUS: Mapping[str, Verdict] = {
    "deliverable": Verdict.VALID,
    "undeliverable": Verdict.INVALID,
    "risky": Verdict.RISKY,
    "disposable": Verdict.DISPOSABLE,
}


class Emails(Strict):
    """Addresses to judge.

    ``provider_id`` names the one vendor that is asked about each mailbox; without it every verifier
    that has a key may be. With ``max_cost_cents`` 0 nothing is bought.
    """

    emails: list[Annotated[str, Field(max_length=1000)]] = Field(min_length=1, max_length=1000)
    provider_id: str | None = None
    skip_cache: bool = False
    max_cost_cents: int | None = Field(default=None, ge=0, le=100_000_00)  # of the whole job


@dataclass(slots=True)
class Judged:
    """One address with its verdict and what that rests on."""

    email: str  # as it came
    verdict: Verdict
    reason: str
    normalised: str | None = None
    domain: str | None = None  # registrable
    mail_provider: str | None = None
    role: bool = False  # a function's, as info@
    free_mail: bool = False  # a domain where anyone may have a mailbox
    vendor: str | None = None  # who said something of the mailbox, where one was asked
    vendor_status: str | None = None  # what it said
    catch_all: bool = False  # the domain takes mail for any name, by the vendor's own word
    host: str = field(default="", repr=False)  # what stands after the @


def email_validation_kind(tools: Tools) -> Kind[Emails]:
    """Return the kind."""

    async def run(args: Emails, ctx: JobContext) -> Outcome:
        judged = [judge_form(text) for text in args.emails]
        check = _Check(tools, ctx, args)
        await check.domains(judged)
        if check.stop is None:
            await check.mailboxes(judged)
        return check.stop or _told(judged)

    def check_provider(args: Emails) -> None:
        names = () if args.provider_id is None else (args.provider_id,)
        refuse_unknown_providers(tools.pipeline, NAME, "provider_id", names)

    return Kind(
        name=NAME,
        args=Emails,
        run=run,
        least_s=LEAST_S,
        description="Judge e-mail addresses by their form, their domain's mail and the verifiers there are.",
        check=check_provider,
    )


def judge_form(text: str) -> Judged:
    """Judge an address by what can be seen of it; its domain is not asked about yet.

    >>> judge_form("ada(at)acme.com").verdict
    <Verdict.INVALID: 'invalid'>
    """
    try:
        address = parse_email(text)
    except ValueError as error:
        return Judged(text, Verdict.INVALID, f"syntax: {error}")
    domain = mail_domain(address)
    judged = Judged(
        text,
        Verdict.UNKNOWN,
        "the domain's mail is not known",
        normalised=address,
        domain=domain,
        role=is_role(address),
        free_mail=is_free_mail(domain),
        host=address.rpartition("@")[2],
    )
    if is_disposable(domain):
        judged.verdict, judged.reason = (
            Verdict.DISPOSABLE,
            f"{domain} hands out throw-away addresses",
        )
    return judged


class _Check:
    """The questions of one job; ``stop`` is set where the attempt has to end before its verdicts."""

    def __init__(self, tools: Tools, ctx: JobContext, args: Emails) -> None:
        self._tools = tools
        self._ctx = ctx
        self._args = args
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._mailbox_slots = asyncio.Semaphore(_MAILBOXES_AT_ONCE)
        self._later: list[Snooze] = []
        self._silent = 0
        self.stop: Outcome | None = None

    async def domains(self, judged: list[Judged]) -> None:
        """Ask each domain once whether it takes mail."""
        open_ = [one for one in judged if one.verdict is Verdict.UNKNOWN]
        hosts = {one.host: one.domain or one.host for one in open_}
        async with asyncio.TaskGroup() as group:
            asked = {
                host: group.create_task(self._mail_of(host, domain))
                for host, domain in hosts.items()
            }
        self._wait_for_later()
        if hosts and self._silent == len(hosts) and self.stop is None:
            self.stop = Retry("sources_unavailable", "no name server answers")
        for one in open_:
            found = asked[one.host].result()
            one.mail_provider = found
            if found == NO_MAIL:
                one.verdict, one.reason = Verdict.INVALID, f"{one.host} takes no mail: no MX record"
            elif found is not None:
                one.verdict, one.reason = Verdict.VALID, f"{one.host} has a mail server"

    async def _mail_of(self, host: str, domain: str) -> str | None:
        """Return who runs the mail of a host, or None where nobody tells."""
        async with self._slots:
            if host == domain:
                value = await self._ask({"company_domain": domain}, _MAIL, (MAIL_SOURCE,))
                found = value.value if value and isinstance(value.value, str) else None
            else:
                found = await self._mail_below(host)
        if found is None:
            self._silent += 1
        return found

    async def _mail_below(self, host: str) -> str | None:
        """Ask about a name below the registrable domain, of which the ledger's fields know nothing."""
        try:
            return mail_provider(host, [*await self._tools.http.dns.resolve(host, "MX")])[0]
        except FetchError:
            return None

    async def mailboxes(self, judged: list[Judged]) -> None:
        """Ask vendors about each mailbox that may exist: what is known to be dead costs nothing.

        Where some have to be waited for, the others are asked all the same, so that the next
        attempt finds their answers.
        """
        named = self._args.provider_id
        providers = await self._verifiers() if named is None else (named,)
        open_ = [one for one in judged if one.verdict in {Verdict.VALID, Verdict.UNKNOWN}]
        if not providers:
            return
        async with asyncio.TaskGroup() as group:
            for one in open_:
                group.create_task(self._mailbox(one, providers))
        self._wait_for_later()

    def _wait_for_later(self) -> None:
        if self._later and self.stop is None:
            self.stop = max(self._later, key=lambda snooze: snooze.until)

    async def _verifiers(self) -> tuple[str, ...]:
        """Return the operations that verify mailboxes and can be asked, by their full names."""
        pipeline = await self._tools.pipeline.of(self._ctx.job.workspace_id)
        return tuple(
            full_name(spec, operation)
            for spec in (provider.spec for _, provider in sorted(pipeline.means.providers.items()))
            if spec.name not in pipeline.means.policy.unusable
            and (not spec.opt_in or spec.name in pipeline.means.policy.opted_in)
            for operation in spec.operations
            if is_verifier(operation)
        )

    async def _mailbox(self, one: Judged, providers: tuple[str, ...]) -> None:
        floor = _SURE if self._args.provider_id is None else None
        async with self._mailbox_slots:
            who = {"person_email": one.normalised or ""}
            found = await self._ask(who, _STATUS, providers, floor)
        if found is None or found.value not in _BY_STATUS:
            return
        one.vendor, one.vendor_status = found.source, str(found.value)
        one.catch_all = (found.quote or "").startswith(_CATCH_ALL)
        own_word = f" ({found.quote})" if found.quote else ""
        one.verdict = _BY_STATUS[one.vendor_status]
        one.reason = f"{one.vendor} says {one.vendor_status}{own_word}"

    async def _ask(
        self,
        who: dict[str, str],
        wanted: FieldName,
        providers: tuple[str, ...],
        floor: int | None = None,
    ) -> FieldValue | None:
        """Return a field's value, or None; an attempt that cannot go on is kept in ``stop``."""
        if self.stop is not None:
            return None
        args = EnrichArgs(
            input=who,
            required_fields=(wanted,),
            providers=providers,
            skip_cache=self._args.skip_cache,
            max_cost_cents=self._args.max_cost_cents,
        )
        if floor is not None:
            args = args.model_copy(update={"min_confidence": floor})
        ended = await ask_pipeline(self._tools, args, self._ctx)
        if isinstance(ended, EnrichResult):
            return ended.data.get(wanted)
        if isinstance(ended, Snooze):
            self._later.append(ended)
        elif not (isinstance(ended, Retry) and ended.code == "sources_unavailable"):
            self.stop = ended
        return None


def _told(judged: list[Judged]) -> Outcome:
    emails: list[Json] = []
    for one in judged:
        row = asdict(one)
        del row["host"]
        emails.append(row)
    counts = Counter(one.verdict for one in judged)
    body: dict[str, Json] = {
        "emails": emails,
        "counts": {verdict: counts[verdict] for verdict in Verdict},
    }
    return Partial(body) if counts[Verdict.UNKNOWN] else Done(body)
