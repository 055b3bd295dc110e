"""A YAML file that has been read: plain values, and the place where each of them stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, Final, TypeAlias

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source.masking import masked_address, masked_line

MAX_PROBLEMS: Final = 100
"""Problems kept of one file; one more says that there are others."""

Place: TypeAlias = tuple[str | int, ...]
"""The way to a value from the top of a file: keys and list positions (from 0)."""

LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")


class Document:
    """A YAML file that has been read.

    Parameters
    ----------
    text : str
        The file as it stands.
    shown_as : str
        Its name in messages, relative to the workspace.

    Attributes
    ----------
    data : JSON value
        None for an empty file. What aliases share is one object here too: do not change it.
    problems : list of Problem
        What is wrong with the file as YAML, in the order in which it was found.
    complete : bool
        False when reading had to end before the end of the file, so that `data` lacks its rest.
    flawed : set of int
        Where the problems are, in characters from the start of the file.
    root : int
        Where `data` begins, in characters from the start of the file.
    positions : dict
        ``id()`` of each list or mapping in `data` → where its parts begin: for a list their places in its order, for a
        mapping those of key and value under each key.
    """

    __slots__ = (
        "_lines",
        "_shown",
        "_starts",
        "complete",
        "data",
        "flawed",
        "positions",
        "problems",
        "root",
        "shown_as",
        "text",
    )

    def __init__(self, text: str, shown_as: str) -> None:
        self.text = text
        self.shown_as = shown_as
        self.data: Json = None
        self.problems: list[Problem] = []
        self.complete = True
        self.flawed: set[int] = set()
        self.root = 0
        self.positions: dict[int, Any] = {}
        self._starts: list[int] | None = None
        self._lines: dict[int, str] = {}
        self._shown: dict[int, str] = {}

    def mark(self, path: Place, *, key: bool = False) -> tuple[int, int]:
        """Tell where a value stands.

        Parameters
        ----------
        path : tuple of str and int
            The way to the value. Where it leads to nothing, the place of the last value on the way is given.
        key : bool
            The place of the value's key instead.

        Returns
        -------
        tuple of int
            Line and column, both from 1. Columns count characters.
        """
        return self.line_and_column(self.index(path, key=key))

    def index(self, path: Place, *, key: bool = False) -> int:
        """Tell where a value stands, in characters from the start of the file; as `mark`."""
        value, found = self.data, self.root
        for number, step in enumerate(path, start=1):
            positions: Any = self.positions.get(id(value))
            if isinstance(value, dict) and step in value:
                found = positions[step][0 if key and number == len(path) else 1]
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                found = positions[step]
            else:
                break
            value = value[step]
        return found

    def line_and_column(self, index: int) -> tuple[int, int]:
        """Turn a number of characters from the start into line and column, both from 1."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Give a line as it stands in the file, without its end; empty past the last one."""
        if number not in self._lines:
            self.line_and_column(0)
            starts = self._starts or [0]
            end = starts[number] if number < len(starts) else len(self.text)
            self._lines[number] = self.text[starts[min(number, len(starts)) - 1] : end].rstrip("\r\n")
        return self._lines[number]

    def problem(
        self,
        code: str,
        path: Place,
        message: str,
        expected: str | None = None,
        hint: str | None = None,
        *,
        key: bool = False,
    ) -> Problem:
        """Make a Problem located at a value, or at its key.

        Parameters
        ----------
        code : str
            Stable name such as ``"source.unknown-key"``.
        path : tuple of str and int
            As for `mark`.
        message, expected, hint : str
            As in `Problem`.
        key : bool
            Point at the key.

        Returns
        -------
        Problem
        """
        return self.problem_at(code, self.index(path, key=key), message, expected, hint)

    def problem_at(
        self, code: str, index: int, message: str, expected: str | None = None, hint: str | None = None
    ) -> Problem:
        """Make a Problem located at a number of characters from the start of the file. A key in it is not shown."""
        line, column = self.line_and_column(index)
        expected, hint = (None if text is None else masked_address(text) for text in (expected, hint))
        if line not in self._shown:
            self._shown[line] = masked_line(self.line(line))
        return Problem(code, self.shown_as, line, column, masked_address(message), expected, hint, self._shown[line])

    def report(self, code: str, index: int, message: str, expected: str | None = None, hint: str | None = None) -> None:
        """Add a problem to the document's own, as long as there are not too many."""
        self.flawed.add(index)
        count = len(self.problems)
        if count < MAX_PROBLEMS:
            self.problems.append(self.problem_at(code, index, message, expected, hint))
        elif count == MAX_PROBLEMS:
            self.problems.append(self.problem_at("source.more", index, _("more problems follow; they are not listed")))
