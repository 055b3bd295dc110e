"""Is a failure rate at most so much? One-sided grid-mixture likelihood ratios with integer stopping tables.

The evidence that the rate lies below a limit ``m`` after ``s`` failures in ``n`` trials is

    E(n, s) = mean over k of (q_k / m)^s * ((1 - q_k) / (1 - m))^(n - s)

with alternatives ``q_k < m`` (mixtures of likelihood ratios: Robbins 1970); the evidence that it lies above uses
``q_k > m``. By Ville's inequality (1939) the chance that E ever reaches 1/alpha while the rate is on the other side
is at most alpha, with a look after every trial and for trials that depend on the past. E depends on the counts
alone, so that the whole rule is two integers for each n.

The alternatives are ``max(r m, 1 - t (1 - m))`` below and ``min(r m, 1 - t (1 - m))`` above: scaling the failure
rate by r suits small limits, scaling the pass rate by t suits large ones. Both ratios in E move in one direction in
m for every pair, therefore so does E, and inverting the test gives an interval without holes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints
from shinrai.stats.sequential import (
    Decision,
    Interval,
    Side,
    TracePoint,
    evidence_from_log,
    require_alpha,
    require_within,
)

__all__ = [
    "BINOMIAL",
    "LOG_OF_ZERO",
    "FailurePath",
    "LimitTest",
    "ProportionTest",
    "RateModel",
    "RateRace",
    "StoppingTable",
    "alternatives_above",
    "alternatives_below",
    "borderline_range",
    "log_evidence_above",
    "log_evidence_below",
    "log_mean",
    "require_horizon",
    "smallest_clean_sample",
    "stopping_table",
]

# Pairs (r, t). Below one half the first set is r = 0, 0.1, ... 0.9. In the second, a large r that does not fit
# under 1 turns, by its t, into an alternative close to the limit, where slow decisions need it most.
_RATIOS_BELOW = np.array(
    [
        *[(0.9, 1.1), (0.8, 1.2), (0.7, 1.35), (0.6, 1.5), (0.5, 1.75)],
        *[(0.4, 2.0), (0.3, 2.5), (0.2, 4.0), (0.1, 9.0), (0.0, 40.0)],
    ]
)
_RATIOS_ABOVE = np.array(
    [
        *[(1.1, 0.9), (1.2, 0.8), (1.35, 0.65), (1.5, 0.5), (1.75, 0.25)],
        *[(2.0, 0.1), (2.5, 0.0), (3.0, 0.3), (4.0, 0.4), (6.0, 0.6)],
        *[(9.0, 0.7), (14.0, 0.8), (20.0, 0.9), (40.0, 0.95), (80.0, 0.98)],
    ]
)
_AT_ONCE = 16_384  # pairs of counts whose evidence is computed together
LOG_OF_ZERO = -1e15  # finite: an impossible outcome that did not happen must weigh 0, not 0 * -inf = nan
_READINGS = {(0.0, 0.0): (False, False), (0.0, 1.0): (False, True), (1.0, 1.0): (True, True)}


@dataclass(frozen=True, slots=True)
class StoppingTable:
    """When to stop, by the number of failures.

    Attributes
    ----------
    met
        ``met[n]``: after n trials the claim is met when there were at most so many failures; -1 where none is few
        enough.
    violated
        ``violated[n]``: after n trials the claim is violated when there were at least so many failures; n + 1 where
        none is enough. Both have one entry for each n from 0 to the horizon.
    """

    met: tuple[int, ...]
    violated: tuple[int, ...]

    @property
    def can_be_met(self) -> bool:
        """Whether some outcome within the horizon proves the claim. If not, warn before the first trial."""
        return self.met[-1] >= 0

    @property
    def can_be_violated(self) -> bool:
        """Whether some outcome within the horizon proves that the claim does not hold."""
        return self.violated[-1] < len(self.violated)


class RateModel(Protocol):
    """How failures come about, and with it the evidence: by chance at a rate, or as a share of a finite data set.

    Both kinds of evidence must move in one direction in the number of failures, in the number of passes and in the
    limit, so that the tables are integers and the interval has no holes.
    """

    def log_below(self, n: ArrayLike, failures: ArrayLike, limit: float) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that the rate lies below `limit` (or at it, where that is no error)."""

    def log_above(self, n: ArrayLike, failures: ArrayLike, limit: float) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that the rate lies above `limit`."""

    def table(self, limit: float, alpha: float, horizon: int) -> StoppingTable:
        """Give the stopping table up to `horizon` trials."""

    def __hash__(self) -> int:
        """Equal models share what was computed for them."""


def log_evidence_below(n: ArrayLike, failures: ArrayLike, limit: float) -> NDArray[np.float64]:
    """Natural logarithm of the evidence that the failure rate lies below `limit`.

    Parameters
    ----------
    n, failures
        Counts that broadcast together, ``0 <= failures <= n``.
    limit
        The limit, strictly between 0 and 1.

    Returns
    -------
    numpy.ndarray
        The logarithm of an e-value against "rate >= limit" for each pair of counts; falls with `failures`.
    """
    return _log_mixture(np.asarray(n), np.asarray(failures), limit, alternatives_below(limit, 1.0))


def log_evidence_above(n: ArrayLike, failures: ArrayLike, limit: float) -> NDArray[np.float64]:
    """Natural logarithm of the evidence that the failure rate lies above `limit`.

    Parameters
    ----------
    n, failures
        Counts that broadcast together, ``0 <= failures <= n``.
    limit
        The limit, strictly between 0 and 1.

    Returns
    -------
    numpy.ndarray
        The logarithm of an e-value against "rate <= limit" for each pair of counts; rises with `failures`.
    """
    return _log_mixture(np.asarray(n), np.asarray(failures), limit, alternatives_above(limit, 1.0))


def alternatives_below(limit: float, whole: float) -> NDArray[np.float64]:
    """Give the ten alternatives below a limit, both counted in parts of `whole` (1 for rates, N for items)."""
    r, t = _RATIOS_BELOW.T
    return np.asarray(np.maximum(r * limit, whole - t * (whole - limit)))


def alternatives_above(limit: float, whole: float) -> NDArray[np.float64]:
    """Give the fifteen alternatives above a limit, both counted in parts of `whole` (1 for rates, N for items)."""
    r, t = _RATIOS_ABOVE.T
    return np.asarray(np.minimum(r * limit, whole - t * (whole - limit)))


@lru_cache(maxsize=32)
def stopping_table(limit: float, alpha: float, horizon: int) -> StoppingTable:
    """Turn the test of "failure rate <= limit" into two integers for each number of trials.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].
    horizon
        Number of trials up to which the table goes, at least 1. A longer table begins with the shorter one.

    Returns
    -------
    StoppingTable
        The table; it is kept for the next call.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    require_horizon(horizon)
    needed = -math.log(alpha)
    n = np.arange(horizon + 1)
    at_limit = np.floor(n * limit).astype(np.int64)
    # Failures at or above n * limit are no evidence for "below", nor failures at or under it for "above".
    few, too_many = np.full(horizon + 1, -1), at_limit + 1
    while (open_ := np.flatnonzero(too_many - few > 1)).size:
        middle = (few[open_] + too_many[open_]) // 2
        proven = log_evidence_below(n[open_], middle, limit) >= needed
        few[open_[proven]], too_many[open_[~proven]] = middle[proven], middle[~proven]
    too_few, many = at_limit.copy(), n + 1
    while (open_ := np.flatnonzero(many - too_few > 1)).size:
        middle = (too_few[open_] + many[open_]) // 2
        proven = log_evidence_above(n[open_], middle, limit) >= needed
        many[open_[proven]], too_few[open_[~proven]] = middle[proven], middle[~proven]
    return StoppingTable(met=tuple(few.tolist()), violated=tuple(many.tolist()))


def smallest_clean_sample(limit: float, alpha: float) -> int:
    """How many trials without any failure it takes to prove "failure rate <= limit".

    No budget below this can end in "met": tell the user before the run.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].

    Returns
    -------
    int
        The number of trials, at least 1.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    needed = -math.log(alpha)
    too_few, enough = 0, 1
    while log_evidence_below(enough, 0, limit) < needed:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if log_evidence_below(middle, 0, limit) >= needed:
            enough = middle
        else:
            too_few = middle
    return enough


class _Binomial:
    """Each trial fails by chance, at a rate that is the same or on the same side of the limit, given the past."""

    __slots__ = ()
    log_below = staticmethod(log_evidence_below)
    log_above = staticmethod(log_evidence_above)
    table = staticmethod(stopping_table)


BINOMIAL: RateModel = _Binomial()
"""Trials drawn from traffic without end."""


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


class FailurePath:
    """The moments at which one reading of the trials failed, and the evidence along them.

    Between two failures the evidence for "below" only rises and the evidence for "above" only falls. Looking just
    before each failure (and now) for the first, and at each failure for the second, therefore misses no crossing.

    Parameters
    ----------
    failed_at
        Trial numbers of the failures, from 1, increasing.
    n
        Number of trials.
    moments
        Further trial numbers at which the evidence for "below" is wanted.
    model
        How failures come about.
    """

    __slots__ = ("_above_at", "_above_failures", "_below_at", "_below_failures", "_model")

    def __init__(self, failed_at: Sequence[int], n: int, moments: Sequence[int], model: RateModel) -> None:
        self._model = model
        failures = np.asarray(failed_at, dtype=np.int64)
        self._below_at = np.unique(np.concatenate((failures - 1, np.asarray([n, *moments], dtype=np.int64))))
        self._below_failures = np.searchsorted(failures, self._below_at, side="right")
        self._above_at = np.concatenate(([0], failures))
        self._above_failures = np.arange(failures.size + 1)

    def proven_at(self, threshold: float, alpha_below: float, alpha_above: float) -> tuple[float, float]:
        """When "below" and when "above" was proven against `threshold`: only the first of the two counts.

        Returns
        -------
        tuple of float
            Trial numbers, infinity where not proven. At most one of the two is finite. "Below" is given at the next
            failure or moment, not to the trial.
        """
        below = self._model.log_below(self._below_at, self._below_failures, threshold) >= -math.log(alpha_below)
        above = self._model.log_above(self._above_at, self._above_failures, threshold) >= -math.log(alpha_above)
        below_at = float(self._below_at[below.argmax()]) if below.any() else math.inf
        above_at = float(self._above_at[above.argmax()]) if above.any() else math.inf
        return (below_at, math.inf) if below_at < above_at else (math.inf, above_at)

    def largest_below(self, limit: float, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "below" up to each moment (which must be among those of the path, or the end)."""
        running = np.maximum.accumulate(self._model.log_below(self._below_at, self._below_failures, limit))
        where = np.searchsorted(self._below_at, moments, side="right") - 1
        return [max(0.0, float(running[index])) if index >= 0 else 0.0 for index in where]

    def largest_above(self, limit: float, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "above" up to each moment."""
        running = np.maximum.accumulate(self._model.log_above(self._above_at, self._above_failures, limit))
        return [float(log) for log in running[np.searchsorted(self._above_at, moments, side="right") - 1]]


class RateRace:
    """Which is proven first, that a rate lies below a limit or above it? The part that proportion tests share.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha_below, alpha_above
        Error level of each of the two answers, in (0, 0.5].
    horizon
        Largest number of trials.
    model
        How failures come about.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = (
        "_above_from",
        "_alpha_above",
        "_alpha_below",
        "_below_up_to",
        "_high_side",
        "_high_stop",
        "_limit",
        "_low_side",
        "_low_stop",
        "_may_fail_at",
        "_model",
        "_must_fail_at",
        "n",
    )

    def __init__(
        self, limit: float, *, alpha_below: float, alpha_above: float, horizon: int, model: RateModel = BINOMIAL
    ) -> None:
        self._limit = limit
        self._alpha_below = alpha_below
        self._alpha_above = alpha_above
        self._model = model
        self._below_up_to = model.table(limit, alpha_below, horizon).met
        self._above_from = model.table(limit, alpha_above, horizon).violated
        self.n = 0
        self._must_fail_at: list[int] = []  # failures: the reading in which every missing trial passed
        self._may_fail_at: list[int] = []  # failures and missing: the reading in which every missing trial failed
        self._low_side: Side | None = None
        self._high_side: Side | None = None
        self._low_stop = 0
        self._high_stop = 0

    def update(self, low: float, high: float) -> None:
        """Take in a trial: (0, 0) passed, (1, 1) failed, (0, 1) missing.

        Raises
        ------
        ValueError
            If it is none of the three, or the horizon was reached before.
        """
        reading = _READINGS.get((low, high))
        if reading is None:
            raise ValueError(f"a trial is (0, 0) passed, (1, 1) failed or (0, 1) missing, not ({low!r}, {high!r})")
        n = self.n + 1
        if n >= len(self._below_up_to):
            raise ValueError(f"the test was set up for {n - 1} trials, and trial {n} came in")
        self.n = n
        if reading[1]:
            self._may_fail_at.append(n)
            if reading[0]:
                self._must_fail_at.append(n)
        if self._high_side is None:
            self._high_side, self._high_stop = self._look(n, len(self._may_fail_at)), n
        if self._low_side is None:
            self._low_side, self._low_stop = self._look(n, len(self._must_fail_at)), n

    def _look(self, n: int, failures: int) -> Side | None:
        if failures <= self._below_up_to[n]:
            return Side.BELOW
        if failures >= self._above_from[n]:
            return Side.ABOVE
        return None

    @property
    def below(self) -> bool:
        """Whether "below the limit" is proven, whatever the missing trials were."""
        return self._high_side is Side.BELOW

    @property
    def above(self) -> bool:
        """Whether "above the limit" is proven, whatever the missing trials were."""
        return self._low_side is Side.ABOVE

    @property
    def stops(self) -> tuple[int, ...]:
        """Trial numbers at which an answer was proven."""
        return (self._high_stop,) * self.below + (self._low_stop,) * self.above

    def estimate_at(self, n: int) -> float | None:
        """Failures as a share of the trials that are known, among the first `n`; None if none is known."""
        failures = int(np.searchsorted(self._must_fail_at, n, side="right"))
        known = n - (int(np.searchsorted(self._may_fail_at, n, side="right")) - failures)
        return failures / known if known else None

    def worst_path(self, moments: Sequence[int] = ()) -> FailurePath:
        """Read every missing trial as a failure."""
        return FailurePath(self._may_fail_at, self.n, moments, self._model)

    def best_path(self, moments: Sequence[int] = ()) -> FailurePath:
        """Read every missing trial as a pass."""
        return FailurePath(self._must_fail_at, self.n, moments, self._model)

    def log_below(self, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "below" up to each moment; it stands still once the worst reading proved "above"."""
        stopped = [min(moment, self._high_stop) for moment in moments] if self._high_side is Side.ABOVE else moments
        return self.worst_path(stopped).largest_below(self._limit, stopped)

    def log_above(self, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "above" up to each moment; it stands still once the best reading proved "below"."""
        stopped = [min(moment, self._low_stop) for moment in moments] if self._low_side is Side.BELOW else moments
        return self.best_path().largest_above(self._limit, stopped)

    def proven_below_at(self, path: FailurePath, threshold: float) -> float:
        """When "below `threshold`" was proven on a path; infinity if it was not."""
        return path.proven_at(threshold, self._alpha_below, self._alpha_above)[0]

    def proven_above_at(self, path: FailurePath, threshold: float) -> float:
        """When "above `threshold`" was proven on a path; infinity if it was not."""
        return path.proven_at(threshold, self._alpha_below, self._alpha_above)[1]


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

    __slots__ = ("_alpha", "_limit", "_race")

    def __init__(self, limit: float, alpha: float, horizon: int, model: RateModel) -> None:
        self._limit = limit
        self._alpha = alpha
        self._race = RateRace(limit, alpha_below=alpha, alpha_above=alpha, horizon=horizon, model=model)

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
        lower, upper = self._bounds(*self._edges([]))
        return Interval(lower, upper, 1.0 - 2.0 * self._alpha)

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
        last_lower, last_upper = self._bounds(lower, upper)
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


def require_horizon(horizon: int) -> None:
    """Refuse a horizon under one trial.

    Raises
    ------
    ValueError
        If `horizon` is below 1.
    """
    if horizon < 1:
        raise ValueError(f"the horizon is {horizon}; a test needs at least one trial")


def _log_mixture(
    n: NDArray[np.int64], failures: NDArray[np.int64], limit: float, alternatives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of the mean likelihood ratio of the alternatives against `limit`."""
    if n.ndim == 1 and n.shape == failures.shape and n.size > _AT_ONCE:  # so that memory does not grow with a long path
        parts = (slice(start, start + _AT_ONCE) for start in range(0, n.size, _AT_ONCE))
        return np.concatenate([_log_mixture(n[part], failures[part], limit, alternatives) for part in parts])
    on_failure = _log(alternatives / limit)
    on_pass = _log((1.0 - alternatives) / (1.0 - limit))
    return log_mean(np.multiply.outer(on_failure, failures) + np.multiply.outer(on_pass, n - failures))


def log_mean(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the mean over the first axis of numbers given by their logarithms."""
    largest = terms.max(axis=0)
    # Added one by one: a sum over an axis adds in another order for other shapes, and the last bit would change.
    return np.asarray(largest + np.log(reduce(np.add, np.exp(terms - largest)) / len(terms)))


def _log(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(ratio, out=np.full_like(ratio, LOG_OF_ZERO), where=ratio > 0.0)
