"""What the spend storm would not see it could not vouch for: each guard taken out, it fails.

A storm each, so only where GLAZE_TEST_STORM is set, as by ``make storm``.
"""

from pathlib import Path

import pytest

from tests.mutants.test_mutants import MUTANTS, Change, Mutant, assert_fails
from tests.storm_only import storm_only

STORM = (
    "tests/storm/test_spend_storm.py::test_workers_killed_around_paid_calls_leave_the_books_as_the"
    "_vendors_own_log_has_them"
)
BAD = r"where \{.*'"
EARLY = next(m for m in MUTANTS if m.name == "the request leaves before its intent is committed")
EXPIRED = (
    Change(
        "store/sql/ledger.sql",
        "state = case when reserved_micros = 0 then 'not_billed'::call_state",
        "state = case when reserved_micros >= 0 then 'not_billed'::call_state",
    ),
    Change(
        "store/sql/ledger.sql",
        "price_micros = case when reserved_micros = 0 then 0 end",
        "price_micros = 0",
    ),
    Change(
        "store/sql/ledger.sql",
        "settled_at = case when reserved_micros = 0 then clock_timestamp() end",
        "settled_at = clock_timestamp()",
    ),
)

SPEND_MUTANTS = (
    Mutant(
        "the request leaves before its intent", BAD + "bills without a call'", STORM, EARLY.changes
    ),
    Mutant(
        "what is sending too long may be asked again",
        BAD + "questions billed twice'",
        STORM,
        EXPIRED,
    ),
    Mutant(
        "class C is sent again",
        BAD + "questions billed twice'",
        STORM,
        (
            Change("store/sql/ledger.sql", "resend in ('idempotent', 'collect')", "true"),
            Change(
                "pipeline/settling.py",
                "frozenset({Resend.IDEMPOTENT, Resend.COLLECT})",
                "frozenset(Resend)",
            ),
            Change(
                "pipeline/collecting.py",
                "claimed.resend is Resend.IDEMPOTENT and",
                "claimed.resend is not Resend.COLLECT and",
            ),
        ),
    ),
    Mutant(
        "what is settled stays reserved",
        BAD + "not budgets_hold_what_their_calls_hold'",
        STORM,
        (
            Change(
                "store/sql/ledger.sql",
                "set reserved_micros = b.reserved_micros - a.released, spent",
                "set reserved_micros = b.reserved_micros - a.released * 0, spent",
            ),
        ),
    ),
)


@storm_only
@pytest.mark.parametrize("mutant", SPEND_MUTANTS, ids=lambda mutant: mutant.name)
def test_the_spend_storm_fails_for_a_product_without_the_guard(
    tmp_path: Path, server_dsn: str, mutant: Mutant
) -> None:
    assert_fails(tmp_path, server_dsn, mutant)
