"""Kept copies of what was brought in, so that it can be read and checked when the original is gone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.records import Digest, digest_file

EVIDENCE: Final = PurePosixPath(".shinrai/evidence")
"""Where kept copies lie, relative to the workspace."""

_LONGEST_NAME: Final = 180


def keep(root: Path, content: bytes, name: str) -> tuple[str, Digest]:
    """Keep a copy: either all of it, or nothing.

    Parameters
    ----------
    root : Path
        The workspace.
    content : bytes
        What to keep.
    name : str
        File name as it came.

    Returns
    -------
    tuple of str and Digest
        Path of the copy relative to the workspace, ``.shinrai/evidence/<64 hexadecimal digits>-<name>``, and the
        digest of its bytes. A copy that is there already and whole
        is left as it is.

    Raises
    ------
    UsageError
        If the name is too long to be part of a file name.
    StoreError
        If the copy cannot be written.
    """
    return keep_pieces(root, (content,), name)


def keep_pieces(root: Path, pieces: Iterable[bytes], name: str) -> tuple[str, Digest]:
    """Keep a copy of what comes in pieces, without holding it in memory: either all of it, or nothing.

    Parameters
    ----------
    root, name
        As `keep`.
    pieces : iterable of bytes
        In order. What it raises is passed on, and nothing is kept then.

    Returns
    -------
    tuple of str and Digest
        As `keep`.

    Raises
    ------
    UsageError
        As `keep`.
    StoreError
        As `keep`.
    """
    if len(name.encode()) > _LONGEST_NAME:
        raise UsageError(
            "do.name-too-long",
            _("The file name {name} is too long to keep").format(name=name),
            hint=_("Give the file a name of at most {count} bytes").format(count=_LONGEST_NAME),
        )
    folder = root / EVIDENCE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        try:
            return _write(descriptor, Path(partial), pieces, name)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            "do.not-kept",
            _("No copy of {name} could be kept: {reason}").format(name=name, reason=error.strerror or error),
            hint=_("Nothing was written into the ledger; make room or give permission, and try again"),
        ) from error


def _write(descriptor: int, partial: Path, pieces: Iterable[bytes], name: str) -> tuple[str, Digest]:
    total = hashlib.sha256()
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            total.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    digest = f"sha256:{total.hexdigest()}"
    path = partial.parent / f"{total.hexdigest()}-{name}"
    if not (path.is_file() and digest_file(path) == digest):
        partial.replace(path)
    return str(EVIDENCE / path.name), digest
