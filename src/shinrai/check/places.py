"""Where finished calls stand in the journals of a run, for a little over eight bytes each.

Of 32 lines that follow on one another in a file only the first one's place is kept; the others are counted from there.
"""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import IO, Final, NoReturn

import msgspec

from shinrai.check.keys import KeyTable
from shinrai.errors import TamperedError
from shinrai.i18n import _

__all__ = ["Places", "bad_line", "opened"]

_LINES: Final = 32
_BYTES: Final = 2**15  # lines that begin further behind the first one are not counted from it: replies may be long


class _Keyed(msgspec.Struct):
    key: str


_decode = msgspec.json.Decoder(_Keyed).decode


class _Home:
    """A file, how far it is known, and the block that its next line may belong to."""

    __slots__ = ("block", "end", "path", "reader", "taken")

    def __init__(self, path: Path, reader: IO[bytes]) -> None:
        self.path = path
        self.reader = reader
        self.end = 0
        self.block = -1
        self.taken = _LINES


class Places:
    """Keys and places of the lines of several files. The lines of each file are noted one after another, all of them.

    A call has a number: those of one file rise, and nothing is said about how dense they are.
    """

    def __init__(self) -> None:
        self._homes: list[_Home] = []
        self._starts = array("Q")
        self._home_of = array("H")
        self._keys = KeyTable()

    def __len__(self) -> int:
        return len(self._keys)

    def open(self, path: Path, shown_as: str) -> int:
        """Open a file for reading, and give its number.

        Raises
        ------
        TamperedError
            If it is not there.
        """
        self._homes.append(_Home(path, opened(path, shown_as)))
        return len(self._homes) - 1

    def descriptor(self, file: int) -> int:
        """Give what the operating system calls a file."""
        return self._homes[file].reader.fileno()

    def path(self, file: int) -> Path:
        """Give the path of a file."""
        return self._homes[file].path

    def end(self, file: int) -> int:
        """Tell where the line begins that follows those that are noted."""
        return self._homes[file].end

    def find(self, key: str) -> int | None:
        """Give the number of a call; None if it is in none of the files."""
        return self._keys.find(key, self._key_of)

    def note(self, file: int, length: int, key: str | None) -> int:
        """Note the next line of a file, with the call that it holds; None for one that another line holds already."""
        home = self._homes[file]
        if home.taken == _LINES or home.end - self._starts[home.block] >= _BYTES:
            home.block, home.taken = len(self._starts), 0
            self._starts.append(home.end)
            self._home_of.append(file)
        number = home.block * _LINES + home.taken
        home.taken += 1
        home.end += length
        if key is not None:
            self._keys.add(key, number)
        return number

    def text(self, number: int) -> tuple[int, bytes]:
        """Give where a line stands in its file, and the line."""
        block, further = divmod(number, _LINES)
        start, reader = self._starts[block], self._homes[self._home_of[block]].reader
        reader.seek(start)
        for _line in range(further):
            start += len(reader.readline())
        return start, reader.readline()

    def _key_of(self, number: int) -> str:
        start, text = self.text(number)
        try:
            return _decode(text).key
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.bad(number, start, error)

    def bad(self, number: int, start: int, cause: Exception | None) -> NoReturn:
        """Say that a line is not what it was.

        Raises
        ------
        TamperedError
            Always.
        """
        path = self._homes[self._home_of[number // _LINES]].path
        with path.open("rb") as file:
            bad_line(path.name, file.read(start).count(b"\n") + 1, cause)

    def close(self) -> None:
        """Close all files."""
        for home in self._homes:
            home.reader.close()


def opened(path: Path, shown_as: str) -> IO[bytes]:
    """Open a journal for reading, and for locks.

    Raises
    ------
    TamperedError
        If it is not there.
    """
    try:
        return os.fdopen(os.open(path, os.O_RDWR), "rb")
    except FileNotFoundError as error:
        raise TamperedError(
            "run.file-missing", _("the run file {file} is not there any more").format(file=shown_as)
        ) from error


def bad_line(shown_as: str, number: int, cause: Exception | None = None) -> NoReturn:
    """Say that a line, counted from 1, is none that a run wrote.

    Raises
    ------
    TamperedError
        Always.
    """
    raise TamperedError(
        "run.bad-line",
        _("{file}:{line}: this is not a line that a run wrote").format(file=shown_as, line=number),
        hint=_("a crash can tear the last line only; somebody or something changed the file"),
    ) from cause
