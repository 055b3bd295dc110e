"""Exact answers for one look at a fixed number of trials (Clopper and Pearson 1934).

For observations that state their n, such as a published survey, and for comparison with the sequential tests. Looking
more than once, or choosing n by the results, voids them.
"""

from collections.abc import Callable

from shinrai.stats.sequential import Interval, require_alpha, require_within

__all__ = ["binomial_interval", "fixed_sample_size"]

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
