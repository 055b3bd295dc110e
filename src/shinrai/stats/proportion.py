"""Is a failure rate at most so much? The sequential test on the evidence of `shinrai.stats.rates`."""

import math
from collections.abc import Sequence

from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints
from shinrai.stats.race import RateRace
from shinrai.stats.sequential import Decision, Interval, TracePoint, evidence_from_log, require_within
from shinrai.stats.stopping import BINOMIAL, RateModel

__all__ = ["LimitTest", "ProportionTest", "borderline_range"]


def borderline_range(limit: float, factor: float = 2.0) -> tuple[float, float]:
    """Give the rates that count as close to a limit.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    factor
        How far the rate may be from the limit, as a ratio above 1.

    Returns
    -------
    tuple of float
        ``max(p/g, 1 - g (1 - p))`` and ``min(g p, 1 - (1 - p)/g)`` for limit p and factor g. For limits up to
        ``1/(1 + g)`` these are p/g and g p. Above, where g p would be near 1 or beyond it, the pass rate is scaled
        instead; the range always lies inside p/g to g p.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_within("the factor", factor, 1.0, math.inf)
    return (
        max(limit / factor, 1.0 - factor * (1.0 - limit)),
        min(factor * limit, 1.0 - (1.0 - limit) / factor),
    )


class LimitTest:
    """The part that the tests of "the failure rate is at most `limit`" share, whatever makes the failures.

    Parameters
    ----------
    limit, alpha, horizon
        As in `ProportionTest`.
    model
        How failures come about.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_alpha", "_found", "_found_at", "_limit", "_race")

    def __init__(self, limit: float, alpha: float, horizon: int, model: RateModel) -> None:
        self._limit = limit
        self._alpha = alpha
        self._race = RateRace(limit, alpha_below=alpha, alpha_above=alpha, horizon=horizon, model=model)
        self._found, self._found_at = (0.0, 1.0), -1

    def update(self, low: float, high: float) -> None:
        """Take in a trial: (0, 0) passed, (1, 1) failed, (0, 1) missing.

        Raises
        ------
        ValueError
            If it is none of the three, or the horizon was reached before.
        """
        self._race.update(low, high)

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        if self._race.below:
            return Decision.MET
        return Decision.VIOLATED if self._race.above else None

    @property
    def n(self) -> int:
        """How many trials came in, missing ones included."""
        return self._race.n

    @property
    def evidence_met(self) -> float:
        """The largest e-value against "rate >= limit", every missing trial counted as a failure; at least 1."""
        return evidence_from_log(self._race.log_below([self.n])[0])

    @property
    def evidence_violated(self) -> float:
        """The largest e-value against "rate <= limit", every missing trial counted as a pass; at least 1."""
        return evidence_from_log(self._race.log_above([self.n])[0])

    def estimate(self) -> float | None:
        """Failures as a share of the trials that are known; None if none is known."""
        return self._race.estimate_at(self.n)

    def interval(self) -> Interval:
        """Anytime-valid interval of the failure rate, by inverting this test."""
        return Interval(*self._bounds_now(), 1.0 - 2.0 * self._alpha)

    @property
    def borderline(self) -> bool:
        """Whether no verdict is reached, but the rate is proven to lie inside `borderline_range` of the limit.

        The rate can be on one side of that range only, so that one of the two proofs at most can be wrong, and the
        error level of the statement is alpha, without a correction. Missing trials can never make it true.
        """
        if self.decision is not None:
            return False
        race, (low, high) = self._race, borderline_range(self._limit)
        above, below = race.proven_above_at(race.best_path(), low), race.proven_below_at(race.worst_path(), high)
        return math.isfinite(above) and math.isfinite(below)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far."""
        moments = checkpoints(self.n, also=self._race.stops)
        lower, upper = self._edges(moments)
        last_lower, last_upper = self._bounds_now()
        columns = zip(
            moments,
            bound_path(lower, last_lower, moments),
            bound_path(upper, last_upper, moments),
            self._race.log_below(moments),
            self._race.log_above(moments),
            strict=True,
        )
        ten = math.log(10.0)
        return [
            TracePoint(n, self._race.estimate_at(n), low, high, met / ten, violated / ten)
            for n, low, high, met, violated in columns
        ]

    def _bounds_now(self) -> tuple[float, float]:
        """Give the bounds after the last trial. The path through them asks again for what the interval has found."""
        if self._found_at != self.n:
            self._found, self._found_at = self._bounds(*self._edges([])), self.n
        return self._found

    def _edges(self, moments: Sequence[int]) -> tuple[Edge, Edge]:
        race, best, worst = self._race, self._race.best_path(moments), self._race.worst_path(moments)
        return (
            Edge(lambda threshold: race.proven_above_at(best, threshold), 0.0, 1.0, (self._limit,)),
            Edge(lambda threshold: race.proven_below_at(worst, threshold), 1.0, 0.0, (self._limit,)),
        )

    def _bounds(self, lower: Edge, upper: Edge) -> tuple[float, float]:
        return bound(lower), bound(upper)


class ProportionTest(LimitTest):
    """Sequential test of the claim "the failure rate is at most `limit`" about traffic that the trials are drawn from.

    For a claim about one finite data set use `FinitePopulationTest`.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1. For "the pass rate is at least x" give ``1 - x``.
    alpha
        Error level of each verdict, in (0, 0.5]. Only one of the two verdicts can be wrong, so it is not split.
    horizon
        Largest number of trials.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> test = ProportionTest(0.1, 0.05, 200)
    >>> for _ in range(41):
    ...     test.update(0, 0)
    >>> test.decision
    <Decision.MET: 'met'>
    """

    __slots__ = ()

    def __init__(self, limit: float, alpha: float, horizon: int) -> None:
        super().__init__(limit, alpha, horizon, BINOMIAL)
