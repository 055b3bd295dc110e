"""Which tool wrote a file: told by what is in it, never by its name alone.

Nothing is unpacked or run for it. A pickle is refused without being opened: reading one can run any program.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias

from shinrai.do.decoding import plain
from shinrai.do.json_stream import stream
from shinrai.do.refusing import refuse
from shinrai.do.zip_reading import reading
from shinrai.i18n import _
from shinrai.records import ImportFormat
from shinrai.source import listing

_HEAD: Final = 2**16
_PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill"})
_PACKED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_LISTS: Final = (("samples",), ("results", "results"), ("tenPerspectives",), ("testCases",), ("test_cases",))

Form: TypeAlias = ImportFormat | Literal["aisev-data-set"]
"""A format of results, or a data set, which is questions without replies."""

KNOWN: Final = (
    "decisions.csv",
    "JSONL/CSV/Parquet (id, reply)",
    "Inspect .eval/.json",
    "lm-evaluation-harness samples_*.jsonl",
    "promptfoo .json",
    "DeepEval .json",
    "garak .report.jsonl",
    "aisev .json, .csv",
)


def recognise(path: Path) -> Form:
    """Tell the format of a file.

    Parameters
    ----------
    path : Path
        Of any size; only its beginning is read.

    Returns
    -------
    Form

    Raises
    ------
    SourceError
        If it is none that is known, cannot be read, or is dangerous to read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        refuse("do.unreadable", path.name, message)
    _refuse_dangerous(path, head)
    if head.startswith(b"PK\x03\x04"):
        return _of_archive(path)
    if head.startswith(b"PAR1"):
        return "outputs"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return _of_json(path, text)
    if text.startswith(b"["):
        _refuse_unknown(path, _("a list of JSON values"))
    return _of_table(head)


def _refuse_dangerous(path: Path, head: bytes) -> None:
    if path.suffix.lower() in _PICKLES or (head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}):
        refuse(
            "do.pickle",
            path.name,
            _("this is a pickle: reading it can run any program, so it is not opened"),
            hint=_("export the results from the tool as JSON or CSV"),
        )
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            message = _("the file is packed with {name}").format(name=name)
            refuse("do.packed", path.name, message, hint=_("unpack it first, so that its size is known"))


def _refuse_unknown(path: Path, found: str) -> NoReturn:
    refuse(
        "do.unknown-format",
        path.name,
        _("no tool that is known writes this: {found}").format(found=found),
        expected=listing(KNOWN),
    )


def _of_archive(path: Path) -> ImportFormat:
    with reading(path) as archive:
        if any(name == "header.json" or name.startswith(("samples/", "_journal/")) for name, *_rest in archive):
            return "inspect"
        names = [member.name for member in islice(archive, 5)]
    _refuse_unknown(path, _("an archive with {names}").format(names=listing(names, most=4)))


def _of_json(path: Path, text: bytes) -> ImportFormat:
    first, more, _rest = text.partition(b"\n")
    try:
        row: Any = plain(first)
    except (ValueError, RecursionError):
        row = None
    if isinstance(row, dict) and (not more or _rest.lstrip()[:1] in {b"{", b""} or path.suffix == ".jsonl"):
        form = _of_row(path, row)
        if form is not None:
            return form
    if row is None and path.suffix == ".jsonl":
        return "outputs"  # whose reader says what is wrong with the line
    return _of_document(path)


def _of_row(path: Path, row: dict[str, Any]) -> ImportFormat | None:
    if "entry_type" in row:
        return "garak"
    if {"attempt_id", "detector", "probe"} <= row.keys():
        refuse(
            "do.only-hits",
            path.name,
            _("this is garak's hit log: it holds the failures alone, so no rate can be told from it"),
            hint=_("import the report of the same run: …report.jsonl"),
        )
    if {"doc_id", "filtered_resps"} <= row.keys():
        return "lm-evaluation-harness"
    if "id" in row or path.suffix == ".jsonl":
        return "outputs"
    return None


def _of_document(path: Path) -> ImportFormat:
    keys: dict[str, None] = {}
    with path.open("rb") as file:
        for place, _value in stream(file, path.name, _LISTS):
            keys[place[0]] = None
            form = _of_keys(path, keys)
            if form is not None:
                return form
    _refuse_unknown(path, _("a JSON object with {names}").format(names=listing(keys, most=6)))


def _of_keys(path: Path, keys: dict[str, None]) -> ImportFormat | None:
    if {"eval", "status"} <= keys.keys():
        return "inspect"
    if "tenPerspectives" in keys:
        return "aisev"
    if "evalId" in keys:
        return "promptfoo"
    if keys.keys() & {"testCases", "test_cases"}:
        return "deepeval"
    if {"configs", "n-samples"} <= keys.keys():
        refuse(
            "do.only-summary",
            path.name,
            _("this holds the summary of lm-evaluation-harness, not its trials"),
            hint=_("run it with --log_samples and import samples_….jsonl, which lies beside this file"),
        )
    return None


def _of_table(head: bytes) -> Form:
    text = head.decode("utf-8-sig", errors="replace")
    try:
        header = next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        return "decisions"  # whose reader says what is wrong with the file
    names = {cell.strip() for cell in header}
    if "ten_perspective" in names:
        return "aisev-data-set"
    return "outputs" if {"id", "reply"} <= names else "decisions"
