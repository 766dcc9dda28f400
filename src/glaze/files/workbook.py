"""XLSX in and out: the first sheet of a workbook, bounded before a parser sees it."""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import IO, Any

from glaze.errors import GlazeError, UnreadableFile
from glaze.files.cell import Cell, text_of
from glaze.files.shared import SharedTexts

MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of all parts of a workbook; the parser holds its sheet and its texts in memory."""
MAX_TEXTS = 512 * 1024 * 1024
"""Bytes of text in all cells: one is kept once, but the parser copies it for each that points at it."""
MAX_CELLS = 10_000_000
"""Rows times columns of a sheet: two cells in far corners make the parser allocate all between."""
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384  # of the format itself
MAX_TEXT = 32_767
"""Characters of one cell, by the format's own rule."""
_EXACT = 10**15  # beyond it a spreadsheet's numbers lose digits
_FIRST_DATE = date(1900, 3, 1)  # before it spreadsheets disagree on what day it is
_CHUNK = 1 << 20
_LOCAL_HEADER = 30
_ENCRYPTED = 1
_TAG = re.compile(
    rb"<(?:[A-Za-z_][\w.-]*:)?(row|c)(?=[\s/>])(?:[^<>]*?\sr\s*=\s*[\"']\s*([A-Za-z]*)(\d*))?"
)


def sheet_rows(path: Path, *, checked: bool = True) -> Iterator[tuple[int, list[Cell]]]:
    """Yield sheet row number and values of each row of the first visible sheet that is not blank.

    The sheet is held in memory while it is read. An empty cell is None. A whole number is an int,
    for spreadsheets know floats alone.

    Args:
        path: The workbook.
        checked: Whether ``check_workbook`` has seen this file.

    Raises: UnreadableFile where it is no workbook, is damaged, or has no sheet.
    """
    if not checked:
        check_workbook(path)
    sheet = _first_sheet(path)
    for row_no, cells in enumerate(sheet.iter_rows(), start=1):
        values = [_read(cell) for cell in cells]
        if any(value is not None for value in values):
            yield row_no, values


def _first_sheet(path: Path) -> Any:
    from python_calamine import (  # noqa: PLC0415  only where a workbook is read
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        for place, sheet in enumerate(workbook.sheets_metadata):
            shown = sheet.visible == SheetVisibleEnum.Visible
            if shown and sheet.typ == SheetTypeEnum.WorkSheet:
                return workbook.get_sheet_by_index(place)
    except (CalamineError, OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the parser gave up; it is no Exception
            raise _broken(path, "its parts contradict each other") from error
        raise
    raise UnreadableFile(f"{path} has no sheet with rows")


def _read(cell: Any) -> Cell:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return int(cell)
    if isinstance(cell, str):
        return cell.replace("\0", "") or None
    value: Cell = cell
    return value


def _broken(path: Path, reason: str) -> UnreadableFile:
    return UnreadableFile(f"{path} is a spreadsheet (XLSX) that cannot be read: {reason}")


# -- bounds --------------------------------------------------------------------------------------


def check_workbook(path: Path) -> None:
    """Unpack all parts without keeping them, and see that a parser can hold what they say.

    What the archive states of its own sizes is not believed.

    Raises: UnreadableFile where it is no workbook, damaged, encrypted, or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
        with path.open("rb") as file:
            _check_parts(path, file, parts)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise _broken(path, f"{error}; is it truncated?") from error


def _check_parts(path: Path, file: IO[bytes], parts: Sequence[zipfile.ZipInfo]) -> None:
    if not any(part.filename.lower().lstrip("/") == "xl/workbook.xml" for part in parts):
        raise UnreadableFile(f"{path} is a zip archive, not a spreadsheet (XLSX): unpack it first")
    left, texts = MAX_UNPACKED, SharedTexts()
    for part in parts:
        corner, noted = _Corner(), texts.part()
        for chunk in _unpacked(file, part):
            left -= len(chunk)
            if left < 0:
                raise UnreadableFile(
                    f"{path} unpacks to more than {MAX_UNPACKED:,} bytes: save the sheet as CSV"
                )
            noted(chunk)
            corner.feed(chunk)
            if corner.too_far_out:
                raise UnreadableFile(
                    f"{path} has a sheet of {corner.rows:,} rows by {corner.columns:,} columns;"
                    f" {MAX_CELLS:,} cells are the most: delete what is far out, or save it as CSV"
                )
    if texts.at_most > MAX_TEXTS:
        unpacked = (_unpacked(file, part) for part in parts)
        if texts.exactly(unpacked, MAX_TEXTS) > MAX_TEXTS:
            raise UnreadableFile(
                f"{path} has more than {MAX_TEXTS:,} bytes of text in its cells: save it as CSV"
            )


def _unpacked(file: IO[bytes], part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part's bytes, however many its stream really holds."""
    if part.flag_bits & _ENCRYPTED:
        raise ValueError("it is encrypted")
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is packed in an unusual way")
    file.seek(part.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER:
        raise ValueError("it ends too early")
    lengths = (header[at] + 256 * header[at + 1] for at in (26, 28))  # of name and extra field
    file.seek(sum(lengths), 1)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if part.compress_type else None
    left = part.compress_size
    while left > 0 and (packed := file.read(min(_CHUNK, left))):
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        while packed:
            yield inflate.decompress(packed, _CHUNK)
            packed = inflate.unconsumed_tail


class _Corner:
    """How far out the cells of a sheet reach, as its XML goes by."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row = self._column = 0  # where a cell without reference would stand
        self._rest = b""

    @property
    def too_far_out(self) -> bool:
        far = self.rows > _MOST_ROWS or self.columns > _MOST_COLUMNS
        return far or self.rows * self.columns > MAX_CELLS

    def feed(self, chunk: bytes) -> None:
        text = self._rest + chunk
        end = text.rfind(b"<")
        if end < 0 or len(text) - end > _CHUNK:
            end = len(text)
        self._rest = text[end:]
        tags = _TAG.findall(text, 0, end)
        letters = {letters for tag, letters, _ in tags if tag == b"c"}
        digits = {digits for _, _, digits in tags}
        if b"" in letters or b"" in digits:
            self._step(tags)
        elif tags:
            _, last, row = tags[-1]
            self._row, self._column = int(row), _column_number(last)
            self.rows = max(self.rows, *map(int, digits))
            self.columns = max(self.columns, *map(_column_number, letters), 0)

    def _step(self, tags: Sequence[tuple[bytes, bytes, bytes]]) -> None:
        """Walk from tag to tag: a cell without reference stands beside the last one."""
        for tag, letters, digits in tags:
            if tag == b"row":
                self._row = int(digits or self._row + 1)
                self._column = 0
            else:
                self._row = int(digits or self._row)
                self._column = _column_number(letters) or self._column + 1
                self.columns = max(self.columns, self._column)
            self.rows = max(self.rows, self._row)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


# -- out -----------------------------------------------------------------------------------------


@contextmanager
def open_workbook(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[Cell]], None]]:
    """Yield a function that writes one row; each leaves memory at once.

    Text is written as text, whatever it looks like: nothing becomes a formula, a link or a number.
    A text longer than a cell may hold ends in "...".

    Raises: GlazeError where the workbook is too large for its format.
    """
    import xlsxwriter  # noqa: PLC0415  only where a workbook is written
    from xlsxwriter.exceptions import XlsxWriterException  # noqa: PLC0415  as above

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = _Sheet(book)
    sheet.write(header)
    try:
        yield sheet.write
    finally:
        try:
            book.close()  # of a run that broke off it removes what it wrote aside
        except XlsxWriterException as error:
            raise GlazeError(f"cannot write {path.name} as XLSX: {error}; name it .csv") from error


class _Sheet:
    """The one sheet of a workbook that is written row by row."""

    def __init__(self, book: Any) -> None:
        self._sheet = book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._date = book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._row = 0

    def write(self, cells: Sequence[Cell]) -> None:
        for column, cell in enumerate(cells):
            if cell is not None and cell != "":
                self._cell(column, cell)
        self._row += 1

    def _cell(self, column: int, cell: Cell) -> None:
        at = (self._row, column)
        match cell:
            case bool():
                self._sheet.write_boolean(*at, cell)
            case int() | float() if isfinite(cell) and abs(cell) < _EXACT:
                self._sheet.write_number(*at, cell)
            case datetime() if cell.tzinfo is None and cell.date() >= _FIRST_DATE:
                self._sheet.write_datetime(*at, cell, self._moment)
            case date() if not isinstance(cell, datetime) and cell >= _FIRST_DATE:
                self._sheet.write_datetime(*at, cell, self._date)
            case _:
                self._sheet.write_string(*at, _fitting(text_of(cell)))


def _fitting(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."
