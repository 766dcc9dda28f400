"""Migrations are numbered without gap or twin, for the number is what a database remembers."""

from glaze.store.migrate import migrations


def test_each_migration_has_the_next_number() -> None:
    found = migrations()
    assert [one.version for one in found] == list(range(1, len(found) + 1)), [
        one.name for one in found
    ]
