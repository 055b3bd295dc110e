"""Small pictures as SVG: an interval against its threshold, and the path of a sequential test.

Drawn here rather than by a chart library because every picture carries numbers only: words stand beside it in both
languages, so one drawing serves both, the page needs no script, and equal ledgers give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shinrai.records import Commitment, TracePoint, Verdict

_WIDTH, _STRIP_HEIGHT, _PATH_HEIGHT, _PAD = 320.0, 38.0, 160.0, 8.0
_LEFT, _BOTTOM, _LETTER = 56.0, 26.0, 12.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from values to pixels.

    Parameters
    ----------
    low, high : float
        Values at both ends, ``low < high``.
    start, end : float
        Pixels at both ends.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place a value; values outside the axis stand at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def thresholds(commitment: Commitment) -> tuple[float, ...]:
    """Give the threshold, or both ends of the band; nothing where a claim has none."""
    if commitment.threshold is None:
        return ()
    return commitment.threshold if isinstance(commitment.threshold, tuple) else (commitment.threshold,)


def axis(commitment: Commitment, verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """Choose the ends of the axis: shares within [0, 1], wide enough for thresholds and intervals to be told apart.

    Parameters
    ----------
    commitment : Commitment
        What was promised.
    verdicts : sequence of Verdict
        All that are to share the axis.

    Returns
    -------
    tuple of float
        Low and high end.
    """
    limits = thresholds(commitment)
    if commitment.metric == "observed":
        values = [*limits, *(v.estimate for v in verdicts if v.estimate is not None)]
        low, high = min(values, default=0.0), max(values, default=1.0)
        margin = (high - low or abs(high) or 1.0) * 0.25
        return low - margin, high + margin
    seen = [bound for v in verdicts for bound in (v.upper, v.estimate) if bound is not None]
    if commitment.metric == "rate-ratio":
        return 0.0, max(1.25, *limits, *(min(bound, 3.0) for bound in seen))
    if commitment.metric == "pass-rate":
        return 0.0, 1.0
    return 0.0, min(1.0, max([0.2, *(2.0 * limit for limit in limits), *(1.05 * bound for bound in seen)]))


def _good(commitment: Commitment, scale: Scale) -> str:
    """Shade the side of the threshold on which the promise holds."""
    limits = thresholds(commitment)
    if not limits:
        return ""
    if commitment.comparator == "within":
        low, high = limits[0], limits[-1]
    elif commitment.comparator == "at-least":
        low, high = limits[0], scale.high
    else:
        low, high = scale.low, limits[0]
    left, right = scale(low), scale(high)
    return f'<rect class="good" x="{left}" y="2" width="{round(right - left, 1)}" height="18"/>'


def measured(commitment: Commitment, verdict: Verdict) -> str:
    """Write what was measured, such as ``21.7% [8.2%, 38.4%]``; nothing where there is no estimate."""
    if verdict.estimate is None:
        return ""
    return f"{number(verdict.estimate, commitment)} {interval(commitment, verdict)}".rstrip()


def interval(commitment: Commitment, verdict: Verdict) -> str:
    """Write an interval, such as ``[8.2%, 38.4%]``, or ``[0.47, ∞)`` for a ratio that has no upper bound yet."""
    if verdict.lower is None:
        return ""
    upper = "∞)" if verdict.upper is None else f"{number(verdict.upper, commitment)}]"
    return f"[{number(verdict.lower, commitment)}, {upper}"


def strip(commitment: Commitment, verdict: Verdict | None, ends: tuple[float, float]) -> str:
    """Draw an interval against its threshold.

    Parameters
    ----------
    commitment : Commitment
        What was promised.
    verdict : Verdict or None
        Without one, or without an interval, only the threshold is drawn.
    ends : tuple of float
        Of the axis, see `axis`.

    Returns
    -------
    str
        An SVG element, named by its numbers for people who do not see it; nothing where the claim has no threshold.
    """
    limits = thresholds(commitment)
    if not limits:
        return ""
    scale = Scale(*ends, _PAD, _WIDTH - _PAD)
    parts = [_good(commitment, scale), f'<line class="base" x1="{_PAD}" x2="{_WIDTH - _PAD}" y1="20" y2="20"/>']
    if verdict is not None and verdict.lower is not None:
        left, right = scale(verdict.lower), scale(_bound(verdict.upper, ends))
        width = max(round(right - left, 1), 1.5)
        parts.append(f'<rect class="span {verdict.status}" x="{left}" y="8" width="{width}" height="6" rx="3"/>')
    if verdict is not None and verdict.estimate is not None:
        parts.append(f'<circle class="dot {verdict.status}" cx="{scale(verdict.estimate)}" cy="11" r="4.5"/>')
    for limit in limits:
        place = scale(limit)
        written = number(limit, commitment)
        room = 0.3 * _LETTER * len(written)
        middle = round(min(max(place, room), _WIDTH - room), 1)
        parts += [
            f'<line class="limit" x1="{place}" x2="{place}" y1="1" y2="23"/>',
            f'<text class="tick" x="{middle}" y="35" text-anchor="middle">{written}</text>',
        ]
    label = " · ".join(filter(None, [measured(commitment, verdict) if verdict else "", promised(commitment)]))
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH:g} {_STRIP_HEIGHT:g}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def path(commitment: Commitment, verdict: Verdict) -> str:
    """Draw how the interval closed in on the threshold, trial by trial.

    Parameters
    ----------
    commitment : Commitment
        What was promised.
    verdict : Verdict
        With a trace.

    Returns
    -------
    str
        An SVG element, named by its numbers for people who do not see it; nothing where there is no trace.
    """
    points = [point for point in verdict.trace if point.lower is not None]
    if not points:
        return ""
    low, high = axis(commitment, [verdict])
    x = Scale(0, max(points[-1].n, 1), _LEFT, _WIDTH - _PAD)
    y = Scale(low, high, _PATH_HEIGHT - _BOTTOM, _PAD)
    parts = [_band(points, x, y, verdict.status)]
    limits = thresholds(commitment)
    parts += [
        f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _PAD}" y1="{y(limit)}" y2="{y(limit)}"/>' for limit in limits
    ]
    # The ends of the axis are written where they do not run into a threshold, which matters more.
    ends = [end for end in (low, high) if all(abs(y(end) - y(limit)) >= _LETTER for limit in limits)]
    parts += [
        f'<text class="tick" x="{_LEFT - 4}" y="{round(y(tick) + 4, 1)}" text-anchor="end">'
        f"{number(tick, commitment)}</text>"
        for tick in sorted({*ends, *limits})
    ]
    last = points[-1].n
    parts.append(f'<line class="base" x1="{_LEFT}" x2="{_WIDTH - _PAD}" y1="{y(low)}" y2="{y(low)}"/>')
    parts.append(f'<text class="tick" x="{x(0)}" y="{_PATH_HEIGHT - 8}" text-anchor="middle">0</text>')
    parts.append(f'<text class="tick" x="{x(last)}" y="{_PATH_HEIGHT - 8}" text-anchor="end">n = {last}</text>')
    label = " · ".join(filter(None, [f"n = {last}", measured(commitment, verdict), promised(commitment)]))
    return (
        f'<svg class="path" viewBox="0 0 {_WIDTH:g} {_PATH_HEIGHT:g}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _bound(upper: float | None, ends: tuple[float, float]) -> float:
    """Give the upper end of an interval; one without a bound reaches to the end of the axis."""
    return ends[1] if upper is None else upper


def _band(points: Sequence[TracePoint], x: Scale, y: Scale, status: str) -> str:
    upper = [f"{x(point.n)},{y(_bound(point.upper, (y.low, y.high)))}" for point in points]
    lower = [f"{x(point.n)},{y(point.lower or 0.0)}" for point in reversed(points)]
    line = " ".join(f"{x(p.n)},{y(p.estimate)}" for p in points if p.estimate is not None)
    return (
        f'<polygon class="span {status}" points="{" ".join(upper + lower)}"/>'
        f'<polyline class="line {status}" points="{line}"/>'
    )


_SIGNS = {"at-most": "≤ ", "at-least": "≥ "}


def promised(commitment: Commitment) -> str:
    """Write a threshold with its comparator, such as ``≤ 10%`` or ``2%–30%``; nothing where a claim has none."""
    limits = [number(limit, commitment) for limit in thresholds(commitment)]
    return _SIGNS.get(commitment.comparator, "") + "–".join(limits)


def number(value: float, commitment: Commitment) -> str:
    """Write a value in the unit of a claim's metric: percent for shares, plain for ratios and observed values.

    A value that rounding would put on a threshold gets as many more decimals as it takes to tell them apart, six at
    most: an interval that excludes its threshold by a hair is seen to exclude it.
    """
    if commitment.metric == "observed":
        return f"{value + 0.0:,.12g}"
    ratio = commitment.metric == "rate-ratio"
    unit, usual = (1, 2) if ratio else (100, 1)
    limits = [unit * limit for limit in thresholds(commitment)]
    decimals = usual
    while decimals < 6 and any(_meets(unit * value, limit, decimals) for limit in limits):
        decimals += 1
    if any(_meets(unit * value, limit, decimals) for limit in limits):
        decimals = usual
    written = f"{round(unit * value, decimals) + 0.0:.{decimals}f}"  # plus zero: never "-0"
    return written if ratio else written.rstrip("0").rstrip(".") + "%"


def _meets(value: float, limit: float, decimals: int) -> bool:
    """Tell whether rounding puts a value on a limit that it is not on."""
    return not math.isclose(value, limit) and round(value, decimals) == round(limit, decimals)
