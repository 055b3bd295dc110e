"""Captured replies in no tool's own format: JSON Lines, CSV or Parquet, one reply a row.

========= =================================================================================================
id        of the item that was asked; a text, unique unless ``repeat`` tells rows apart
reply     the text; null (in CSV an empty cell) where there is none
prompt    what was asked, where known: a text; ``prompts`` with one text or several does as well
error     why there is no reply, where there is none
blocked   true where the provider's filter stopped it
repeat    a number, where an item was asked several times
at        when it was answered, ISO 8601; the earliest is when the run began
========= =================================================================================================

Every other column is taken over under its own name, so that scorers and filters can use it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.decoding import plain
from shinrai.do.refusing import refuse
from shinrai.do.runs import Row, Run, finite, moment
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source import did_you_mean, read_cell

OWN: Final = frozenset({"id", "reply", "prompt", "prompts", "error", "blocked", "repeat", "at"})
_KEPT: Final = frozenset({"sample", "end"})
_LONGEST_LINE: Final = 64 * 2**20
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}


def read_outputs(path: Path) -> Run:
    """Read captured replies.

    Parameters
    ----------
    path : Path
        Ends in ``.jsonl``, ``.csv`` or ``.parquet``.

    Returns
    -------
    Run
        Its rows raise SourceError for a row that is not as above.
    """
    run = Run("outputs", "outputs", files=[path])
    run.rows = _rows(path, run)
    return run


def _rows(path: Path, run: Run) -> Iterator[Row]:
    records = {".jsonl": json_lines, ".csv": _csv, ".parquet": _parquet}[path.suffix](path)
    for line, fields in records:
        yield _row(path.name, line, fields, run)


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read one JSON object a line, with the number of its line; memory holds one line.

    Raises
    ------
    SourceError
        If a line is no JSON object, or longer than 64 MiB.
    """
    with path.open("rb") as file:
        number = 0
        while text := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(text) > _LONGEST_LINE:
                message = _("one value is longer than {count:,} bytes").format(count=_LONGEST_LINE)
                refuse("do.too-large", path.name, message, line=number)
            if text.strip():
                yield number, _object(path.name, number, text)


def _object(name: str, number: int, text: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fields = _with_constants(name, number, text)
    if not isinstance(fields, dict):
        refuse("do.json", name, _("this line is not a JSON object"), line=number, excerpt=text.decode()[:200])
    return fields


def _with_constants(name: str, number: int, text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read what Python's own writer makes of NaN and infinities, which is no JSON; they become null."""
    try:
        return plain(text)
    except (ValueError, RecursionError) as error:
        message = _("this is not valid JSON: {reason}").format(reason=getattr(error, "msg", type(error).__name__))
        shown = text.decode(errors="replace")
        refuse("do.json", name, message, line=number, excerpt=shown)


def _csv(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("r", encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        header: list[str] | None = None
        line = 1
        try:
            for cells in reader:
                if header is None:
                    header = _header(path.name, cells)
                elif cells:
                    if len(cells) != len(header):
                        message = _("the row has {found} cells, the header has {count}")
                        refuse("do.ragged", path.name, message.format(found=len(cells), count=len(header)), line=line)
                    yield line, {name: cell or None for name, cell in zip(header, cells, strict=True)}
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError) as error:
            message = _("this is not valid CSV: {reason}").format(reason=error)
            refuse("do.csv", path.name, message, line=line)


def _header(name: str, cells: list[str]) -> list[str]:
    for position, cell in enumerate(cells):
        if cell in cells[:position]:
            refuse("do.column-twice", name, _('the column "{name}" is there twice').format(name=cell))
    return cells


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import duckdb  # noqa: PLC0415 - a tenth of a second, for a file that needs it

    config: dict[str, Any] = {"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    quoted = "'" + str(path).replace("'", "''") + "'"
    with duckdb.connect(":memory:", config=config) as connection:
        try:
            cursor = connection.execute(f"SELECT * FROM read_parquet({quoted})")  # noqa: S608 - a path, quoted
            names = [column[0] for column in cursor.description or ()]
            number = 0
            while found := cursor.fetchmany(256):
                for cells in found:
                    number += 1
                    yield number, dict(zip(names, cells, strict=True))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            message = _("this is not a Parquet file that can be read: {reason}").format(reason=reason[:200])
            refuse("do.parquet", path.name, message)


def _row(name: str, line: int, fields: dict[str, Any], run: Run) -> Row:
    item = _id(name, line, fields)
    began = moment(fields.get("at"), name, "at")
    if began is not None and (run.began is None or began < run.began):
        run.began = began
    repeat = fields.get("repeat")
    row_id = item if repeat is None else f"{item}#{repeat}"
    reply, blocked = _reply(name, line, fields)
    columns = {key: _column(name, line, key, value) for key, value in fields.items() if key not in OWN}
    prompts = _prompts(name, line, fields)
    if blocked:
        return Row(row_id, item, prompts, "blocked", columns=columns)
    if reply is None:
        error = fields.get("error")
        return Row(row_id, item, prompts, "error", error=f"error: {error}" if error else "empty", columns=columns)
    return Row(row_id, item, prompts, "ok", reply, columns=columns)


def _id(name: str, line: int, fields: dict[str, Any]) -> str:
    found = fields.get("id")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found:
        message = _('there is no "{name}" in this row').format(name="id")
        hint = did_you_mean("id", fields)
        refuse("do.missing-column", name, message, line=line, expected=_("columns id and reply"), hint=hint)
    return found


def _reply(name: str, line: int, fields: dict[str, Any]) -> tuple[str | None, bool]:
    """Give the reply, and whether it was blocked."""
    blocked = fields.get("blocked") or False
    if isinstance(blocked, str):
        blocked = _TRUE.get(blocked.lower())
    if not isinstance(blocked, bool):
        message = _('the field "{name}" is neither true nor false').format(name="blocked")
        refuse("do.bad-field", name, message, line=line)
    if "reply" not in fields and not blocked and not fields.get("error"):
        message = _('there is no "{name}" in this row').format(name="reply")
        hint = did_you_mean("reply", fields)
        refuse("do.missing-column", name, message, line=line, expected=_("columns id and reply"), hint=hint)
    reply = fields.get("reply")
    if reply is not None and not isinstance(reply, str):
        message = _('the field "{name}" is not a text').format(name="reply")
        refuse("do.bad-field", name, message, line=line, hint=_("write a structured reply as JSON text"))
    return reply, blocked


def _prompts(name: str, line: int, fields: dict[str, Any]) -> list[str]:
    found = fields.get("prompts", fields.get("prompt"))
    if found is None:
        return []
    prompts = [found] if isinstance(found, str) else found
    if not isinstance(prompts, list) or not all(isinstance(one, str) for one in prompts):
        message = _('the field "{name}" is neither a text nor a list of texts').format(name="prompts")
        refuse("do.bad-field", name, message, line=line)
    return prompts


def _column(name: str, line: int, key: str, value: Any) -> Json:  # noqa: ANN401 - any JSON value
    if key in _KEPT:
        message = _('a column must not be called "{name}": the kept copy has one of its own').format(name=key)
        refuse("do.reserved-column", name, message, line=line)
    plain = finite(read_cell(value) if isinstance(value, str) and name.endswith(".csv") else value)
    if plain is None or isinstance(plain, bool | int | float | str | list | dict):
        return plain
    return str(plain)  # dates and decimals of Parquet
