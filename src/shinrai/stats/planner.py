"""What a proportion test will cost and decide, before the first call: exact, by dynamic programming.

The test stops on the (n, failures) plane: at the first n at which the failures are few or many enough. The chance of
stopping at a point is the number of paths that lead there times the chance of one path, and the number of paths does
not depend on the true rate. One recursion at one rate therefore serves every rate, and also the draws without
replacement from a finite data set: only the chance of one path is exchanged.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.finite import FinitePopulation
from shinrai.stats.rates import LOG_OF_ZERO
from shinrai.stats.stopping import BINOMIAL, RateModel, StoppingTable

__all__ = ["ProportionPlan", "plan_finite_population", "plan_proportion"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ProportionPlan:
    """What to expect of a test when the true failure rate is known.

    Attributes
    ----------
    expected
        Mean number of trials until a verdict or the horizon.
    p95
        Number of trials that is enough in at least 95 % of runs (the horizon where the others stay undecided).
    met, violated, undecided
        Probability of each end; they add up to 1.
    """

    expected: float
    p95: int
    met: float
    violated: float
    undecided: float


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """Every point at which a run can end, with the log probability of ending there at `rate`.

    `kind` is -1 for "met", 1 for "violated" and 0 for the horizon.
    """

    rate: float
    n: Counts
    failures: Counts
    kind: NDArray[np.int8]
    log_probability: Floats

    def plan(self, log_chance_of_path: Floats) -> ProportionPlan:
        """Exchange the chance of one path to each end."""
        chance = np.exp(self.log_probability - _log_bernoulli(self.n, self.failures, self.rate) + log_chance_of_path)
        met, violated = float(chance[self.kind < 0].sum()), float(chance[self.kind > 0].sum())
        by_n = np.bincount(self.n, weights=chance)
        stopped = np.cumsum(by_n)
        return ProportionPlan(
            expected=float(by_n @ np.arange(by_n.size)),
            p95=int(np.searchsorted(stopped, 0.95)),
            met=met,
            violated=violated,
            undecided=float(chance[self.kind == 0].sum()),
        )


def plan_proportion(limit: float, alpha: float, horizon: int, rate: float) -> ProportionPlan:
    """Compute what the test of "failure rate <= limit" does when the failure rate is `rate` and no trial is missing.

    The first call for a limit, error level and horizon does the work; other rates then cost about a millisecond.

    Parameters
    ----------
    limit
        The limit of the claim, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].
    horizon
        Largest number of trials, at least 1.
    rate
        The assumed true failure rate, in [0, 1].

    Returns
    -------
    ProportionPlan
        Exact up to rounding; no simulation.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"the assumed rate is {rate!r}; it must be from 0 to 1")
    ends = _ends(limit, alpha, horizon, BINOMIAL)
    return ends.plan(_log_bernoulli(ends.n, ends.failures, rate))


def plan_finite_population(
    limit: float, alpha: float, population: int, failing: int, horizon: int | None = None
) -> ProportionPlan:
    """Compute what the test of "failure rate of this data set <= limit" does when `failing` of its items fail.

    Parameters
    ----------
    limit
        The limit of the claim, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].
    population
        Number of items in the data set, at least 1.
    failing
        How many of them fail, from 0 to `population`.
    horizon
        Largest number of items that may be drawn, from 1 to `population`; all of them if not given. Nothing is then
        left undecided.

    Returns
    -------
    ProportionPlan
        Exact up to rounding; no simulation.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if not 0 <= failing <= population:
        raise ValueError(f"the assumed number of failing items is {failing}; it must be from 0 to {population}")
    if horizon is not None and horizon > population:
        raise ValueError(f"the horizon is {horizon}; it must be at most the {population} items of the data set")
    model = FinitePopulation(population)
    ends = _ends(limit, alpha, population if horizon is None else horizon, model)
    return ends.plan(model.log_chance_of_path(ends.n, ends.failures, failing))


def plan_at_half(limit: float, alpha: float, horizon: int, population: int | None = None) -> ProportionPlan:
    """Compute what a test of "failure rate <= limit" does on a system that fails half as often as it may.

    Parameters
    ----------
    limit
        The limit of the claim, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].
    horizon
        Largest number of trials, at least 1.
    population
        Number of items where the claim is about one data set; not given for the traffic behind it.

    Returns
    -------
    ProportionPlan

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if population is None:
        return plan_proportion(limit, alpha, horizon, limit / 2)
    return plan_finite_population(limit, alpha, population, round(limit / 2 * population), horizon)


def _log_bernoulli(n: Counts, failures: Counts, rate: float) -> Floats:
    """Log probability of one order of `failures` among n independent trials at `rate`."""
    on_failure = math.log(rate) if rate > 0.0 else LOG_OF_ZERO
    on_pass = math.log1p(-rate) if rate < 1.0 else LOG_OF_ZERO
    return np.asarray(failures * on_failure + (n - failures) * on_pass)


@lru_cache(maxsize=16)
def _ends(limit: float, alpha: float, horizon: int, model: RateModel) -> _Ends:
    return _recursion(model.table(limit, alpha, horizon), limit)


def _recursion(table: StoppingTable, rate: float) -> _Ends:
    """Follow the probability of being undecided over (n, failures), at `rate`.

    Tables move by at most one, so that a run ends exactly on ``table.met[n]`` or ``table.violated[n]``.
    """
    horizon = len(table.met) - 1
    met, violated = np.zeros(horizon + 1), np.zeros(horizon + 1)
    # mass[s] is the probability of being undecided with s failures; only low..high can be reached.
    mass = np.zeros(max(table.violated) + 2)
    mass[0] = 1.0
    low = high = 0
    for n in range(1, horizon + 1):
        reached = mass[low : high + 1] * rate
        mass[low : high + 1] *= 1.0 - rate
        mass[low + 1 : high + 2] += reached
        high += 1
        if low <= table.met[n]:
            met[n], mass[low] = mass[low], 0.0
            low += 1
        if high >= table.violated[n]:
            violated[n], mass[high] = mass[high], 0.0
            high -= 1
        if low > high:
            break
    left = np.arange(low, high + 1)
    at = np.concatenate((np.arange(horizon + 1), np.arange(horizon + 1), np.full(left.size, horizon)))
    failures = np.concatenate((table.met, table.violated, left))
    kind = np.repeat(np.array([-1, 1, 0], dtype=np.int8), (horizon + 1, horizon + 1, left.size))
    probability = np.concatenate((met, violated, mass[left]))
    possible = probability > 0.0
    return _Ends(rate, at[possible], failures[possible], kind[possible], np.log(probability[possible]))
