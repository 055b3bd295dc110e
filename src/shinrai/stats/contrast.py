"""Do two groups differ? Ratio and difference of two rates, without assuming anything about their level.

The two groups are compared in *blocks*. A block closes at the first moment at which both groups have at least one new
observation; then it holds one observation of one group and one or more of the other, and each group enters with its
mean. The contrast of a block, ``A - rho B`` or ``A - B``, has conditional mean ``rate_A - rho rate_B`` or ``rate_A
- rate_B``, and the kernel for bounded scores tests it against a constant.

The composition of a block depends on the order of the *groups* only, never on what was observed. That matters: if a
block waited for, say, the first failure of group A, the mean inside the block would be chosen by the outcomes and
no longer have the group's rate as its expectation, and the error level would be lost. For the same reason, whoever
decides which group comes next must not look at the outcomes of the open block.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from shinrai.stats.betting import BettingRace, Floats, gains_above, gains_below, largest_log_wealth, proven_at
from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints
from shinrai.stats.mean import require_score
from shinrai.stats.sequential import (
    Decision,
    Interval,
    TracePoint,
    evidence_from_log,
    require_alpha,
    require_within,
)

__all__ = ["DifferenceTest", "RatioTest"]

Group = Literal["a", "b"]


@dataclass(slots=True)
class _Tally:
    """Observations of one group: all of them, and those of the open block."""

    total: float = 0.0
    known: int = 0
    open_low: float = 0.0
    open_high: float = 0.0
    open_n: int = 0

    def add(self, low: float, high: float) -> None:
        if (low, high) != (0, 1):
            self.total += (low + high) / 2.0
            self.known += 1
        self.open_low += low
        self.open_high += high
        self.open_n += 1

    def close(self) -> tuple[float, float]:
        means = self.open_low / self.open_n, self.open_high / self.open_n
        self.open_low = self.open_high = 0.0
        self.open_n = 0
        return means

    @property
    def rate(self) -> float | None:
        return self.total / self.known if self.known else None


@dataclass(slots=True)
class _Blocks:
    """The closed blocks: means of each group on both readings, and the rates so far."""

    a: _Tally = field(default_factory=_Tally)
    b: _Tally = field(default_factory=_Tally)
    n: int = 0
    closed: list[tuple[float, float, float, float]] = field(default_factory=list)
    closed_at: list[int] = field(default_factory=list)
    rates: list[tuple[float | None, float | None]] = field(default_factory=list)

    def add(self, group: Group, low: float, high: float) -> bool:
        """Take in an observation; True if it closed a block.

        Raises
        ------
        ValueError
            If the group is unknown or the score outside [0, 1].
        """
        if group not in {"a", "b"}:
            raise ValueError(f"the group is {group!r}; it must be 'a' or 'b'")
        require_score(low, high, 0.0, 1.0)
        self.n += 1
        (self.a if group == "a" else self.b).add(low, high)
        if not (self.a.open_n and self.b.open_n):
            return False
        self.closed.append((*self.a.close(), *self.b.close()))
        self.closed_at.append(self.n)
        self.rates.append((self.a.rate, self.b.rate))
        return True

    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Lowest and highest mean of A, lowest and highest mean of B, each of shape (blocks,)."""
        low_a, high_a, low_b, high_b = np.asarray(self.closed, dtype=np.float64).reshape(-1, 4).T
        return low_a, high_a, low_b, high_b


class RatioTest:
    """Sequential test of the claim "rate_A / rate_B is at least `at_least`", in the form "rate_A >= at_least * rate_B".

    Parameters
    ----------
    at_least
        The smallest allowed ratio, above 0 (0.8 for the four-fifths rule).
    alpha
        Error level of each verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_alpha", "_blocks", "_race", "_ratio")

    def __init__(self, at_least: float, alpha: float) -> None:
        require_within("the ratio", at_least, 0.0, math.inf)
        require_alpha(alpha)
        self._ratio, self._alpha = at_least, alpha
        self._blocks = _Blocks()
        self._race = BettingRace(0.0, -at_least, 1.0, alpha_above=alpha, alpha_below=alpha)

    def update(self, group: Group, low: float, high: float) -> None:
        """Take in an observation of a group: a score in [0, 1], at least `low` and at most `high`; missing is (0, 1).

        Raises
        ------
        ValueError
            If the group is unknown or the score outside [0, 1].
        """
        if self._blocks.add(group, low, high):
            low_a, high_a, low_b, high_b = self._blocks.closed[-1]
            self._race.update(low_a - self._ratio * high_b, high_a - self._ratio * low_b)

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        if self._race.above:
            return Decision.MET
        return Decision.VIOLATED if self._race.below else None

    @property
    def n(self) -> int:
        """How many observations came in, of both groups, missing ones included."""
        return self._blocks.n

    @property
    def evidence_met(self) -> float:
        """The largest e-value against "rate_A <= at_least * rate_B", on the reading worst for the claim; at least 1."""
        return evidence_from_log(self._race.log_above)

    @property
    def evidence_violated(self) -> float:
        """The largest e-value against "rate_A >= at_least * rate_B", on the reading best for the claim; at least 1."""
        return evidence_from_log(self._race.log_below)

    def estimate(self) -> float | None:
        """Ratio of the observed rates; None if a group has no known observation or the rate of B is 0."""
        return _ratio(self._blocks.a.rate, self._blocks.b.rate)

    def interval(self) -> Interval:
        """Anytime-valid interval of the ratio, by inverting this test; the upper bound may be infinite."""
        lower, upper = self._edges()
        return Interval(bound(lower), bound(upper), 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path up to the last closed block."""
        blocks = self._blocks
        if not blocks.closed:
            return []
        moments = checkpoints(len(blocks.closed), also=self._race.stops)
        lower, upper = self._edges()
        low_a, high_a, low_b, high_b = blocks.columns()
        met = largest_log_wealth(*_ratio_gains(low_a, high_b, self._ratio), self._alpha, self._alpha)
        violated = largest_log_wealth(*_ratio_gains(high_a, low_b, self._ratio)[::-1], self._alpha, self._alpha)
        lowers = bound_path(lower, bound(lower), moments)
        uppers = bound_path(upper, bound(upper), moments)
        ten = math.log(10.0)
        return [
            TracePoint(
                blocks.closed_at[moment - 1],
                _ratio(*blocks.rates[moment - 1]),
                low,
                high,
                float(met[moment - 1]) / ten,
                float(violated[moment - 1]) / ten,
            )
            for moment, low, high in zip(moments, lowers, uppers, strict=True)
        ]

    def _edges(self) -> tuple[Edge, Edge]:
        low_a, high_a, low_b, high_b = self._blocks.columns()
        alpha, tested = self._alpha, (self._ratio,)
        return (
            Edge(lambda rho: proven_at(*_ratio_gains(low_a, high_b, rho), alpha, alpha), 0.0, math.inf, tested),
            Edge(lambda rho: proven_at(*_ratio_gains(high_a, low_b, rho)[::-1], alpha, alpha), math.inf, 0.0, tested),
        )


class DifferenceTest:
    """Sequential test of the claim "|rate_A - rate_B| is at most `at_most`".

    *Met* needs both "the difference is below at_most" and "it is above -at_most", each at alpha without correction
    (intersection-union, Berger 1982). *Violated* needs one of the two opposite statements; either could be wrong,
    so each is tested at alpha / 2, and its evidence is halved where it is shown.

    Parameters
    ----------
    at_most
        The largest allowed absolute difference, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ("_alpha", "_at_most", "_blocks", "_over", "_under")

    def __init__(self, at_most: float, alpha: float) -> None:
        require_within("the difference", at_most, 0.0, 1.0)
        require_alpha(alpha)
        self._at_most, self._alpha = at_most, alpha
        self._blocks = _Blocks()
        # _over asks whether the difference exceeds at_most, _under whether it is less than -at_most.
        self._over = BettingRace(at_most, -1.0, 1.0, alpha_above=alpha / 2.0, alpha_below=alpha)
        self._under = BettingRace(-at_most, -1.0, 1.0, alpha_above=alpha, alpha_below=alpha / 2.0)

    def update(self, group: Group, low: float, high: float) -> None:
        """Take in an observation of a group: a score in [0, 1], at least `low` and at most `high`; missing is (0, 1).

        Raises
        ------
        ValueError
            If the group is unknown or the score outside [0, 1].
        """
        if self._blocks.add(group, low, high):
            low_a, high_a, low_b, high_b = self._blocks.closed[-1]
            self._over.update(low_a - high_b, high_a - low_b)
            self._under.update(low_a - high_b, high_a - low_b)

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        if self._over.below and self._under.above:
            return Decision.MET
        return Decision.VIOLATED if self._over.above or self._under.below else None

    @property
    def n(self) -> int:
        """How many observations came in, of both groups, missing ones included."""
        return self._blocks.n

    @property
    def evidence_met(self) -> float:
        """The weaker of the two e-values for "below at_most" and "above -at_most", each on its worst reading."""
        return evidence_from_log(min(self._over.log_below, self._under.log_above))

    @property
    def evidence_violated(self) -> float:
        """Half the stronger of the two e-values for "above at_most" and "below -at_most"."""
        return evidence_from_log(max(self._over.log_above, self._under.log_below) - math.log(2.0))

    def difference(self) -> float | None:
        """Rate of A minus rate of B, with its sign; None if a group has no known observation."""
        return _difference(self._blocks.a.rate, self._blocks.b.rate)

    def estimate(self) -> float | None:
        """Absolute difference of the observed rates, the value that the claim limits; None where undefined."""
        signed = self.difference()
        return None if signed is None else abs(signed)

    def interval(self) -> Interval:
        """Anytime-valid interval of the absolute difference, by inverting this test."""
        lower, upper = self._edges()
        return Interval(bound(lower), bound(upper), 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path up to the last closed block."""
        blocks = self._blocks
        if not blocks.closed:
            return []
        moments = checkpoints(len(blocks.closed), also=(*self._over.stops, *self._under.stops))
        lower, upper = self._edges()
        met, violated = self._evidence_paths(moments)
        columns = zip(
            moments, bound_path(lower, bound(lower), moments), bound_path(upper, bound(upper), moments), strict=True
        )
        points = []
        for index, (moment, low, high) in enumerate(columns):
            signed = _difference(*blocks.rates[moment - 1])
            estimate = None if signed is None else abs(signed)
            points.append(TracePoint(blocks.closed_at[moment - 1], estimate, low, high, met[index], violated[index]))
        return points

    def _readings(self) -> tuple[Floats, Floats]:
        low_a, high_a, low_b, high_b = self._blocks.columns()
        return low_a - high_b, high_a - low_b

    def _evidence_paths(self, moments: Sequence[int]) -> tuple[list[float], list[float]]:
        """Decimal logarithms of the evidence for "met" and "violated" at each moment."""
        (low, high), d, alpha = self._readings(), self._at_most, self._alpha
        below = largest_log_wealth(*_score_gains(high, d)[::-1], alpha, alpha / 2.0)
        above = largest_log_wealth(*_score_gains(low, -d), alpha, alpha / 2.0)
        over = largest_log_wealth(*_score_gains(low, d), alpha / 2.0, alpha)
        under = largest_log_wealth(*_score_gains(high, -d)[::-1], alpha / 2.0, alpha)
        where, ten = np.asarray(moments) - 1, math.log(10.0)
        violated = np.maximum(over, under) - math.log(2.0)
        return (np.minimum(below, above)[where] / ten).tolist(), (violated[where] / ten).tolist()

    def _edges(self) -> tuple[Edge, Edge]:
        low, high = self._readings()
        alpha = self._alpha

        def violated_at(d: float) -> float:
            over = proven_at(*_score_gains(low, d), alpha / 2.0, alpha)
            under = proven_at(*_score_gains(high, -d)[::-1], alpha / 2.0, alpha)
            return min(over, under)

        def met_at(d: float) -> float:
            below = proven_at(*_score_gains(high, d)[::-1], alpha, alpha / 2.0)
            above = proven_at(*_score_gains(low, -d), alpha, alpha / 2.0)
            return max(below, above)

        tested = (self._at_most,)
        return Edge(violated_at, 0.0, 1.0, tested), Edge(met_at, 1.0, 0.0, tested)


def _ratio(rate_a: float | None, rate_b: float | None) -> float | None:
    return None if rate_a is None or not rate_b else rate_a / rate_b


def _difference(rate_a: float | None, rate_b: float | None) -> float | None:
    return None if rate_a is None or rate_b is None else rate_a - rate_b


def _ratio_gains(a: Floats, b: Floats, rho: float) -> tuple[Floats, Floats]:
    """Gains of the stakes on "rate_A > rho rate_B" and on the opposite: the contrast lies in [-rho, 1]."""
    contrast = a - rho * b
    return gains_above(contrast, 0.0, -rho), gains_below(contrast, 0.0, 1.0)


def _score_gains(x: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Gains of the stakes on "above" and "below" for a difference, which lies in [-1, 1]."""
    return gains_above(x, threshold, -1.0), gains_below(x, threshold, 1.0)
