"""How far an indicator has come: against its stored path, and by the methods that statistics offices publish.

Everything here takes arrays and gives arrays, element by element (numpy broadcasting). Values that are not known are
NaN, and so is everything that follows from them: nothing is made up. Time is in years on any axis.

The measure that decides is `pace`: progress since the baseline, over the progress that the path asks for by the same
period. `growth_ratio` is what Eurostat and Statistics Canada publish; it is here to be compared, because it takes
growth to be exponential and gives other answers for zeros, for falls and for slow starts (`docs/outcomes.md`).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Projection",
    "anticipated_progress",
    "band_distance",
    "covered",
    "current_status_index",
    "extrapolated_progress",
    "growth_rate",
    "growth_ratio",
    "linear_path",
    "pace",
    "pace_interval",
    "pace_probability",
    "project",
    "proportion_error",
    "reduction_rate",
]

Floats: TypeAlias = NDArray[np.float64]


def _floats(*values: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)


def _divided(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where the divisor is 0 or so small that the quotient is no finite number."""
    with np.errstate(over="ignore"):
        quotient = above / np.where(below == 0.0, np.nan, below)
    return np.where(np.isfinite(quotient), quotient, np.nan)


def covered(baseline: ArrayLike, observed: ArrayLike, target: ArrayLike) -> Floats:
    """Share of the way from baseline to target: ``(y - b) / (T - b)``.

    Parameters
    ----------
    baseline, observed, target
        In one unit, any finite number. It does not matter which way is better: a fall from 200 to 0 that stands at 100
        has covered 0.5.

    Returns
    -------
    ndarray
        0 at the baseline, 1 at the target, negative on the wrong side of the baseline. NaN where target and baseline
        are equal, because then there is no way to cover.
    """
    b, y, t = _floats(baseline, observed, target)
    return _divided(y - b, t - b)


def linear_path(baseline: ArrayLike, target: ArrayLike, elapsed: ArrayLike) -> Floats:
    """Value on the straight line from baseline to target.

    Parameters
    ----------
    baseline, target
        In one unit.
    elapsed
        Share of the time from baseline to target that has gone by; held within [0, 1], so that the line stays at the
        target afterwards.
    """
    b, t, share = _floats(baseline, target, elapsed)
    return np.asarray(b + np.clip(share, 0.0, 1.0) * (t - b), dtype=np.float64)


def pace(baseline: ArrayLike, observed: ArrayLike, path: ArrayLike) -> Floats:
    """Progress made over the progress that the path asks for by now: ``(y - b) / (p - b)``.

    Parameters
    ----------
    baseline, observed, path
        In one unit; `path` is the value of the path in the period of `observed`.

    Returns
    -------
    ndarray
        1 on the path, above 1 ahead of it, 0 at the baseline, negative where it moves the wrong way. NaN where the path
        asks for no progress yet.
    """
    return covered(baseline, observed, path)


def band_distance(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> Floats:
    """Distance to a band: 0 inside, so that for indicators with a band less is better and 0 is the target.

    Parameters
    ----------
    value, low, high
        In one unit, ``low < high``.
    """
    y, a, b = _floats(value, low, high)
    return np.asarray(np.maximum(np.maximum(a - y, y - b), 0.0), dtype=np.float64)


# ---- the methods of statistics offices


def growth_rate(start: ArrayLike, end: ArrayLike, years: ArrayLike) -> Floats:
    """Compound annual growth rate, ``(end / start) ** (1 / years) - 1``.

    Parameters
    ----------
    start, end
        Of one sign, neither 0.
    years
        Above 0.

    Returns
    -------
    ndarray
        NaN where it is not defined.
    """
    a, b, n = _floats(start, end, years)
    ratio = _divided(b, a)
    usable = (ratio > 0.0) & (n > 0.0)
    safe = np.where(usable, ratio, 1.0) ** (1.0 / np.where(usable, n, 1.0)) - 1.0
    return np.where(usable, safe, np.nan)


def reduction_rate(start: ArrayLike, end: ArrayLike, years: ArrayLike) -> Floats:
    """Annual rate of reduction as the United Nations report child mortality: ``ln(start / end) / years``.

    Parameters
    ----------
    start, end
        Of one sign, neither 0.
    years
        Above 0.

    Returns
    -------
    ndarray
        Positive for a fall. NaN where it is not defined.

    References
    ----------
    .. [1] UN Inter-agency Group for Child Mortality Estimation, "Levels & Trends in Child Mortality".
    """
    return np.asarray(-np.log1p(growth_rate(start, end, years)), dtype=np.float64)


def growth_ratio(  # noqa: PLR0917 - the six numbers of the published formula
    baseline: ArrayLike,
    observed: ArrayLike,
    target: ArrayLike,
    elapsed: ArrayLike,
    total: ArrayLike,
    stand_in: float = 0.001,
) -> Floats:
    """Observed growth rate over the required one, as Statistics Canada and Open SDG publish it (after Eurostat).

    Parameters
    ----------
    baseline, observed, target
        Of one sign. A baseline or a target of 0 is replaced, as published, by `stand_in`, of which the answer depends
        strongly.
    elapsed, total
        Years from the baseline to the observation, and to the target.
    stand_in
        Above 0.

    Returns
    -------
    ndarray
        0.95 and more counts as on track there, 0.6 to 0.95 as moderate, 0 to 0.6 as limited, below 0 as deterioration.
        NaN where a growth rate is not defined, or where no growth is required.

    References
    ----------
    .. [1] "Progress Measurement Methodology for the Sustainable Development Goals", Open SDG documentation, 2.4.
    """
    b, t = _floats(baseline, target)
    b, t = np.where(b == 0.0, stand_in, b), np.where(t == 0.0, stand_in, t)
    better = np.sign(t - b)
    required = np.abs(growth_rate(b, t, total))
    return _divided(better * growth_rate(b, observed, elapsed), required)


def extrapolated_progress(
    baseline: ArrayLike, observed: ArrayLike, target: ArrayLike, elapsed: ArrayLike, total: ArrayLike
) -> Floats:
    """Share of the way that would be covered by the target year if growth went on at its rate so far.

    The measure of the United Nations Statistics Division: ``(v_e - v_b) / (v_T - v_b)``, where ``v_e`` goes on from the
    observed value at its compound growth rate. From 0.95 on it counts as on track there, from 0.1 on as fair progress.

    Parameters
    ----------
    baseline, observed, target
        Of one sign, baseline not 0.
    elapsed, total
        Years from the baseline to the observation, and to the target.

    References
    ----------
    .. [1] United Nations, "SDG Progress Chart 2023: Technical Note".
    """
    y, n, total_years = _floats(observed, elapsed, total)
    expected = y * (1.0 + growth_rate(baseline, y, n)) ** (total_years - n)
    return covered(baseline, expected, target)


def current_status_index(baseline: ArrayLike, observed: ArrayLike, target: ArrayLike) -> Floats:
    """Progress since the baseline on a scale of 10, as the United Nations in Asia and the Pacific publish it.

    References
    ----------
    .. [1] UN ESCAP, "Progress Assessment Methodology", Current Status Index.
    """
    return np.asarray(10.0 * covered(baseline, observed, target), dtype=np.float64)


# ---- projection


class Projection(NamedTuple):
    """Where series would stand in a year if they went on as they did.

    Parameters
    ----------
    value : ndarray
        On the weighted line; NaN where there are fewer than 3 points or they are all of one year.
    lower, upper : ndarray
        Prediction interval; NaN as above.
    slope : ndarray
        A year.
    """

    value: Floats
    lower: Floats
    upper: Floats
    slope: Floats


def project(
    years: ArrayLike, values: ArrayLike, year: ArrayLike, *, half_life: float = 5.0, level: float = 0.9
) -> Projection:
    """Project series by straight lines in which newer observations weigh more.

    Weighted least squares with weights ``0.5 ** (age / half_life)``; an older observation counts as one of larger
    variance, and the interval is that of a new observation like the newest, with Student's t on n - 2 degrees of
    freedom. It carries the scatter around the line, not the chance that the line bends.

    Parameters
    ----------
    years, values
        One series along the last axis; NaN where it has no observation.
    year
        To which to project; one for each series.
    half_life
        Years after which an observation counts half; above 0.
    level
        Coverage of the interval, strictly between 0 and 1.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If half-life or level is out of range.

    References
    ----------
    .. [1] UN ESCAP, "Progress Assessment Methodology", Anticipated Progress Index (time-weighted regression).
    """
    if half_life <= 0.0 or not 0.0 < level < 1.0:
        raise ValueError("the half-life must be above 0, and the level between 0 and 1")
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    x, y, to = _floats(years, values, year)
    known = np.isfinite(x) & np.isfinite(y)
    count = known.sum(axis=-1)
    x, y = np.where(known, x, 0.0), np.where(known, y, 0.0)
    newest = np.max(np.where(known, x, -np.inf), axis=-1, keepdims=True, initial=-np.inf)
    age = np.where(known, newest - x, 0.0)
    weights = np.where(known, 0.5 ** (age / half_life), 0.0)
    total = _present(weights.sum(axis=-1))
    centre, height = (weights * x).sum(axis=-1) / total, (weights * y).sum(axis=-1) / total
    from_centre = x - centre[..., None]
    spread = (weights * from_centre**2).sum(axis=-1)
    spread = np.where((count < 3) | (spread <= 0.0), np.nan, spread)
    slope = (weights * from_centre * (y - height[..., None])).sum(axis=-1) / spread
    freedom = np.maximum(count - 2, 1)
    missed = y - height[..., None] - slope[..., None] * from_centre
    scatter = (weights * missed**2).sum(axis=-1) / freedom
    value = height + slope * (to - centre)
    half = stdtrit(freedom, 0.5 + level / 2.0) * np.sqrt(scatter * (1.0 + 1.0 / total + (to - centre) ** 2 / spread))
    return Projection(value, value - half, value + half, slope)


def _present(total: Floats) -> Floats:
    """Give the sum of weights; NaN where a series has no observation."""
    return np.where(total == 0.0, np.nan, total)


def anticipated_progress(baseline: ArrayLike, projected: ArrayLike, target: ArrayLike) -> Floats:
    """Share of the way that the projection covers by the target year; 1 minus it is the published gap.

    References
    ----------
    .. [1] UN ESCAP, "Progress Assessment Methodology", Anticipated Progress Index.
    """
    return covered(baseline, projected, target)


# ---- uncertainty


def proportion_error(share: ArrayLike, n: ArrayLike, design_effect: ArrayLike = 1.0) -> Floats:
    """Give the standard error of a surveyed share: ``sqrt(deff * p * (1 - p) / n)``.

    Parameters
    ----------
    share
        In [0, 1].
    n
        Number of people asked, at least 1.
    design_effect
        Variance of the survey against that of a simple random sample of the same size; above 0.

    Returns
    -------
    ndarray
        NaN outside these ranges.
    """
    p, size, effect = _floats(share, n, design_effect)
    usable = (p >= 0.0) & (p <= 1.0) & (size >= 1.0) & (effect > 0.0)
    safe = np.where(usable, effect * p * (1.0 - p) / np.where(usable, size, 1.0), 0.0)
    return np.where(usable, np.sqrt(safe), np.nan)


def pace_probability(  # noqa: PLR0913, PLR0917 - baseline and observation with their errors
    at_least: ArrayLike,
    baseline: ArrayLike,
    observed: ArrayLike,
    path: ArrayLike,
    baseline_error: ArrayLike,
    observed_error: ArrayLike,
    path_share: ArrayLike = 0.0,
) -> Floats:
    """Probability that the true pace is at least so much, if both errors are normal and independent.

    ``pace >= k`` is ``(y - b) - k (p - b) >= 0``, which is linear in the two estimates, so that the probability is
    exact: no ratio of normal variables has to be handled. The sign of ``p - b`` is taken as it is observed.

    Parameters
    ----------
    at_least
        The pace k.
    baseline, observed, path
        As `pace`.
    baseline_error, observed_error
        Standard errors, at least 0.
    path_share
        How much of an error of the baseline the path shares: 0 for a path that was stored as numbers, ``1 - elapsed
        share`` for a straight line that begins at the baseline.

    Returns
    -------
    ndarray
        In [0, 1]. NaN where no error is known. With errors of 0 it is 0 or 1.
    """
    from scipy.special import ndtr  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    k, b, y, p, sb, sy, w = _floats(at_least, baseline, observed, path, baseline_error, observed_error, path_share)
    sign = np.sign(p - b)
    margin = sign * ((y - b) - k * (p - b))
    error = np.sqrt(sy**2 + ((1.0 - k * (1.0 - w)) * sb) ** 2)
    certain = np.where(margin >= 0.0, 1.0, 0.0)
    chance = np.where(error > 0.0, ndtr(margin / np.where(error > 0.0, error, 1.0)), certain)
    return np.where(np.isnan(error) | (sign == 0.0) | np.isnan(margin), np.nan, chance)


def pace_interval(  # noqa: PLR0913, PLR0917 - baseline and observation with their errors
    baseline: ArrayLike,
    observed: ArrayLike,
    path: ArrayLike,
    baseline_error: ArrayLike,
    observed_error: ArrayLike,
    path_share: ArrayLike = 0.0,
    level: float = 0.9,
) -> tuple[Floats, Floats]:
    """Interval of the pace: all paces that `pace_probability` does not put in a tail (Fieller 1954).

    Parameters
    ----------
    baseline, observed, path, baseline_error, observed_error, path_share
        As `pace_probability`.
    level
        Coverage, strictly between 0 and 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper end; NaN where the errors leave no bounded interval.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    b, y, p, sb, sy, w = _floats(baseline, observed, path, baseline_error, observed_error, path_share)
    z2 = ndtri(0.5 + level / 2.0) ** 2
    made, asked, own = y - b, p - b, 1.0 - w
    # (made - k asked)^2 = z^2 (sy^2 + (1 - k own)^2 sb^2), a quadratic in k.
    second = asked**2 - z2 * (own * sb) ** 2
    first = made * asked - z2 * own * sb**2
    last = made**2 - z2 * (sy**2 + sb**2)
    inside = first**2 - second * last
    usable = (second > 0.0) & (inside >= 0.0)
    root = np.sqrt(np.where(usable, inside, 0.0))
    below = np.where(usable, second, 1.0)
    return (
        np.where(usable, (first - root) / below, np.nan),
        np.where(usable, (first + root) / below, np.nan),
    )
