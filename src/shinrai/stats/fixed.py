"""Exact answers for one look at a fixed number of trials (Clopper and Pearson 1934).

For observations that state their n, such as a published survey, and for comparison with the sequential tests. Looking
more than once, or choosing n by the results, voids them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.sequential import Interval, require_alpha, require_within

__all__ = ["binomial_interval", "fixed_sample_size", "hypergeometric_interval"]

_KEPT = 30  # teeth of the saw above the wanted power, in a row, before it counts as kept


def binomial_interval(events: int, n: int, level: float = 0.95) -> Interval:
    """Exact two-sided interval of a proportion (Clopper and Pearson 1934).

    Parameters
    ----------
    events
        Number of events, ``0 <= events <= n``.
    n
        Number of trials, at least 1.
    level
        Confidence level, strictly between 0 and 1.

    Returns
    -------
    Interval
        Bounds in [0, 1]; 0 when there was no event, 1 when there was nothing else.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    require_within("the level", level, 0.0, 1.0)
    if n < 1 or not 0 <= events <= n:
        raise ValueError(f"{events} events in {n} trials: n must be at least 1, and the events from 0 to n")
    tail = (1.0 - level) / 2.0
    lower = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    upper = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1.0 - tail))
    return Interval(lower, upper, level)


def hypergeometric_interval(events: int, n: int, size: int, level: float = 0.95) -> Interval:
    """Exact two-sided interval of the proportion in a finite population, from a sample without replacement.

    Each bound is the most (the fewest) events that the population can hold before a sample with as few (as many) has
    a chance of at most ``(1 - level) / 2`` (Wright 1991, *Exact confidence bounds when sampling from small finite
    universes*).

    Parameters
    ----------
    events
        Number of events in the sample, ``0 <= events <= n``.
    n
        Size of the sample, ``1 <= n <= size``.
    size
        Number of units in the population.
    level
        Confidence level, strictly between 0 and 1.

    Returns
    -------
    Interval
        Bounds in [0, 1], in steps of ``1 / size``. A sample of the whole population has both at the proportion.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the level", level, 0.0, 1.0)
    if not 1 <= n <= size or not 0 <= events <= n:
        raise ValueError(
            f"{events} events in {n} of {size} units: a sample has 1 unit at least and all of them at most"
        )
    tail = (1.0 - level) / 2.0
    passes = n - events
    most = _most_events(events, n, size, tail)
    fewest = size - _most_events(passes, n, size, tail)
    return Interval(fewest / size, most / size, level)


def _most_events(events: int, n: int, size: int, tail: float) -> int:
    """Find the largest number of events in the population with which at most `events` in the sample are likely."""

    def too_many(total: int) -> bool:
        return _at_most(events, n, total, size) <= tail

    ceiling = size - (n - events)
    return ceiling if not too_many(ceiling) else _first(too_many, max(1, events)) - 1


def _at_most(events: int, n: int, total: int, size: int) -> float:
    """Chance of at most `events` among `n` units drawn from `size` of which `total` are events."""
    least, most = max(0, n - (size - total)), min(n, total)
    if events >= most:
        return 1.0
    if events < least:
        return 0.0
    found = np.arange(least, most + 1)
    logs = _log_choose(total, found) + _log_choose(size - total, n - found)
    weights = np.exp(logs - logs.max())
    return float(weights[: events - least + 1].sum() / weights.sum())


def _log_choose(pool: int, taken: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import gammaln  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    return np.asarray(gammaln(pool + 1) - gammaln(taken + 1) - gammaln(pool - taken + 1), dtype=np.float64)


def fixed_sample_size(limit: float, alpha: float, margin: float = 0.5, power: float = 0.9) -> int:
    """Trials that a fixed-size exact test needs, to say how many calls a sequential test saved.

    Parameters
    ----------
    limit
        Limit of the claim "failure rate <= limit", strictly between 0 and 1.
    alpha
        Error level of the one-sided test, in (0, 0.5].
    margin
        True rate as a multiple of the limit. Under 1: trials to prove that the rate is below the limit. Over 1: to
        prove that it is above.
    power
        Probability of the proof at that rate, strictly between 0 and 1.

    Returns
    -------
    int
        The number of trials from which on the power is reached. (The power of an exact test is a saw-tooth: a few
        smaller numbers may reach it too.)

    Raises
    ------
    ValueError
        If an argument is outside its range, `margin` is 1, or ``margin * limit`` is not below 1.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    require_within("the power", power, 0.0, 1.0)
    require_within("margin times limit", margin * limit, 0.0, 1.0)
    if margin == 1.0:
        raise ValueError("margin is 1: no number of trials tells a rate from itself")
    if margin > 1.0:
        return _trials_to_prove_above(limit, alpha, margin * limit, power)
    return _trials_to_prove_below(limit, alpha, margin * limit, power)


def _trials_to_prove_below(limit: float, alpha: float, rate: float, power: float) -> int:
    from scipy.special import bdtr  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    def first_with(allowed: int, start: int) -> int:
        """Find the fewest trials in which `allowed` failures still prove "below the limit"."""
        return _first(lambda trials: bool(bdtr(allowed, trials, limit) <= alpha), max(start, allowed + 1))

    allowed, begin, answer, kept = 0, first_with(0, 1), 1, 0
    while kept < _KEPT:
        following = first_with(allowed + 1, begin)
        # With the same number of allowed failures, every further trial costs power.
        if bdtr(allowed, following - 1, rate) >= power:
            kept += 1
        else:
            answer, kept = following, 0
        allowed, begin = allowed + 1, following
    return answer


def _trials_to_prove_above(limit: float, alpha: float, rate: float, power: float) -> int:
    from scipy.special import bdtrc  # noqa: PLC0415 - scipy is slow to import, and few callers need it

    def first_without(needed: int, start: int) -> int:
        """Find the fewest trials in which `needed` failures no longer prove "above the limit"."""
        return _first(lambda trials: bool(bdtrc(needed - 1, trials, limit) > alpha), start)

    def first_powerful(needed: int, start: int) -> int:
        return _first(lambda trials: bool(bdtrc(needed - 1, trials, rate) >= power), start)

    needed, begin, answer, kept = 1, 1, 1, 0
    while kept < _KEPT:
        following = first_without(needed, max(begin, needed))
        # With the same number of needed failures, every further trial adds power.
        if following == begin or bdtrc(needed - 1, begin, rate) >= power:
            kept += 1
        else:
            answer, kept = min(first_powerful(needed, begin), following), 0
        needed, begin = needed + 1, following
    return answer


def _first(holds: Callable[[int], bool], start: int) -> int:
    """Smallest number from `start` on for which a condition holds that, once true, stays true."""
    too_small, enough = start - 1, start
    while not holds(enough):
        too_small, enough = enough, 2 * enough
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        if holds(middle):
            enough = middle
        else:
            too_small = middle
    return enough
