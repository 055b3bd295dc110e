"""Bounds by inverting a sequential test, so that interval and verdict can never contradict each other.

A test family is *nested* when a claim proven at one threshold is also proven at every easier threshold, no later. Every
test in this package is nested, by the choice of its bets. The bound is then where "proven" turns into "not proven",
and bisection finds it.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Edge", "bound", "bound_path", "checkpoints", "first_reached"]

_STEPS = 80
_TOLERANCE = 1e-10
_UNBOUNDED = 1e9  # a finite threshold beyond this is reported as no bound
_GRID = 32
_POINTS = 197


@dataclass(frozen=True, slots=True)
class Edge:
    """One side of an interval.

    Attributes
    ----------
    proven_at
        Threshold to the index of the observation (from 1) at which the claim against this threshold was proven;
        infinity if it was not.
    easiest, hardest
        Ends of the range of the threshold. Nothing needs proving at `easiest`, nothing can be proven at `hardest`.
        For a lower bound ``easiest < hardest``, for an upper bound the other way round; either may be infinite at
        the top.
    tested
        The thresholds that the running test itself decides on. They are looked at first, so that the bound falls on
        the same side of them as the verdict.
    """

    proven_at: Callable[[float], float]
    easiest: float
    hardest: float
    tested: tuple[float, ...]


def bound(edge: Edge) -> float:
    """Find the hardest threshold that is proven, to 1e-10 of the range; it is itself proven or `edge.easiest`.

    Parameters
    ----------
    edge
        The side of the interval.

    Returns
    -------
    float
        The bound, rounded towards `edge.easiest`, that is, never too narrow.
    """
    proven, open_end = edge.easiest, edge.hardest
    for threshold in edge.tested:
        if math.isfinite(edge.proven_at(threshold)):
            proven = _harder(edge, proven, threshold)
        else:
            open_end = _easier(edge, open_end, threshold)
    span = abs(edge.easiest - edge.hardest)
    tolerance = _TOLERANCE * (span if math.isfinite(span) else 1.0)
    for _ in range(_STEPS):
        if abs(proven - open_end) <= tolerance or min(proven, open_end) > _UNBOUNDED:
            break
        middle = _middle(proven, open_end)
        if math.isfinite(edge.proven_at(middle)):
            proven = middle
        else:
            open_end = middle
    return proven


def bound_path(edge: Edge, final: float, moments: Sequence[int]) -> list[float]:
    """Follow a bound over time.

    Parameters
    ----------
    edge
        The side of the interval, with `proven_at` over all observations.
    final
        The bound after the last observation, from `bound`.
    moments
        Observation counts, increasing.

    Returns
    -------
    list of float
        The bound at each moment, on a grid of thresholds between `edge.easiest` and `final`.
    """
    grid = _grid(edge, final)
    # Nested tests prove easier thresholds no later, so the times increase along the grid; the accumulated maximum
    # only guards the order against rounding.
    times = np.maximum.accumulate([0.0, *(edge.proven_at(threshold) for threshold in grid[1:])])
    return [grid[bisect.bisect_right(times, moment) - 1] for moment in moments]


def checkpoints(n: int, *, also: Sequence[float] = ()) -> list[int]:
    """Choose at most about 200 moments between 1 and `n`, evenly spaced, with `n` and the finite ones of `also`."""
    if n == 0:
        return []
    spaced = {int(moment) for moment in np.linspace(1, n, min(n, _POINTS)).round()}
    return sorted(spaced | {int(moment) for moment in also if 1 <= moment <= n})


def _grid(edge: Edge, final: float) -> list[float]:
    """Thresholds from the easiest to the final bound, denser near the bound, with the tested ones among them."""
    if final == edge.easiest:
        return [final]
    shares = np.linspace(1.0, 0.0, _GRID + 1)
    if math.isinf(edge.easiest):
        inner = [final / (1.0 - share) for share in shares[1:].tolist()]
    else:
        inner = [final + (edge.easiest - final) * share**2 for share in shares[1:].tolist()]
    between = [threshold for threshold in edge.tested if _harder(edge, threshold, final) == final]
    return [edge.easiest, *sorted({*inner, *between}, reverse=edge.easiest > edge.hardest)]


def _harder(edge: Edge, one: float, other: float) -> float:
    return max(one, other) if edge.easiest < edge.hardest else min(one, other)


def _easier(edge: Edge, one: float, other: float) -> float:
    return min(one, other) if edge.easiest < edge.hardest else max(one, other)


def _middle(one: float, other: float) -> float:
    if math.isinf(max(one, other)):
        return 2.0 * min(one, other) + 1.0
    return (one + other) / 2.0


def first_reached(reached: NDArray[np.bool_]) -> float:
    """Give the index, from 1, of the first that is true; infinity if there is none."""
    return float(reached.argmax()) + 1.0 if reached.any() else math.inf
