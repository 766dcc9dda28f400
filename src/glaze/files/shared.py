"""What a workbook's cells hold once each has a text of its own: one is kept once, and pointed at often."""

import re
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable
from typing import Any, Final
from xml.parsers import expat

_SHEET: Final = "worksheet"
_STRING = re.compile(rb"[<:]si[\s/>]")
_STRING_ENDS = re.compile(rb"[/:]si[\s>]")
_OVERLAP: Final = 12  # bytes of a tag that may lie across two chunks
_MOST_STRINGS: Final = 10_000_000


class SharedTexts:
    """Lengths of the texts that cells point at, in bytes of UTF-8, and how many cells may do so.

    A sheet's own XML is not parsed for this, only looked through.
    """

    def __init__(self) -> None:
        self._lengths = array("Q")
        self._tags = 0

    @property
    def at_most(self) -> int:
        """Bytes of all cells that point at texts: never less than they are, mostly far more."""
        return self._tags // 2 * max(self._lengths, default=0)

    def part(self) -> Callable[[bytes], None]:
        """Return what takes the chunks of one more part.

        It raises ValueError where texts stand where no parser should look for them.
        """
        reading = _Strings(self._lengths)
        rest = b""
        begins = ends = False

        def feed(chunk: bytes) -> None:
            nonlocal rest, begins, ends
            self._tags += chunk.count(b"<")
            if reading.feed(chunk):
                return
            text = rest + chunk
            begins = begins or _STRING.search(text) is not None
            ends = ends or _STRING_ENDS.search(text) is not None
            rest = text[-_OVERLAP:]
            if reading.root == _SHEET:
                if begins or b"\0" in chunk:
                    raise ValueError("texts stand where none belong, or it is not in UTF-8")
            elif (begins and ends) or reading.has_strings or b"sheetData" in text:
                # A picture has none of these; a parser that forgives more than ours might read it.
                raise ValueError("a part is no XML")

        return feed

    def exactly(self, parts: Iterable[Iterable[bytes]], most: int) -> int:
        """Return the bytes of all cells that point at texts, up to the first sum above ``most``."""
        total = 0
        for chunks in parts:
            cells = _Cells(self._lengths)
            for chunk in chunks:
                if not cells.feed(chunk):
                    if cells.is_sheet:
                        raise ValueError("a sheet is no XML")
                    break
                if total + cells.size > most:
                    return total + cells.size
            total += cells.size
        return total


class _Reader(ABC):
    """Reads XML as it comes; what declares entities is no workbook's."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.end
        self._parser.CharacterDataHandler = self.text
        self._parser.StartDoctypeDeclHandler = _no_doctype
        self._reads = True

    def feed(self, chunk: bytes) -> bool:
        """Return whether it is still read: False once it is no XML, or none that matters."""
        if self._reads:
            try:
                self._parser.Parse(chunk, False)
            except expat.ExpatError:
                self._reads = False
        return self._reads

    @abstractmethod
    def start(self, name: str, attributes: dict[str, str], /) -> None: ...

    @abstractmethod
    def end(self, name: str) -> None: ...

    @abstractmethod
    def text(self, text: str) -> None: ...


class _Strings(_Reader):
    """The lengths of shared texts, in their order."""

    def __init__(self, lengths: "array[int]") -> None:
        super().__init__()
        self._lengths = lengths
        self.root: str | None = None
        self._place = 0
        self._length: int | None = None

    def feed(self, chunk: bytes) -> bool:
        return super().feed(chunk) and self.root != _SHEET

    @property
    def has_strings(self) -> bool:
        """Whether one began."""
        return self._place > 0 or self._length is not None

    def start(self, name: str, _: dict[str, str], /) -> None:
        name = _local(name)
        if self.root is None:
            self.root = name
            if name == _SHEET:
                # The rest is looked through: parsing it costs as much as reading the table.
                self._reads = False
                self._parser.StartElementHandler = None
                self._parser.EndElementHandler = None
                self._parser.CharacterDataHandler = None
        elif name == "si":
            self._length = 0

    def end(self, name: str) -> None:
        if self._length is None or _local(name) != "si":
            return
        if self._place < len(self._lengths):
            self._lengths[self._place] = max(self._lengths[self._place], self._length)
        elif self._place < _MOST_STRINGS:
            self._lengths.append(self._length)
        else:
            raise ValueError(f"it has more than {_MOST_STRINGS:,} texts")
        self._place += 1
        self._length = None

    def text(self, text: str) -> None:
        if self._length is not None:
            self._length += _size(text)


class _Cells(_Reader):
    """What the cells of a part hold together, in bytes."""

    def __init__(self, lengths: "array[int]") -> None:
        super().__init__()
        self.size = 0
        self.is_sheet = False
        self._lengths = lengths
        self._points = False
        self._number: str | None = None

    def start(self, name: str, attributes: dict[str, Any], /) -> None:
        name = _local(name)
        if name == "c":
            self._points = attributes.get("t", "").strip() == "s"
        elif name == "v" and self._points:
            self._number = ""
        elif name == _SHEET:
            self.is_sheet = True

    def end(self, name: str) -> None:
        if self._number is not None and _local(name) == "v":
            number = self._number.strip()
            known = number.isascii() and number.isdigit() and len(number) < 10  # noqa: PLR2004  digits
            if known and int(number) < len(self._lengths):
                self.size += self._lengths[int(number)]
            self._number = None

    def text(self, text: str) -> None:
        if self._number is not None:
            self._number += text


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _no_doctype(*_: object) -> None:
    raise ValueError("it declares entities")
