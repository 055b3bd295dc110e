"""Observations and promises as rows, the same for every format that holds rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from shinrai.records import Id, Observation, Plan, definitions

Row: TypeAlias = dict[str, str]

COLUMNS: Final = (
    "indicator",
    "area",
    "period",
    "value",
    "unit",
    "status",
    "published",
    "retrieved",
    "source",
    "url",
    "locator",
    "certainty",
    "collector",
    "definition",
    "population",
    "survey_mode",
    "n",
    "standard_error",
    "design_effect",
    "series_break",
)
"""Those that ``shinrai do observe`` reads; further ones are breakdowns."""

_FIELDS: Final[Mapping[str, str]] = {"indicator": "subject", "n": "sample"}


def breakdowns_of(observations: Iterable[Observation]) -> list[str]:
    """Give the dimensions that observations are broken down by, in order."""
    return sorted({name for one in observations for name in one.breakdown or {}})


def observation_rows(observations: Sequence[Observation]) -> Iterator[Row]:
    """Give observations as rows, every vintage, in the order of indicator, area, breakdown, period and publication.

    Parameters
    ----------
    observations : sequence of Observation
        With periods.

    Yields
    ------
    dict
        Column → text; a dimension that an observation is not broken down by is its total, ``_T``.
    """
    dimensions = breakdowns_of(observations)
    rows = []
    for one in observations:
        found = one.to_json()
        row = {column: text_of(found.get(_FIELDS.get(column, column))) for column in COLUMNS}
        row |= {name: (one.breakdown or {}).get(name, "_T") for name in dimensions}
        rows.append(row)
    key = ("indicator", "area", *dimensions, "period", "published", "source")
    yield from sorted(rows, key=lambda row: [row[name] for name in key])


def promise_rows(plan: Plan, plans: Mapping[Id, Plan]) -> Iterator[tuple[str, str, Row]]:
    """Give what a plan promises as rows.

    Yields
    ------
    tuple
        Kind (``baseline``, ``path`` or ``target``), name of the use, and the row. A target without a date has no row.
        Of a baseline and a target the certainty is its standing: ``final``, ``draft`` or ``unverified``.
    """
    known = definitions(plan, plans)
    for use in plan.uses:
        unit = known[use.indicator].unit if use.indicator in known else ""
        points: list[tuple[str, str, float, str]] = []
        if use.baseline is not None:
            points.append(("baseline", use.baseline.period, use.baseline.value, use.baseline.standing))
        points += [("path", one.period, one.value, "") for one in use.path]
        if use.target is not None and use.target.period is not None:
            points.append(("target", use.target.period, use.target.value, use.target.standing))
        for kind, period, value, standing in points:
            row = {
                "indicator": use.indicator,
                "area": use.area or plan.area or "",
                "period": period,
                "value": text_of(value),
                "unit": unit,
                "certainty": standing,
                **use.breakdown,
            }
            yield kind, use.name, row


def text_of(value: object) -> str:
    """Write a value for a cell: every digit of a number, nothing for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Write rows as CSV (RFC 4180, lines ending in LF as CSV on the Web allows)."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
