"""Tables that the code decides are equal to what the code says; ``python -m tests.docs.tables`` renews them."""

import pytest

from glaze.errors import SettingsError
from glaze.settings import ProviderOverride, environment_names, load_settings
from tests.docs import tables
from tests.docs.reading import ROOT

RENEW = "run: .venv/bin/python -m tests.docs.tables"
PARTS = [(path, name) for path, parts in tables.GENERATED.items() for name in parts]


@pytest.mark.parametrize(("path", "name"), PARTS)
def test_a_generated_table_says_what_the_code_says(path, name):
    written = tables.part((ROOT / path).read_text("utf-8"), name)
    assert written == tables.GENERATED[path][name](), RENEW


def test_the_example_environment_has_every_setting_with_its_default():
    assert (ROOT / ".env.example").read_text("utf-8") == tables.env_example(), RENEW


def test_every_name_of_the_example_environment_is_one_that_glaze_reads():
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    names = {line[2:].partition("=")[0] for line in lines if "=" in line and " " not in line[2:]}
    overrides = {
        f"GLAZE_PROVIDER__APOLLO__{name.upper()}" for name in ProviderOverride.model_fields
    }
    assert names == environment_names().keys() - {"GLAZE_PROVIDER"} | overrides


def test_every_number_among_the_settings_has_a_unit_and_bounds():
    for variable, name, info in tables.plain_settings():
        if tables.unit(name, info):
            assert info.metadata or "None" in str(info.annotation), f"{variable} has no bounds"


def test_a_name_that_is_no_setting_is_refused_and_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GLAZE_CONCURENCY", "20")
    with pytest.raises(SettingsError, match="GLAZE_CONCURENCY"):
        load_settings(tmp_path / "no.env")
