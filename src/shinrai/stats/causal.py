"""Two designs that tell an effect from what would have happened anyway; each with placebos.

Nothing here makes a design valid: that no other cause acted at the same time, and that groups would have moved alike,
are assumptions that no number can check.

With as few periods as indicators have, the usual tests with Newey-West errors find effects where there are none: at a
level of 5 %, in 25 % of series of 20 independent values (`tests/stats/test_causal.py` repeats it). Their distribution
is therefore not looked up but worked out, by series without an effect that are as long and as autocorrelated. How
autocorrelated a short series is, it hardly tells: the largest correlation counts that its residuals do not rule out.
With the best estimate in its place, a level of 5 % was 9 to 17 % in simulated series of 16 to 60 strongly
autocorrelated periods; so it is 7 % at the most.

References
----------
.. [1] Newey and West, "A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent Covariance
   Matrix", Econometrica 55 (1987).
.. [2] Wagner et al., "Segmented regression analysis of interrupted time series studies in medication use research",
   Journal of Clinical Pharmacy and Therapeutics 27 (2002).
.. [3] Bertrand, Duflo and Mullainathan, "How Much Should We Trust Differences-in-Differences Estimates?", Quarterly
   Journal of Economics 119 (2004): means before and after, one difference for each group.
.. [4] Donald and Lang, "Inference with Difference-in-Differences and Other Panel Data", Review of Economics and
   Statistics 89 (2007): the t distribution over groups.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FEWEST_PERIODS",
    "Differences",
    "Estimate",
    "Segments",
    "default_lags",
    "differences",
    "interrupted",
    "lag_one",
    "placebo_dates",
    "placebo_groups",
]

Floats = NDArray[np.float64]

FEWEST_PERIODS: Final = 8
"""Periods that an interrupted time series needs on either side."""

_DRAWS: Final = 999
_SEED: Final = 20260714
_MOST_CORRELATED: Final = 0.95
_RULED_OUT: Final = 0.1
"""Share of series with a correlation that must show as little of it as was seen, for it not to be ruled out."""


class Estimate(NamedTuple):
    """A number with its confidence interval and the p-value of the hypothesis that it is 0."""

    value: float
    lower: float
    upper: float
    p: float


class Segments(NamedTuple):
    """An interrupted time series.

    Parameters
    ----------
    level : Estimate
        Jump at the first period after the start, against the line before.
    slope : Estimate
        Change of slope, in units a period.
    p : float
        Of the hypothesis that neither changed.
    before, after : int
        Periods.
    lags : int
        Of the Newey-West errors.
    correlation : float
        Of neighbouring periods around the lines, freed of the bias that so few periods give it.
    reckoned : float
        The correlation of the series that intervals and p-values come from: the largest that these values do not rule
        out at a level of 10 %, at most 0.95.
    """

    level: Estimate
    slope: Estimate
    p: float
    before: int
    after: int
    lags: int
    correlation: float
    reckoned: float


class Differences(NamedTuple):
    """A difference in differences.

    Parameters
    ----------
    effect : Estimate
    treated, comparison : int
        Groups.
    """

    effect: Estimate
    treated: int
    comparison: int


def default_lags(periods: int) -> int:
    """Lags by the number of periods: the whole part of ``4 (n / 100)^(2/9)``, as Newey and West (1994) give it."""
    return int(4.0 * (periods / 100.0) ** (2.0 / 9.0))


def interrupted(values: ArrayLike, before: int, *, lags: int | None = None, alpha: float = 0.05) -> Segments:
    """Fit a line with a break in level and slope (segmented regression) by least squares, with Newey-West errors.

    Parameters
    ----------
    values : array_like, shape (n,)
        One for each period, without gaps, in order of time.
    before : int
        Periods before the start; at least `FEWEST_PERIODS`, and as many after.
    lags : int, optional
        As `default_lags` when left out.
    alpha : float
        1 minus the confidence of the intervals.

    Returns
    -------
    Segments
        Intervals and p-values from series without an effect (normal, with the largest correlation of neighbouring
        periods that the values do not rule out), drawn with a fixed seed: the same for the same arguments.

    Raises
    ------
    ValueError
        If there are too few periods on either side.
    """
    y = np.asarray(values, dtype=np.float64)
    after = len(y) - before
    if min(before, after) < FEWEST_PERIODS:
        raise ValueError(f"an interrupted time series needs {FEWEST_PERIODS} periods on either side")
    design = _segments(len(y), before)
    used = default_lags(len(y)) if lags is None else lags
    correlation = lag_one(y, design)
    noise = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(y)))
    reckoned = _largest_lag_one(y, design, noise)
    drawn = _fit(_autoregressive(noise, reckoned), design, used)
    found = _fit(y[None, :], design, used)
    level, slope = (_calibrated(found, drawn, place, alpha) for place in (2, 3))
    return Segments(level, slope, _rank(found.joint[0], drawn.joint), before, after, used, correlation, reckoned)


class _Fitted(NamedTuple):
    """Many series at once: coefficients, their errors, and the Wald statistic of level and slope."""

    values: Floats
    errors: Floats
    joint: Floats


def _segments(periods: int, before: int) -> Floats:
    time = np.arange(periods, dtype=np.float64) - before
    since = (time >= 0).astype(np.float64)
    return np.column_stack([np.ones(periods), time, since, since * time])


def _fit(rows: Floats, design: Floats, lags: int) -> _Fitted:
    """Fit every row by least squares, with Newey-West errors (Bartlett weights, small-sample factor n / (n - k))."""
    inverse = np.linalg.inv(design.T @ design)
    values = rows @ design @ inverse
    scores = (rows - values @ design.T)[:, :, None] * design
    middle = np.einsum("bti,btj->bij", scores, scores)
    for lag in range(1, lags + 1):
        shifted = np.einsum("bti,btj->bij", scores[:, lag:], scores[:, :-lag])
        middle += (1.0 - lag / (lags + 1.0)) * (shifted + shifted.transpose(0, 2, 1))
    count, parameters = design.shape
    covariance = inverse @ middle @ inverse * (count / (count - parameters))
    part = values[:, 2:]
    joint = np.einsum("bi,bi->b", part, np.linalg.solve(covariance[:, 2:, 2:], part[:, :, None])[:, :, 0]) / 2.0
    return _Fitted(values, np.sqrt(np.einsum("bii->bi", covariance)), joint)


def lag_one(values: ArrayLike, design: ArrayLike) -> float:
    """Estimate the correlation of neighbouring periods around a regression.

    That of the residuals is too small where periods are few, because the lines follow the values. The one is given for
    which residuals would show, on average, what these show.

    Parameters
    ----------
    values
        Of shape (n,).
    design
        Columns of the regression.

    Returns
    -------
    float
        In [0, 0.95].
    """
    y, rest = np.asarray(values, dtype=np.float64), _around(np.asarray(design, dtype=np.float64))
    if _on_the_lines(y, rest):
        return 0.0
    shown = float(_neighbours(rest @ y))
    apart = np.abs(np.subtract.outer(np.arange(len(y)), np.arange(len(y))))
    low, high = 0.0, _MOST_CORRELATED
    for _half in range(20):
        middle = (low + high) / 2.0
        spread = rest @ middle**apart @ rest
        low, high = (middle, high) if np.trace(spread, 1) / np.trace(spread) < shown else (low, middle)
    return low


def _largest_lag_one(y: Floats, design: Floats, noise: Floats) -> float:
    """Find the largest correlation under which at least `_RULED_OUT` of series show no more of it than this one."""
    rest = _around(design)
    if _on_the_lines(y, rest):
        return 0.0
    shown = float(_neighbours(rest @ y))
    for correlation in np.linspace(_MOST_CORRELATED, 0.05, 19):
        seen = _neighbours(_autoregressive(noise, correlation) @ rest)
        if np.count_nonzero(seen <= shown) >= _RULED_OUT * len(seen):
            return float(correlation)
    return 0.0


def _around(design: Floats) -> Floats:
    """Give the matrix that takes values to their residuals around the regression, shape (n, n), symmetric."""
    return np.eye(len(design)) - design @ np.linalg.inv(design.T @ design) @ design.T


def _on_the_lines(y: Floats, rest: Floats) -> bool:
    """Tell whether nothing is left around the lines, as far as numbers tell."""
    residuals = rest @ y
    return not residuals @ residuals > 1e-20 * (y @ y)


def _neighbours(residuals: Floats) -> Floats:
    """Correlate each residual with the next, along the last axis."""
    return np.asarray((residuals[..., 1:] * residuals[..., :-1]).sum(-1) / (residuals**2).sum(-1))


def _autoregressive(noise: Floats, correlation: float) -> Floats:
    series = noise.copy()
    fresh = math.sqrt(1.0 - correlation**2)
    for at in range(1, noise.shape[1]):
        series[:, at] = correlation * series[:, at - 1] + fresh * noise[:, at]
    return series


def _calibrated(found: _Fitted, drawn: _Fitted, place: int, alpha: float) -> Estimate:
    sizes = np.abs(drawn.values[:, place] / drawn.errors[:, place])
    value, error = float(found.values[0, place]), float(found.errors[0, place])
    half = float(np.quantile(sizes, 1.0 - alpha)) * error
    p = _rank(abs(value) / error, sizes) if error > 0.0 else float(value == 0.0)
    return Estimate(value, value - half, value + half, p)


def _rank(statistic: float, drawn: Floats) -> float:
    """Give the p-value: how many of the drawn are as large, the observed one counted with them."""
    return float((1 + np.count_nonzero(drawn >= statistic)) / (len(drawn) + 1))


def placebo_dates(values: ArrayLike, before: int, *, lags: int | None = None, alpha: float = 0.05) -> list[float]:
    """Pretend that the start was at each earlier date that leaves enough periods, and use the time before it alone.

    Parameters
    ----------
    values, before, lags, alpha
        As `interrupted`.

    Returns
    -------
    list of float
        The p-value at each pretended date; small ones where there was no start tell against the design.
    """
    earlier = np.asarray(values, dtype=np.float64)[:before]
    dates = range(FEWEST_PERIODS, before - FEWEST_PERIODS + 1)
    return [interrupted(earlier, date, lags=lags, alpha=alpha).p for date in dates]


def differences(treated: ArrayLike, comparison: ArrayLike, before: int, *, alpha: float = 0.05) -> Differences:
    """Compare how much treated and comparison groups changed.

    Each group counts once, by the difference of its means after and before, so that neighbouring periods that resemble
    one another count as no more than they are; the interval is that of a regression over groups.

    Parameters
    ----------
    treated, comparison : array_like, shape (groups, periods)
        Values of the same periods.
    before : int
        Periods before the start; strictly between 0 and the number of periods.
    alpha : float
        1 minus the confidence of the interval.

    Returns
    -------
    Differences
        With fewer than three groups in all there is no interval, and its ends and p are NaN.

    Raises
    ------
    ValueError
        If nothing lies before, or nothing after.
    """
    changes = [_changes(part, before) for part in (treated, comparison)]
    y = np.concatenate(changes)
    if len(y) < 3:
        value = float(changes[0].mean() - changes[1].mean())
        return Differences(Estimate(value, math.nan, math.nan, math.nan), len(changes[0]), len(changes[1]))
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    value, freedom = float(changes[0].mean() - changes[1].mean()), len(y) - 2
    missed = sum(float(((part - part.mean()) ** 2).sum()) for part in changes)
    error = math.sqrt(missed / freedom * (1.0 / len(changes[0]) + 1.0 / len(changes[1])))
    half = float(stdtrit(freedom, 1.0 - alpha / 2.0)) * error
    p = 2.0 * float(stdtr(freedom, -abs(value) / error)) if error > 0.0 else float(value == 0.0)
    return Differences(Estimate(value, value - half, value + half, p), len(changes[0]), len(changes[1]))


def placebo_groups(comparison: ArrayLike, before: int) -> list[float]:
    """Pretend that each comparison group in turn was the treated one, against the others.

    Parameters
    ----------
    comparison, before
        As `differences`.

    Returns
    -------
    list of float
        The effect that each would seem to have; as large as the real one, they tell against it.
    """
    rows = np.asarray(comparison, dtype=np.float64)
    if len(rows) < 2:
        return []
    return [differences(rows[at : at + 1], np.delete(rows, at, axis=0), before).effect.value for at in range(len(rows))]


def _changes(rows: ArrayLike, before: int) -> Floats:
    values = np.asarray(rows, dtype=np.float64)
    if not 0 < before < values.shape[1]:
        raise ValueError("there must be periods before the start and after it")
    return np.asarray(values[:, before:].mean(axis=1) - values[:, :before].mean(axis=1), dtype=np.float64)
