"""The table of threats is honest: what stands against each is held by tests that exist."""

import pytest

from tests.docs.reading import ROOT, is_test, named_tests, rows

THREATS = rows((ROOT / "docs" / "security.md").read_text("utf-8"), "threat")


def test_there_are_threats():
    assert THREATS


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row[0][:40])
def test_a_threat_has_a_control_and_tests_that_exist(row):
    threat, control, tests = row
    assert threat
    assert control
    assert named_tests(tests)
    for name in named_tests(tests):
        assert is_test(name), name
