"""Reading a review file row by row, from a CSV file or from the ZIP archive it is published in."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from shinrai.do.reviews.cells import number
from shinrai.do.reviews.columns import Binding, bind
from shinrai.do.table import other_encoding
from shinrai.errors import Problem, SourceError
from shinrai.i18n import _

MAX_FILE_BYTES: Final = 1_000_000_000
"""Of an uncompressed file; reading is by rows, so memory does not grow with it."""


class Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]: ...
    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(slots=True)
class ReviewFile:
    """A file that is being read.

    Parameters
    ----------
    name : str
        For messages.
    binding : Binding
        Its columns.
    line : int
        In which the row in hand begins, from 1.
    count : int
        Rows read so far, the header not counted.
    year : int or None
        Year of the review sheets, from the first row on.
    """

    name: str
    binding: Binding
    _reader: Reader
    _path: Path
    line: int = 1
    count: int = 0
    year: int | None = None

    def rows(self) -> Iterator[list[str]]:
        """Read the rows after the header that are not empty.

        Raises
        ------
        SourceError
            If the file is not UTF-8, is no CSV, a row has more or fewer cells than the header, or is of another year.
        """
        width, at = len(self.binding.headers), self.binding.at["sheet_year"]
        reader = self._reader
        before, year = reader.line_num, ""
        with _explained(self._path, self.name, reader):
            for row in reader:
                self.line, before = before + 1, reader.line_num
                if len(row) == width:
                    if row[at] != year:
                        year = self._of_year(row[at], year)
                    self.count += 1
                    yield row
                elif any(row):
                    raise SourceError([self._ragged(len(row), width)])

    def _of_year(self, found: str, before: str) -> str:
        # The first row says the year; every other one is refused.
        name = self.binding.headers[self.binding.at["sheet_year"]]
        value, _oddity = number(found.strip())
        if value is None or not value.is_integer():
            message = _('the cell of "{name}" is no year: {found}').format(name=name, found=repr(found))
            raise SourceError([Problem("do.review-year", self.name, self.line, 1, message)])
        if before and int(value) != self.year:
            message = _("the row is of {found}, the rows before are of {year}").format(found=found, year=self.year)
            raise SourceError([Problem("do.review-year", self.name, self.line, 1, message)])
        self.year = int(value)
        return found

    def _ragged(self, found: int, width: int) -> Problem:
        message = _("the row has {found} cells, the header has {count}").format(found=found, count=width)
        hint = _("put a text that holds a comma or a line break in double quotes")
        return Problem("do.ragged", self.name, self.line, 1, message, hint=hint)


@contextmanager
def open_review(path: Path) -> Iterator[ReviewFile]:
    """Open a file of the project reviews and recognise it by its headers.

    Parameters
    ----------
    path : Path
        A CSV file, or a ZIP archive that holds one; UTF-8 with or without byte order mark.

    Yields
    ------
    ReviewFile

    Raises
    ------
    SourceError
        If it cannot be read, is too large, is in another encoding (which is named where it can be told), or lacks
        columns.
    """
    with ExitStack() as stack:
        try:
            binary, name = stack.enter_context(_binary(path))
        except OSError as error:
            reason = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
            raise SourceError([Problem("do.unreadable", path.name, 1, 1, reason)]) from error
        reader = csv.reader(io.TextIOWrapper(binary, encoding="utf-8-sig", errors="strict", newline=""), strict=True)
        with _explained(path, name, reader):
            headers = next(reader, None)
        if not headers:
            raise SourceError([Problem("do.empty", name, 1, 1, _("the file is empty"))])
        yield ReviewFile(name, bind(headers, name), reader, path)


@contextmanager
def _explained(path: Path, name: str, reader: Reader) -> Iterator[None]:
    # What can go wrong while rows are read, as located problems.
    try:
        yield
    except csv.Error as error:
        message = _("this is not valid CSV: {reason}").format(reason=error)
        raise SourceError([Problem("do.csv", name, reader.line_num or 1, 1, message)]) from error
    except UnicodeDecodeError as error:
        raise SourceError([_encoding(path, name)]) from error
    except (zlib.error, zipfile.BadZipFile, EOFError) as error:
        raise SourceError([_damaged(name, error)]) from error


@contextmanager
def _binary(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    with ExitStack() as stack:
        if path.suffix.lower() != ".zip":
            _require_small(path.stat().st_size, path.name)
            yield stack.enter_context(path.open("rb")), path.name
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            members = [one for one in archive.infolist() if one.filename.lower().endswith(".csv")]
            if len(members) != 1:
                message = _("the archive holds {count} CSV files").format(count=len(members))
                raise SourceError([Problem("do.archive", path.name, 1, 1, message, _("one CSV file"))])
            _require_small(members[0].file_size, path.name)
            member = cast("BinaryIO", stack.enter_context(archive.open(members[0])))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # damaged, encrypted, unknown method
            raise SourceError([_damaged(path.name, error)]) from error
        yield member, path.name


def _damaged(name: str, error: Exception) -> Problem:
    return Problem("do.archive", name, 1, 1, _("the archive cannot be read: {reason}").format(reason=error))


def _require_small(size: int, name: str) -> None:
    if size > MAX_FILE_BYTES:
        expected = _("at most {count:,} bytes").format(count=MAX_FILE_BYTES)
        raise SourceError([Problem("do.too-large", name, 1, 1, _("the file is too large"), expected)])


def _encoding(path: Path, name: str) -> Problem:
    """Name the encoding: read on to the first line that is not UTF-8."""
    before = bytearray()
    with _binary(path) as (binary, _name):
        for line in binary:
            before += line
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
    return other_encoding(bytes(before), name)
