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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shinrai.check.places import Places, bad_line, opened
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
    shown_as = shown_as or path.name
    places = Places()
    try:
        file = places.open(path, shown_as)
        for number, (length, line) in enumerate(_lines(path, shown_as), start=1):
            if places.find(line.key) is not None:
                bad_line(shown_as, number)
            places.note(file, length, line.key)
            yield line
    finally:
        places.close()


def _lines(path: Path, shown_as: str, start: int = 0) -> Iterator[tuple[int, Line]]:
    """Give each whole line of a journal from a place on, with its length.

    Raises
    ------
    TamperedError
        If the file is not there or a whole line is not a finished call.
    """
    with opened(path, shown_as) as file:
        file.seek(start)
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                line = _decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                file.seek(0)
                bad_line(shown_as, file.read(start).count(b"\n") + number, error)
            yield len(text), line


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
    own_from : int
        The number from which calls are those of this run.

    Raises
    ------
    TamperedError
        As `read_journal`.
    """

    def __init__(self, path: Path, *, shown_as: str | None = None, shards: Sequence[Path] = ()) -> None:
        self._shown_as = shown_as or path.name
        self._places = Places()
        self._last: Line | None = None
        self._last_number = 0
        self.failed = self.attempts = self.carried = self.own_from = 0
        self._file = -1
        try:
            self._places.open(path, self._shown_as)
            self._read(0, self._shown_as)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND)
            os.ftruncate(self._file, self._places.end(0))
            for shard in shards:
                file = self.join(shard)
                self._wait_for(file)
                self._read(file, shard.name)
        except BaseException:
            self._close_files()
            raise
        self._timer: asyncio.TimerHandle | None = None
        self.failure: StoreError | None = None
        self.on_failure: Callable[[StoreError], None] | None = None

    # ---- what workers write

    def join(self, path: Path) -> int:
        """Open the journal of a worker for reading, and give the number of the file."""
        return self._places.open(path, path.name)

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
                fcntl.flock(self._places.descriptor(file), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
        raise StoreError(
            "run.worker-alive",
            _("a worker of an earlier command still writes {file}").format(file=self._places.path(file).name),
            hint=_("end that process, then run `shinrai check` again"),
        )

    def _read(self, file: int, shown_as: str) -> None:
        """Note all that an earlier command has written into a file.

        Raises
        ------
        TamperedError
            As `read_journal`.
        """
        for number, (length, line) in enumerate(_lines(self._places.path(file), shown_as), start=1):
            if self._places.find(line.key) is not None:
                bad_line(shown_as, number)
            self._note(file, length, line)

    def adopt(self, file: int, start: int, length: int, line: Line) -> None:
        """Take a finished call into account that a worker has written down, and all that it wrote before.

        Workers may be heard in another order than they write.
        """
        if start == self._places.end(file):
            self._note(file, length, line)
        else:
            self.catch_up(file)

    def catch_up(self, file: int) -> None:
        """Adopt what a worker has written and not told, or not yet."""
        path = self._places.path(file)
        for length, line in _lines(path, path.name, self._places.end(file)):
            if self._places.find(line.key) is None:
                self._note(file, length, line)
            else:
                self._places.note(file, length, None)

    # ---- what this process writes

    def _note(self, file: int, length: int, line: Line) -> None:
        self._last_number = self._places.note(file, length, line.key)
        self._last = line
        self.failed += line.end == "error"
        if line.run is None:
            self.attempts += line.attempts
        else:
            self.carried += 1
            self.own_from = self._last_number + 1

    def __len__(self) -> int:
        return len(self._places)

    def number(self, key: str) -> int | None:
        """Give the number of a finished call; None if it has not finished. Those taken over have the lowest."""
        if self._last is not None and self._last.key == key:
            return self._last_number
        return self._places.find(key)

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
        number = self._places.find(key)
        if number is None:
            raise KeyError(key)
        start, text = self._places.text(number)
        try:
            line = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._places.bad(number, start, error)
        if line.key != key:
            self._places.bad(number, start, None)
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
        number = self._places.find(line.key)
        if number is not None:
            start, text = self._places.text(number)
            return start, len(text)
        data = _encode(line) + b"\n"
        try:
            written = os.write(self._file, data)
            while written < len(data):  # a disk that fills up takes a part first, and refuses the rest
                written += os.write(self._file, data[written:])
        except OSError as error:
            self._take_back()
            raise self._failed(error) from error
        start = self._places.end(0)
        self._note(0, written, line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync_now)
        return start, written

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self._places.end(0))
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
        self.on_failure = None
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._close_files()

    def _close_files(self) -> None:
        self._places.close()
        if self._file >= 0:
            os.close(self._file)


def not_written(shown_as: str, error: Exception) -> StoreError:
    """Say that a file of a run could not be written, and why."""
    return StoreError(
        "run.not-written",
        _("{file} could not be written: {why}").format(
            file=shown_as, why=getattr(error, "strerror", None) or str(error) or type(error).__name__
        ),
        hint=_("nothing is counted that was not written; make room and run `shinrai check` again"),
    )
