"""The journal of a run: one line of JSON for each finished call, written before the reply counts.

Everything a verdict is made from is read from here. Lines are handed to the operating system one by one (that
survives ``kill -9``) and forced to the disk at most 100 ms later (that survives a power cut but for the last moment).

Replies are stored as they came: NUL, terminal escapes and HTML included. Lone surrogates, which are not Unicode text,
are replaced by U+FFFD where the reply is read; so nothing in a journal depends on how it is printed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from shinrai.errors import StoreError, TamperedError
from shinrai.i18n import _
from shinrai.records import Call

__all__ = ["Journal", "Line", "read_journal"]

SYNC_SECONDS = 0.1


class Line(Call, frozen=True, omit_defaults=True, gc=False):
    """A finished call as the journal keeps it: with what was asked.

    Parameters
    ----------
    request : str or dict
        What was asked, before the system's own instructions: a text, or a record.
    cut : int
        Characters of the reply before it was cut; 0 when it is whole. A cut reply is never scored.
    run : str, optional
        The earlier run that the call was taken over from.
    """

    request: Any = None
    cut: int = 0
    run: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def read_journal(path: Path, *, shown_as: str | None = None) -> Iterator[Line]:
    """Read the finished calls of a run, in the order in which they finished.

    Parameters
    ----------
    path : Path
        ``calls.jsonl``. A last line without line end (torn by a crash) is left out.
    shown_as : str, optional
        Name of the file in messages.

    Yields
    ------
    Line

    Raises
    ------
    TamperedError
        If the file is not there, a whole line is not a finished call, or a call is there twice.
    """
    lines, _torn_at = _read(path, shown_as or path.name)
    yield from lines


def _read(path: Path, shown_as: str) -> tuple[list[Line], int]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise TamperedError(
            "run.file-missing", _("the run file {file} is not there any more").format(file=shown_as)
        ) from error
    whole = data.rfind(b"\n") + 1
    lines: dict[str, Line] = {}
    for number, text in enumerate(data[:whole].split(b"\n")[:-1], start=1):
        try:
            line = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _bad_line(shown_as, number, error)
        if line.key in lines:
            _bad_line(shown_as, number, None)
        lines[line.key] = line
    return list(lines.values()), whole


def _bad_line(shown_as: str, number: int, cause: Exception | None) -> NoReturn:
    raise TamperedError(
        "run.bad-line",
        _("{file}:{line}: this is not a line that a run wrote").format(file=shown_as, line=number),
        hint=_("a crash can tear the last line only; somebody or something changed the file"),
    ) from cause


class Journal:
    """The journal of the run that is going on.

    Parameters
    ----------
    path : Path
        ``calls.jsonl``; it must be there. A torn last line is cut off.
    shown_as : str
        Name of the file in messages.

    Raises
    ------
    TamperedError
        As `read_journal`.
    """

    def __init__(self, path: Path, *, shown_as: str | None = None) -> None:
        self._shown_as = shown_as or path.name
        self.lines, self._size = _read(path, self._shown_as)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(self._file, self._size)
        self._timer: asyncio.TimerHandle | None = None
        self.failure: StoreError | None = None
        self.on_failure: Callable[[StoreError], None] | None = None

    @staticmethod
    def create(path: Path) -> None:
        """Create an empty journal and make sure that it outlives a crash.

        Raises
        ------
        StoreError
            If it cannot be created.
        TamperedError
            If there is one with calls in it already, of which the ledger knows nothing.
        """
        if path.exists() and path.stat().st_size:
            raise TamperedError(
                "run.unknown-files",
                _("{directory} holds a run that the ledger does not know").format(directory=path.parent.name),
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            failure = _not_written(path.name, error)
            raise failure from error

    def write(self, line: Line) -> None:
        """Keep a finished call.

        Parameters
        ----------
        line : Line
            With all that is known of it.

        Raises
        ------
        StoreError
            If it could not be written whole, for instance because the disk is full. What was written of it is
            taken back, and the journal takes no further line.
        """
        if self.failure is not None:
            raise self.failure
        data = _encode(line) + b"\n"
        try:
            written = os.write(self._file, data)
            while written < len(data):  # a disk that fills up takes a part first, and refuses the rest
                written += os.write(self._file, data[written:])
        except OSError as error:
            self._take_back()
            raise self._failed(error) from error
        self._size += written
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync_now)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError:  # the torn line stays, without a line end: the next reader leaves it out
            return

    def _sync_now(self) -> None:
        self._timer = None
        try:
            os.fsync(self._file)
        except OSError as error:
            failure = self._failed(error)
            if self.on_failure is not None:
                self.on_failure(failure)

    def _failed(self, error: OSError) -> StoreError:
        self.failure = _not_written(self._shown_as, error)
        return self.failure

    def close(self) -> None:
        """Force everything to the disk and close.

        Raises
        ------
        StoreError
            If the disk refuses.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            os.close(self._file)


def _not_written(shown_as: str, error: OSError) -> StoreError:
    return StoreError(
        "run.not-written",
        _("{file} could not be written: {why}").format(file=shown_as, why=error.strerror or type(error).__name__),
        hint=_("nothing is counted that was not written; make room and run `shinrai check` again"),
    )
