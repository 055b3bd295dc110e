"""Small multiples: one small picture over time for each group, all on the same axes.

As in `shinrai.report.figures`, the pictures carry numbers only; names stand beside them, and a table under them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from shinrai.check.indicators import IndicatorStatus
from shinrai.check.series import Point
from shinrai.records import year_of
from shinrai.report.figures import Scale
from shinrai.report.groups import Groups, Way
from shinrai.report.plan_figures import plain
from shinrai.report.words import N_

__all__ = ["WAY_WORDS", "Multiple", "promise_drawn", "small_multiples"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 160.0, 104.0, 38.0, 10.0, 10.0, 20.0
_LETTER = 5.5

WAY_WORDS: dict[Way, str] = {
    "away": N_("moving the wrong way"),
    "nearer": N_("moving the right way"),
    "still": N_("not moving"),
}
"""How a group moved that stands worst."""


@dataclass(frozen=True, slots=True)
class Multiple:
    """One group of small multiples.

    Parameters
    ----------
    name : str
        Category.
    points : tuple of Point
        In order of time.
    drawing : Markup
        An SVG element.
    """

    name: str
    points: tuple[Point, ...]
    drawing: Markup

    def at(self, period: str) -> Point | None:
        """Give what was observed in a period; None where nothing was."""
        return next((one for one in self.points if one.period == period), None)


def small_multiples(status: IndicatorStatus, groups: Groups) -> list[Multiple]:
    """Draw each group over time.

    Parameters
    ----------
    status : IndicatorStatus
        Gives baseline, target or band, which are drawn as in `promise_drawn`.
    groups : Groups
        With what was observed over time.

    Returns
    -------
    list of Multiple
        In the order of the groups, best first; empty where no group has two periods. One value has one height and one
        period one place in every picture.
    """
    axes = _Axes(status, groups)
    return [Multiple(name, points, axes.draw(name, points)) for name, points in groups.over_time]


def promise_drawn(status: IndicatorStatus, groups: Groups) -> bool:
    """Tell whether baseline, target or band stand in the pictures.

    A promise about the whole can be held against its groups where the whole is something like their mean. It cannot
    where the whole is their sum, which is seen from its value lying outside of theirs. A promise about one group is
    drawn in the picture of that group alone; one about a group of another dimension in none.
    """
    if not (status.use.baseline or status.use.target or status.definition.band):
        return False
    about = status.use.breakdown
    if about:
        return list(about) == [groups.dimension]
    whole = next(
        (one for one in (status.series.observed if status.series else []) if one.period == groups.period), None
    )
    values = [value for _name, value in groups.values]
    return whole is None or min(values) <= whole.value <= max(values)


class _Axes:
    """The axes that all pictures of one breakdown share."""

    def __init__(self, status: IndicatorStatus, groups: Groups) -> None:
        self.status, self.groups = status, groups
        self.promised = promise_drawn(status, groups)
        values = [point.value for _name, points in groups.over_time for point in points]
        if self.promised:
            use = status.use
            values += [one.value for one in (use.baseline, use.target) if one is not None]
            values += list(status.definition.band or ())
        years = [year_of(period) for period in groups.periods]
        low, high = (min(years), max(years)) if years else (0.0, 1.0)
        room = 0.06 * (high - low) or 0.6
        self.x = Scale(low - room, high + room, _LEFT, _WIDTH - _RIGHT)
        bottom, top = (min(values), max(values)) if values else (0.0, 1.0)
        bottom = min(0.0, bottom)  # a rate that begins at 0 is seen for what it is
        self.y = Scale(bottom, top + ((top - bottom) or 1.0) * 0.08, _HEIGHT - _BOTTOM, _TOP)
        self.top = top

    def draw(self, name: str, points: Sequence[Point]) -> Markup:
        parts = [*self._frame(), *self._promise(name), *self._observed(name, points)]
        label = " · ".join(f"{point.period} {plain(point.value)}" for point in points)
        size = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
        drawn = f'<svg class="small" viewBox="{size}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
        return Markup(drawn)  # noqa: S704 - drawn from numbers, periods escaped

    def _frame(self) -> Iterable[str]:
        floor = self.y(self.y.low)
        yield f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
        for value in (self.y.low, self.top):
            place = round(self.y(value) + 3, 1)
            yield f'<text class="tick" x="{_LEFT - 4}" y="{place}" text-anchor="end">{_short(value)}</text>'
        periods = self.groups.periods
        for period, anchor in ((periods[0], "start"), (periods[-1], "end")) if len(periods) > 1 else ():
            half = _LETTER * len(period) / 2
            place = self.x(year_of(period)) + (-min(half, 10.0) if anchor == "start" else min(half, _RIGHT))
            yield f'<text class="tick" x="{round(place, 1)}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{period}</text>'

    def _promise(self, name: str) -> Iterable[str]:
        use = self.status.use
        if not self.promised or (use.breakdown and use.breakdown[self.groups.dimension] != name):
            return
        ends = f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}"'
        if band := self.status.definition.band:
            top, bottom = self.y(band[1]), self.y(band[0])
            width, height = _WIDTH - _RIGHT - _LEFT, round(bottom - top, 1)
            yield f'<rect class="good" x="{_LEFT}" y="{top}" width="{width}" height="{height}"/>'
        elif use.target:
            place = self.y(use.target.value)
            yield f'<line class="target" {ends} y1="{place}" y2="{place}"/>'
        if use.baseline:
            place = self.y(use.baseline.value)
            yield f'<line class="start" {ends} y1="{place}" y2="{place}"/>'

    def _observed(self, name: str, points: Sequence[Point]) -> Iterable[str]:
        kind = "worst" if name in self.groups.worst_names else "ordinary"
        places = {point.period: (self.x(year_of(point.period)), self.y(point.value)) for point in points}
        for before, after in pairwise(points):
            if after.newest.series_break or after.newest.status == "break":
                continue  # what cannot be compared is not joined
            (x0, y0), (x1, y1) = places[before.period], places[after.period]
            yield f'<line class="run {kind}" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}"/>'
        for x, y in places.values():
            yield f'<circle class="spot {kind}" cx="{x}" cy="{y}" r="2.6"/>'


def _short(value: float) -> str:
    """Write a number so that it has room beside a small picture."""
    for least, unit, letter in ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / unit:.3g}{letter}"
    return plain(float(f"{value:.3g}"))
