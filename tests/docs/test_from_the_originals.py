"""The guide for who comes from another system names what they had, and only what there is here."""

import re
from unittest.mock import MagicMock  # noqa: TID251  describing routes touches nothing behind them

import pytest

from glaze.api.app import create_app
from glaze.settings import Settings, environment_names
from tests.docs.reading import ROOT, rows

GUIDE = (ROOT / "docs" / "from-the-originals.md").read_text("utf-8")
REPLACED = ("BullMQ", "Celery", "Flower", "Trigger.dev", "Supabase", "PM2", "dev-all.sh", "Redis")
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE)? ?(/v1/[^`?]+)")


@pytest.mark.parametrize("name", REPLACED)
def test_each_system_that_is_replaced_is_told_what_takes_its_place(name: str) -> None:
    assert any(name in there for there, _ in rows(GUIDE, "there"))


def test_every_path_that_takes_the_place_of_another_is_a_route() -> None:
    document = create_app(MagicMock(settings=Settings(_env_file=None))).openapi()
    routes = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, methods in document["paths"].items()
        for method in methods
    }
    named = {
        (method or "GET", re.sub(r"\{\w+\}", "{}", path)) for method, path in ROUTE.findall(GUIDE)
    }
    assert named - routes - {("GET", "/v1/ws")} == set()
    assert len(named) > 12


def test_every_setting_that_it_names_is_one() -> None:
    assert {*re.findall(r"`(GLAZE_[A-Z_]+)`", GUIDE)} <= {*environment_names()}
