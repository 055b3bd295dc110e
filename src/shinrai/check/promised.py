"""What a plan promises about an indicator, brought together with what was observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isnan, nan
from typing import Any, Literal, TypeAlias

import numpy as np

from shinrai.check.series import Point, Series, SeriesKey, group_of, of_one_kind
from shinrai.records import (
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Observation,
    Plan,
    definitions,
    first_day,
    year_of,
)
from shinrai.stats.progress import band_distance, proportion_error

__all__ = ["Promised", "Sides", "on_scale", "path_at", "promised", "sides"]

Unseen: TypeAlias = Literal["no-observation", "other-periods", "other-area", "only-forecast"]
"""Why there is nothing to compare a promise with."""

_PERCENT = {"percent": 100.0, "share": 1.0}


@dataclass(frozen=True, slots=True)
class Promised:
    """One use of an indicator and what there is to compare it with.

    Parameters
    ----------
    series : Series, optional
        Everything observed of it in its place and group.
    points : tuple of Point
        The observed ones of the same kind of period as the promise, in order of time.
    observed : Point, optional
        The newest point of the same kind of period as baseline, path and target.
    unseen : Unseen
        Why nothing is `observed`, where nothing is: values there may be, but of other kinds of period, of other places
        or groups, or forecasts alone.
    broken : bool
        Whether the series broke between the baseline and the newest point: then they cannot be compared.
    unambitious : bool
        Whether the baseline had reached the target already.
    path_value : float
        Of the path in the period of `observed`; NaN where there is none.
    path_assumed : bool
        True where a straight line stands for a path that nobody published.
    notes : tuple of str
    """

    plan: Plan
    use: IndicatorUse
    definition: IndicatorDefinition
    series: Series | None
    points: tuple[Point, ...]
    observed: Point | None
    unseen: Unseen
    broken: bool
    unambitious: bool
    path_value: float
    path_assumed: bool
    notes: tuple[str, ...]

    @property
    def observed_period(self) -> str:
        """Period of the newest point; that of the baseline where there is none."""
        if self.observed is not None:
            return self.observed.period
        return self.use.baseline.period if self.use.baseline else ""


@dataclass(frozen=True, slots=True)
class Sides:
    """The numbers of one comparison, on a scale where a target is a point; NaN where one is not known.

    For an indicator with a band the scale is the distance to the band, on which the target is 0.

    Parameters
    ----------
    better : float
        1 where more is better, -1 where less is.
    path_share : float
        How much of an error of the baseline the path shares.
    elapsed, total : float
        Years from the baseline to the observation, and to the target.
    target_year : float
    years, values : tuple of float
        The comparable part of the series.
    """

    better: float
    baseline: float
    observed: float
    target: float
    path: float
    path_share: float
    baseline_error: float
    observed_error: float
    elapsed: float
    total: float
    target_year: float
    years: tuple[float, ...]
    values: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the numbers; None where one is not known."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: list(value) if isinstance(value, tuple) else None if isnan(value) else value
            for name, value in numbers.items()
        }


def promised(
    plan: Plan, versions: Mapping[Id, Plan], series: Mapping[SeriesKey, Series], today: date
) -> Iterator[Promised]:
    """Bring each promise of a plan about an indicator together with its series.

    Parameters
    ----------
    plan : Plan
        Whose uses to go through.
    versions : mapping
        Every plan there is, by id, for definitions of earlier versions.
    series : mapping
        Observations.
    today : date
        Periods that begin later are not observed yet.

    Yields
    ------
    Promised
    """
    known = definitions(plan, versions)
    anywhere = {indicator for (indicator, _area, _group), one in series.items() if one.observed}
    for use in plan.uses:
        definition = known.get(use.indicator)
        if definition is not None:
            own = _series_of(plan, use, series)
            yield _promised(plan, use, definition, own, today, elsewhere=use.indicator in anywhere)


def _series_of(plan: Plan, use: IndicatorUse, series: Mapping[SeriesKey, Series]) -> Series | None:
    area, group = use.area or plan.area, group_of(use.breakdown)
    return series.get((use.indicator, area, group)) or series.get((use.indicator, None, group))


def _promised(
    plan: Plan,
    use: IndicatorUse,
    definition: IndicatorDefinition,
    series: Series | None,
    today: date,
    *,
    elsewhere: bool,
) -> Promised:
    points = [one for one in series.observed if first_day(one.period) <= today] if series else []
    told = _period_of_promise(use)
    comparable = points if told is None else of_one_kind(points, told)
    observed = comparable[-1] if comparable else None
    broken_at = series.broken_at if series else None
    broken = (
        broken_at is not None
        and use.baseline is not None
        and observed is not None
        and first_day(use.baseline.period) < first_day(broken_at) <= first_day(observed.period)
    )
    value, assumed = (nan, False) if observed is None else path_at(use, observed.period, definition)
    return Promised(
        plan=plan,
        use=use,
        definition=definition,
        series=series,
        points=tuple(comparable),
        observed=observed,
        unseen=_unseen(series, other_periods=bool(points), elsewhere=elsewhere),
        broken=broken,
        unambitious=_unambitious(use, definition),
        path_value=value,
        path_assumed=assumed,
        notes=tuple(dict.fromkeys(note.code for note in series.notes)) if series else (),
    )


def _unseen(series: Series | None, *, other_periods: bool, elsewhere: bool) -> Unseen:
    """Say why nothing can be read, for where nothing can: values there are, or none at all."""
    if other_periods:
        return "other-periods"
    if series is not None and series.points and not series.observed:
        return "only-forecast"
    return "other-area" if series is None and elsewhere else "no-observation"


def _period_of_promise(use: IndicatorUse) -> str | None:
    """Give a period of the kind that the promise is made in."""
    if use.baseline is not None:
        return use.baseline.period
    if use.target is not None and use.target.period is not None:
        return use.target.period
    return use.path[0].period if use.path else None


def _unambitious(use: IndicatorUse, definition: IndicatorDefinition) -> bool:
    if use.baseline is None or use.target is None or definition.direction == "band":
        return False
    better = _better(definition)
    return better * (use.baseline.value - use.target.value) >= 0.0


def _better(definition: IndicatorDefinition) -> float:
    return 1.0 if definition.direction == "up" else -1.0


def path_at(use: IndicatorUse, period: str, definition: IndicatorDefinition) -> tuple[float, bool]:
    """Give the value that the path has in a period, in the indicator's unit.

    Parameters
    ----------
    use : IndicatorUse
        With its baseline, path and target.
    period : str
        Of the kind of the path.
    definition : IndicatorDefinition
        A band's path, where none is stored, leads to its nearer edge.

    Returns
    -------
    tuple of float and bool
        The value, NaN where there is no path (no baseline or no dated target); whether a straight line was assumed.
    """
    stops = {year_of(point.period): point.value for point in use.path}
    assumed = not stops
    if use.baseline is not None:
        stops.setdefault(year_of(use.baseline.period), use.baseline.value)
    end = _end(use, definition)
    if end is not None and use.target is not None and use.target.period is not None:
        stops.setdefault(year_of(use.target.period), end)
    at = year_of(period)
    if at in stops and not assumed:
        return stops[at], False
    years = sorted(stops)
    if len(years) < 2 or at < years[0]:
        return nan, assumed
    values = [stops[year] for year in years]
    if assumed:
        share = min((at - years[0]) / (years[-1] - years[0]), 1.0)
        return values[0] + share * (values[-1] - values[0]), True
    return float(np.interp(at, years, values)), False


def _end(use: IndicatorUse, definition: IndicatorDefinition) -> float | None:
    """Give where a straight line would lead: to the target, or to the nearer edge of the band."""
    baseline = use.baseline
    if definition.band is not None:
        return None if baseline is None else min(definition.band, key=lambda edge: abs(edge - baseline.value))
    return use.target.value if use.target else None


def on_scale(one: Promised, value: float) -> float:
    """Put a value on the scale of `Sides`: as it is, or as its distance to the band."""
    band = one.definition.band
    return value if band is None else float(band_distance(value, *band))


def sides(one: Promised) -> Sides:
    """Give the numbers of a comparison; see `Sides`."""
    use, definition = one.use, one.definition
    baseline = use.baseline.value if use.baseline and not one.broken else nan
    target = use.target.value if use.target else nan
    observed = one.observed.value if one.observed else nan
    path, better = one.path_value, _better(definition)
    if definition.band is not None:
        baseline, observed, path = (on_scale(one, value) for value in (baseline, observed, path))
        target, better = 0.0, -1.0
    start = year_of(use.baseline.period) if use.baseline else nan
    end = year_of(use.target.period) if use.target and use.target.period else nan
    now = year_of(one.observed.period) if one.observed else nan
    elapsed, total = now - start, end - start
    years, values = _comparable(one)
    return Sides(
        better=better,
        baseline=baseline,
        observed=observed,
        target=target,
        path=path,
        path_share=1.0 - min(max(elapsed / total, 0.0), 1.0) if one.path_assumed and total else 0.0,
        baseline_error=_baseline_error(one),
        observed_error=_error(one.observed.newest) if one.observed else nan,
        elapsed=elapsed,
        total=total,
        target_year=end,
        years=years,
        values=values,
    )


def _comparable(one: Promised) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the points that can be compared with the newest one: of its kind of period, and since the last break."""
    if one.series is None or one.observed is None:
        return (), ()
    since = one.series.broken_at
    points = [point for point in one.points if since is None or first_day(point.period) >= first_day(since)]
    return tuple(year_of(point.period) for point in points), tuple(point.value for point in points)


def _baseline_error(one: Promised) -> float:
    """Give the sampling error of the baseline, where the observation that it was taken from tells it."""
    baseline = one.use.baseline
    if baseline is None or one.series is None:
        return nan
    for point in one.series.points:
        if point.period == baseline.period and point.value == baseline.value:
            return _error(point.newest)
    return nan


def _error(found: Observation) -> float:
    if found.standard_error is not None:
        return found.standard_error
    scale = _PERCENT.get(found.unit)
    if scale is None or found.sample is None:
        return nan
    error = float(proportion_error(found.value / scale, found.sample, found.design_effect or 1.0)) * scale
    return nan if isnan(error) else error
