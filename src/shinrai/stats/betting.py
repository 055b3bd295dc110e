"""The kernel for bounded scores: eight fixed bets against a mean.

For a score x in [lower, upper] and a threshold m, each bet c in `BETS` multiplies its wealth by

    1 + c (x - m) / (m - lower)     betting that the mean is above m
    1 + c (m - x) / (upper - m)     betting that the mean is below m

The factor is never negative and its conditional mean is at most 1 when the bet is wrong. The mean wealth of the
eight is therefore an e-process (Waudby-Smith and Ramdas 2024, JRSS B, "Estimating means of bounded random variables
by betting"; the equal mixture is a discrete universal portfolio, Orabona and Jun 2024). It does not depend on the
order of the scores. Wealth is kept as its logarithm: products leave the range of a double in long runs.
"""

import math

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.sequential import Side, require_alpha

__all__ = [
    "BETS",
    "BettingRace",
    "Floats",
    "Run",
    "Wealth",
    "gains_above",
    "gains_below",
    "largest_log_wealth",
    "log_wealth",
    "proven_at",
]

BETS = (0.99, 0.7, 0.45, 0.28, 0.16, 0.08, 0.04, 0.015)
"""Share of the wealth at stake in each bet."""

_LOG_BETS = math.log(len(BETS))

Floats = NDArray[np.float64]


def gains_above(x: Floats, threshold: float, lower: float) -> Floats:
    """Compute what a stake of 1 on "above the threshold" wins, at least -1, for scores of any shape."""
    return (x - threshold) / (threshold - lower)


def gains_below(x: Floats, threshold: float, upper: float) -> Floats:
    """Compute what a stake of 1 on "below the threshold" wins, at least -1, for scores of any shape."""
    return (threshold - x) / (upper - threshold)


def log_wealth(gains: Floats) -> Floats:
    """Log of the mean wealth of the eight bets after each observation.

    Parameters
    ----------
    gains
        Gains of a stake of 1, at least -1; observations along the last axis.

    Returns
    -------
    numpy.ndarray
        Natural logarithm of the e-process, same shape.
    """
    return _log_mean(_log_paths(gains))


def proven_at(gains: Floats, other: Floats, alpha: float, alpha_other: float) -> float:
    """Find when one side was proven, unless the other was proven before.

    Parameters
    ----------
    gains, other
        Gains of the stakes on this side and on the other, one per observation, shape (n,).
    alpha, alpha_other
        Error level of each side.

    Returns
    -------
    float
        Index of the observation, from 1; infinity where not proven, or not first.
    """
    proven = _first_at(gains, alpha)
    if math.isinf(proven):
        return math.inf
    # A gain on one side is a loss on the other: the two cannot cross at the same observation.
    return math.inf if math.isfinite(_first_at(other[: int(proven)], alpha_other)) else proven


def largest_log_wealth(gains: Floats, other: Floats, alpha: float, alpha_other: float) -> Floats:
    """Largest log evidence so far after each observation, at least 0.

    It stands still from the moment at which the other side was proven before this one.

    Parameters
    ----------
    gains, other
        Gains of the stakes on this side and on the other, shape (n,).
    alpha, alpha_other
        Error level of each side.

    Returns
    -------
    numpy.ndarray
        Natural logarithms, shape (n,), never falling.
    """
    running = np.maximum(np.maximum.accumulate(log_wealth(gains)), 0.0)
    stop = proven_at(other, gains, alpha_other, alpha)
    if math.isfinite(stop):
        running[int(stop) :] = running[int(stop) - 1]
    return running


class Wealth:
    """The eight bets on one side, one observation at a time."""

    __slots__ = ("_logs", "peak")

    def __init__(self) -> None:
        self._logs = [0.0] * len(BETS)
        self.peak = 0.0
        """Largest log of the mean wealth so far."""

    def stake(self, gain: float) -> None:
        """Settle the bets on one observation that gained `gain` (at least -1) on a stake of 1."""
        log1p = math.log1p
        self._logs = logs = [log + log1p(bet * gain) for log, bet in zip(self._logs, BETS, strict=True)]
        best = max(logs)
        # The mean is at most the best, so that most observations need no exponentials.
        if best > self.peak:
            mean = best + math.log(sum(math.exp(log - best) for log in logs)) - _LOG_BETS
            self.peak = max(self.peak, mean)

    def copy(self) -> "Wealth":
        """Make an independent copy."""
        twin = Wealth()
        twin._logs, twin.peak = list(self._logs), self.peak
        return twin


class Run:
    """A classical sequential test on one reading of the observations; it stops at its first answer."""

    __slots__ = ("above", "below", "side", "stop", "total")

    def __init__(self) -> None:
        self.above = Wealth()
        self.below = Wealth()
        self.side: Side | None = None
        self.stop = 0
        self.total = 0.0
        """Sum of the scores, kept where they are drawn without replacement."""

    def copy(self) -> "Run":
        """Make an independent copy."""
        twin = Run()
        twin.above, twin.below, twin.side, twin.stop = self.above.copy(), self.below.copy(), self.side, self.stop
        twin.total = self.total
        return twin


class BettingRace:
    """Which is proven first, that a mean lies above a threshold or below it? The part that score tests share.

    Parameters
    ----------
    threshold
        The threshold, strictly between `lower` and `upper`.
    lower, upper
        Range of the scores.
    alpha_above, alpha_below
        Error level of each of the two answers, in (0, 0.5].
    """

    __slots__ = ("_high", "_log_above", "_log_below", "_low", "_n", "_threshold", "_to_lower", "_to_upper")

    def __init__(self, threshold: float, lower: float, upper: float, *, alpha_above: float, alpha_below: float) -> None:
        require_alpha(alpha_above)
        require_alpha(alpha_below)
        self._threshold = threshold
        self._to_lower = threshold - lower
        self._to_upper = upper - threshold
        self._log_above = -math.log(alpha_above)
        self._log_below = -math.log(alpha_below)
        self._n = 0
        self._low = self._high = Run()  # one and the same until an observation is not known exactly

    def update(self, low: float, high: float) -> None:
        """Take in a score that is at least `low` and at most `high`; both must be in the range."""
        if low < high and self._low is self._high:
            self._high = self._low.copy()
        self._n += 1
        self._settle(self._low, low)
        if self._high is not self._low:
            self._settle(self._high, high)

    def _settle(self, run: Run, x: float) -> None:
        distance = x - self._threshold
        if run.side is not Side.BELOW:
            run.above.stake(distance / self._to_lower)
        if run.side is not Side.ABOVE:
            run.below.stake(-distance / self._to_upper)
        self._decide(run)

    def _decide(self, run: Run) -> None:
        if run.side is None:
            if run.above.peak >= self._log_above:
                run.side, run.stop = Side.ABOVE, self._n
            elif run.below.peak >= self._log_below:
                run.side, run.stop = Side.BELOW, self._n

    @property
    def above(self) -> bool:
        """Whether "above the threshold" is proven, whatever the unknown scores were."""
        return self._low.side is Side.ABOVE

    @property
    def below(self) -> bool:
        """Whether "below the threshold" is proven, whatever the unknown scores were."""
        return self._high.side is Side.BELOW

    @property
    def stops(self) -> tuple[int, ...]:
        """Indices of the observations at which an answer was proven."""
        return (self._low.stop,) * self.above + (self._high.stop,) * self.below

    @property
    def log_above(self) -> float:
        """Largest log evidence for "above", on the lowest reading of the scores."""
        return self._low.above.peak

    @property
    def log_below(self) -> float:
        """Largest log evidence for "below", on the highest reading of the scores."""
        return self._high.below.peak


def _first_at(gains: Floats, alpha: float) -> float:
    """Index, from 1, of the first observation with a mean wealth of at least 1/alpha; infinity if there is none."""
    needed = -math.log(alpha)
    paths = _log_paths(gains)
    # The mean is at most the best: only where the best is enough need the exponentials be taken.
    possible = np.flatnonzero(paths.max(axis=0) >= needed)
    reached = possible[_log_mean(paths[:, possible]) >= needed]
    return float(reached[0]) + 1.0 if reached.size else math.inf


def _log_paths(gains: Floats) -> Floats:
    """Log wealth of each bet after each observation, shape (bets, ..., n)."""
    return np.stack([np.cumsum(np.log1p(bet * gains), axis=-1) for bet in BETS])


def _log_mean(paths: Floats) -> Floats:
    largest = paths.max(axis=0)
    return np.asarray(largest + np.log(np.exp(paths - largest).mean(axis=0)))
