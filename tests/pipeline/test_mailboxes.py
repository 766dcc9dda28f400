"""An address and what is said of its mailbox: found, verified, given up for the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from glaze.model.mailbox import as_subject
from glaze.model.provider import Ask, Billed, ProviderSpec, Reply, VendorHttp, Verdict
from glaze.model.request import EnrichResult, ResultStatus
from glaze.model.value import FieldName, Json, Micros, Reading
from tests.pipeline.test_run import Desk, Source, desk, values

EMAIL, STATUS = FieldName("person_email"), FieldName("person_email_status")
JANE = {"name": "Jane Doe", "first_name": "Jane", "last_name": "Doe", "domain": "acme.com"}
WANTED = ("person_email", "person_email_status")

__all__ = ["desk"]


@dataclass
class Finder(Source):
    """Finds a person's address by name and company."""

    @property
    def spec(self) -> ProviderSpec:
        spec = super().spec
        needs = (frozenset({FieldName("person_full_name"), FieldName("company_domain")}),)
        return replace(spec, operations=(replace(spec.operations[0], needs=needs),))


@dataclass
class Verifier(Source):
    """Says of each address what its mailbox is worth."""

    says: Mapping[str, Json] = field(default_factory=lambda: {STATUS: "deliverable"})
    confidence: int = 97
    price: int = 10
    dead: frozenset[str] = frozenset()

    @property
    def spec(self) -> ProviderSpec:
        spec = super().spec
        needs = (frozenset({EMAIL}),)
        return replace(spec, operations=(replace(spec.operations[0], needs=needs),))

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation, http
        self.asked += asks
        return [self._reply(str(ask.known[EMAIL])) for ask in asks]

    def _reply(self, email: str) -> Reply:
        status = "undeliverable" if email in self.dead else "deliverable"
        reading = Reading(STATUS, status, self.confidence, url=as_subject(email))
        return Reply(Verdict.MATCH, Billed(Micros(self.price)), (reading,), raw=b"raw")

    @property
    def verified(self) -> list[Json]:
        return [ask.known[EMAIL] for ask in self.asked]


def found(name: str, email: str, price: int) -> Finder:
    return Finder(name, {EMAIL: email}, price=price, confidence=90)


async def test_an_address_that_is_refuted_gives_way_to_the_next_ones_which_is_verified_too(
    desk: Desk,
):
    one, two = found("one", "jane@acme.com", 100), found("two", "jdoe@acme.com", 200)
    verifier = Verifier("verifier", dead=frozenset({"jane@acme.com"}))
    result = await desk.enrich([one, two, verifier], WANTED, given=JANE)
    assert verifier.verified == ["jane@acme.com", "jdoe@acme.com"]
    assert values(result) == {EMAIL: "jdoe@acme.com", STATUS: "deliverable"}
    assert isinstance(result, EnrichResult)
    assert result.status is ResultStatus.SUCCESS
    assert [other.value for other in result.data[EMAIL].alternatives] == ["jane@acme.com"]
    again = await desk.enrich([one, two, verifier], WANTED, given=JANE)
    assert values(again) == values(result)
    assert (len(one.asked), len(two.asked), len(verifier.asked)) == (1, 1, 2)


async def test_where_every_address_is_refuted_none_counts_as_found(desk: Desk):
    one = found("one", "jane@acme.com", 100)
    verifier = Verifier("verifier", dead=frozenset({"jane@acme.com"}))
    result = await desk.enrich([one, verifier], WANTED, given=JANE)
    assert isinstance(result, EnrichResult)
    assert result.missing == (EMAIL,)
    assert result.data[EMAIL].confidence < 20
    assert values(result)[STATUS] == "undeliverable"


async def test_an_address_that_was_not_asked_to_be_verified_is_not_paid_for(desk: Desk):
    one, verifier = found("one", "jane@acme.com", 100), Verifier("verifier")
    result = await desk.enrich([one, verifier], ["person_email"], given=JANE)
    assert values(result) == {EMAIL: "jane@acme.com"}
    assert verifier.asked == []


async def test_what_the_caller_stated_comes_back_unharmed(desk: Desk):
    verifier = Verifier("verifier", dead=frozenset({"jane@acme.com"}))
    given = {"email": "jane@acme.com"}
    result = await desk.enrich([verifier], WANTED, given=given)
    assert values(result) == {EMAIL: "jane@acme.com", STATUS: "undeliverable"}
    assert isinstance(result, EnrichResult)
    assert result.data[EMAIL].confidence == 90


async def test_the_status_of_one_address_is_never_taken_for_anothers(desk: Desk):
    one = found("one", "old@acme.com", 100)
    verifier = Verifier("verifier", dead=frozenset({"old@acme.com"}))
    new = {"person_email": "new@acme.com"}
    first = await desk.enrich([one, verifier], WANTED, given=JANE)
    second = await desk.enrich([verifier], ["person_email_status"], given=JANE | new)
    third = await desk.enrich([verifier], ["person_email_status"], given=JANE)
    again = await desk.enrich([verifier], ["person_email_status"], given=JANE | new)
    said = [values(result).get(STATUS) for result in (first, second, third, again)]
    assert said == ["undeliverable", "deliverable", "undeliverable", "deliverable"]
    assert verifier.verified == ["old@acme.com", "new@acme.com"]  # and neither was paid for twice
