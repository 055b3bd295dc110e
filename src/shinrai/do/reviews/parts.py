"""Parts of a plan that are many, each made like one that was checked.

A year's reviews hold tens of thousands of nodes, indicators and promises that differ in a few values only. Checking
every field of each, defaults included, would be most of the time of an import. So one of each kind is checked, and the
others are made like it. What differs needs no second check: ids of a slug that fits, texts that are not empty, finite
numbers, fiscal years of four digits, words of our own lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import Final

from shinrai.do.reviews.goals import Horizon, Level, Series
from shinrai.records import (
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Observation,
    PathPoint,
    ResultLink,
    ResultNode,
    Source,
    Target,
    Text,
    last_day_of,
)

SITE: Final = "https://rssystem.go.jp/"
"""Where the project reviews are published."""

_TEXT: Final = Text(ja="text")
_SOURCE: Final = Source(title=_TEXT, url=SITE, locator="here", certainty="official")
_NODE: Final = ResultNode(
    id="node",
    number="1",
    level="output",
    horizon="short",
    title=_TEXT,
    of=("project",),
    note=_TEXT,
    certainty="official",
)
_LINK: Final = ResultLink(origin="node", to="node", mechanism=_TEXT)
_DEFINITION: Final = IndicatorDefinition(
    id="indicator",
    title=_TEXT,
    unit="unit",
    direction="up",
    names={},
    frequency="fiscal-year",
    sources=(_SOURCE,),
    certainty="official",
)
_POINT: Final = PathPoint(period="FY2025", value=0.0)
_TARGET: Final = Target(value=0.0, period="FY2025", standing="final", sources=(_SOURCE,))
_USE: Final = IndicatorUse(
    indicator="indicator",
    of="node",
    breakdown={},
    target=_TARGET,
    path=(_POINT,),
    path_basis="official",
    certainty="official",
)


def said(written: str) -> Text:
    """Give what a ministry writes, which must not be empty, as a text."""
    return _TEXT.like({"ja": written})


def said_if(written: str) -> Text | None:
    """Give what a ministry writes as a text; None where it writes nothing."""
    return _TEXT.like({"ja": written}) if written else None


def node_of(name: Id, number: str, level: Level, horizon: Horizon | None, texts: tuple[str, str]) -> ResultNode:
    """Give a result node of the project; its texts are its title, which must not be empty, and its note."""
    title, note = texts
    return _NODE.like(
        {
            "id": name,
            "number": number or None,
            "level": level,
            "horizon": horizon,
            "title": said(title),
            "note": said_if(note),
        }
    )


def link_of(origin: Id, to: Id, mechanism: str) -> ResultLink:
    """Give a link between two nodes, in the ministry's words if it has any."""
    return _LINK.like({"origin": origin, "to": to, "mechanism": said_if(mechanism)})


def definition_of(name: Id, unit: str, series: Series) -> IndicatorDefinition:
    """Give what an indicator measures; the unit must not be empty, and the series must have a direction."""
    return _DEFINITION.like(
        {
            "id": name,
            "title": said(series.metric),
            "unit": unit,
            "direction": series.direction,
            "sources": _origin(series.origin),
        }
    )


def use_of(name: Id, node: Id, series: Series) -> IndicatorUse:
    """Give what a project promises about an indicator."""
    year = series.target_year
    value = series.targets.get(year) if year is not None else None
    last = year if value is not None else None  # what lies beyond the target year is no way to it; a notice says so
    years = [one for one in sorted(series.targets) if last is None or one <= last]
    target = None
    if year is not None and value is not None:
        target = _TARGET.like({"value": value, "period": fiscal(year)[0], "sources": _decision(series)})
    path = tuple([_point(one, series.targets[one]) for one in years])
    basis = "official" if years else None
    return _USE.like({"indicator": name, "of": node, "target": target, "path": path, "path_basis": basis})


def observed(
    indicator: tuple[Id, str], actuals: Mapping[int, float], place: tuple[str, int], vintage: tuple[int, date]
) -> Iterable[Observation]:
    """Give the values of an indicator, in order of time.

    Parameters
    ----------
    indicator : tuple
        Id, and unit, which must not be empty.
    actuals : mapping
        Fiscal year → value.
    place : tuple
        File and line that they stand in.
    vintage : tuple
        Year of the review sheets, and day of publication.
    """
    (name, unit), (file, line) = indicator, place
    like = _observation(file, *vintage).like
    for year in sorted(actuals):
        period, end = fiscal(year)
        value, locator = actuals[year], f"{line}:{year}"
        yield like({"subject": name, "unit": unit, "value": value, "period": period, "as_of": end, "locator": locator})


@lru_cache(maxsize=65_536)
def _point(year: int, value: float) -> PathPoint:
    """Give a point of a path: many projects promise the same round number for the same year."""
    return _POINT.like({"period": fiscal(year)[0], "value": value})


@lru_cache(maxsize=16)
def _observation(file: str, year: int, published: date) -> Observation:
    """Give an observation that all those of a file are like."""
    period, end = fiscal(year)
    return Observation(
        subject="pattern",
        value=0.0,
        unit="pattern",
        as_of=end,
        source=f"行政事業レビュー {year}年度 {file}",
        period=period,
        published=published,
        url=SITE,
        locator=file,
        collector="self-reported",
        certainty="official",
    )


@lru_cache(maxsize=4096)
def _origin(written: str) -> tuple[Source, ...]:
    """Give the source that a ministry names for its numbers."""
    return (_SOURCE.like({"title": said(written), "url": None, "locator": None}),) if written else ()


def _decision(series: Series) -> tuple[Source, ...]:
    """Give the decision that the ministry names for the indicator, as it names it."""
    if not series.decision:
        return ()
    url, place = series.decision_url or None, series.decision_place or None
    return (_SOURCE.like({"title": said(series.decision), "url": url, "locator": place}),)


@cache
def fiscal(year: int) -> tuple[str, date]:
    """Give a fiscal year as a period, and its last day."""
    return f"FY{year}", last_day_of(f"FY{year}")
