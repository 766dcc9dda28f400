"""A company by its name: its official site is found first, with evidence, then asked by (P3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from glaze.model.provider import ProviderSpec
from glaze.model.request import EnrichResult
from glaze.model.value import FieldName, Json
from tests.pipeline.test_run import Desk, Source, desk, stages, values

__all__ = ["desk"]
NAMED = {"company": "Acme Tools"}
SITE = {"company_domain": "acme-tools.com", "company_website": "https://acme-tools.com"}
PHONE = {"company_phone": "+16145550102"}


@dataclass
class ByName(Source):
    """A source that is asked by a company's name."""

    needs: frozenset[FieldName] = field(
        default_factory=lambda: frozenset([FieldName("company_name")])
    )

    @property
    def spec(self) -> ProviderSpec:
        spec = Source.spec.fget(self)  # type: ignore[attr-defined]
        return replace(spec, operations=(replace(spec.operations[0], needs=(self.needs,)),))


def finder(says: Mapping[str, Json] = SITE, price: int = 1_000) -> ByName:
    return ByName("finder", says, price=price)


async def test_the_site_of_a_company_is_found_by_its_name_and_then_asked(desk: Desk):
    search, site = finder(), Source("site", PHONE)
    result = await desk.enrich([site, search], [*PHONE], given=NAMED)
    assert values(result) == PHONE
    assert stages(result)[:4] == ["cache", "finder", "official_site", "site"]
    assert isinstance(result, EnrichResult)
    found = result.stages[2]
    assert found.fields_found == ("company_domain",)
    assert found.detail is not None
    assert found.detail.startswith("acme-tools.com, by finder")
    assert search.asked[0].want == {*SITE}
    assert site.asked[0].known[FieldName("company_domain")] == "acme-tools.com"


async def test_nobody_searches_for_a_site_that_is_given_or_that_nobody_would_be_asked_by(
    desk: Desk,
):
    search, site = finder(), Source("site", PHONE)
    by_name = ByName("register", {"company_vat_id": "DE136695976"})
    given = await desk.enrich([site, search], [*PHONE], given=NAMED | {"domain": "acme.com"})
    vat = await desk.enrich([site, search, by_name], ["company_vat_id"], given=NAMED)
    assert values(given) == PHONE
    assert "official_site" not in stages(given) + stages(vat)
    assert search.asked == []


@pytest.mark.parametrize(
    ("search_price", "searched"), [(1_000, 1), (20_000, 0)], ids=["a tenth of a cent", "two cents"]
)
async def test_a_site_is_found_where_that_is_cheaper_than_asking_by_the_name(
    desk: Desk, search_price: int, searched: int
):
    search, site = finder(price=search_price), Source("site", PHONE)
    dear = ByName("dear", {"company_phone": "+16145550199"}, price=100_000)
    result = await desk.enrich([site, search, dear], [*PHONE], given=NAMED)
    assert len(search.asked) == searched
    assert len(dear.asked) == 1 - searched
    assert ("official_site" in stages(result)) == bool(searched)


async def test_a_fixed_order_is_kept_and_an_opt_in_source_opens_nothing(desk: Desk):
    search, site = finder(), Source("site", PHONE)
    dear = ByName("dear", {"company_phone": "+16145550199"}, price=100_000)
    fixed = await desk.enrich([site, search, dear], [*PHONE], given=NAMED, order=("dear",))
    assert values(fixed) == {"company_phone": "+16145550199"}
    closed = Source("closed", {"company_vat_id": "DE136695976"}, opt_in=True)
    await desk.enrich([closed, search], ["company_vat_id"], given=NAMED)
    assert search.asked == []


async def test_a_search_that_finds_no_site_is_made_once_and_the_rest_goes_on(desk: Desk):
    search, site = finder({"company_domain": "", "company_website": ""}), Source("site", PHONE)
    search.says = {"company_domain": "not a domain"}
    dear = ByName("dear", {"company_phone": "+16145550199"}, price=100_000)
    result = await desk.enrich([site, search, dear], [*PHONE], given=NAMED)
    assert (len(search.asked), len(site.asked), len(dear.asked)) == (1, 0, 1)
    assert values(result) == {"company_phone": "+16145550199"}
