"""The guide to symptoms names commands that there are, and those that look work as they stand."""

import re
import shlex
from pathlib import Path

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from glaze.cli.main import app
from tests.docs.reading import ROOT, anchors, commands
from tests.docs.tables import all_commands

GUIDE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
OTHERS = (ROOT / "docs" / name for name in ("schema.md", "from-the-originals.md"))
TEXTS = GUIDE + "".join(path.read_text("utf-8") for path in OTHERS)
GROUPS = all_commands()
SHOWN = dict.fromkeys(line for line in commands(GUIDE) if line.startswith("glaze "))
NAMED = {*re.findall(r"`(glaze [^`]+)`", TEXTS), *SHOWN}
ELSEWHERE = {"glaze doctor"}  # it asks the network; tests/flow/test_cli_doctor.py runs it
SYMPTOMS = (
    "nothing-starts",
    "jobs-stay-pending",
    "jobs-stay-in-processing",
    "jobs-fail-at-once",
    "many-errors-of-a-provider",
    "a-provider-times-out",
    "a-worker-times-out",
    "it-is-slow",
    "memory-grows",
    "the-database-goes-away",
    "redis-a-language-model-or-a-provider-is-missing",
    "clearing-a-queue",
    "saying-more-in-the-log",
)
_WORLD = """
insert into glaze.job (workspace_id, id, kind, state, rank, due_at, finished_at, error)
  values (1, 42, 'enrich', 'dead', now(), now(), now(), 'sources_unavailable: all failed'),
         (1, 43, 'enrich', 'pending', now(), now(), null, null);
insert into glaze.job_args (workspace_id, job_id, args) select 1, id, '{}' from glaze.job;
"""


@pytest.mark.parametrize("command", sorted(NAMED))
def test_a_command_that_is_named_is_taken_as_it_stands(command: str) -> None:
    words = shlex.split(command)[1:]
    group = typer.main.get_command(app)
    with group.make_context("glaze", [], resilient_parsing=True) as context:
        for end in range(len(words), 0, -1):
            if " ".join(words[:end]) in GROUPS:
                named, rest = GROUPS[" ".join(words[:end])], words[end:]
                break
        else:
            assert words[0] in {"--debug", "--workspace"}, f"there is no {command}"
            return
        known = {opt for param in named.params for opt in param.opts}
        assert {word for word in rest if word.startswith("--")} <= known
        if hasattr(named, "commands"):
            assert not rest or rest[0].startswith("--"), f"there is no {command}"
        elif rest:
            named.make_context(command, list(rest), parent=context).close()


def test_the_commands_that_look_work_as_they_stand(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", dsn)
    with psycopg.connect(dsn) as conn:
        conn.execute(_WORLD)
    run = CliRunner().invoke
    made = run(app, ["webhooks", "add", "https://example.com/hook"])
    assert made.exit_code == 0, made.output
    ended = {line: run(app, shlex.split(line)[1:]) for line in SHOWN if line not in ELSEWHERE}
    assert {line: one.output for line, one in ended.items() if one.exit_code != 0} == {}
    assert "sources_unavailable" in ended["glaze jobs show 42"].output
    with psycopg.connect(dsn) as conn:
        states = dict(conn.execute("select id, state::text from glaze.job").fetchall())
    assert states[43] == "cancelled", "the queue was cleared"


def test_every_symptom_of_the_systems_that_glaze_replaces_has_its_section() -> None:
    assert set(SYMPTOMS) <= anchors(GUIDE)


def test_an_error_code_that_is_named_is_one_that_jobs_end_with() -> None:
    heads = re.findall(r"^- (`[^:]+):", GUIDE, re.MULTILINE)
    codes = {code for head in heads for code in re.findall(r"`([a-z_]+)`", head)}
    source = "\n".join(path.read_text() for path in (ROOT / "src" / "glaze").rglob("*.py"))
    assert {"args_invalid", "input_invalid", "poison", "expired"} <= codes
    assert [code for code in codes if f'"{code}"' not in source] == []
