"""A CSV file as other programs write it: its rows, and the place of every cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.source import MAX_DATA_BYTES, MAX_PROBLEMS

_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")
_LONGEST_EXCERPT: Final = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Parameters
    ----------
    line : int
        In which it begins, from 1.
    cells : tuple of str
        Without white space at the ends.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """A file that has been read, and what is wrong with it so far.

    Parameters
    ----------
    name : str
        In messages.
    text : str
    """

    name: str
    text: str
    problems: list[Problem] = field(default_factory=list)
    _lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = _LINE_BREAK.split(self.text)

    def rows(self) -> Iterator[Row]:
        """Read the rows that are not empty. What is no CSV ends the reading and is among the problems."""
        reader = csv.reader(io.StringIO(self.text, newline=""), strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = tuple(cell.strip() for cell in next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                self.refuse("do.csv", line, 0, _("this is not valid CSV: {reason}").format(reason=error))
                return
            if any(cells):
                yield Row(line, cells)

    def refuse(  # noqa: PLR0917 - one argument for each part of a Problem
        self,
        code: str,
        line: int,
        position: int,
        message: str,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a problem at a cell.

        Parameters
        ----------
        code : str
            Stable name.
        line : int
            In which the row begins.
        position : int
            Of the cell in its row, from 0.
        message, expected, hint : str
            As in `Problem`.
        """
        at, column = self._locate(line, position)
        excerpt = self._lines[at - 1][:_LONGEST_EXCERPT]
        self.problems.append(Problem(code, self.name, at, column, message, expected, hint, excerpt))

    def require_sound(self) -> None:
        """Stop if there are problems.

        Raises
        ------
        SourceError
            With all of them, up to a number that a person can read.
        """
        if len(self.problems) > MAX_PROBLEMS:
            rest = len(self.problems) - MAX_PROBLEMS
            last = self.problems[MAX_PROBLEMS]
            more = _("{count} more problems follow; they are not listed").format(count=rest)
            self.problems[MAX_PROBLEMS:] = [Problem("do.more", self.name, last.line, last.column, more)]
        if self.problems:
            raise SourceError(self.problems)

    def _locate(self, line: int, position: int) -> tuple[int, int]:
        """Find line and column of a cell: cells before it may hold commas and line breaks in quotes."""
        line = min(line, len(self._lines))
        quoted = False
        for number in range(line, len(self._lines) + 1):
            for column, character in enumerate(self._lines[number - 1], start=1):
                if position == 0:
                    return number, column
                if character == '"':
                    quoted = not quoted
                elif character == "," and not quoted:
                    position -= 1
            if position == 0 or not quoted:
                return number, len(self._lines[number - 1]) + 1
        return line, 1


def read_table(path: Path, root: Path | None = None) -> Table:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        In UTF-8, with or without byte order mark; any line ends.
    root : Path, optional
        Of the workspace: messages name a file within it by its path from there, and any other by its name alone.

    Returns
    -------
    Table

    Raises
    ------
    SourceError
        If it cannot be read, is too large, or is written in another encoding (which is named where it can be told).
    """
    name = shown_as(path, root)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_DATA_BYTES + 1)
    except OSError as error:
        reason = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        raise SourceError([Problem("do.unreadable", name, 1, 1, reason)]) from error
    if len(raw) > MAX_DATA_BYTES:
        expected = _("at most {count:,} bytes").format(count=MAX_DATA_BYTES)
        raise SourceError([Problem("do.too-large", name, 1, 1, _("the file is too large"), expected)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError([other_encoding(raw, name)]) from error
    return Table(name, text)


def shown_as(path: Path, root: Path | None) -> str:
    """Name a file as messages do: by its path from the workspace if it lies in it, by its name alone otherwise."""
    if root is not None and (full := path.resolve()).is_relative_to(inside := root.resolve()):
        return full.relative_to(inside).as_posix()
    return path.name


def other_encoding(raw: bytes, name: str) -> Problem:
    """Say of bytes that are not UTF-8 where the first foreign character is, and in which encoding, if that can be told.

    Parameters
    ----------
    raw : bytes
        From the beginning of the file, at least to the end of the first line that is not UTF-8.
    name : str
        In messages.
    """
    encoding, text, offset = _guess(raw)
    before = _LINE_BREAK.split(text[:offset])
    excerpt = _LINE_BREAK.split(text)[len(before) - 1]
    return Problem(
        "do.encoding",
        name,
        len(before),
        len(before[-1]) + 1,
        _("the file is written in {encoding}").format(encoding=encoding or _("an encoding other than UTF-8")),
        expected=_("a file in UTF-8"),
        hint=_(
            "in Excel: Save As, and there “CSV UTF-8 (comma delimited)”; in a text editor: save with encoding UTF-8"
        ),
        excerpt=excerpt[:_LONGEST_EXCERPT],
    )


def _guess(raw: bytes) -> tuple[str | None, str, int]:
    """Name the encoding, only to say it to a person; with the text and where in it the first foreign character is."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16", raw.decode("utf-16", errors="replace"), 0
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", errors="replace")
        return None, text, text.find("\ufffd")
    foreign = next(index for index, character in enumerate(text) if not character.isascii())
    return "Shift_JIS", text, foreign
