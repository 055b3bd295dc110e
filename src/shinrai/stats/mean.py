"""Sequential test of a mean score against a threshold."""

import math
from collections.abc import Sequence

import numpy as np

from shinrai.stats.betting import BettingRace, Floats, gains_above, gains_below, largest_log_wealth, proven_at
from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints
from shinrai.stats.sequential import (
    Decision,
    Interval,
    TracePoint,
    evidence_from_log,
    require_alpha,
    require_within,
)

__all__ = ["MeanTest", "require_score"]


class MeanTest:
    """Sequential test of the claim "the mean score is at least `at_least`".

    Valid for any distribution on the range, also when scores depend on the past, as long as the mean of each score
    given the past is on one side of the threshold.

    Parameters
    ----------
    at_least
        The threshold, strictly between `lower` and `upper`.
    lower, upper
        True end points of the score. A score outside is refused.
    alpha
        Error level of each verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_alpha", "_highs", "_lower", "_lows", "_race", "_threshold", "_upper")

    def __init__(self, at_least: float, lower: float, upper: float, alpha: float) -> None:
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise ValueError(f"the range of the score is from {lower!r} to {upper!r}; both ends must be finite")
        require_within("the threshold", at_least, lower, upper)
        require_alpha(alpha)
        self._threshold, self._lower, self._upper, self._alpha = at_least, lower, upper, alpha
        self._race = self._new_race()
        self._lows: list[float] = []
        self._highs: list[float] = []

    def _new_race(self) -> BettingRace:
        return BettingRace(self._threshold, self._lower, self._upper, alpha_above=self._alpha, alpha_below=self._alpha)

    def update(self, low: float, high: float) -> None:
        """Take in a score that is at least `low` and at most `high`; a missing one is the whole range.

        Raises
        ------
        ValueError
            If it does not lie in the range of the score.
        """
        require_score(low, high, self._lower, self._upper)
        self._race.update(low, high)
        self._lows.append(low)
        self._highs.append(high)

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        if self._race.above:
            return Decision.MET
        return Decision.VIOLATED if self._race.below else None

    @property
    def n(self) -> int:
        """How many scores came in, missing ones included."""
        return len(self._lows)

    @property
    def evidence_met(self) -> float:
        """The largest e-value against "mean <= threshold", every score at its lowest; at least 1."""
        return evidence_from_log(self._race.log_above)

    @property
    def evidence_violated(self) -> float:
        """The largest e-value against "mean >= threshold", every score at its highest; at least 1."""
        return evidence_from_log(self._race.log_below)

    def estimate(self) -> float | None:
        """Mean of the scores that are not missing; one known to lie in a part of the range counts as its middle."""
        return self._estimates([self.n])[0] if self._lows else None

    def interval(self) -> Interval:
        """Anytime-valid interval of the mean, by inverting this test; the threshold is outside exactly when decided."""
        lower, upper = self._edges()
        return Interval(bound(lower), bound(upper), 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far."""
        if not self._lows:
            return []
        moments = checkpoints(self.n, also=self._race.stops)
        lower, upper = self._edges()
        lows, highs = self._readings()
        met, violated = self._evidence_above(lows), self._evidence_below(highs)
        where, ten = np.asarray(moments) - 1, math.log(10.0)
        columns = zip(
            moments,
            self._estimates(moments),
            bound_path(lower, bound(lower), moments),
            bound_path(upper, bound(upper), moments),
            (met[where] / ten).tolist(),
            (violated[where] / ten).tolist(),
            strict=True,
        )
        return [TracePoint(*column) for column in columns]

    def _readings(self) -> tuple[Floats, Floats]:
        return np.asarray(self._lows, dtype=np.float64), np.asarray(self._highs, dtype=np.float64)

    def _gains(self, x: Floats, threshold: float) -> tuple[Floats, Floats]:
        return gains_above(x, threshold, self._lower), gains_below(x, threshold, self._upper)

    def _proven_above_at(self, x: Floats, threshold: float) -> float:
        return proven_at(*self._gains(x, threshold), self._alpha, self._alpha)

    def _proven_below_at(self, x: Floats, threshold: float) -> float:
        return proven_at(*self._gains(x, threshold)[::-1], self._alpha, self._alpha)

    def _evidence_above(self, x: Floats) -> Floats:
        return largest_log_wealth(*self._gains(x, self._threshold), self._alpha, self._alpha)

    def _evidence_below(self, x: Floats) -> Floats:
        return largest_log_wealth(*self._gains(x, self._threshold)[::-1], self._alpha, self._alpha)

    def _edges(self) -> tuple[Edge, Edge]:
        lows, highs = self._readings()
        tested = (self._threshold,)
        return (
            Edge(lambda m: self._proven_above_at(lows, m), self._lower, self._upper, tested),
            Edge(lambda m: self._proven_below_at(highs, m), self._upper, self._lower, tested),
        )

    def _estimates(self, moments: Sequence[int]) -> list[float | None]:
        lows, highs = self._readings()
        usable = ~((lows == self._lower) & (highs == self._upper))
        totals, counts = np.cumsum(np.where(usable, (lows + highs) / 2.0, 0.0)), np.cumsum(usable)
        where = np.asarray(moments) - 1
        pairs = zip(totals[where].tolist(), counts[where].tolist(), strict=True)
        return [total / count if count else None for total, count in pairs]


def require_score(low: float, high: float, lower: float, upper: float) -> None:
    """Refuse an observation that is not an interval inside the range of the score.

    Raises
    ------
    ValueError
        If ``lower <= low <= high <= upper`` does not hold.
    """
    if not lower <= low <= high <= upper:
        raise ValueError(f"an observation from {low!r} to {high!r} is no interval in the range {lower:g} to {upper:g}")
