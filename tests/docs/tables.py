"""The generated parts of the documentation; ``python -m tests.docs.tables`` writes them anew."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types as at
import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from glaze import errors
from glaze.cli.main import app
from glaze.model.field import FIELDS, EntityKind
from glaze.model.freshness import USUAL_DAYS
from glaze.model.industry import INDUSTRIES
from glaze.model.job import JobState, may_become
from glaze.model.measure import METRICS
from glaze.settings import MOVED, PREFIX, ProviderOverride, Settings, environment_names
from tests.docs.reading import ROOT

_UNITS = {
    "_connections": "connections",
    "_s": "seconds",
    "_mb": "MiB",
    "_days": "days",
    "_hours": "hours",
    "_cents": "US cents",
    "_price": "US dollars per million tokens",
    "_tokens": "tokens",
    "_pages": "pages",
    "_port": "port",
    "pool_size": "connections",
    "concurrency": "at once",
    "requests_per_minute": "requests per minute",
    "calls_per_minute": "calls per minute",
    "calls_per_second": "calls per second",
    "calls_per_hour": "calls per hour",
    "batch_size": "questions",
    "retries": "waits",
}
_BOUNDS = ((at.Gt, "gt", "more than"), (at.Ge, "ge", "at least"), (at.Lt, "lt", "less than"), (at.Le, "le", "at most"))  # fmt: skip


def table(header: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(header)
    lines = [head, ["---"] * len(head), *([*row] for row in body)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fields_of(kind: EntityKind) -> str:
    """Return the canonical fields of one kind of entity."""
    return table(
        ("name", "type", "fresh, days", "description"),
        (
            (f"`{f.name}`", f.type.value, str(USUAL_DAYS[f.name]), f.description)
            for f in FIELDS.values()
            if f.entity is kind
        ),
    )


def metrics() -> str:
    """Return every metric."""
    suffixes = {"counter": "_total", "gauge": "", "histogram": ""}
    return table(
        ("metric", "type", "labels", "told by", "what it tells"),
        (
            (
                f"`{name}{suffixes[one.kind]}`",
                one.kind,
                ", ".join(f"`{label}`" for label in one.labels),
                one.where,
                one.says,
            )
            for name, one in METRICS.items()
        ),
    )


def settings() -> str:
    """Return every setting."""
    return table(
        ("variable", "default", "unit", "bounds", "what it sets"),
        (
            (f"`{variable}`", _default(info), unit(name, info), _bounds(info), _says(info))
            for variable, name, info in plain_settings()
        ),
    )


def overrides() -> str:
    """Return what may be changed of one provider."""
    return table(
        ("variable", "unit", "bounds", "what it sets"),
        (
            (
                f"`{PREFIX}PROVIDER__<NAME>__{name.upper()}`",
                unit(name, info),
                _bounds(info),
                _says(info),
            )
            for name, info in ProviderOverride.model_fields.items()
        ),
    )


def moved() -> str:
    """Return what other systems' settings are called here."""
    return table(
        ("name elsewhere", "here"), ((f"`{name}`", f"`{ours}`") for name, ours in MOVED.items())
    )


def plain_settings() -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield variable, setting and field of every setting but the overrides by provider."""
    for variable, name in environment_names().items():
        if name != "provider":
            yield variable, name, Settings.model_fields[name]


def unit(name: str, info: FieldInfo) -> str:
    """Return the unit of a setting, empty where it is no number.

    Raises: LookupError for a number whose name does not tell its unit.
    """
    if not {int, float} & {info.annotation, *get_args(info.annotation)}:
        return ""
    found = [word for end, word in _UNITS.items() if name.endswith(end)]
    if not found:
        raise LookupError(f"the setting {name} is a number without a unit")
    return found[0]


def default_text(info: FieldInfo) -> str:
    """Return a default as it would stand in the environment, empty where there is none."""
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{key}={one}" for key, one in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _default(info: FieldInfo) -> str:
    text = default_text(info)
    return f"`{text}`" if text else "none"


def _bounds(info: FieldInfo) -> str:
    choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    words = []
    for kind, attribute, word in _BOUNDS:
        words += [f"{word} {getattr(m, attribute):g}" for m in info.metadata if isinstance(m, kind)]
    return ", ".join(words)


def _says(info: FieldInfo) -> str:
    return info.description or ""


def transitions() -> str:
    """Return which state may follow which."""
    return table(
        ("from", "to"),
        (
            (f"`{now}`", ", ".join(f"`{then}`" for then in JobState if may_become(now, then)))
            for now in JobState
        ),
    )


def error_codes() -> str:
    """Return every error with its code, a kind below the one it belongs to."""
    return table(
        ("code", "error", "meaning"),
        (
            (f"`{error.code}`", f"`{error.__name__}`", (error.__doc__ or "").splitlines()[0])
            for error in error_classes()
        ),
    )


def error_classes() -> list[type[errors.GlazeError]]:
    """Return every error class, each after the one it belongs to."""
    found: list[type[errors.GlazeError]] = []
    open_ = [errors.GlazeError]
    while open_:
        error = open_.pop(0)
        found.append(error)
        own = [kind for kind in error.__subclasses__() if kind.__module__ == errors.__name__]
        open_ = own + open_
    return found


def commands() -> str:
    """Return each command with its arguments and options, those of a group after it."""
    parts = []
    for name, command in all_commands().items():
        parts.append(f"### glaze {name}\n\n{command.help.strip()}\n")
        body = [(_spelt(p), _given(p), getattr(p, "help", "") or "") for p in command.params]
        if body:
            parts.append(table(("option", "default", "what it does"), body) + "\n")
    return "\n".join(parts).strip()


def all_commands(group: object = None, above: str = "") -> dict[str, Any]:
    """Return each command and group by its whole name: ``jobs``, ``jobs list``."""
    found: dict[str, Any] = {}
    inner = getattr(group or typer.main.get_command(app), "commands", {})
    for name, command in inner.items():
        found[f"{above}{name}"] = command
        found |= all_commands(command, f"{above}{name} ")
    return found


def _spelt(param: object) -> str:
    opts = getattr(param, "opts", [])
    metavar = getattr(param, "metavar", None)
    if getattr(param, "param_type_name", "") == "argument":
        return f"`{metavar or opts[0].upper()}`".replace("|", "\\|")
    names = ", ".join(f"`{opt}`" for opt in opts)
    return names + (f" `{metavar}`" if metavar else "")


def _given(param: object) -> str:
    value = getattr(param, "default", None)
    return "" if value in (None, False, ()) or "Sentinel" in repr(value) else f"`{value}`"


def env_example() -> str:
    """Return the whole of ``.env.example``."""
    lines = [
        "# Settings of Glaze: copy to .env and uncomment what you change. The environment goes before",
        "# this file. An unknown GLAZE_* name is refused. docs/settings.md says more.",
    ]
    for variable, _, info in plain_settings():
        lines += ["", f"# {_says(info)}", f"# {variable}={default_text(info)}"]
    lines += ["", "# Overrides by provider, here for apollo:"]
    lines += [
        f"# {PREFIX}PROVIDER__APOLLO__{name.upper()}=" for name in ProviderOverride.model_fields
    ]
    return "\n".join(lines) + "\n"


def industries() -> str:
    """Return the list of industries with the words that name each."""
    return table(
        ("industry", "named by"),
        ((f"`{name}`", ", ".join(cues)) for name, cues in INDUSTRIES.items()),
    )


GENERATED = {
    "docs/industries.md": {"industries": industries},
    "docs/fields.md": {
        "company": lambda: fields_of(EntityKind.COMPANY),
        "person": lambda: fields_of(EntityKind.PERSON),
    },
    "docs/settings.md": {"settings": settings, "overrides": overrides, "moved": moved},
    "docs/jobs.md": {"transitions": transitions},
    "docs/metrics.md": {"metrics": metrics},
    "docs/api.md": {"errors": error_codes},
    "docs/cli.md": {"commands": commands},
}


def part(text: str, name: str) -> str:
    """Return what stands between the marks of one generated part.

    Raises: LookupError where the marks are not there.
    """
    found = _marked(name).search(text)
    if found is None:
        raise LookupError(f"there is no generated part {name!r}")
    return found[2]


def replaced(text: str, name: str, fresh: str) -> str:
    """Return ``text`` with ``fresh`` between the marks of one generated part."""
    return _marked(name).sub(lambda m: m[1] + fresh + m[3], text)


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- generated: {name} -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)


def write(root: Path = ROOT) -> None:
    """Bring every generated part up to date."""
    for path, parts in GENERATED.items():
        text = (root / path).read_text("utf-8")
        for name, make in parts.items():
            text = replaced(text, name, make())
        (root / path).write_text(text, "utf-8")
    (root / ".env.example").write_text(env_example(), "utf-8")


if __name__ == "__main__":
    write()
