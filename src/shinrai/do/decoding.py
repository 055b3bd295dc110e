"""From the text of a foreign file to values of known kinds, with the field that is not as its tool writes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from shinrai.do.json_stream import stream
from shinrai.do.runs import Row, Run, refuse_field
from shinrai.records import ImportFormat

__all__ = ["decoded", "document", "plain", "run_of"]


def run_of(tool: ImportFormat, path: Path, rows: Callable[[Path, Run], Iterator[Row]]) -> Run:
    """Begin to read a run that lies in one file.

    Parameters
    ----------
    tool : ImportFormat
        Who wrote it.
    path : Path
        The file.
    rows : callable
        Reads it, and notes what it says of the run on the way.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as the tool writes it.
    """
    run = Run(tool, tool, files=[path])
    run.rows = rows(path, run)
    return run


def document(path: Path, lists: Collection[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Read a file that is one JSON object, some of its lists element by element; see `stream`."""
    with path.open("rb") as file:
        yield from stream(file, path.name, lists)


def decoded(file: str, text: bytes, kind: Any, line: int = 1) -> Any:  # noqa: ANN401 - a value of that kind; kinds may be unions
    """Read JSON text; NaN and infinities, which Python writes and JSON does not know, become null.

    Parameters
    ----------
    file : str
        Its name, for messages.
    text : bytes
        One value.
    kind : type
        What it has to be, as msgspec takes it.
    line : int
        Where it stands.

    Returns
    -------
    object
        Of that kind.

    Raises
    ------
    SourceError
        With the field that is not as its tool writes it.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        refuse_field(file, line, error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return msgspec.convert(plain(text), kind)
        except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
            refuse_field(file, line, error)


def plain(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON as Python writes it, with NaN and infinities, which become null.

    Raises
    ------
    ValueError
        If it is not that either.
    RecursionError
        If it is nested too deeply.
    """
    return json.loads(text, parse_constant=lambda _name: None)
