"""Pictures of indicators as SVG: a series with vintages, baseline, path, target and projection; groups side by side.

As in `shinrai.report.figures`, every picture carries numbers only, so that one drawing serves both languages; a table
stands under each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from markupsafe import escape

from shinrai.check.indicators import IndicatorStatus
from shinrai.check.promised import path_at
from shinrai.check.series import Point
from shinrai.records import first_day, frequency_of, year_of
from shinrai.report.figures import Scale

__all__ = ["GroupBar", "bars", "path_rows", "plain", "rough", "series_figure"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 400.0, 190.0, 60.0, 56.0, 14.0, 28.0
_BAR, _LETTER = 22.0, 12.0

GroupBar = tuple[str, float]
"""Category and its value."""


def plain(value: float) -> str:
    """Write a number of an indicator: thousands separated, at most six significant decimals, never ``-0``."""
    return f"{round(value, 6) + 0.0:,.10g}"


def rough(value: float) -> str:
    """Write a number that was worked out, not observed: four significant digits."""
    return plain(float(f"{value:.4g}"))


def series_figure(status: IndicatorStatus) -> str:
    """Draw one indicator over time.

    Every observed value is a dot, joined by a line that breaks where the series does; earlier vintages are hollow dots.
    The path is dashed (dotted where it is only assumed), the target a horizontal line from the baseline on, the
    projection a band that ends in the target's period.

    Parameters
    ----------
    status : IndicatorStatus
        With its series.

    Returns
    -------
    str
        An SVG element, named by its numbers for people who do not see it; nothing where there
        is no observation, or only one and no promise to compare it with.
    """
    drawing = _Drawing(status)
    if not drawing.points or len(drawing.points) + len(drawing.stops) + bool(status.use.target) < 2:
        return ""  # one number, or a promise alone, is said in words
    parts = [*drawing.frame(), *drawing.promise(), *drawing.projection(), *drawing.observed()]
    label = " · ".join(f"{point.period} {plain(point.value)}" for point in drawing.points)
    size = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    return f'<svg class="series" viewBox="{size}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


class _Drawing:
    """The axes of one indicator, and what is drawn on them."""

    def __init__(self, status: IndicatorStatus) -> None:
        self.status = status
        use = status.use
        told = use.baseline or (use.target if use.target and use.target.period else None)
        points = status.series.points if status.series else []
        kind = frequency_of(told.period) if told is not None and told.period else None
        self.points = [point for point in points if kind is None or frequency_of(point.period) == kind]
        self.stops = [(year_of(one.period), one.value) for one in use.path]
        if use.baseline:
            self.stops.insert(0, (year_of(use.baseline.period), use.baseline.value))
        if use.target and use.target.period:
            self.stops.append((year_of(use.target.period), use.target.value))
        self.values = [one.value for point in self.points for one in point.vintages] + [v for _x, v in self.stops]
        if use.target:
            self.values.append(use.target.value)
        if status.projection:
            self.values += status.projection
        self.values += list(status.definition.band or ())
        years = [year_of(point.period) for point in self.points] + [year for year, _v in self.stops]
        low, high = (min(years), max(years)) if years else (0.0, 1.0)
        room = 0.6 if high == low else 0.04 * (high - low)
        self.x = Scale(low - room, high + room, _LEFT, _WIDTH - _RIGHT)
        bottom, top = (min(self.values), max(self.values)) if self.values else (0.0, 1.0)
        bottom = min(0.0, bottom)  # a rate that begins at 0 is seen for what it is
        margin = (top - bottom or abs(top) or 1.0) * 0.08
        self.y = Scale(bottom if bottom == 0.0 else bottom - margin, top + margin, _HEIGHT - _BOTTOM, _TOP)

    def frame(self) -> Iterable[str]:
        floor = self.y(self.y.low)
        yield f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
        written: list[float] = []
        for value in sorted({self.y.low, *(point.value for point in self.points[-1:])}):
            yield from self._tick(value, written)
        names = {point.period: year_of(point.period) for point in self.points}
        use = self.status.use
        if use.baseline:
            names.setdefault(use.baseline.period, year_of(use.baseline.period))
        if use.target and use.target.period:
            names.setdefault(use.target.period, year_of(use.target.period))
        yield from self._names(names)

    def _tick(self, value: float, written: list[float]) -> Iterable[str]:
        place = self.y(value)
        if all(abs(place - other) >= _LETTER for other in written):
            written.append(place)
            text = plain(value)
            yield f'<text class="tick" x="{_LEFT - 6}" y="{round(place + 4, 1)}" text-anchor="end">{text}</text>'

    def _names(self, names: dict[str, float]) -> Iterable[str]:
        """Write the periods, as many as there is room for; first and last always."""
        ordered = sorted(names, key=names.__getitem__)
        right = -1e9
        for position, name in enumerate(ordered):
            place, half = self.x(names[name]), 0.32 * _LETTER * len(name)
            last = self.x(names[ordered[-1]]) - 0.32 * _LETTER * len(ordered[-1])
            if position not in {0, len(ordered) - 1} and (place - half < right + 4 or place + half > last - 4):
                continue
            right = place + half
            yield f'<text class="tick" x="{place}" y="{_HEIGHT - 8}" text-anchor="middle">{name}</text>'

    def promise(self) -> Iterable[str]:
        use, definition = self.status.use, self.status.definition
        if definition.band:
            top, bottom = self.y(definition.band[1]), self.y(definition.band[0])
            height = round(bottom - top, 1)
            yield f'<rect class="good" x="{_LEFT}" y="{top}" width="{_WIDTH - _RIGHT - _LEFT}" height="{height}"/>'
        elif use.target:
            place = self.y(use.target.value)
            text = plain(use.target.value)
            yield f'<line class="target" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{place}" y2="{place}"/>'
            yield f'<text class="tick goal" x="{_WIDTH - _RIGHT + 5}" y="{round(place + 4, 1)}">{text}</text>'
        if len(self.stops) >= 2:
            dots = " ".join(f"{self.x(year)},{self.y(value)}" for year, value in self.stops)
            assumed = " assumed" if not use.path else ""
            yield f'<polyline class="road{assumed}" points="{dots}"/>'
        if use.baseline:
            x, y = self.x(year_of(use.baseline.period)), self.y(use.baseline.value)
            yield f'<rect class="baseline" x="{x - 4}" y="{y - 4}" width="8" height="8"/>'

    def projection(self) -> Iterable[str]:
        found, use, observed = self.status.projection, self.status.use, self.status.observed
        if found is None or use.target is None or use.target.period is None or observed is None or not observed.period:
            return
        x0, y0, x1 = self.x(year_of(observed.period)), self.y(observed.value), self.x(year_of(use.target.period))
        value, low, high = (self.y(one) for one in found)
        yield f'<polygon class="fan" points="{x0},{y0} {x1},{high} {x1},{low}"/>'
        yield f'<line class="ahead" x1="{x0}" y1="{y0}" x2="{x1}" y2="{value}"/>'

    def observed(self) -> Iterable[str]:
        for run in _unbroken([point for point in self.points if point.newest.status != "forecast"]):
            dots = " ".join(f"{self.x(year_of(point.period))},{self.y(point.value)}" for point in run)
            yield f'<polyline class="line {self.status.state}" points="{dots}"/>'
        for point in self.points:
            x = self.x(year_of(point.period))
            for old in point.vintages[:-1]:
                if old.value != point.value:
                    yield f'<circle class="old" cx="{x}" cy="{self.y(old.value)}" r="3.5"/>'
            kind = "forecast" if point.newest.status == "forecast" else self.status.state
            yield f'<circle class="dot {kind}" cx="{x}" cy="{self.y(point.value)}" r="4.5"/>'


def _unbroken(points: Sequence[Point]) -> list[list[Point]]:
    """Part a series where it breaks."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.newest.series_break and runs[-1]:
            runs.append([])
        runs[-1].append(point)
    return [run for run in runs if run]


def bars(groups: Sequence[GroupBar], worst: Collection[str], scale_to: float) -> str:
    """Draw groups side by side on one axis from 0, the worst ones marked.

    Parameters
    ----------
    groups : sequence of (str, float)
        Names stand in the table beside; the picture carries the numbers.
    worst : collection of str
        Categories to mark.
    scale_to : float
        Value at the right end, above 0.

    Returns
    -------
    str
        An SVG element, one bar under the other.
    """
    x = Scale(0.0, scale_to, 0.0, 240.0)
    parts = []
    for row, (name, value) in enumerate(groups):
        top = row * _BAR
        kind = "worst" if name in worst else "group"
        parts.append(f'<rect class="{kind}" x="0" y="{top + 3}" width="{max(x(value), 1.0)}" height="{_BAR - 8}"/>')
        parts.append(f'<text class="tick" x="{round(x(value) + 6, 1)}" y="{top + 14}">{plain(value)}</text>')
    label = " · ".join(plain(value) for _name, value in groups)
    height = max(len(groups), 1) * _BAR
    return (
        f'<svg class="bars" viewBox="0 0 300 {height:g}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def path_rows(status: IndicatorStatus) -> list[tuple[Point, float | None]]:
    """Give each point with the path's value of its period, for the table under the picture; newest first."""
    rows = []
    points = status.series.points if status.series else []
    for point in sorted(points, key=lambda one: first_day(one.period), reverse=True):
        told = status.use.baseline or status.use.target
        kind = frequency_of(told.period) if told is not None and told.period else None
        value = path_at(status.use, point.period, status.definition)[0] if kind == frequency_of(point.period) else None
        rows.append((point, None if value is None or value != value else value))  # noqa: PLR0124 - NaN is not itself
    return rows
