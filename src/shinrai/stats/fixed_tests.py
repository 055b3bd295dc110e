"""Fixed-sample tests: one look at trials whose number was not chosen by their results.

For evidence that was there before the claim was committed, or came in an order that nobody had fixed: a sequential
reading of it would not be valid. Each test takes all its observations in, is closed, and only then decides. A missing
outcome is the whole range of the score, as in `shinrai.stats.sequential`: what is decided would be decided with every
value that it could have had.

====================== =============================================================================================
a rate of the traffic  exact binomial test; bounds by Clopper and Pearson (1934)
a rate of N items      exact hypergeometric test on what was drawn without replacement, from the same N items
a band                 two exact binomial tests, one at each edge (intersection-union, Berger 1982)
two groups             Clopper-Pearson bounds of both rates at half the error level each, joined by Bonferroni
====================== =============================================================================================
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal, TypeAlias

from shinrai.stats.fixed import binomial_interval, hypergeometric_interval
from shinrai.stats.sequential import Decision, Interval, TracePoint, require_alpha, require_within

__all__ = ["FixedBandTest", "FixedContrastTest", "FixedProportionTest"]

_TIE = 1e-12  # a bound this close to the limit is the limit: 1 - (1 - t) is not always t in floating point

Contrast: TypeAlias = Literal["ratio", "difference"]


class _Counted:
    """Events among trials, where some of them may or may not have been one."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self.n = self.must = self.may = 0

    def add(self, low: float, high: float) -> None:
        self.n += 1
        self.must += low == 1.0
        self.may += high == 1.0

    def estimate(self) -> float | None:
        known = self.n - (self.may - self.must)
        return self.must / known if known else None

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Give bounds of the rate, each at level alpha, whatever the missing outcomes were."""
        if not self.n:
            return 0.0, 1.0
        return self._interval(self.must, alpha).lower, self._interval(self.may, alpha).upper

    def _interval(self, events: int, alpha: float) -> Interval:
        if self.size is None:
            return binomial_interval(events, self.n, 1.0 - 2.0 * alpha)
        return hypergeometric_interval(events, self.n, self.size, 1.0 - 2.0 * alpha)


class _FixedTest(ABC):
    """What fixed-sample tests have in common; without evidence that could be looked at on the way."""

    evidence_met = 0.0
    evidence_violated = 0.0

    def __init__(self, alpha: float) -> None:
        require_alpha(alpha)
        self.alpha = alpha
        self.decision: Decision | None = None

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Give both bounds, each at level `alpha`."""

    def interval(self) -> Interval:
        """Both bounds together; valid for this one look."""
        return Interval(*self.bounds(), 1.0 - 2.0 * self.alpha)

    def trace(self) -> list[TracePoint]:
        """No path: the test looks once."""
        return []


class FixedProportionTest(_FixedTest):
    """Is a failure rate at most so much? One exact test.

    Parameters
    ----------
    limit
        Of the failure rate, strictly between 0 and 1.
    alpha
        Error level of either verdict, in (0, 0.5].
    size
        Number of items that the claim is about, of which the observed ones are a sample without replacement; None
        where it is about the traffic that they stand for.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    def __init__(self, limit: float, alpha: float, size: int | None = None) -> None:
        super().__init__(alpha)
        require_within("the limit", limit, 0.0, 1.0)
        self.limit = limit
        self._counted = _Counted(size)

    @property
    def n(self) -> int:
        """How many observations came in, missing ones included."""
        return self._counted.n

    def update(self, low: float, high: float) -> None:
        """Take in the next observation: 1 for a failure, 0 for a pass, from 0 to 1 where it is missing."""
        self._counted.add(low, high)

    def close(self) -> None:
        """Look, once: nothing comes in any more. Without an observation nothing is decided."""
        lower, upper = self.bounds()
        if upper <= self.limit + _TIE and self.n:
            self.decision = Decision.MET
        elif lower > self.limit + _TIE and self.n:
            self.decision = Decision.VIOLATED

    def estimate(self) -> float | None:
        """Give the share of failures among usable trials; None where there is none."""
        return self._counted.estimate()

    def bounds(self) -> tuple[float, float]:
        """Give the exact bounds of the failure rate, each at level `alpha`."""
        return self._counted.bounds(self.alpha)

    @property
    def borderline(self) -> bool:
        """Whether the interval lies within a factor of two of the limit."""
        lower, upper = self.bounds()
        return self.limit / 2.0 < lower and upper < 2.0 * self.limit


class FixedBandTest(_FixedTest):
    """Does a pass rate lie inside a band? Two exact tests.

    Parameters
    ----------
    low, high
        Edges of the band, ``0 < low < high < 1``. An edge belongs to the band.
    alpha
        Error level of either verdict.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    def __init__(self, low: float, high: float, alpha: float) -> None:
        super().__init__(alpha)
        require_within("the upper edge", high, 0.0, 1.0)
        require_within("the lower edge", low, 0.0, high)
        self._band = low, high
        self._counted = _Counted()

    @property
    def n(self) -> int:
        """How many observations came in, missing ones included."""
        return self._counted.n

    def update(self, low: float, high: float) -> None:
        """Take in the next observation: 1 for a pass, 0 for a failure, from 0 to 1 where it is missing."""
        self._counted.add(low, high)

    def close(self) -> None:
        """Look, once. Outside can be proven on either side, so each of the two gets half the error level."""
        lower, upper = self.bounds()
        if self.n and self._band[0] <= lower and upper <= self._band[1]:
            self.decision = Decision.MET
        outer_lower, outer_upper = self._counted.bounds(self.alpha / 2.0)
        if self.n and (outer_upper < self._band[0] or outer_lower > self._band[1]):
            self.decision = Decision.VIOLATED

    def estimate(self) -> float | None:
        """Give the share of passes among usable trials."""
        return self._counted.estimate()

    def bounds(self) -> tuple[float, float]:
        """Give the exact bounds of the pass rate, each at level `alpha`."""
        return self._counted.bounds(self.alpha)


class FixedContrastTest(_FixedTest):
    """Compare the pass rates of two groups: their ratio is at least, or their difference at most, so much.

    Parameters
    ----------
    kind
        ``ratio``: rate of a divided by rate of b. ``difference``: absolute difference of the two.
    threshold
        Above 0; of a difference also below 1.
    alpha
        Error level of either verdict.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    def __init__(self, kind: Contrast, threshold: float, alpha: float) -> None:
        super().__init__(alpha)
        require_within("the threshold", threshold, 0.0, math.inf if kind == "ratio" else 1.0)
        self.threshold = threshold
        self._kind = kind
        self._groups = {"a": _Counted(), "b": _Counted()}

    @property
    def n(self) -> int:
        """How many observations of either group came in, missing ones included."""
        return sum(group.n for group in self._groups.values())

    def update(self, group: Literal["a", "b"], low: float, high: float) -> None:
        """Take in the next observation of a group: 1 for a pass, 0 for a failure."""
        self._groups[group].add(low, high)

    def close(self) -> None:
        """Look, once. A difference can be proven too large on either side: each gets half of the error level."""
        lower, upper = self.bounds()
        if not all(group.n for group in self._groups.values()):
            return
        if self._kind == "ratio":
            if lower >= self.threshold:
                self.decision = Decision.MET
            elif upper < self.threshold:
                self.decision = Decision.VIOLATED
        elif upper <= self.threshold:
            self.decision = Decision.MET
        elif lower > self.threshold:
            self.decision = Decision.VIOLATED

    def estimate(self) -> float | None:
        """Give ratio or absolute difference of the shares of passes; None where undefined."""
        a, b = (group.estimate() for group in self._groups.values())
        if a is None or b is None:
            return None
        if self._kind == "difference":
            return abs(a - b)
        return a / b if b else None

    def bounds(self) -> tuple[float, float]:
        """Give bounds of ratio or absolute difference, each at level `alpha`; infinity where there is none."""
        if self._kind == "ratio":
            (low_a, high_a), (low_b, high_b) = (group.bounds(self.alpha / 2.0) for group in self._groups.values())
            return low_a / high_b, high_a / low_b if low_b else math.inf
        (low_a, high_a), (low_b, high_b) = (group.bounds(self.alpha / 4.0) for group in self._groups.values())
        low, high = low_a - high_b, high_a - low_b
        return max(0.0, low, -high), max(abs(low), abs(high))
