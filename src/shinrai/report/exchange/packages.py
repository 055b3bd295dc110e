"""A CSV file with its description: CSV on the Web (W3C) and Data Package (Frictionless)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from shinrai.records import Id, Json, Observation, Plan, definitions
from shinrai.report.exchange.table import COLUMNS, as_csv, breakdowns_of, observation_rows

TABLE: Final = "observations.csv"
INDICATORS: Final = "indicators.csv"
CSVW_METADATA: Final = "observations.csv-metadata.json"
"""The name under which CSV on the Web looks for the description of `TABLE`."""
PACKAGE: Final = "datapackage.json"

_NUMBERS: Final = ("value", "standard_error", "design_effect")
_REQUIRED: Final = ("indicator", "period", "value", "unit", "source")
_DATES: Final = ("published", "retrieved")


def _type_of(column: str) -> str:
    if column in _NUMBERS:
        return "number"
    return "integer" if column == "n" else "date" if column in _DATES else "string"


def csvw(plan: Plan, observations: Sequence[Observation]) -> dict[str, str]:
    """Write observations as CSV with CSVW metadata.

    Parameters
    ----------
    plan : Plan
        Whose title the table gets.
    observations : sequence of Observation
        Every vintage.

    Returns
    -------
    dict
        File name → text. The metadata give each column its type, and the key of a row.
    """
    columns = [*COLUMNS, *breakdowns_of(observations)]
    schema = {
        "columns": [
            {
                "name": name,
                "titles": name,
                "datatype": _type_of(name),
                "required": name in _REQUIRED,
                "null": "",
            }
            for name in columns
        ],
    }
    metadata: dict[str, Json] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": TABLE,
        "dc:title": plan.title.read("en"),
        "dialect": {"header": True, "encoding": "utf-8"},
        "tableSchema": schema,
    }
    return {TABLE: as_csv(columns, observation_rows(observations)), CSVW_METADATA: _json(metadata)}


def data_package(plan: Plan, plans: Mapping[Id, Plan], observations: Sequence[Observation]) -> dict[str, str]:
    """Write observations and definitions of indicators as a Data Package (v1 and v2 read it).

    Parameters
    ----------
    plan : Plan
        Whose indicators.
    plans : mapping
        Id → plan, for definitions that it took over.
    observations : sequence of Observation
        Every vintage.

    Returns
    -------
    dict
        File name → text. The table of observations refers to that of indicators by a foreign key.
    """
    dimensions = breakdowns_of(observations)
    known = definitions(plan, plans)
    wanted = dict.fromkeys((*(use.indicator for use in plan.uses), *(one.subject for one in observations)))
    names = ("id", "title_ja", "title_en", "unit", "direction", "standing")
    indicators = as_csv(
        names,
        [
            {
                "id": one.id,
                "title_ja": one.title.ja or "",
                "title_en": one.title.en or "",
                "unit": one.unit,
                "direction": one.direction,
                "standing": one.standing,
            }
            for one in (known[name] for name in wanted if name in known)
        ],
    )
    table = as_csv([*COLUMNS, *dimensions], observation_rows([one for one in observations if one.subject in known]))
    fields = [_field(name) for name in (*COLUMNS, *dimensions)]
    key = [{"fields": "indicator", "reference": {"resource": "indicators", "fields": "id"}}]
    package = {
        "profile": "tabular-data-package",
        "name": plan.id,
        "title": plan.title.read("en"),
        "version": plan.version,
        "resources": [
            _resource("indicators", INDICATORS, indicators, {"fields": _plain(names), "primaryKey": "id"}),
            _resource("observations", TABLE, table, {"fields": fields, "foreignKeys": key, "missingValues": [""]}),
        ],
    }
    return {INDICATORS: indicators, TABLE: table, PACKAGE: _json(package)}


def _plain(names: Sequence[str]) -> list[Json]:
    return [{"name": name, "type": "string"} for name in names]


def _field(name: str) -> Json:
    field: dict[str, Json] = {"name": name, "type": _type_of(name)}
    return {**field, "constraints": {"required": True}} if name in _REQUIRED else field


def _resource(name: str, path: str, text: str, schema: Json) -> Json:
    raw = text.encode()
    return {
        "name": name,
        "path": path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(raw),
        "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "schema": schema,
    }


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
