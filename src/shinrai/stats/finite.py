"""Is the failure rate of one finite data set at most so much? Items drawn in random order, without replacement.

The claim is about the N items themselves, of which an unknown number K fails, and not about the traffic that they may
have come from. After s failures among the first n items, the chance of the order seen is ``C(N-n, K-s) / C(N, K)``, in
falling factorials ``(K)_s (N-K)_(n-s) / (N)_n``. The evidence that fewer than ``null`` items fail is a mean of
likelihood ratios

    E(n, s) = mean over k of (q_k)_s (N - q_k)_(n-s) / ((null)_s (N - null)_(n-s)),    0 if s > q_k

with alternatives ``q_k < null`` (hypergeometric mixtures; Waudby-Smith and Ramdas 2020, "Confidence sequences for
sampling without replacement"). The evidence that more than ``null`` fail uses ``q_k > null``, and 0 if n - s > N - q_k.
Each ratio is a martingale when K is ``null`` and falls on average when K lies further on the null's side, up to the
moment at which it drops to 0. The chance that E ever reaches 1/alpha although it should not is therefore at most alpha
(Ville 1939), however often one looks, *provided that the order is uniformly random* and was fixed before any answer was
seen.

With ``allowed = floor(limit N)``, "met" has the null ``allowed + 1`` and "violated" the null ``allowed``. Both are also
proven when the count leaves no other possibility. A whole data set without a missing item always ends in a verdict; one
with missing items may not, where the claim depends on them.

The alternatives are the ratios of `shinrai.stats.proportion` times ``allowed``, and are not rounded to whole items:
then every factor of E moves in one direction with the limit, and the interval has no holes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shinrai.stats.inversion import Edge
from shinrai.stats.proportion import LimitTest
from shinrai.stats.rates import LOG_OF_ZERO, alternatives_above, alternatives_below, log_mean
from shinrai.stats.sequential import LARGEST_LOG, require_alpha, require_within
from shinrai.stats.stopping import StoppingTable, packed, require_horizon

__all__ = ["FinitePopulation", "FinitePopulationTest", "finite_stopping_table"]

_TIE = 1e-9  # part of an item: a limit this close to a whole number of items is that number


@dataclass(frozen=True, slots=True)
class FinitePopulation:
    """The model of failures in a data set of `size` items in random order.

    Raises
    ------
    ValueError
        If there are no items.
    """

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"the data set has {self.size} items; a test needs at least one")

    def allowed(self, limit: float) -> int:
        """Give the largest number of failing items with which the rate is at most `limit`."""
        return math.floor(limit * self.size + _TIE)

    def log_below(
        self, n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
    ) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that at most ``allowed(limit)`` items fail; falls with `failures`.

        Parameters
        ----------
        n, failures
            Counts that broadcast together, ``0 <= failures <= n <= size``.
        limit
            The limit, in [0, 1).
        floor
            Where given, evidence is not exact: only whether it reaches this number is.

        Returns
        -------
        numpy.ndarray
            Logarithm of an e-value for each pair of counts; 690 where no other possibility is left.
        """
        failed, allowed = np.asarray(failures), self.allowed(limit)
        passed = np.asarray(n) - failed
        terms = self._log_ratios(failed, passed, alternatives_below(allowed, self.size), allowed + 1)
        return np.where(passed >= self.size - allowed, LARGEST_LOG, log_mean(terms, floor))

    def log_above(
        self, n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
    ) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that more than ``allowed(limit)`` items fail; rises with `failures`.

        Parameters and result as in `log_below`.
        """
        failed, allowed = np.asarray(failures), self.allowed(limit)
        passed = np.asarray(n) - failed
        terms = self._log_ratios(failed, passed, alternatives_above(allowed, self.size), allowed)
        return np.where(failed > allowed, LARGEST_LOG, log_mean(terms, floor))

    def table(self, limit: float, alpha: float, horizon: int) -> StoppingTable:
        """Give the first `horizon` steps of `finite_stopping_table`."""
        require_horizon(horizon)
        whole = finite_stopping_table(limit, alpha, self.size)
        return StoppingTable(met=whole.met[: horizon + 1], violated=whole.violated[: horizon + 1])

    def log_chance_of_path(
        self, n: NDArray[np.int64], failures: NDArray[np.int64], failing: int
    ) -> NDArray[np.float64]:
        """Log probability of one order of `failures` among the first `n` items when `failing` items fail."""
        from scipy.special import gammaln  # noqa: PLC0415 - scipy is slow to import, and few callers need it

        passed, passing = n - failures, self.size - failing
        possible = (failures <= failing) & (passed <= passing)
        log = _log_falling(gammaln, float(failing), np.where(possible, failures, 0))
        log += _log_falling(gammaln, float(passing), np.where(possible, passed, 0))
        log -= _log_falling(gammaln, float(self.size), n)
        return np.where(possible, log, -np.inf)

    def _log_ratios(
        self, failed: NDArray[np.int64], passed: NDArray[np.int64], alternatives: NDArray[np.float64], null: int
    ) -> NDArray[np.float64]:
        """Log likelihood ratio of each alternative, shape (alternatives, ...); impossible ones weigh nothing."""
        from scipy.special import gammaln  # noqa: PLC0415 - scipy is slow to import, and few callers need it

        # Counts that the null rules out are decided by the callers; here they only must not be evaluated.
        failed, passed = np.minimum(failed, null), np.minimum(passed, self.size - null)
        under_null = _log_falling(gammaln, null, failed) + _log_falling(gammaln, self.size - null, passed)
        ratios = []
        for alternative in alternatives.tolist():
            possible = (failed <= alternative) & (passed <= self.size - alternative)
            log = _log_falling(gammaln, alternative, np.where(possible, failed, 0))
            log = log + _log_falling(gammaln, self.size - alternative, np.where(possible, passed, 0))
            ratios.append(np.where(possible, log - under_null, LOG_OF_ZERO))
        return np.stack(ratios)


@lru_cache(maxsize=32)
def finite_stopping_table(limit: float, alpha: float, population: int) -> StoppingTable:
    """Turn the test of "failure rate of this data set <= limit" into two integers for each number of items.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].
    population
        Number of items in the data set, at least 1.

    Returns
    -------
    StoppingTable
        For 0 to `population` items; the last entry decides every count. It is kept for the next call.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    model, needed = FinitePopulation(population), -math.log(alpha)
    allowed = model.allowed(limit)
    n = np.arange(population + 1)
    # For each number of failures, the first n at which it is few enough ...
    few = np.arange(allowed + 1)
    soonest = _first_true(
        lambda size, open_: model.log_below(size, few[open_], limit, needed) >= needed,
        few - 1,
        population - allowed + few,
    )
    # ... and the last n at which it is too many. One more than allowed is too many for ever.
    many = np.arange(1, allowed + 1)
    too_late = _first_true(
        lambda size, open_: model.log_above(size, many[open_], limit, needed) < needed,
        many - 1,
        np.full(allowed, population + 1),
    )
    latest = np.concatenate((too_late - 1, [population]))
    return StoppingTable(
        met=packed(np.searchsorted(np.maximum.accumulate(soonest), n, side="right") - 1),
        violated=packed(np.searchsorted(np.maximum.accumulate(latest), n, side="left") + 1),
    )


class FinitePopulationTest(LimitTest):
    """Sequential test of the claim "the failure rate of this data set is at most `limit`".

    The items must come in a random order that was fixed before the first answer was seen. The verdict is about these
    items; a claim about the traffic behind them needs `ProportionTest`.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1. For "the pass rate is at least x" give ``1 - x``. A limit within a
        billionth of a whole number of items is that number.
    alpha
        Error level of each verdict, in (0, 0.5]. Only one of the two verdicts can be wrong, so it is not split.
    population
        Number of items in the data set. After the last one there is a verdict, unless it depends on missing items.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> test = FinitePopulationTest(0.02, 0.05, 500)
    >>> while test.decision is None:
    ...     test.update(0, 0)
    >>> test.decision, test.n
    (<Decision.MET: 'met'>, 156)
    """

    __slots__ = ("_population",)

    def __init__(self, limit: float, alpha: float, population: int) -> None:
        self._population = population
        super().__init__(limit, alpha, population, FinitePopulation(population))

    def _bounds(self, lower: Edge, upper: Edge) -> tuple[float, float]:
        """Search the whole numbers of items instead of the thresholds: bounds are exact."""
        size = self._population
        # "At least k items fail" is the claim "above" at k - 1; it is trivial for 0.
        most = _last_true(lambda k: math.isfinite(lower.proven_at((k - 1) / size)), 0, size)
        # "At most k items fail", with k = size - j; it is trivial for j = 0.
        fewest = size - _last_true(lambda j: math.isfinite(upper.proven_at((size - j) / size)), 0, size)
        # A rate of exactly `most` items is not excluded from below: the open interval begins a trifle before it.
        return (most - 2.0 * _TIE) / size if most else 0.0, fewest / size


def _log_falling(
    gammaln: Callable[[ArrayLike], NDArray[np.float64]], x: float, count: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Logarithm of x (x - 1) ... (x - count + 1), for count <= x."""
    return np.asarray(gammaln(x + 1.0) - gammaln(x + 1.0 - count))


def _first_true(
    holds: Callable[[NDArray[np.int64], NDArray[np.intp]], NDArray[np.bool_]],
    before: NDArray[np.int64],
    sure: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each element, the smallest number in (before, sure] for which a condition holds that stays true."""
    before, sure = before.copy(), sure.copy()
    while (open_ := np.flatnonzero(sure - before > 1)).size:
        middle = (before[open_] + sure[open_]) // 2
        true = holds(middle, open_)
        sure[open_[true]], before[open_[~true]] = middle[true], middle[~true]
    return sure


def _last_true(holds: Callable[[int], bool], sure: int, end: int) -> int:
    """Largest number from `sure` to `end` for which a condition holds that, once false, stays false."""
    beyond = end + 1
    while beyond - sure > 1:
        middle = (sure + beyond) // 2
        if holds(middle):
            sure = middle
        else:
            beyond = middle
    return sure
