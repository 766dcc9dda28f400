"""The list of industries as a source of its own: nobody is asked, nothing is guessed."""

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, Verdict
from glaze.providers.industry_list import industry_list


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("Software Development", {"company_industry_group": "computer software"}),
        ("Technology", {}),
    ],
)
async def test_what_a_source_calls_an_industry_leads_to_the_list(stated, found) -> None:
    http = VendorFake()
    asked = ask("company_industry_group", company_industry=stated)
    reply = await one(industry_list, "map", asked, http)
    assert values(reply) == found
    assert reply.verdict is (Verdict.MATCH if found else Verdict.NO_MATCH)
    assert (reply.billing, http.sent) == (Unbilled(), [])
    assert all(reading.quote == stated for reading in reply.readings)
