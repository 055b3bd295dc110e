"""Kept copies of what was brought in, so that it can be read and checked when the original is gone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.records import Digest, digest_bytes, digest_file

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
    if len(name.encode()) > _LONGEST_NAME:
        raise UsageError(
            "do.name-too-long",
            _("The file name {name} is too long to keep").format(name=name),
            hint=_("Give the file a name of at most {count} bytes").format(count=_LONGEST_NAME),
        )
    digest = digest_bytes(content)
    relative = str(EVIDENCE / f"{digest.removeprefix('sha256:')}-{name}")
    path = root / relative
    try:
        if not (path.is_file() and digest_file(path) == digest):
            _write(path, content)
    except OSError as error:
        raise StoreError(
            "do.not-kept",
            _("No copy of {name} could be kept: {reason}").format(name=name, reason=error.strerror or error),
            hint=_("Nothing was written into the ledger; make room or give permission, and try again"),
        ) from error
    return relative, digest


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
