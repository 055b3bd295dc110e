"""The journal of a run: one line of JSON for each finished call, written before the reply counts.

Everything a verdict is made from is read from here. Lines are handed to the operating system one by one (that
survives ``kill -9``) and forced to the disk at most 100 ms later (that survives a power cut but for the last moment).

Replies are stored as they came: NUL, terminal escapes and HTML included. Lone surrogates, which are not Unicode text,
are replaced by U+FFFD where the reply is read; so nothing in a journal depends on how it is printed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from shinrai.check.keys import KeyTable
from shinrai.errors import StoreError, TamperedError
from shinrai.i18n import _
from shinrai.records import Call

__all__ = ["Journal", "Line", "not_written", "read_journal"]

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
    """Read the finished calls of a run that has not ended, in the order in which they finished.

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
    keys = KeyTable()
    for _start, _length, line in _scan(path, shown_as or path.name, keys):
        yield line


def _scan(path: Path, shown_as: str, keys: KeyTable) -> Iterator[tuple[int, int, Line]]:
    """Give each whole line with its place and length in the file, and add its key.

    Raises
    ------
    TamperedError
        As `read_journal`.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise TamperedError(
            "run.file-missing", _("the run file {file} is not there any more").format(file=shown_as)
        ) from error
    start = 0
    with file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                line = _decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                _bad_line(shown_as, number, error)
            if keys.find(line.key) is not None:
                _bad_line(shown_as, number, None)
            keys.add(line.key)
            yield start, len(text), line
            start += len(text)


def _bad_line(shown_as: str, number: int, cause: Exception | None) -> NoReturn:
    raise TamperedError(
        "run.bad-line",
        _("{file}:{line}: this is not a line that a run wrote").format(file=shown_as, line=number),
        hint=_("a crash can tear the last line only; somebody or something changed the file"),
    ) from cause


class Journal:
    """The journal of the run that is going on. Of each finished call it remembers the key and the place, no more.

    Parameters
    ----------
    path : Path
        ``calls.jsonl``; it must be there. A torn last line is cut off.
    shown_as : str
        Name of the file in messages.
    shards : sequence of Path, optional
        Journals of workers of this run that are gone; read after this one. Torn last lines are left out.

    Attributes
    ----------
    failed : int
        Finished calls without a reply.
    attempts : int
        Of the finished calls that were not taken over from an earlier run.
    carried : int
        Finished calls that were. They come first.

    Raises
    ------
    TamperedError
        As `read_journal`.
    """

    def __init__(self, path: Path, *, shown_as: str | None = None, shards: Sequence[Path] = ()) -> None:
        self._shown_as = shown_as or path.name
        self._keys = KeyTable()
        self._starts, self._lengths, self._homes = array("Q"), array("I"), array("H")
        self._last: Line | None = None
        self.failed = self.attempts = self.carried = 0
        self._size = 0
        for start, length, line in _scan(path, self._shown_as, self._keys):
            self._note(0, start, length, line)
            self._size = start + length
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        os.ftruncate(self._file, self._size)
        self._paths, self._files = [path], [self._file]
        try:
            for shard in shards:
                self._wait_for(self.join(shard))
                self._read_shard(len(self._files) - 1)
        except BaseException:
            self._close_files()
            raise
        self._timer: asyncio.TimerHandle | None = None
        self.failure: StoreError | None = None
        self.on_failure: Callable[[StoreError], None] | None = None

    # ---- what workers write

    def join(self, path: Path) -> int:
        """Open the journal of a worker for reading, and give the number of the file."""
        self._paths.append(path)
        self._files.append(os.open(path, os.O_RDWR))
        return len(self._files) - 1

    def claim(self) -> None:
        """Hold a lock on this journal until it is closed or its process ends, so that nobody reads it too early."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _wait_for(self, file: int) -> None:
        """Wait until the worker that writes a file is gone: it ends as soon as it sees that nobody listens.

        Raises
        ------
        StoreError
            If it is still there after some seconds.
        """
        for _turn in range(200):
            try:
                fcntl.flock(self._files[file], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
        raise StoreError(
            "run.worker-alive",
            _("a worker of an earlier command still writes {file}").format(file=self._paths[file].name),
            hint=_("end that process, then run `shinrai check` again"),
        )

    def _read_shard(self, file: int) -> None:
        for start, length, line in _scan(self._paths[file], self._paths[file].name, self._keys):
            self._note(file, start, length, line)

    def adopt(self, file: int, start: int, length: int, line: Line) -> None:
        """Take a finished call into account that a worker has written down."""
        self._keys.add(line.key)
        self._note(file, start, length, line)

    def catch_up(self, file: int) -> None:
        """Adopt what a worker that is gone wrote and did not tell."""
        for start, length, line in _scan(self._paths[file], self._paths[file].name, KeyTable()):
            if self._keys.find(line.key) is None:
                self.adopt(file, start, length, line)

    # ---- what this process writes

    def _note(self, file: int, start: int, length: int, line: Line) -> None:
        self._homes.append(file)
        self._starts.append(start)
        self._lengths.append(length)
        self._last = line
        self.failed += line.end == "error"
        if line.run is None:
            self.attempts += line.attempts
        else:
            self.carried += 1

    def __len__(self) -> int:
        return len(self._starts)

    def number(self, key: str) -> int | None:
        """Give the place of a finished call among all, from 0; None if it has not finished."""
        if self._last is not None and self._last.key == key:
            return len(self._starts) - 1
        return self._keys.find(key)

    def read(self, key: str) -> Line:
        """Read a finished call again.

        Raises
        ------
        KeyError
            If it has not finished.
        TamperedError
            If the file does not hold it any more.
        """
        if self._last is not None and self._last.key == key:
            return self._last
        number = self._keys.find(key)
        if number is None:
            raise KeyError(key)
        try:
            line = _decode(os.pread(self._files[self._homes[number]], self._lengths[number], self._starts[number]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _bad_line(self._shown_as, number + 1, error)
        if line.key != key:
            _bad_line(self._shown_as, number + 1, None)
        return line

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
            failure = not_written(path.name, error)
            raise failure from error

    def write(self, line: Line) -> tuple[int, int]:
        """Keep a finished call. One that a worker has written down already is not written again.

        Parameters
        ----------
        line : Line
            With all that is known of it.

        Returns
        -------
        tuple of int
            Where it stands in its file, and its length.

        Raises
        ------
        StoreError
            If it could not be written whole, for instance because the disk is full. What was written of it is
            taken back, and the journal takes no further line.
        """
        if self.failure is not None:
            raise self.failure
        number = self._keys.find(line.key)
        if number is not None:
            return self._starts[number], self._lengths[number]
        data = _encode(line) + b"\n"
        try:
            written = os.write(self._file, data)
            while written < len(data):  # a disk that fills up takes a part first, and refuses the rest
                written += os.write(self._file, data[written:])
        except OSError as error:
            self._take_back()
            raise self._failed(error) from error
        self._keys.add(line.key)
        self._note(0, self._size, written, line)
        self._size += written
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync_now)
        return self._size - written, written

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
        self.failure = not_written(self._shown_as, error)
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
            self._close_files()

    def _close_files(self) -> None:
        for file in self._files:
            os.close(file)


def not_written(shown_as: str, error: Exception) -> StoreError:
    """Say that a file of a run could not be written, and why."""
    return StoreError(
        "run.not-written",
        _("{file} could not be written: {why}").format(
            file=shown_as, why=getattr(error, "strerror", None) or str(error) or type(error).__name__
        ),
        hint=_("nothing is counted that was not written; make room and run `shinrai check` again"),
    )
