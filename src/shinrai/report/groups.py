"""Indicators broken down by group: how the groups stand in the newest period, and how each of them moved until then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from shinrai.check.indicators import IndicatorStatus
from shinrai.check.series import Point, Series, SeriesKey
from shinrai.records import IndicatorDefinition, Json, first_day, frequency_of
from shinrai.report.plan_figures import plain
from shinrai.report.prefectures import code_of

__all__ = ["Gap", "Groups", "Movement", "Way", "Worst", "groups_json", "groups_of"]

Way: TypeAlias = Literal["away", "nearer", "still"]
"""Whether a value went the wrong way, the right way, or stayed: by the direction of its indicator, not by its sign."""


@dataclass(frozen=True, slots=True)
class Movement:
    """How a group moved from the first period that can be compared to the newest.

    Parameters
    ----------
    before, after : Point
        In order of time, of one kind of period, with no break of the series between them.
    way : {"away", "nearer", "still"}
        For a band: whether it went further out of it, came closer to it, or neither.
    """

    before: Point
    after: Point
    way: Way


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the worst group is from the best one of the newest period, now and before.

    Parameters
    ----------
    best : str
        The category that stands best in the newest period.
    period : str
        The earlier of the two periods.
    before, after : float
        Difference without sign, in the unit of the indicator.
    """

    best: str
    period: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Worst:
    """A group than which none stands worse.

    Parameters
    ----------
    name : str
        Its category.
    movement : Movement, optional
        None where nothing earlier can be compared.
    gap : Gap, optional
        To the best group; None where either has no value in the period that `movement` begins with.
    """

    name: str
    movement: Movement | None = None
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """An indicator broken down by one dimension.

    Parameters
    ----------
    dimension : str
    period : str
        The newest one that has at least two groups.
    values : tuple of (str, float)
        Of that period, best first.
    points : tuple of Point
        What the values were read off, in the same order.
    worst : tuple of Worst
        Those that stand worst in it, each of them where several stand equal as far as is shown. Empty where no group
        stands worse than another: equal groups have no worst one.
    over_time : tuple of (str, tuple of Point)
        Category and what was observed of it until then, in order of time, in periods of the same kind: in the order
        of `values`, then those without a value in the period. Empty where no group has two periods.
    """

    dimension: str
    period: str
    values: tuple[tuple[str, float], ...]
    points: tuple[Point, ...]
    worst: tuple[Worst, ...]
    over_time: tuple[tuple[str, tuple[Point, ...]], ...] = ()

    @property
    def worst_names(self) -> frozenset[str]:
        """The categories that stand worst."""
        return frozenset(one.name for one in self.worst)

    @property
    def equal(self) -> bool:
        """Whether every group has the same value, as far as is shown."""
        return len({plain(value) for _name, value in self.values}) == 1

    @property
    def of_prefectures(self) -> bool:
        """Whether all of its categories are prefectures, so that they can be drawn as a map."""
        return all(code_of(name) is not None for name, _value in self.values)

    @property
    def periods(self) -> list[str]:
        """Every period of `over_time`, in order of time."""
        return sorted({point.period for _name, points in self.over_time for point in points}, key=first_day)


def groups_json(groups: Groups) -> dict[str, Json]:
    """Give a breakdown as JSON values: groups best first, the worst ones by name, none where all stand alike."""
    return {
        "dimension": groups.dimension,
        "period": groups.period,
        "values": [{"group": name, "value": value} for name, value in groups.values],
        "equal": groups.equal,
        "worst": [
            {
                "group": one.name,
                "movement": one.movement and _movement_json(one.movement),
                "gap": one.gap and {"best": one.gap.best, "before": one.gap.before, "after": one.gap.after},
            }
            for one in groups.worst
        ],
    }


def _movement_json(movement: Movement) -> dict[str, Json]:
    ends = {"before": movement.before, "after": movement.after}
    return {"way": movement.way, **{end: {"period": at.period, "value": at.value} for end, at in ends.items()}}


def groups_of(status: IndicatorStatus, series: Mapping[SeriesKey, Series]) -> list[Groups]:
    """Break an indicator down by each of its dimensions, in the newest period that has at least two groups.

    Parameters
    ----------
    status : IndicatorStatus
        Says which indicator, where, and which way is better.
    series : mapping
        Everything observed.

    Returns
    -------
    list of Groups
        Prefectures first, then the dimensions in the order of the definition; none where fewer than two groups of a
        dimension were ever observed in one period. Forecasts are no observations.
    """
    area = status.use.area or status.plan.area
    found = [("area", _prefectures(status.definition, series))]
    found += [(name, _categories(status.definition, name, area, series)) for name in status.definition.disaggregation]
    told = (_grouped(status.definition, dimension, each) for dimension, each in found)
    return [one for one in told if one is not None]


def _prefectures(definition: IndicatorDefinition, series: Mapping[SeriesKey, Series]) -> dict[str, Series]:
    return {
        place: one
        for (indicator, place, group), one in series.items()
        if indicator == definition.id and place and not group and place.startswith("JP-") and code_of(place)
    }


def _categories(
    definition: IndicatorDefinition, dimension: str, area: str | None, series: Mapping[SeriesKey, Series]
) -> dict[str, Series]:
    return {
        group[0][1]: one
        for (indicator, place, group), one in series.items()
        if indicator == definition.id and place == area and len(group) == 1 and group[0][0] == dimension
    }


def _grouped(definition: IndicatorDefinition, dimension: str, each: Mapping[str, Series]) -> Groups | None:
    by_period: dict[str, dict[str, Point]] = {}
    for name, one in each.items():
        for point in one.observed:
            by_period.setdefault(point.period, {})[name] = point
    told = [period for period, found in by_period.items() if len(found) >= 2]
    if not told:
        return None
    period = max(told, key=lambda name: (first_day(name), name))
    now = by_period[period]
    names = sorted(now, key=lambda name: (_badness(definition, now[name].value), name))
    points = tuple(now[name] for name in names)
    ranked = tuple((name, now[name].value) for name in names)
    histories = {name: _until(period, one.observed) for name, one in each.items()}
    worst = tuple(_worst(definition, name, ranked, histories) for name in _standing_worst(definition, ranked))
    if max(map(len, histories.values())) < 2:
        return Groups(dimension, period, ranked, points, worst)
    everyone = [*names, *sorted(each.keys() - now.keys())]
    over_time = tuple((name, histories[name]) for name in everyone if histories[name])
    return Groups(dimension, period, ranked, points, worst, over_time)


def _standing_worst(definition: IndicatorDefinition, ranked: Sequence[tuple[str, float]]) -> list[str]:
    """Name the groups that stand worst; none where all stand equally well, as far as numbers are shown."""
    badness = {name: plain(_badness(definition, value)) for name, value in ranked}
    if len(set(badness.values())) == 1:
        return []
    return [name for name in badness if badness[name] == badness[ranked[-1][0]]]


def _worst(
    definition: IndicatorDefinition,
    name: str,
    ranked: Sequence[tuple[str, float]],
    histories: Mapping[str, tuple[Point, ...]],
) -> Worst:
    movement = _moved(definition, histories[name])
    gap = None if movement is None else _gap(ranked[0], movement, histories[ranked[0][0]])
    return Worst(name, movement, gap)


def _badness(definition: IndicatorDefinition, value: float) -> float:
    """Tell how bad a value is: larger is worse, by the direction of the indicator."""
    if definition.band is not None:
        low, high = definition.band
        return max(low - value, value - high, 0.0)
    return value if definition.direction == "down" else -value


def _until(period: str, points: Iterable[Point]) -> tuple[Point, ...]:
    kind, last = frequency_of(period), first_day(period)
    return tuple(one for one in points if frequency_of(one.period) == kind and first_day(one.period) <= last)


def _comparable(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Give the points from the last break of a series on."""
    broken = [at for at, one in enumerate(points) if one.newest.series_break or one.newest.status == "break"]
    return points[broken[-1] if broken else 0 :]


def _moved(definition: IndicatorDefinition, found: tuple[Point, ...]) -> Movement | None:
    points = _comparable(found)
    if len(points) < 2:
        return None
    before, after = points[0], points[-1]
    change = _badness(definition, after.value) - _badness(definition, before.value)
    return Movement(before, after, "away" if change > 0 else "nearer" if change < 0 else "still")


def _gap(first: tuple[str, float], movement: Movement, of_best: tuple[Point, ...]) -> Gap | None:
    best, value = first
    period = movement.before.period
    then = next((one.value for one in _comparable(of_best) if one.period == period), None)
    if then is None:
        return None
    return Gap(best, period, abs(then - movement.before.value), abs(value - movement.after.value))
