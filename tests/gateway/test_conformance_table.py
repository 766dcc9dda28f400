"""The table of docs/conformance.md: what it says is what happens, and the money in it agrees."""

import pytest

from tests.gateway.conformance import DOCUMENT, Situation, Table, document, measure
from tests.storm_only import storm_only


@pytest.fixture
async def table(dsn: str) -> Table:
    return await measure(dsn)


@storm_only
async def test_the_table_of_conformance_says_what_happens_and_every_bill_is_in_the_ledger(
    table: Table,
) -> None:
    assert [row for row in table.rows if not row.agrees] == []
    paid = [row for row in table.rows if row.billed_micros]
    assert {row.situation for row in paid} >= {Situation.MATCH, Situation.LATER}
    unpaid = {Situation.REFUSED, Situation.SPENT, Situation.LIMITED, Situation.FAILING}
    assert [row for row in paid if row.situation in unpaid] == []
    assert document(table) == DOCUMENT.read_text(), "out of date: run make conformance"
