"""What one ``glaze enrich`` asks for: fields, limits and where the answers go."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from glaze.errors import InputError
from glaze.files.columns import ColumnMapping, map_columns
from glaze.files.source import Source, inspect
from glaze.files.writing import Target, errors_path, target_for
from glaze.model.field_group import default_fields
from glaze.model.identity import identify
from glaze.model.input_type import TYPES, InputType, field_of
from glaze.model.request import EnrichArgs
from glaze.model.value import FieldName, Json

_CENTS_MOST = 100_000_00


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for every row."""

    skip_cache: bool = False
    verify: bool = False
    max_cost_cents: int | None = None  # a row, US cents
    budget_cents: int | None = None  # the whole file, US cents
    allow: tuple[str, ...] = ()  # opt-in providers
    providers: tuple[str, ...] | None = None  # ask only these, opt-in or not; None: all allowed
    order: tuple[str, ...] | None = None  # whom to ask first; None: as set
    type: InputType | None = None  # what each is about; None: as it looks

    def shared(self, fields: Sequence[FieldName]) -> dict[str, Json]:
        """Return the arguments that all rows share, as the job takes them."""
        args = EnrichArgs(
            type=self.type,
            required_fields=tuple(fields),
            skip_cache=self.skip_cache,
            verify=self.verify,
            max_cost_cents=self.max_cost_cents,
            batch_max_cost_cents=self.budget_cents,
            providers=self.providers,
            order=self.order,
        )
        shared: dict[str, Json] = args.model_dump(mode="json", exclude={"input"})
        return shared


@dataclass(frozen=True, slots=True)
class FileAsk:
    """A whole file to enrich, checked; ``key`` is the same for the same command on the same file."""

    source: Source
    mapping: ColumnMapping
    fields: tuple[FieldName, ...]
    limits: Limits
    target: Target
    errors: Path
    provenance: bool

    @property
    def key(self) -> bytes:
        """Hash of what is asked: the file's content, the mapping, the fields and the options."""
        options: dict[str, Json] = {
            "mapping": dict(self.mapping.used),
            "shared": self.limits.shared(self.fields),
            "allow": sorted(self.limits.allow),
        }
        text = json.dumps(options, sort_keys=True)
        return hashlib.sha256(self.source.digest + text.encode()).digest()

    @property
    def queue(self) -> str:
        """A queue of this file's own: nobody else works on it once the command was stopped."""
        return f"file-{self.key.hex()[:16]}"


def ask_of_file(
    path: Path,
    *,
    output: Path | None,
    errors: Path | None,
    fields: str | None,
    given: Sequence[str],
    limits: Limits,
    provenance: bool,
    as_json: bool,
    encoding: str | None,
) -> FileAsk:
    """Check everything that can be wrong with a file and its options before anything is done.

    Raises: InputError and its kinds; nothing was written.
    """
    source = inspect(path, encoding=encoding)
    mapping = map_columns(source, parse_map(given))
    used = mapping.used.values()
    wanted = fields_wanted(fields, limits.type, used)
    if output is None:
        output = Path("-") if as_json else path.with_name(f"{path.stem}.enriched{path.suffix}")
    target = target_for(output, source, as_json=as_json)
    if errors is None:
        errors = errors_path(path if target.is_stdout else output)
    if errors.resolve() in (path.resolve(), output.resolve()):
        raise InputError(f"{errors} is the input or the output: give another file with --errors")
    return FileAsk(source, mapping, wanted, limits, target, errors, provenance)


def parse_names(text: str | None, option: str) -> tuple[str, ...] | None:
    """Read ``a,b`` as names. Raises: InputError where there is none, or one stands there twice."""
    if text is None:
        return None
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    if not names:
        raise InputError(f"{option} names nobody; give names, comma-separated")
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{option} {text}: {', '.join(twins)} stands there twice")
    return names


def parse_type(text: str | None) -> InputType | None:
    """Read ``--type``. Raises: InputError, naming those that there are."""
    known = {str(type_): type_ for type_ in TYPES}
    if text is not None and text not in known:
        raise InputError(f"--type {text}: there are {', '.join(known)}")
    return None if text is None else known[text]


def fields_wanted(
    text: str | None, type_: InputType | None, words: Collection[str]
) -> tuple[FieldName, ...]:
    """Return the fields that ``--fields`` names, else those of the type, else of such an input."""
    if text is not None:
        return parse_fields(text, type_)
    return default_fields(words) if type_ is None else TYPES[type_].fields


def parse_fields(text: str, type_: InputType | None = None) -> tuple[FieldName, ...]:
    """Read ``a,b`` as canonical fields, each once. Raises: UnknownField, InputError where none."""
    names = [name.strip() for name in text.split(",")]
    fields = tuple(dict.fromkeys(field_of(name, type_) for name in names if name))
    if not fields:
        raise InputError("--fields names no field; such as --fields company_name,company_phone")
    return fields


def parse_map(given: Sequence[str]) -> dict[str, str]:
    """Read ``COLUMN=FIELD`` options; the last ``=`` separates, for a column may hold one."""
    mapping: dict[str, str] = {}
    for option in given:
        column, separator, target = option.rpartition("=")
        if not separator or not column:
            raise InputError(f"--map {option}: write it as COLUMN=FIELD, such as --map Web=website")
        mapping[column.strip()] = target.strip()
    return mapping


def parse_dollars(text: str | None, option: str) -> int | None:
    """Read an amount such as ``0.25`` or ``$5`` as US cents.

    Raises: InputError where it is no amount, negative, finer than a cent, or above $100,000.
    """
    if text is None:
        return None
    try:
        cents = Decimal(text.strip().removeprefix("$")) * 100
    except InvalidOperation:
        cents = Decimal("NaN")
    if not cents.is_finite() or not 0 <= cents <= _CENTS_MOST or cents != int(cents):
        raise InputError(f"{option} {text}: give dollars and cents up to 100000, such as 0.25")
    return int(cents)


def input_of(text: str) -> dict[str, str]:
    """Return the enrichment input that a URL, domain or e-mail address stands for.

    Raises: InputError where it identifies nobody.
    """
    word = "email" if "@" in text and "/" not in text else "url"
    given = {word: text}
    identify(given)
    return given


def looks_like_file(text: str) -> bool:
    """Tell whether an argument that names no file was meant to be one."""
    return Path(text).suffix.lower() in {".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"} | {
        ".xlsx",
        ".xls",
        ".parquet",
    }


def described(mapping: ColumnMapping) -> Mapping[str, str]:
    """Return what to tell the user about each column, in the file's order."""
    return {
        column.name: f"{column.target} ({column.reason})" if column.target else column.reason
        for column in mapping.columns
    }
