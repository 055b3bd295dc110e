"""Data sets of other tools: questions without replies. They become a file of the workspace that checks can name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from shinrai.do.aisev import read_questions
from shinrai.do.recognising import recognise
from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.workspace import Workspace

DATA: Final = "data"
"""Where data sets lie, relative to the workspace."""


def import_questions(workspace: Workspace, path: Path) -> str | None:
    """Turn a data set of aisev into one of the workspace.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    path : Path
        Any file.

    Returns
    -------
    str or None
        Path of the new file, ``data/NAME.jsonl``, relative to the workspace; None if the file is no such data set.

    Raises
    ------
    SourceError
        If a row is not as aisev writes it.
    UsageError
        If there is another file of that name already.
    StoreError
        If the file cannot be written.
    """
    if recognise(path) != "aisev-data-set":
        return None
    items = read_questions(path)
    content = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode()
    name = f"{DATA}/{path.stem}.jsonl"
    target = workspace.root / name
    try:
        if target.exists() and target.read_bytes() != content:
            raise UsageError(
                "do.file-exists",
                _("there is another file {file} already").format(file=name),
                hint=_("rename the file to be imported; promises may be about the one that is there"),
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        message = _("No copy of {name} could be kept: {reason}").format(name=name, reason=error.strerror or error)
        raise StoreError("do.not-kept", message) from error
    return name
