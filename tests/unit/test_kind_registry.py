"""Job kinds as plug-ins: one entry point each, a broken one stops nobody else; what is refused on the way in."""

import sys
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint, entry_points
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel, Field

from glaze.errors import ArgsInvalid, SettingsError, UnknownKind
from glaze.jobs.enqueue import checked, enqueue, new_job
from glaze.jobs.kind import JobContext, Kind
from glaze.model.job import NewJob, RetryPolicy
from glaze.model.outcome import Done, Outcome
from glaze.model.request import Strict
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.tasks.registry import GROUP, find_offers, load_kinds
from glaze.tasks.tools import Tools

TOOLS = cast(Tools, SimpleNamespace(word="hello"))


class Greeting(Strict):
    """Whom to greet."""

    names: list[str] = Field(min_length=1)
    loud: bool = False


async def greet(args: Greeting, ctx: JobContext) -> Outcome:
    del ctx
    return Done(f"hello {', '.join(args.names)}")


GREET = Kind("greet", Greeting, greet, RetryPolicy(max_attempts=2), queue="social")
KINDS = {"greet": GREET}


def greet_kind(tools: Tools) -> Kind[Any]:
    assert tools is TOOLS
    return GREET


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
            module = ModuleType(f"kinds_{place}")
            module.it = value
            monkeypatch.setitem(sys.modules, module.__name__, module)
            points.append(EntryPoint(name, f"{module.__name__}:it", GROUP)._for(Package(package)))
        return points

    return offer


def test_a_third_partys_kind_is_one_entry_point_and_is_given_the_tools(offered):
    found = load_kinds(TOOLS, offered(("glaze-greet", "greet", greet_kind)))
    assert found.problems == ()
    assert found.kinds["greet"] is GREET


def test_a_plug_in_that_does_not_load_is_named_and_the_others_still_come(offered):
    broken = EntryPoint("broken", "no_such_module_here:it", GROUP)._for(Package("glaze-broken"))
    found = load_kinds(TOOLS, [broken, *offered(("glaze-greet", "greet", greet_kind))])
    assert [*found.kinds] == ["greet"]
    (problem,) = found.problems
    assert "'broken' of package glaze-broken" in problem
    assert "No module named 'no_such_module_here'" in problem


def test_two_packages_with_one_name_are_refused_and_both_are_named(offered):
    points = offered(("aaa", "greet", greet_kind), ("glaze", "greet", greet_kind))
    with pytest.raises(SettingsError, match=r"packages glaze and aaa both offer .*'greet'"):
        load_kinds(TOOLS, points)


class Loose(BaseModel):
    """Takes anything."""


def failing(tools: Tools) -> Kind[Any]:
    raise KeyError(tools)


@pytest.mark.parametrize(
    ("factory", "complaint"),
    [
        (failing, "its factory fails: KeyError"),
        (object(), "its factory fails: TypeError"),
        (lambda _: None, "returns NoneType"),
        (lambda _: replace(GREET, name="other"), "the kind itself 'other'"),
        (lambda _: replace(GREET, args=dict), "no pydantic model"),
        (lambda _: replace(GREET, args=Loose), "extra='forbid'"),
        (lambda _: replace(GREET, timeout_s=0), "timeout"),
        (lambda _: replace(GREET, queue=""), "queue"),
        (lambda _: replace(GREET, retry=RetryPolicy(max_attempts=0)), "at least once"),
    ],
)
def test_a_plug_in_that_breaks_the_contract_is_left_out_with_the_reason(
    offered, factory, complaint
):
    found = load_kinds(TOOLS, offered(("glaze-odd", "greet", factory)))
    assert found.kinds == {}
    assert complaint in found.problems[0]
    assert "glaze-odd" in found.problems[0]


def test_every_built_in_kind_loads_under_its_own_entry_point():
    offers = find_offers()
    assert offers.problems == ()
    named = {point.name for point in entry_points(group=GROUP)}
    assert named == set(offers.by_name)
    assert "enrich" in named


def test_a_job_goes_to_its_kinds_queue_and_has_its_kinds_attempts_unless_told_otherwise():
    job = new_job(KINDS, "greet", {"names": ["Ada"], "loud": False})
    assert job == NewJob("greet", {"names": ["Ada"]}, queue="social", max_attempts=2)
    moved = new_job(KINDS, "greet", {"names": ["Ada"]}, queue="urgent", max_attempts=7, priority=1)
    assert (moved.queue, moved.max_attempts, moved.priority) == ("urgent", 7, 1)


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named():
    with pytest.raises(UnknownKind, match="no job kind is called 'gret'; there are greet"):
        new_job(KINDS, "gret", {})


def test_every_fault_in_the_arguments_is_told_with_its_path():
    with pytest.raises(ArgsInvalid) as refused:
        new_job(KINDS, "greet", {"names": ["Ada", 7], "lout": True})
    assert {fault.path for fault in refused.value.faults} == {"names.1", "lout"}
    assert str(refused.value).startswith("greet: names.1: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("priority", 0),
        ("priority", 6),
        ("max_attempts", 0),
        ("queue", ""),
        ("tags", ("",)),
        ("webhook_url", "ftp://example.com/"),
        ("webhook_url", "http://127.0.0.1/hook"),
        ("webhook_url", "http://metadata.google.internal/"),
    ],
)
def test_an_option_that_cannot_be_is_a_fault_with_its_name(option, value):
    with pytest.raises(ArgsInvalid) as refused:
        new_job(KINDS, "greet", {"names": ["Ada"]}, **{option: value})
    assert [fault.path for fault in refused.value.faults] == [option]


def test_what_this_installation_cannot_serve_is_refused_by_the_kinds_own_check():
    def check(args: Greeting) -> None:
        if "Bob" in args.names:
            raise ArgsInvalid("greet", [])

    picky = {"greet": replace(GREET, check=check)}
    checked(picky, NewJob("greet", {"names": ["Ada"]}))
    with pytest.raises(ArgsInvalid):
        checked(picky, NewJob("greet", {"names": ["Bob"]}))


async def test_one_bad_job_among_many_and_nothing_is_written(db: Database):
    jobs = JobStore(db)
    good = new_job(KINDS, "greet", {"names": ["Ada"]})
    with pytest.raises(ArgsInvalid):
        await enqueue(jobs, KINDS, DEFAULT_WORKSPACE, [good, replace(good, args={"names": []})])
    assert await jobs.page(DEFAULT_WORKSPACE) == []
    await enqueue(jobs, KINDS, DEFAULT_WORKSPACE, [good, good])
    assert len(await jobs.page(DEFAULT_WORKSPACE)) == 2


def test_every_kind_that_is_ours_can_be_begun_in_a_bounded_run_of_the_usual_length():
    usual_s = 23.0  # 25 s, less what is kept for the end
    kinds = load_kinds(TOOLS).kinds.values()
    assert len(kinds) > 1
    assert [kind.name for kind in kinds if kind.shortest_s > usual_s] == []
