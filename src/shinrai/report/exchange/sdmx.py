"""SDMX-CSV 2.0: observations and promises in one data set, told apart by the dimension VALUE_TYPE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shinrai.records import Id, Observation, Plan, frequency_of
from shinrai.records.sdmx import FISCAL_START, STATUS_CODES, to_sdmx_period
from shinrai.report.exchange.table import Row, as_csv, breakdowns_of, observation_rows, promise_rows

STRUCTURE_ID: Final = "SHINRAI:PLAN_INDICATORS(1.0.0)"
"""Agency, dataflow and version of the structure that is described in ``docs/exchange.md``."""

_TAIL: Final = (
    "OBS_VALUE",
    "UNIT_MEASURE",
    "OBS_STATUS",
    "REPORTING_YEAR_START_DAY",
    "SOURCE",
    "SOURCE_URL",
    "LOCATOR",
    "CERTAINTY",
    "COLLECTOR",
)


def sdmx_csv(plan: Plan, plans: Mapping[Id, Plan], observations: Sequence[Observation]) -> str:
    """Write a plan's promises and its observations as SDMX-CSV 2.0.

    Parameters
    ----------
    plan : Plan
        Whose promises.
    plans : mapping
        Id → plan, for definitions that it took over.
    observations : sequence of Observation
        Of its indicators.

    Returns
    -------
    str
        One row for each vintage: the day of publication is the dimension VINTAGE, ``_Z`` where it is not known.
        Japanese fiscal years are reporting years that begin on 1 April.
    """
    promised = list(promise_rows(plan, plans))
    dimensions = sorted({*breakdowns_of(observations), *(name for use in plan.uses for name in use.breakdown)})
    columns = ["STRUCTURE", "STRUCTURE_ID", "ACTION", "INDICATOR", "VALUE_TYPE", "PROMISE", "REF_AREA"]
    columns += [_code(name) for name in dimensions] + ["TIME_PERIOD", "VINTAGE", *_TAIL]
    rows = [_row(row, "actual", "_Z", dimensions) for row in observation_rows(observations)]
    rows += [_row(row, kind, name, dimensions) for kind, name, row in promised]
    return as_csv(columns, rows)


def _code(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")


def _row(row: Row, kind: str, promise: str, dimensions: Sequence[str]) -> Row:
    fiscal = frequency_of(row["period"]) == "fiscal-year"
    return {
        "STRUCTURE": "dataflow",
        "STRUCTURE_ID": STRUCTURE_ID,
        "ACTION": "I",
        "INDICATOR": row["indicator"],
        "VALUE_TYPE": kind,
        "PROMISE": promise,
        "REF_AREA": row["area"] or "_Z",
        **{_code(name): row.get(name, "_T") for name in dimensions},
        "TIME_PERIOD": to_sdmx_period(row["period"]),
        "VINTAGE": row.get("published") or "_Z",
        "OBS_VALUE": row["value"],
        "UNIT_MEASURE": row["unit"],
        "OBS_STATUS": STATUS_CODES[row.get("status") or "normal"],  # type: ignore[index]  # the record has checked it
        "REPORTING_YEAR_START_DAY": FISCAL_START if fiscal else "",
        "SOURCE": row.get("source", ""),
        "SOURCE_URL": row.get("url", ""),
        "LOCATOR": row.get("locator", ""),
        "CERTAINTY": row.get("certainty", ""),
        "COLLECTOR": row.get("collector", ""),
    }
