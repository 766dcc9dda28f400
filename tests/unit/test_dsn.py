"""What Glaze makes of a connection string."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from glaze.errors import SettingsError
from glaze.store.database import checked_dsn


def test_a_server_that_vanishes_is_noticed_soon_unless_the_connection_string_says_otherwise():
    given = conninfo_to_dict("postgresql://me:s%20t@db.example.com/glaze?connect_timeout=60")
    told = conninfo_to_dict(
        checked_dsn("postgresql://me:s%20t@db.example.com/glaze?connect_timeout=60")
    )
    assert told.items() >= given.items()
    assert int(told["tcp_user_timeout"] or 0) == 15_000
    idle, interval, count = (
        int(told[f"keepalives_{name}"] or 0) for name in ("idle", "interval", "count")
    )
    assert idle + interval * count <= 25


def test_what_is_no_connection_string_is_refused_without_being_repeated():
    with pytest.raises(SettingsError, match="DATABASE_URL is no PostgreSQL") as refused:
        checked_dsn("mysql://me:secret@db")
    assert "secret" not in str(refused.value)
