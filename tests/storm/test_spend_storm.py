"""A small spend storm for every run of the tests; the long one is ``make storm``."""

from pathlib import Path

from tests.storm.spend import SpendStorm


async def test_workers_killed_around_paid_calls_leave_the_books_as_the_vendors_own_log_has_them(
    dsn: str, tmp_path: Path
) -> None:
    verdict = await SpendStorm(dsn, tmp_path, kills=6, seed=7).run()
    assert not verdict.bad, verdict
    assert sum(verdict.kills.values()) >= 6
    assert verdict.bills > 12
