"""Tables that others write, turned into ours: SDMX-CSV 1.0 and 2.x, CSV on the Web, Data Package.

What comes out is a CSV file with the columns that ``shinrai do observe`` reads. Nothing is brought in here: units,
names and values are checked, with every mistake at its place, when the file is observed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from shinrai.do.observing import COLUMNS
from shinrai.do.table import Row, Table, read_table, shown_as
from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.records.sdmx import STATUS_CODES, from_sdmx_period
from shinrai.source import did_you_mean

MAX_METADATA_BYTES: Final = 10_000_000

_SDMX: Final = {
    "INDICATOR": "indicator",
    "REF_AREA": "area",
    "TIME_PERIOD": "period",
    "OBS_VALUE": "value",
    "UNIT_MEASURE": "unit",
    "OBS_STATUS": "status",
    "VINTAGE": "published",
    "SOURCE": "source",
    "SOURCE_URL": "url",
    "LOCATOR": "locator",
    "CERTAINTY": "certainty",
    "COLLECTOR": "collector",
}
_FRAME: Final = frozenset(
    {"DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "VALUE_TYPE", "PROMISE", "FREQ", "UNIT_MULT"}
    | {"REPORTING_YEAR_START_DAY"}
)
_STATUSES: Final = {code: status for status, code in STATUS_CODES.items()}
_NOT_APPLICABLE: Final = frozenset({"_Z", "_O", "_U"})


@dataclass(frozen=True, slots=True)
class Turned:
    """What a foreign table was turned into.

    Parameters
    ----------
    text : str
        CSV as ``shinrai do observe`` reads it.
    rows : int
    promises, missing : int
        Rows that were left out: baselines, paths and targets, which belong into a plan; and rows without a value.
    """

    text: str
    rows: int
    promises: int = 0
    missing: int = 0


def turn(path: Path, root: Path | None = None) -> Turned:
    """Turn a foreign table of observations into ours.

    Parameters
    ----------
    path : Path
        SDMX-CSV (``.csv``), or the description of a CSVW table or a Data Package (``.json``).
    root : Path, optional
        Of the workspace; as in `shinrai.do.table.read_table`.

    Returns
    -------
    Turned

    Raises
    ------
    SourceError
        If it is none of these, lacks what an observation needs, or its data are not those that it describes.
    """
    return _described(path, root) if path.suffix.lower() == ".json" else _sdmx(read_table(path, root))


# ---- SDMX-CSV


def _sdmx(table: Table) -> Turned:
    rows = table.rows()
    header = next(rows, None)
    names = [cell.partition(":")[0] for cell in header.cells] if header else []
    if header is None or not {"STRUCTURE_ID", "DATAFLOW"} & set(names):
        message = _("this is no SDMX-CSV: it has neither a column STRUCTURE_ID nor DATAFLOW")
        raise SourceError([Problem("do.exchange-form", table.name, 1, 1, message)])
    for needed in ("INDICATOR", "TIME_PERIOD", "OBS_VALUE"):
        if needed not in names:
            message = _('the column "{name}" is missing').format(name=needed)
            table.refuse("do.exchange-column", header.line, 0, message, None, did_you_mean(needed, names))
    table.require_sound()
    dimensions = [name for name in names if name not in _SDMX and name not in _FRAME]
    columns = [*(column for column in COLUMNS if column in _SDMX.values()), *map(_ours, dimensions)]
    found: list[Mapping[str, str]] = []
    promises = missing = 0
    for row in rows:
        cells = _cells(table, names, row)
        if cells is None:
            continue
        if cells.get("VALUE_TYPE", "actual") != "actual":
            promises += 1
        elif cells["OBS_VALUE"] in {"", "NaN"}:
            missing += 1
        else:
            found.append(_turned(table, names, row, cells) | {_ours(name): cells[name] for name in dimensions})
    table.require_sound()
    return Turned(_written(columns, found), len(found), promises, missing)


def _ours(dimension: str) -> str:
    return dimension.lower().replace("_", "-")


def _cells(table: Table, names: Sequence[str], row: Row) -> dict[str, str] | None:
    if len(row.cells) != len(names):
        message = _("the row has {found} cells, the header has {count}").format(found=len(row.cells), count=len(names))
        table.refuse("do.ragged", row.line, 0, message)
        return None
    cells = dict(zip(names, row.cells, strict=True))
    if cells.get("ACTION", "I") not in {"", "I", "A", "M", "R"}:
        message = _("the action {action} takes observations away, which an import never does").format(
            action=cells["ACTION"]
        )
        table.refuse("do.exchange-action", row.line, names.index("ACTION"), message, "I, A, M, R")
        return None
    if cells.get("UNIT_MULT", "0") not in {"", "0"}:
        message = _("values are multiplied by a power of ten here; give them in the indicator’s own unit")
        table.refuse("do.exchange-multiplier", row.line, names.index("UNIT_MULT"), message, "0")
        return None
    return cells


def _turned(table: Table, names: Sequence[str], row: Row, cells: Mapping[str, str]) -> dict[str, str]:
    found = {ours: cells.get(theirs, "") for theirs, ours in _SDMX.items()}
    found = {name: "" if value in _NOT_APPLICABLE else value for name, value in found.items()}
    try:
        found["period"] = from_sdmx_period(found["period"], cells.get("REPORTING_YEAR_START_DAY") or None)
    except ValueError as error:
        message = _("this is no period that can be read: {reason}").format(reason=error)
        table.refuse("do.exchange-period", row.line, names.index("TIME_PERIOD"), message)
    if found["status"]:
        status = _STATUSES.get(found["status"])
        if status is None:
            message = _("the observation status {code} is not known here").format(code=found["status"])
            table.refuse("do.exchange-status", row.line, names.index("OBS_STATUS"), message, ", ".join(_STATUSES))
        found["status"] = "" if status in {None, "normal"} else str(status)
    return found


# ---- tables with a description


def _described(path: Path, root: Path | None) -> Turned:
    name = shown_as(path, root)
    described = _read_json(path, name)
    if "resources" in described:
        resource = _resource(name, described)
        fields = [str(one.get("name")) for one in resource.get("schema", {}).get("fields", [])]
        return _table((path, root), str(resource.get("path")), fields, resource.get("hash"))
    context = json.dumps(described.get("@context", ""))
    if "ns/csvw" in context:
        tables = described.get("tables") or [described]
        columns = [str(one.get("name")) for one in tables[0].get("tableSchema", {}).get("columns", [])]
        return _table((path, root), str(tables[0].get("url")), columns, None)
    message = _("this describes neither a Data Package nor a table of CSV on the Web")
    raise SourceError([Problem("do.exchange-form", name, 1, 1, message)])


def _read_json(path: Path, name: str) -> dict[str, Json]:
    # What is no JSON object is refused at its place.
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_METADATA_BYTES + 1)
        found = json.loads(raw)
    except OSError as error:
        reason = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        raise SourceError([Problem("do.unreadable", name, 1, 1, reason)]) from error
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        message = _("this is not valid JSON: {reason}").format(reason=error)
        raise SourceError([Problem("do.exchange-json", name, line, column, message)]) from error
    if not isinstance(found, dict) or len(raw) > MAX_METADATA_BYTES:
        message = _("this describes neither a Data Package nor a table of CSV on the Web")
        raise SourceError([Problem("do.exchange-form", name, 1, 1, message)])
    return found


def _resource(name: str, package: Mapping[str, Json]) -> Mapping[str, Json]:
    """Find the resource that holds observations; its columns tell.

    Raises
    ------
    SourceError
        If there is none, or more than one.
    """
    resources = [one for one in package["resources"] if isinstance(one, dict)]
    fitting = [
        one
        for one in resources
        if {"indicator", "period", "value"} <= {field.get("name") for field in one.get("schema", {}).get("fields", [])}
    ]
    if len(fitting) != 1:
        message = _("{count} tables of the package have the columns indicator, period and value").format(
            count=len(fitting)
        )
        raise SourceError([Problem("do.exchange-form", name, 1, 1, message, _("exactly one"))])
    return fitting[0]


def _table(description: tuple[Path, Path | None], written: str, columns: Sequence[str], expected: Json) -> Turned:
    # The table that a description names, beside it.
    path, root = description
    relative = PurePosixPath(written)
    if relative.is_absolute() or ".." in relative.parts or ":" in written:
        message = _("the table {name} does not lie beside its description").format(name=written)
        raise SourceError([Problem("do.exchange-path", shown_as(path, root), 1, 1, message)])
    file = path.parent / relative
    table = read_table(file, root)
    if isinstance(expected, str) and expected.startswith("sha256:"):
        found = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        if found != expected:
            message = _("the file is not the one that its description is about: its hash differs")
            raise SourceError([Problem("do.exchange-hash", table.name, 1, 1, message, expected)])
    rows = table.rows()
    header = next(rows, None)
    if header is None or list(header.cells) != list(columns):
        message = _("the columns are not those of the description")
        problem = Problem("do.exchange-column", table.name, 1, 1, message, ", ".join(columns))
        raise SourceError([problem])
    found_rows = []
    for row in rows:
        cells = _cells(table, list(header.cells), row)
        if cells is not None:
            found_rows.append(cells)
    table.require_sound()
    return Turned(_written(list(columns), found_rows), len(found_rows))


def _written(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
