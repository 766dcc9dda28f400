"""The provider that docs/providers.md shows is one."""

import re
from pathlib import Path

from vendor_fake import VendorFake, one, sample_ask, values

from glaze.model.provider import Billed
from glaze.providers.registry import faults_of, load_providers

PAGE = Path(__file__).parents[2].joinpath("docs/providers.md").read_text()


async def test_the_example_of_the_documentation_works_as_it_stands() -> None:
    names: dict[str, object] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], names)
    acme = names["acme"]
    assert [*faults_of(acme.spec)] == []
    http = VendorFake.of({"name": "Acme", "address": {"country": "Germany"}})
    reply = await one(acme, "company", sample_ask(names["COMPANY"]), http)
    assert values(reply) == {"company_name": "Acme", "company_country": "DE"}
    assert reply.billing == Billed(20_000)


def test_every_installed_operation_is_documented() -> None:
    for name, provider in load_providers().providers.items():
        assert f"`{name}`" in PAGE
        for operation in provider.spec.operations:
            assert name == "website" or f"`{operation.name}`" in PAGE
