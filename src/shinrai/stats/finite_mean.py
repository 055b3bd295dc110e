"""Is the mean score of one finite data set at least so much? Items drawn in random order, without replacement.

The kernel for bounded scores (`shinrai.stats.betting`) with a threshold that moves: if the N items had mean m, those
not yet drawn would have the mean

    m_t = (N m - S) / (N - t + 1)

before draw t, where S is the sum of the scores drawn so far. Each bet is then fair given the past when the order is
uniformly random (Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without replacement"). When m_t
leaves the range of the score, only one answer is possible, and it is proven. A whole data set without a missing score
always ends in a verdict.

Unlike in the test with replacement, the evidence depends on the order of the scores, not only on their values.
"""

import math

import numpy as np

from shinrai.stats.betting import BettingRace, Floats, Run, log_wealth
from shinrai.stats.mean import MeanTest
from shinrai.stats.sequential import LARGEST_LOG, Side

__all__ = ["FinitePopulationMeanTest"]

_TIE = 1e-9  # of the range: a mean this close to the threshold equals it, for sums of decimals are not exact


class FinitePopulationMeanTest(MeanTest):
    """Sequential test of the claim "the mean score of this data set is at least `at_least`".

    The items must come in a random order that was fixed before the first answer was seen. The verdict is about these
    items; a claim about the traffic behind them needs `MeanTest`.

    Parameters
    ----------
    at_least
        The threshold, strictly between `lower` and `upper`. A mean within a billionth of the range equals it.
    lower, upper
        True end points of the score. A score outside is refused.
    alpha
        Error level of each verdict, in (0, 0.5].
    population
        Number of items in the data set, at least 1. After the last one there is a verdict, unless it depends on what
        is missing.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_population",)

    def __init__(self, at_least: float, lower: float, upper: float, alpha: float, population: int) -> None:
        if population < 1:
            raise ValueError(f"the data set has {population} items; a test needs at least one")
        self._population = population
        super().__init__(at_least, lower, upper, alpha)

    def update(self, low: float, high: float) -> None:
        """Take in a score that is at least `low` and at most `high`; a missing one is the whole range.

        Raises
        ------
        ValueError
            If it does not lie in the range of the score, or all items came in before.
        """
        if self.n == self._population:
            raise ValueError(f"the data set has {self.n} items, and observation {self.n + 1} came in")
        super().update(low, high)

    def _new_race(self) -> BettingRace:
        return _FiniteRace(self._threshold, self._lower, self._upper, alpha=self._alpha, population=self._population)

    def _proven_above_at(self, x: Floats, threshold: float) -> float:
        above, below = self._log_paths(x, threshold)
        return _first_at(above, below, self._alpha)

    def _proven_below_at(self, x: Floats, threshold: float) -> float:
        above, below = self._log_paths(x, threshold)
        return _first_at(below, above, self._alpha)

    def _evidence_above(self, x: Floats) -> Floats:
        above, below = self._log_paths(x, self._threshold)
        return _largest(above, below, self._alpha)

    def _evidence_below(self, x: Floats) -> Floats:
        above, below = self._log_paths(x, self._threshold)
        return _largest(below, above, self._alpha)

    def _log_paths(self, x: Floats, threshold: float) -> tuple[Floats, Floats]:
        """Log evidence for "above" and for "below" after each observation, each of shape (n,)."""
        size, slack = self._population, _TIE * (self._upper - self._lower)
        left = size - np.arange(1, x.size + 1)
        total = np.cumsum(x)
        null = (size * threshold - np.concatenate(([0.0], total[:-1]))) / (left + 1)
        # Where the floor of a distance matters, the answer is certain, and the line below replaces the evidence.
        above = log_wealth((x - null) / np.maximum(null - self._lower, slack))
        below = log_wealth(np.maximum((null - x) / np.maximum(self._upper - null, slack), -1.0))
        needed = size * threshold - total
        # Rounding may not decide early: the tie counts for "above" only once nothing is left.
        sure = needed - left * self._lower <= np.where(left == 0, size * slack, -size * slack)
        above[np.maximum.accumulate(sure)] = LARGEST_LOG
        below[np.maximum.accumulate(needed - left * self._upper > size * slack)] = LARGEST_LOG
        return above, below


class _FiniteRace(BettingRace):
    """The race of `BettingRace` with the moving threshold of a finite data set."""

    __slots__ = ("_lower", "_population", "_size_times_threshold", "_slack", "_upper")

    def __init__(self, threshold: float, lower: float, upper: float, *, alpha: float, population: int) -> None:
        super().__init__(threshold, lower, upper, alpha_above=alpha, alpha_below=alpha)
        self._lower, self._upper, self._population = lower, upper, population
        self._size_times_threshold = population * threshold
        self._slack = _TIE * (upper - lower)

    def _settle(self, run: Run, x: float) -> None:
        left, slack = self._population - self._n, self._population * self._slack
        before = self._size_times_threshold - run.total
        null = before / (left + 1)
        run.total += x
        needed = self._size_times_threshold - run.total
        if run.side is not Side.BELOW:
            if needed - left * self._lower <= (slack if left == 0 else -slack):
                run.above.peak = LARGEST_LOG
            else:
                run.above.stake((x - null) / max(null - self._lower, self._slack))
        if run.side is not Side.ABOVE:
            if needed - left * self._upper > slack:
                run.below.peak = LARGEST_LOG
            else:
                run.below.stake(max((null - x) / max(self._upper - null, self._slack), -1.0))
        self._decide(run)


def _first_at(path: Floats, other: Floats, alpha: float) -> float:
    """Index, from 1, at which one side was proven, unless the other was proven before; infinity if not."""
    this_at, other_at = _crossing(path, alpha), _crossing(other, alpha)
    return this_at if this_at < other_at else math.inf


def _largest(path: Floats, other: Floats, alpha: float) -> Floats:
    """Largest log evidence so far; it stands still once the other side was proven first."""
    running = np.maximum(np.maximum.accumulate(path), 0.0)
    stop = _first_at(other, path, alpha)
    if math.isfinite(stop):
        running[int(stop) :] = running[int(stop) - 1]
    return running


def _crossing(path: Floats, alpha: float) -> float:
    reached = np.flatnonzero(path >= -math.log(alpha))
    return float(reached[0]) + 1.0 if reached.size else math.inf
