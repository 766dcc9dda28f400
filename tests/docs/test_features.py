"""The feature list is whole and honest: every id once, and every claim names tests that exist."""

import re

import pytest

from tests.docs.reading import ROOT, is_test, named_tests, rows

COUNTS = {"E": 14, "P": 13, "J": 12, "W": 5, "H": 9, "U": 5, "S": 5, "O": 8}
TEXT = (ROOT / "docs" / "features.md").read_text("utf-8")
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
FEATURES = [row for section in SECTIONS for row in rows(section, "id")]


def test_every_feature_stands_in_the_list_once_and_in_order():
    wanted = [f"{letter}{n}" for letter, most in COUNTS.items() for n in range(1, most + 1)]
    assert [row[0] for row in FEATURES] == wanted


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0])
def test_a_feature_says_what_it_is_and_where_it_stands(row):
    _, feature, state, _, tests = row
    assert feature
    assert state in {"works", "partly", "not yet"}
    assert bool(named_tests(tests)) == (state != "not yet")


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0])
def test_the_tests_that_a_feature_names_exist(row):
    for name in named_tests(row[4]):
        assert is_test(name), name


def test_what_is_missing_is_said_where_something_works_only_partly():
    assert [row[0] for row in FEATURES if row[2] == "partly" and not row[3]] == []
