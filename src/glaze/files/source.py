"""What a file of rows is: format, encoding, dialect, columns and a sample, found in one pass."""

import codecs
import contextlib
import hashlib
import re
import stat
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from glaze.errors import UnreadableFile
from glaze.files.cell import Cell, text_of
from glaze.files.parquet import parquet_names, parquet_rows
from glaze.files.text import (
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    Dialect,
    OverLong,
    dialect_of,
    lines,
    open_text,
    parse_object,
    sample_rows,
)
from glaze.files.workbook import check_workbook, sheet_rows
from glaze.model.value import Json

MAX_COLUMNS = 2000
_CHUNK = 1 << 20
_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old or protected Excel workbook", "save it as .xlsx, unprotected"),
    (b"\x1f\x8b", "gzip", "unpack it first"),
    (b"PARE", "encrypted Parquet", "export it without encryption"),
    (b"%PDF", "a PDF", "export the table as CSV"),
)
_DATA_NOT_NAME = re.compile(
    r"https?://\S+|[^@\s]+@[^@\s]+\.[a-z]{2,}|(www\.)?([a-z0-9-]+\.)+(com|org|net|io|de|fr|uk|eu)/?\S*",
    re.IGNORECASE,
)


_ESCAPED = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of bytes that are no UTF-8


class Format(StrEnum):
    """How rows are written in a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


TEXT_FORMATS = frozenset({Format.CSV, Format.JSONL})
_MAGIC = ((b"PK\x03\x04", Format.XLSX), (b"PAR1", Format.PARQUET))
_SPOKEN = {Format.XLSX: "a spreadsheet (XLSX)", Format.PARQUET: "Parquet"}
_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), Format.CSV),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), Format.JSONL),
    **dict.fromkeys((".xlsx", ".xlsm"), Format.XLSX),
    ".parquet": Format.PARQUET,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows, ready to be read as a stream any number of times.

    ``columns`` are unique names to speak of columns; ``header`` is what the file itself has there,
    repeated and empty names included. ``digest`` is the SHA-256 of the whole file.
    """

    path: Path
    format: Format
    encoding: str
    dialect: Dialect
    columns: tuple[str, ...]
    header: tuple[str, ...]
    sample: tuple[Mapping[str, Cell], ...]
    digest: bytes
    size: int  # bytes


def inspect(path: Path, *, encoding: str | None = None) -> Source:
    """Read a file once, in constant memory but for a workbook's sheet, and tell what it is.

    Args:
        path: CSV (``,`` ``;`` TAB or ``|``), JSONL, Parquet or XLSX.
        encoding: Overrides the detected encoding of text.

    Raises: UnreadableFile where it is missing, empty, damaged, too large for its format, of
        another format than its name says, without header, or changed meanwhile.
    """
    try:
        scan = _scan(path)
        if scan.format in TEXT_FORMATS:
            return _inspect_text(path, scan, encoding)
        return _inspect_table(path, scan)
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}") from error


def _inspect_text(path: Path, scan: "_Scan", encoding: str | None) -> Source:
    if encoding:
        encoding = _known_encoding(encoding)
        _check_encoding(path, encoding)
    else:
        encoding = scan.encoding
    try:
        sample_text = codecs.getincrementaldecoder(encoding)("replace").decode(scan.head)
    except UnicodeError as error:
        raise UnreadableFile(f"{path} is not in {encoding}: {error}") from error
    sample_text = sample_text.replace("\0", "").removeprefix("\ufeff")
    if not sample_text.strip():
        raise UnreadableFile(f"{path} is empty: it needs a header line and at least one row")
    end = (scan.digest, scan.size)
    if _format_of(path, sample_text) is Format.JSONL:
        columns, rows = _scan_jsonl(path, encoding)
        return Source(path, Format.JSONL, encoding, Dialect(), columns, columns, rows, *end)
    dialect = dialect_of(sample_text)
    header = _header(path, sample_text, dialect)
    columns = _unique(header)
    sample = tuple(
        dict(zip(columns, row, strict=False)) for row in sample_rows(sample_text, dialect)[1:]
    )
    return Source(path, Format.CSV, encoding, dialect, columns, header, sample, *end)


def _inspect_table(path: Path, scan: "_Scan") -> Source:
    """Tell what a Parquet or XLSX file is, by its own header."""
    if scan.format is Format.PARQUET:
        header = parquet_names(path)
    else:
        check_workbook(path)
        header = None
    with contextlib.closing(_table_rows(path, scan.format)) as rows:
        if header is None:
            header = header_of(next(rows, []))
        _check_header(path, header)
        columns = _unique(header)
        some = islice(rows, SAMPLE_ROWS)
        sample = tuple(dict(zip(columns, row, strict=False)) for row in some)
    end = (scan.digest, scan.size)
    return Source(path, scan.format, "utf-8", Dialect(), columns, header, sample, *end)


def _table_rows(path: Path, format_: Format) -> Generator[list[Cell], None, None]:
    if format_ is Format.PARQUET:
        yield from parquet_rows(path)
    else:
        yield from (values for _, values in sheet_rows(path))


def header_of(values: Sequence[Cell]) -> tuple[str, ...]:
    """Return the header in a sheet's first row, up to its last cell that is not empty."""
    texts = [text_of(value) for value in values]
    while texts and not texts[-1].strip():
        texts.pop()
    return tuple(texts)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a look at all bytes tells; ``encoding`` and CSV are guesses where it is text."""

    head: bytes
    format: Format
    digest: bytes
    encoding: str
    size: int


def _scan(path: Path) -> _Scan:
    """Look at all bytes once. Raises: UnreadableFile for what is no file of rows, OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableFile(f"{path} is not a regular file: give CSV, JSONL, Parquet or XLSX")
    sha, tally, size = hashlib.sha256(), _Utf8Tally(), 0
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        found = _told_by(path, head)
        is_text = found in TEXT_FORMATS
        marked = _marked_encoding(head) if is_text else "utf-8"
        chunk = head
        while chunk:
            sha.update(chunk)
            size += len(chunk)
            if not marked:
                tally.feed(chunk)
            chunk = file.read(_CHUNK)
    if not marked and head and _control_share(head) > 0.02:  # noqa: PLR2004  text has next to none
        raise UnreadableFile(f"{path} is binary, not CSV, JSONL, Parquet or XLSX")
    return _Scan(head, found, sha.digest(), marked or tally.encoding(), size)


def _told_by(path: Path, head: bytes) -> Format:
    """Return the format by the first bytes, CSV for all text; the name must not say otherwise."""
    for magic, what, advice in _FOREIGN:
        if head.startswith(magic):
            raise UnreadableFile(f"{path} is {what}, not a file of rows that is read: {advice}")
    found = next((known for magic, known in _MAGIC if head.startswith(magic)), Format.CSV)
    named = _SUFFIXES.get(path.suffix.lower(), found)
    if head and found in _SPOKEN and named is not found:
        raise UnreadableFile(
            f"{path} is {_SPOKEN[found]}, and its name says {path.suffix}: rename it to"
            f" {path.stem}.{found}"
        )
    if head and named in _SPOKEN and named is not found:
        raise UnreadableFile(f"{path} is not {_SPOKEN[named]}, as its name says: is it whole?")
    return found


def _marked_encoding(head: bytes) -> str | None:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    # Western text in UTF-16 without mark: every other byte is NUL.
    pairs = len(head) // 2
    if pairs and head[1::2].count(0) > 0.4 * pairs and head[::2].count(0) < 0.1 * pairs:
        return "utf-16-le"
    if pairs and head[::2].count(0) > 0.4 * pairs and head[1::2].count(0) < 0.1 * pairs:
        return "utf-16-be"
    return None


def _control_share(head: bytes) -> float:
    return sum(head.count(bytes((code,))) for code in range(1, 9)) / len(head)


class _Utf8Tally:
    """Counts what a file says for and against UTF-8, chunk by chunk."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._good = self._bad = 0

    def feed(self, chunk: bytes) -> None:
        if chunk.isascii() and not self._decoder.getstate()[0]:
            return
        text = self._decoder.decode(chunk)
        bad = len(_ESCAPED.findall(text))
        self._bad += bad
        self._good += len(text) - len(text.encode("ascii", "ignore")) - bad

    def encoding(self) -> str:
        # A few broken bytes among plenty of valid sequences are damage, not another encoding.
        return "utf-8" if self._bad * 10 <= self._good else "cp1252"


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise UnreadableFile(f"unknown encoding {name!r}: try utf-8, cp1252 or utf-16") from None


def _check_encoding(path: Path, encoding: str) -> None:
    """Make sure that the whole file is in the encoding that was named.

    Raises: UnreadableFile with line, byte and offset where it is not.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line_no, size = 1, 0
    with path.open("rb") as file:
        chunk = b"more"
        while chunk:
            chunk = file.read(_CHUNK)
            size += len(chunk)
            try:
                line_no += _line_ends(decoder.decode(chunk, final=not chunk))
            except UnicodeDecodeError as error:
                line_no += _line_ends(error.object[: error.start].decode(encoding, "ignore"))
                place = size - len(error.object) + error.start
                raise UnreadableFile(
                    f"{path} is not in {encoding}: line {line_no} has the byte"
                    f" {error.object[error.start]:#04x} (byte {place + 1:,} of the file); leave"
                    " --encoding out, or name another, such as cp1252"
                ) from None
            except UnicodeError as error:  # utf-16 without its mark
                raise UnreadableFile(f"{path} is not in {encoding}: {error}") from None


def _line_ends(text: str) -> int:
    return max(text.count("\n"), text.count("\r"))


def _format_of(path: Path, text: str) -> Format:
    first = text.lstrip()[:1]
    if first == "{":
        return Format.JSONL
    if first == "[" and (path.suffix.lower() == ".json" or text.lstrip()[1:].lstrip()[:1] == "{"):
        raise UnreadableFile(
            f"{path} is one JSON array: write one object a line (jq -c '.[]' {path.name})"
        )
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        raise UnreadableFile(f"{path} does not begin with a JSON object: one object a line")
    return Format.CSV


def _scan_jsonl(
    path: Path, encoding: str
) -> tuple[tuple[str, ...], tuple[Mapping[str, Json], ...]]:
    """Collect the keys of all objects in the order they first appear, and a sample of objects."""
    columns: dict[str, None] = {}
    sample: list[Mapping[str, Json]] = []
    with open_text(path, encoding) as file:
        for line in lines(file):
            record = "too long" if isinstance(line, OverLong) else parse_object(line)
            if isinstance(record, str):
                continue
            columns.update(dict.fromkeys(record))
            if len(columns) > MAX_COLUMNS:
                raise UnreadableFile(f"{path} has more than {MAX_COLUMNS} different keys")
            if len(sample) < SAMPLE_ROWS:
                sample.append(record)
    if not columns:
        raise UnreadableFile(f"{path} holds no JSON object with keys: one object a line")
    return tuple(columns), tuple(sample)


def _header(path: Path, text: str, dialect: Dialect) -> tuple[str, ...]:
    rows = sample_rows(text, dialect)
    if not rows:
        raise UnreadableFile(f"{path} has no readable header line")
    header = tuple(rows[0])
    _check_header(path, header)
    return header


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not header:
        raise UnreadableFile(f"{path} is empty: it needs a header and at least one row")
    data = [cell for cell in header if _DATA_NOT_NAME.fullmatch(cell.strip())]
    if data:
        raise UnreadableFile(
            f"{path} has no header: its first line holds a value ({data[0].strip()!r});"
            " add a first line that names the columns, such as: website"
        )
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(f"{path} has more than {MAX_COLUMNS} columns")


def _unique(header: Sequence[str]) -> tuple[str, ...]:
    """Name every column once: an empty name by its place, a repeated one with its number."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        plain = cell.strip() or f"column {place}"
        name, number = plain, 2
        while name in names:
            name, number = f"{plain} ({number})", number + 1
        names.append(name)
    return tuple(names)
