"""Does a rate lie inside a band? Two proportion tests, one for each edge.

Which correction is needed
--------------------------
*Met* says that the rate is above the lower edge **and** below the upper edge. If the claim is false, at least one of
the two is false, and saying it has probability at most alpha. Each edge is tested at alpha, without any correction
(intersection-union, Berger 1982).

*Violated* says that the rate is under the lower edge **or** over the upper edge. If the claim is true, both are
false, and either could be said by mistake. In a narrow band the two mistakes can add up, so each is tested at
alpha / 2 (Bonferroni); the evidence shown is halved instead, so that it is still compared with 1/alpha.
"""

import math
from collections.abc import Sequence

from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints
from shinrai.stats.race import RateRace
from shinrai.stats.sequential import Decision, Interval, TracePoint, evidence_from_log, require_alpha

__all__ = ["BandTest"]


class BandTest:
    """Sequential test of the claim "the rate lies between `low` and `high`".

    Parameters
    ----------
    low, high
        Edges of the band, ``0 < low < high < 1``.
    alpha
        Error level of each verdict, in (0, 0.5].
    horizon
        Largest number of trials.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_alpha", "_edge_high", "_edge_low", "_high", "_low")

    def __init__(self, low: float, high: float, alpha: float, horizon: int) -> None:
        require_alpha(alpha)
        if not low < high:
            raise ValueError(f"the band goes from {low!r} to {high!r}; its lower edge must be the smaller one")
        self._low, self._high, self._alpha = low, high, alpha
        self._edge_low = RateRace(low, alpha_below=alpha / 2.0, alpha_above=alpha, horizon=horizon)
        self._edge_high = RateRace(high, alpha_below=alpha, alpha_above=alpha / 2.0, horizon=horizon)

    def update(self, low: float, high: float) -> None:
        """Take in a trial: (0, 0) no event, (1, 1) event, (0, 1) missing.

        Raises
        ------
        ValueError
            If it is none of the three, or the horizon was reached before.
        """
        self._edge_low.update(low, high)
        self._edge_high.update(low, high)

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        if self._edge_low.above and self._edge_high.below:
            return Decision.MET
        return Decision.VIOLATED if self._edge_low.below or self._edge_high.above else None

    @property
    def n(self) -> int:
        """How many trials came in, missing ones included."""
        return self._edge_low.n

    @property
    def evidence_met(self) -> float:
        """The weaker of the two e-values for "above the lower edge" and "below the upper edge"."""
        return evidence_from_log(self._log_met([self.n])[0])

    @property
    def evidence_violated(self) -> float:
        """Half the stronger of the two e-values for "under the lower edge" and "over the upper edge"."""
        return evidence_from_log(self._log_violated([self.n])[0])

    def estimate(self) -> float | None:
        """Events as a share of the trials that are known; None if none is known."""
        return self._edge_low.estimate_at(self.n)

    def interval(self) -> Interval:
        """Anytime-valid interval of the rate. Met: it lies inside the band. Violated: outside. Undecided: neither.

        Each bound is tested at alpha inside the band and at alpha / 2 beyond its far edge, like the verdict. Until the
        stricter level is reached there, the bound waits just before that edge.
        """
        lower, upper = self._edges([])
        # Only crossed if a drift made the trials exclude all rates: both bounds then lie inside the band, and so does
        # what is between them.
        bounds = sorted((bound(lower), bound(upper)))
        return Interval(bounds[0], bounds[1], 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far."""
        moments = checkpoints(self.n, also=(*self._edge_low.stops, *self._edge_high.stops))
        lower, upper = self._edges(moments)
        columns = zip(
            moments,
            bound_path(lower, bound(lower), moments),
            bound_path(upper, bound(upper), moments),
            self._log_met(moments),
            self._log_violated(moments),
            strict=True,
        )
        ten = math.log(10.0)
        return [
            TracePoint(n, self._edge_low.estimate_at(n), min(low, high), max(low, high), met / ten, violated / ten)
            for n, low, high, met, violated in columns
        ]

    def _log_met(self, moments: Sequence[int]) -> list[float]:
        return list(map(min, self._edge_low.log_above(moments), self._edge_high.log_below(moments)))

    def _log_violated(self, moments: Sequence[int]) -> list[float]:
        stronger = map(max, self._edge_low.log_below(moments), self._edge_high.log_above(moments))
        return [evidence - math.log(2.0) for evidence in stronger]

    def _edges(self, moments: Sequence[int]) -> tuple[Edge, Edge]:
        best, worst = self._edge_low.best_path(moments), self._edge_low.worst_path(moments)

        def above(threshold: float) -> float:
            race = self._edge_high if threshold >= self._high else self._edge_low
            return race.proven_above_at(best, threshold)

        def below(threshold: float) -> float:
            race = self._edge_low if threshold <= self._low else self._edge_high
            return race.proven_below_at(worst, threshold)

        tested = (self._low, self._high)
        return Edge(above, 0.0, 1.0, tested), Edge(below, 1.0, 0.0, tested)
