"""``glaze prune``: what is old goes at once, with counts."""

import json
from pathlib import Path

import psycopg
from cli_process import Cli

OLD = "now() - interval '40 days'"


def test_the_command_prunes_at_once_and_tells_what_went(dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into glaze.job (workspace_id, kind, state, priority, rank, due_at, created_at,"
            f" finished_at) select 1, 'try', 'completed', 3, now(), now(), {OLD}, {OLD}"
            " from generate_series(1, 12)".encode()
        )
        conn.execute(
            "insert into glaze.event (workspace_id, type, at)"
            f" select 1, 'old', {OLD} from generate_series(1, 1500)".encode()
        )
    cli = Cli(tmp_path, {"DATABASE_URL": dsn, "GLAZE_KEEP_JOBS_DAYS": "60"})
    assert json.loads(cli.run("prune", "--json").out) == {"events": 1_500}
    cli = Cli(tmp_path, {"DATABASE_URL": dsn})
    assert cli.run("prune").out == "jobs: 12\n"
    assert cli.run("prune").out == "nothing is old enough\n"
