"""The kind that docs/jobs.md shows is installed as a package of its own and run by its commands."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

from tests.docs.reading import ROOT, code_blocks, commands, rows
from tests.docs.standing import Standing, standing

PAGE = (ROOT / "docs" / "jobs.md").read_text("utf-8")
GUIDE = PAGE[PAGE.index("## A kind of your own") :]


def install(folder: Path) -> str:
    """Install the guide's package into ``folder`` as pip would, and return its kind's name."""
    (made,) = code_blocks(GUIDE, "toml")
    (module,) = code_blocks(GUIDE, "python")
    project = tomllib.loads(made)["project"]
    ((name, target),) = project["entry-points"]["glaze.kinds"].items()
    (folder / f"{target.partition(':')[0]}.py").write_text(module)
    info = folder / f"{project['name'].replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (info / "entry_points.txt").write_text(f"[glaze.kinds]\n{name} = {target}\n")
    return str(name)


def ran(place: Standing, command: str) -> str:
    done = place.run(place.words(command))
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_the_kind_of_the_guide_is_installed_and_used_as_it_says(tmp_path, dsn):
    packages = tmp_path / "packages"
    packages.mkdir()
    name = install(packages)
    shows, works, enriches, tells = commands(GUIDE)
    (tmp_path / "place").mkdir()
    with standing(tmp_path / "place", dsn) as bare:
        place = replace(bare, environment=bare.environment | {"PYTHONPATH": str(packages)})
        assert "account_id" in ran(place, shows)
        with place.running(place.words(works)):
            ran(place, enriches)
            result = json.loads(ran(place, tells))["result"]
    assert name == "account_completeness"
    assert result == {"found": ["company_name"], "percent": 50}


def test_every_built_in_kind_stands_in_the_guide():
    with (ROOT / "pyproject.toml").open("rb") as file:
        points = tomllib.load(file)["project"]["entry-points"]["glaze.kinds"]
    assert [row[0] for row in rows(PAGE, "kind")] == [f"`{name}`" for name in ORDER]
    assert set(points) == set(ORDER)


ORDER = (
    "enrich",
    "single_lead_enrichment",
    "batch_lead_enrichment",
    "enrich_contact",
    "enrich_account",
    "company_data_update",
    "social_profile_discovery",
    "url_enrichment",
    "search_enrichment",
    "email_validation",
    "deliver_webhook",
    "erase_person",
    "preview_search",
    "enrich_search",
)
