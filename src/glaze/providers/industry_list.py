"""The list of industries: what a source calls an industry, put into the list's own words. Asks nobody."""

from collections.abc import Sequence

from glaze.model.industry import industry_of
from glaze.model.provider import (
    Ask,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.value import FieldName
from glaze.model.vendor_body import Readings, field_sets, gives, identified_by, not_asked

SURE = 65
"""A name of an industry says which of the list it is; who stated it may still be wrong."""

_MAP = Operation(
    name="map",
    needs=field_sets("company_industry"),
    gives=gives(company_industry_group=SURE),
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(name="industry_list", operations=(_MAP,), limits=())


class IndustryList:
    """Finds the industry of the list that the known ``company_industry`` means, where it is clear."""

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` is the only thing to set."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask without any request."""
        del http
        return [_mapped(self.spec.operation(operation), ask) for ask in asks]


def _mapped(operation: Operation, ask: Ask) -> Reply:
    question = identified_by(ask, operation.needs)
    if not question:
        return not_asked("no industry is known")
    stated = question[FieldName("company_industry")]
    found = industry_of(stated)
    if found is None:
        return Reply(Verdict.NO_MATCH, Unbilled(), detail="it names none of the list, or several")
    readings = Readings(operation.gives)
    readings.add("company_industry_group", found, quote=stated)
    return Reply(Verdict.MATCH, Unbilled(), readings.found, notes=readings.notes)


industry_list = IndustryList()
