"""JSON Schemas of the files that people write, so that editors complete and check them."""

from __future__ import annotations

from typing import Final

from pydantic.json_schema import GenerateJsonSchema

from shinrai.records import (
    Action,
    Check,
    Corrections,
    Crosswalk,
    DepthTable,
    Framework,
    Json,
    Part,
    Plan,
    Record,
    RiskScheme,
    Settings,
    System,
)

RECORDS: Final[dict[str, type[Record]]] = {
    "shinrai": Settings,
    "plan": Plan,
    "check": Check,
    "system": System,
    "component": Part,
    "action": Action,
    "framework": Framework,
    "crosswalk": Crosswalk,
    "risk": RiskScheme,
    "risk-depth": DepthTable,
    "corrections": Corrections,
}
"""The record of each kind of file."""


def json_schemas() -> dict[str, dict[str, Json]]:
    """Generate a JSON Schema (draft 2020-12) for each kind of file.

    Returns
    -------
    dict
        Kind, as in `RECORDS` → schema. It accepts what loading accepts, except
        for rules that several keys or several files make together.
    """
    return {
        kind: {"$schema": GenerateJsonSchema.schema_dialect, **record.model_json_schema(mode="validation")}
        for kind, record in RECORDS.items()
    }
