"""Plug-ins: one entry point each, and a broken one stops nobody else."""

import sys
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint
from types import ModuleType

import pytest
from vendor_fake import VendorFake, one, sample_ask

from glaze.model.provider import (
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    Verdict,
)
from glaze.model.value import FieldName
from glaze.providers.registry import GROUP, load_providers

NAME = FieldName("company_name")
SPEC = ProviderSpec(
    name="sample",
    operations=(Operation("look", (frozenset({NAME}),), {NAME: 50}),),
)


class Sample:
    """A third party's provider."""

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        self.spec = spec

    async def look_up(self, operation, asks, http):
        del operation, http
        return [Reply(Verdict.NO_MATCH, Unbilled()) for _ in asks]


class Package(Distribution):
    """An installed package, by name."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def metadata(self):
        return {"Name": self._name}

    def read_text(self, filename):  # noqa: ARG002  the base class names it
        return None

    def locate_file(self, path):
        return path


@pytest.fixture
def offered(monkeypatch):
    """Offer objects as entry points of packages."""

    def offer(*rows: tuple[str, str, object]) -> list[EntryPoint]:
        points = []
        for place, (package, name, value) in enumerate(rows):
            module = ModuleType(f"plugin_{place}")
            module.it = value
            monkeypatch.setitem(sys.modules, module.__name__, module)
            point = EntryPoint(name, f"{module.__name__}:it", GROUP)
            points.append(point._for(Package(package)))
        return points

    return offer


async def test_a_third_partys_provider_is_one_entry_point(offered) -> None:
    found = load_providers(offered(("glaze-sample", "sample", Sample())))
    assert found.problems == ()
    provider = found.providers["sample"]
    reply = await one(provider, "look", sample_ask(SPEC.operation("look")), VendorFake())
    assert reply.verdict is Verdict.NO_MATCH


def test_a_plug_in_that_does_not_load_is_named_and_the_others_still_come(offered) -> None:
    broken = EntryPoint("broken", "no_such_module_here:it", GROUP)._for(Package("glaze-broken"))
    found = load_providers([broken, *offered(("glaze-sample", "sample", Sample()))])
    assert [*found.providers] == ["sample"]
    (problem,) = found.problems
    assert "'broken' of package glaze-broken" in problem
    assert "No module named 'no_such_module_here'" in problem


def test_of_two_with_one_name_the_built_in_stays_and_both_packages_are_named(offered) -> None:
    first, second = Sample(), Sample()
    found = load_providers(offered(("aaa", "sample", second), ("glaze", "sample", first)))
    assert found.providers["sample"] is first
    (problem,) = found.problems
    assert "package aaa" in problem
    assert "package glaze" in problem


@pytest.mark.parametrize(
    ("it", "complaint"),
    [
        (object(), "has no `spec`"),
        (Sample, "has no `spec`"),
        (Sample(replace(SPEC, name="other")), "its spec 'other'"),
        (Sample(replace(SPEC, operations=())), "declares no operation"),
        (Sample(replace(SPEC, operations=SPEC.operations * 2)), "same name"),
        (Sample(replace(SPEC, limits=(Limit(0, 1),))), "limits"),
        (Sample(replace(SPEC, concurrency=0)), "concurrency"),
        (Sample(replace(SPEC, opt_in=True)), "no notice"),
        (Sample(replace(SPEC, name="user")), "names no provider"),
        (Sample(replace(SPEC, family=" linkedin")), "its family"),
        *(
            (Sample(replace(SPEC, operations=(replace(SPEC.operations[0], **change),))), words)
            for change, words in [
                ({"gives": {FieldName("company_nam"): 50}}, "unknown fields company_nam"),
                ({"gives": {NAME: 101}}, "0 to 100"),
                ({"gives": {}}, "must not be empty"),
                ({"needs": ()}, "must not be empty"),
                ({"price_micros": 0.5}, "whole number"),
                ({"price_micros": -1}, "whole number"),
                ({"batch_size": 0}, "batch size"),
                ({"collect_s": 60.0}, "`async def collect` is needed"),
                ({"resend": Resend.COLLECT}, "needs collect_s"),
                ({"resend": Resend.IDEMPOTENT}, "needs collect_s"),
                ({"collect_s": -1.0}, "needs collect_s"),
                ({"collect_s": 60.0, "batch_size": 10}, "one question in a request"),
                ({"price_micros": 1, "resend": Resend.SAFE}, "only what is free"),
            ]
        ),
    ],
)
def test_a_plug_in_that_breaks_the_contract_is_left_out_with_the_reason(
    offered, it, complaint
) -> None:
    found = load_providers(offered(("glaze-odd", "sample", it)))
    assert found.providers == {}
    assert complaint in found.problems[0]
    assert "glaze-odd" in found.problems[0]
