"""Workbooks (.xlsx) as people send them back: the texts and numbers of one sheet, and nothing that could do harm.

A workbook is a ZIP archive of XML. Both can be made so that reading them fills the memory or calls elsewhere, so an
archive is read within limits that hold for what comes out of it, and a document type, which entities need, is refused.
A formula is refused as well: what it shows is not what somebody wrote.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, TypeAlias
from xml.parsers import expat

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _

MAX_WORKBOOK_BYTES: Final = 20_000_000
"""Largest file that is read."""
MAX_UNPACKED_BYTES: Final = 100_000_000
"""Most bytes that are unpacked of all its parts together."""
MAX_PARTS: Final = 2_000
MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 200
_MAX_DEPTH: Final = 64
_MAX_TEXT: Final = 32_767
_DAY_ZERO: Final = date(1899, 12, 30)
"""Workbooks count days from here, if they do not say that they count from 1904."""
_DAY_ZERO_1904: Final = date(1904, 1, 1)
_LAST_DAY: Final = 2_957_003
"""The last day of the year 9999, counted from 1904."""
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")

Cell: TypeAlias = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows, each as long as its last cell; missing cells are None."""

    name: str
    rows: list[list[Cell]]
    day_zero: date = _DAY_ZERO

    def day(self, number: float) -> date | None:
        """Give the day that a cell's number stands for; None if it stands for none."""
        return self.day_zero + timedelta(days=int(number)) if 0 < number < _LAST_DAY else None


class _UnfitError(ValueError):
    """The workbook cannot be read; code and text say why."""

    def __init__(self, code: str, message: str, row: int = 1, column: int = 1, expected: str | None = None) -> None:
        super().__init__(message)
        self.code, self.row, self.column, self.expected = code, row, column, expected


def read_workbook(path: Path, *, shown_as: str) -> Sheet:
    """Read the first sheet of a workbook.

    Parameters
    ----------
    path : Path
        The file, at most `MAX_WORKBOOK_BYTES` long.
    shown_as : str
        Its name in messages.

    Returns
    -------
    Sheet

    Raises
    ------
    SourceError
        If it is no workbook, would unpack to too much, declares XML entities, or holds a formula; with sheet row and
        column as line and column.
    """
    try:
        _require_small(path)
        with zipfile.ZipFile(path) as archive:
            return _Reader(archive).sheet()
    except _UnfitError as error:
        problem = Problem(error.code, shown_as, error.row, error.column, str(error), error.expected)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        problem = Problem("source.unreadable", shown_as, 1, 1, message)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, expat.ExpatError) as error:
        message = _("this is no .xlsx workbook: {reason}").format(reason=error)
        problem = Problem("source.workbook", shown_as, 1, 1, message)
    raise SourceError([problem])


def _require_small(path: Path) -> None:
    if path.stat().st_size > MAX_WORKBOOK_BYTES:
        raise _UnfitError("source.too-large", _("the file is too large"))


class _Reader:
    """Reads the parts of one archive, within limits that hold for all of them together."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.left = MAX_UNPACKED_BYTES
        if len(archive.infolist()) > MAX_PARTS:
            raise _UnfitError("source.workbook-bomb", _("the workbook has too many parts"))

    def part(self, name: str) -> bytes:
        """Unpack a part; what its header says of its size is not believed.

        Raises
        ------
        _UnfitError
            If there is no such part, or all together unpack to too much.
        """
        try:
            with self.archive.open(name) as file:
                content = file.read(self.left + 1)
        except KeyError as error:
            message = _("this is no .xlsx workbook: {reason}").format(reason=name)
            raise _UnfitError("source.workbook", message) from error
        if len(content) > self.left:
            raise _UnfitError("source.workbook-bomb", _("the workbook unpacks to too much"))
        self.left -= len(content)
        return content

    def sheet(self) -> Sheet:
        sheets: list[dict[str, str]] = []
        links: dict[str, str] = {}
        day_zero = _DAY_ZERO

        def of_book(tag: str, attributes: dict[str, str]) -> None:
            nonlocal day_zero
            if tag == "sheet":
                sheets.append(attributes)
            elif tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
                day_zero = _DAY_ZERO_1904

        def of_links(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                links[attributes.get("Id", "")] = attributes.get("Target", "")

        _parse(self.part("xl/workbook.xml"), of_book)
        _parse(self.part("xl/_rels/workbook.xml.rels"), of_links)
        if not sheets:
            raise _UnfitError("source.workbook", _("the workbook has no sheet"))
        target = links.get(next((v for k, v in sheets[0].items() if k.rpartition(":")[2] == "id"), ""), "")
        shared = self.shared()
        cells = _Cells(shared, sheets[0].get("name", ""))
        name = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
        _parse(self.part(name), cells.start, cells.end, cells.text)
        return Sheet(cells.name, cells.rows, day_zero)

    def shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self.archive.namelist():
            return []
        strings = _Strings()
        _parse(self.part("xl/sharedStrings.xml"), strings.start, strings.end, strings.text)
        return strings.found


class _Strings:
    """The table of shared texts; a text may be made of runs, and readings above it (furigana) are left out."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._now: list[str] = []
        self._reading = self._text = False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag == "si":
            self._now = []
        self._reading = tag == "rPh" or (self._reading and tag != "si")
        self._text = tag == "t" and not self._reading

    def end(self, tag: str) -> None:
        if tag == "si":
            self.found.append("".join(self._now)[:_MAX_TEXT])
        elif tag == "rPh":
            self._reading = False
        self._text = False

    def text(self, data: str) -> None:
        if self._text:
            self._now.append(data)


class _Cells:
    """The cells of a sheet."""

    def __init__(self, shared: list[str], name: str) -> None:
        self.name = name
        self.rows: list[list[Cell]] = []
        self._shared = shared
        self._kind = "n"
        self._at = (0, 0)
        self._now: list[str] = []
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._at = self._place(attributes.get("r"))
            self._kind = attributes.get("t", "n")
            self._now = []
        elif tag == "f":
            raise self._no_value(_("the cell {cell} of the sheet {sheet} holds a formula"))
        elif tag == "row" and "r" in attributes and attributes["r"].isdecimal():
            self._at = (int(attributes["r"][:9]), 0)
        self._inside = tag in {"v", "t"}

    def _place(self, written: str | None) -> tuple[int, int]:
        if written is None:
            row, column = self._at[0] or 1, self._at[1] + 1
        else:
            found = _REFERENCE.fullmatch(written)
            if found is None:
                raise _UnfitError("source.workbook", _("this is no .xlsx workbook: {reason}").format(reason=written))
            column = 0
            for letter in found[1]:
                column = column * 26 + ord(letter) - 64
            row = int(found[2])
        if row > MAX_ROWS or column > MAX_COLUMNS:
            message = _("the sheet is larger than {rows} rows and {columns} columns")
            raise _UnfitError("source.workbook-bomb", message.format(rows=MAX_ROWS, columns=MAX_COLUMNS))
        return row, column

    def end(self, tag: str) -> None:
        self._inside = False
        if tag != "c":
            return
        value = self._value("".join(self._now)[:_MAX_TEXT])
        if value is None:
            return
        row, column = self._at
        while len(self.rows) < row:
            self.rows.append([])
        cells = self.rows[row - 1]
        cells += [None] * (column - len(cells))
        cells[column - 1] = value

    def _value(self, written: str) -> Cell:
        if self._kind in {"inlineStr", "str"}:
            return written or None
        if written == "":
            return None
        if self._kind == "s":
            index = int(written) if written.isdecimal() and len(written) < 9 else len(self._shared)
            return self._shared[index] if index < len(self._shared) else None
        if self._kind == "b":
            return written == "1"
        if self._kind in {"n", "d"}:
            return _number(written) if self._kind == "n" else written
        raise self._no_value(_("the cell {cell} of the sheet {sheet} holds an error value"))

    def _no_value(self, message: str) -> _UnfitError:
        told = message.format(cell=cell_name(*self._at), sheet=self.name)
        return _UnfitError("source.formula", told, *self._at, _("a text, number or day that somebody typed in"))

    def text(self, data: str) -> None:
        if self._inside:
            self._now.append(data)


def _number(written: str) -> Cell:
    try:
        return float(written)
    except ValueError:
        return written


def cell_name(row: int, column: int) -> str:
    """Name a cell as workbooks do, ``B3`` for row 3 and column 2; both count from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def _parse(
    content: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Go through XML; names come without their namespaces' prefixes.

    Raises
    ------
    _UnfitError
        For a document type, without which there are no entities, and for nesting too deep.
    """
    parser = expat.ParserCreate()
    depth = 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise _UnfitError("source.workbook-bomb", _("the workbook is nested too deeply"))
        start(tag.rpartition(":")[2], attributes)

    def finish(tag: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(tag.rpartition(":")[2])

    def refuse(*_facts: object) -> None:
        raise _UnfitError("source.xml-entities", _("the workbook declares a document type, which may hold entities"))

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    if text is not None:
        parser.CharacterDataHandler = text
    parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position alone
