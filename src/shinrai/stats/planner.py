"""What a proportion test will cost and decide, before the first call: exact, by dynamic programming."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.proportion import StoppingTable, stopping_table

__all__ = ["ProportionPlan", "plan_proportion"]

_DECIDED = 1e-14  # undecided probability below which the recursion may end early


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


def plan_proportion(limit: float, alpha: float, horizon: int, rate: float) -> ProportionPlan:
    """Compute what the test of "failure rate <= limit" does when the failure rate is `rate` and no trial is missing.

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
    table = stopping_table(limit, alpha, horizon)
    met, violated = _stop_probabilities(table, rate)
    stopped = np.cumsum(met + violated)
    enough = np.flatnonzero(stopped >= 0.95)
    total_met, total_violated = float(met.sum()), float(violated.sum())
    return ProportionPlan(
        # E[N] is the sum of P(N > n) over n from 0 to horizon - 1.
        expected=float(horizon - stopped[:-1].sum()),
        p95=int(enough[0]) if enough.size else horizon,
        met=total_met,
        violated=total_violated,
        undecided=max(0.0, 1.0 - total_met - total_violated),
    )


def _stop_probabilities(table: StoppingTable, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability of stopping with "met" and with "violated" at each n from 0 to the horizon."""
    horizon = len(table.met) - 1
    met, violated = np.zeros(horizon + 1), np.zeros(horizon + 1)
    # mass[s] is the probability of being undecided with s failures; only low..high can be reached.
    mass = np.zeros(max(table.violated) + 2)
    mass[0] = 1.0
    low = high = 0
    for n in range(1, horizon + 1):
        after = mass[low : high + 2] * (1.0 - rate)
        after[1:] += mass[low : high + 1] * rate
        mass[low : high + 2] = after
        high += 1
        few, many = table.met[n], table.violated[n]
        if low <= few:
            met[n] = mass[low : few + 1].sum()
            mass[low : few + 1] = 0.0
            low = few + 1
        if high >= many:
            violated[n] = mass[many : high + 1].sum()
            mass[many : high + 1] = 0.0
            high = many - 1
        if n % 128 == 0 and mass[low : high + 1].sum() < _DECIDED:
            break
    return met, violated
