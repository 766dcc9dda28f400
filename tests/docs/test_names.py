"""Names that the guides mention exist: modules, settings, tables, events, job states."""

import re

import pytest

from glaze.model.job import JobState
from glaze.settings import environment_names
from tests.docs.reading import DOCS, ROOT

PLACES = (
    ROOT,
    ROOT / "src" / "glaze",
    ROOT / "src" / "glaze" / "pipeline",
    ROOT / "src" / "glaze" / "net",
)
SQL = ROOT / "src" / "glaze" / "store"
NOT_SETTINGS = {"GLAZE_TEST_DATABASE_URL", "GLAZE_CONCURENCY"}


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_module_that_is_mentioned_exists(document):
    text = document.read_text("utf-8")
    paths = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|sql))(?::[^`]*)?`", text)
    assert [path for path in paths if not any((place / path).is_file() for place in PLACES)] == []


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_setting_that_is_mentioned_exists(document):
    found = set(re.findall(r"\bGLAZE_[A-Z_]*[A-Z]\b", document.read_text("utf-8")))
    strange = found - environment_names().keys() - NOT_SETTINGS
    assert {name for name in strange if not name.startswith("GLAZE_PROVIDER__")} == set()


def test_every_table_stands_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    made = "\n".join(path.read_text("utf-8") for path in SQL.glob("migrations/*.sql"))
    tables = re.findall(r"^create table (\w+)", made, re.MULTILINE)
    assert tables
    assert [name for name in tables if f"`{name}`" not in text] == []


def test_every_event_that_a_statement_writes_stands_in_the_guide_to_jobs():
    text = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    statements = "\n".join(path.read_text("utf-8") for path in SQL.glob("sql/*.sql"))
    store = "\n".join(path.read_text("utf-8") for path in SQL.glob("*.py"))
    written = {
        *re.findall(r"(?:current_workspace\(\)|workspace_id), '(\w+)'", statements),
        *re.findall(r"'(batch_\w+ed)'", statements),
        *re.findall(r'"(batch_\w+ed)"', store),
        *re.findall(r'"type": "(\w+)"', store),
    }
    assert {"enqueued", "claimed", "retried", "batch_finished", "batch_paused"} <= written
    assert {name for name in written if f"`{name}`" not in text} == set()


def test_every_state_of_a_job_is_explained():
    text = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    assert [state for state in JobState if f"| `{state}` | " not in text] == []
