"""One sitting of whoever labels in the terminal: each label is on the disk before the next reply is shown.

The labels of a sitting come into the ledger together, when it ends. Until then they stand in a file beside it, so that
a closed window, ``kill -9`` or a power cut loses at most the label that was just being typed: the next sitting of the
same role brings in first what the file still holds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from shinrai.check.labels import COLUMNS, Label
from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.records import Digest, Role

__all__ = ["FOLDER", "Sitting", "sitting"]

FOLDER: Final = ".shinrai/labels"
"""Where the labels of sittings are that have not ended, relative to the workspace."""

_HEADER: Final = (",".join(COLUMNS) + "\r\n").encode()


class Sitting:
    """The file of a sitting, held by one process.

    Parameters
    ----------
    file : file object
        Open for reading and writing. A torn last line is cut off.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._cut(self._whole().rfind(b"\n") + 1)

    def _whole(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def _cut(self, length: int) -> None:
        self._file.truncate(length)
        self._file.seek(length)
        os.fsync(self._file.fileno())

    @property
    def content(self) -> bytes:
        """All labels as CSV, as `shinrai.check.labels.read_labels` reads it; empty where there is none."""
        whole = self._whole()
        return whole if whole != _HEADER else b""

    def note(self, mark: str, said: Label) -> None:
        """Keep a label: it is on the disk when this returns.

        Raises
        ------
        StoreError
            If it cannot be written.
        """  # noqa: DOC501 - _not_kept makes one
        line = f"{mark},{said}\r\n".encode()
        try:
            self._file.write(line if self._file.seek(0, os.SEEK_END) else _HEADER + line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _not_kept(error) from error

    def end(self) -> None:
        """Forget the labels: they are in the ledger now."""
        self._cut(0)


@contextmanager
def sitting(root: Path, commitment: Digest, by: Role) -> Iterator[Sitting]:
    """Hold the file of the sittings of a role at the replies of a promise.

    Parameters
    ----------
    root : Path
        Of the workspace.
    commitment : Digest
        Of the promise.
    by : Role
        Who labels.

    Yields
    ------
    Sitting
        With what an earlier sitting has left, if it was cut short.

    Raises
    ------
    UsageError
        If the same role labels the same replies in another window.
    StoreError
        If the file cannot be opened.
    """  # noqa: DOC501 - _not_kept makes the StoreError
    name = hashlib.sha256(f"{commitment}\n{by}".encode()).hexdigest()[:32]
    path = root / FOLDER / f"{name}.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise _not_kept(error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, however this process ends
        except BlockingIOError as error:
            raise UsageError(
                "labels.two-windows",
                _("{role} is labelling these replies in another window").format(role=by),
                hint=_("end the labelling there first: what was typed is kept"),
            ) from error
        yield Sitting(file)


def _not_kept(error: OSError) -> StoreError:
    return StoreError(
        "labels.not-kept",
        _("labels cannot be kept: {reason}").format(reason=error.strerror or error),
        hint=_("make room or give permission, then go on: what was typed before is kept"),
    )
