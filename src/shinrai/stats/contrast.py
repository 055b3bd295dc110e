"""Do groups differ? Ratios and differences of rates, without assuming anything about their level.

Groups are compared in pairs, block by block (`shinrai.stats.blocks`).

Which correction is needed
--------------------------
The claim is about the *worst* pair: every ratio is at least so much, or every difference at most so much.

*Met* says that of all pairs. If the claim is false, it is false of at least one pair, and "met" needs the wrong proof
for that very pair, which has probability at most alpha. Each pair is tested at alpha, without any correction
(intersection-union, Berger 1982).

*Violated* says it of some pair. If the claim is true, it is true of all m statements that could be refuted by mistake,
and each may be. Testing each at ``alpha / m`` keeps the probability of any mistake at alpha, however the pairs depend
on one another (Bonferroni; it is the first step of Holm's method, and here the first rejection already decides). The
mean of the m e-values would be sharper if all pairs closed their blocks together, but they do not, and the mean of
processes that stand still at different moments has no such guarantee. The evidence is divided by m where it is
shown, so that it is still compared with 1/alpha. With a reference group, m is the number of other groups, without one
the number of ordered pairs, and for differences twice the number of pairs, as each can be too large on either side.
"""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np

from shinrai.stats.betting import Floats
from shinrai.stats.blocks import Blocks, Tally
from shinrai.stats.comparison import Comparison, DifferenceComparison, Proof, RatioComparison
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

__all__ = ["DifferenceTest", "GroupDifferenceTest", "GroupRatioTest", "RatioTest"]


class _GroupTest(ABC):
    """What the tests of ratios and of differences share: pairs, and the worst of them."""

    __slots__ = (
        "_alpha",
        "_comparisons",
        "_n",
        "_of_group",
        "_pairs",
        "_reference",
        "_split",
        "_tallies",
        "_threshold",
    )

    def __init__(self, groups: Iterable[str], threshold: float, alpha: float, reference: str | None) -> None:
        require_alpha(alpha)
        names = tuple(groups)
        if len(names) < 2 or len(set(names)) != len(names):
            raise ValueError(f"the groups are {names!r}; there must be at least two different ones, each named once")
        if reference is not None and reference not in names:
            raise ValueError(f"the reference is {reference!r}; it must be one of the groups {names!r}")
        self._threshold, self._alpha, self._reference = threshold, alpha, reference
        self._n = 0
        self._tallies = {name: Tally() for name in names}
        self._pairs = [
            Blocks(a, b)
            for a, b in (
                itertools.combinations(names, 2)
                if reference is None
                else ((name, reference) for name in names if name != reference)
            )
        ]
        self._split, self._comparisons = self._compare()
        self._of_group = {name: [pair for pair in self._pairs if name in pair.groups] for name in names}

    @abstractmethod
    def _compare(self) -> tuple[int, dict[Blocks, list[Comparison]]]:
        """Give the number of statements that could be refuted by mistake, and the comparisons of each pair."""

    @abstractmethod
    def _edges(self, met_at: Proof, violated_at: Proof) -> tuple[Edge, Edge]:
        """Lower and upper side of the interval."""

    @abstractmethod
    def _worst(self, rates: dict[str, float]) -> float | None:
        """Ratio or difference of the worst pair at these rates; None where undefined."""

    def update(self, group: str, low: float, high: float) -> None:
        """Take in an observation of a group: a score in [0, 1], at least `low` and at most `high`; missing is (0, 1).

        Raises
        ------
        ValueError
            If the group is unknown or the score outside [0, 1].
        """
        if group not in self._tallies:
            raise ValueError(f"the group is {group!r}; it must be one of {', '.join(map(repr, self._tallies))}")
        require_score(low, high, 0.0, 1.0)
        self._n += 1
        self._tallies[group].add(self._n, low, high)
        for pair in self._of_group[group]:
            for block in pair.add(self._n, group, low, high):
                for comparison in self._comparisons[pair]:
                    comparison.settle(*block)

    def _all(self) -> list[Comparison]:
        return [comparison for pair in self._pairs for comparison in self._comparisons[pair]]

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        decisions = {comparison.decision() for comparison in self._all()}
        if decisions == {Decision.MET}:
            return Decision.MET
        return Decision.VIOLATED if Decision.VIOLATED in decisions else None

    @property
    def n(self) -> int:
        """How many observations came in, of all groups, missing ones included."""
        return self._n

    @property
    def evidence_met(self) -> float:
        """The weakest of the e-values for "met" over the pairs, each on the reading worst for the claim."""
        return evidence_from_log(min(comparison.evidence()[0] for comparison in self._all()))

    @property
    def evidence_violated(self) -> float:
        """The strongest e-value for "violated" over the pairs, divided by the number of statements tested."""
        strongest = max(comparison.evidence()[1] for comparison in self._all())
        return evidence_from_log(strongest - math.log(self._split))

    def estimate(self) -> float | None:
        """Value of the worst pair at the observed rates; None where undefined."""
        return self._estimate_at(self._n)

    def interval(self) -> Interval:
        """Anytime-valid interval of the value of the worst pair, by inverting this test."""
        lower, upper = self._edges(*self._proofs())
        return Interval(bound(lower), bound(upper), 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path up to the last closed block."""
        moments = self._moments()
        lower, upper = self._edges(*self._proofs())
        met, violated = self._evidence_at(moments)
        columns = zip(
            moments,
            map(self._estimate_at, moments),
            bound_path(lower, bound(lower), moments),
            bound_path(upper, bound(upper), moments),
            met,
            violated,
            strict=True,
        )
        return [TracePoint(*column) for column in columns]

    def _moments(self) -> list[int]:
        """Observations that closed a block, thinned, with those that proved something."""
        closings = sorted({n for pair in self._pairs for n in pair.closed_at})
        stops = {
            one.blocks.closed_at[stop - 1] for one in self._all() for stop in one.stops() if stop
        }  # each of them closed a block
        chosen = checkpoints(len(closings), also=[closings.index(stop) + 1 for stop in stops])
        return [closings[index - 1] for index in chosen]

    def _evidence_at(self, moments: Sequence[int]) -> tuple[list[float], list[float]]:
        """Decimal logarithms of the evidence for "met" and "violated" at each moment."""
        met: list[Floats] = []
        violated: list[Floats] = []
        for comparison in self._all():
            blocks = np.searchsorted(comparison.blocks.closed_at, moments, side="right")
            for path, paths in zip(comparison.paths(), (met, violated), strict=True):
                paths.append(np.concatenate(([0.0], path))[blocks])
        ten = math.log(10.0)
        strongest = np.max(violated, axis=0) - math.log(self._split)
        return (np.min(met, axis=0) / ten).tolist(), (strongest / ten).tolist()

    def _proofs(self) -> tuple[Proof, Proof]:
        """From a threshold to the observation at which "met" and "violated" were proven against it."""
        proofs = [(comparison.blocks.observation, *comparison.proofs()) for comparison in self._all()]
        return (
            lambda threshold: max(observation(met(threshold)) for observation, met, _ in proofs),
            lambda threshold: min(observation(violated(threshold)) for observation, _, violated in proofs),
        )

    def _estimate_at(self, n: int) -> float | None:
        rates = {name: tally.rate_at(n) for name, tally in self._tallies.items()}
        known = {name: rate for name, rate in rates.items() if rate is not None}
        return self._worst(known) if len(known) == len(rates) else None


class GroupRatioTest(_GroupTest):
    """Sequential test of the claim "no group's rate is less than `at_least` times that of another".

    Parameters
    ----------
    groups
        Names of the groups, at least two.
    at_least
        The smallest allowed ratio (0.8 for the four-fifths rule): above 0, and below 1 if there is no reference.
    alpha
        Error level of each verdict, in (0, 0.5].
    reference
        The group that every other is compared with, as "rate >= at_least * rate of the reference". Without it every
        group is compared with every other, and the claim is about the smallest rate over the largest.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ()

    def __init__(self, groups: Iterable[str], at_least: float, alpha: float, reference: str | None = None) -> None:
        require_within("the ratio", at_least, 0.0, 1.0 if reference is None else math.inf)
        super().__init__(groups, at_least, alpha, reference)

    def _compare(self) -> tuple[int, dict[Blocks, list[Comparison]]]:
        both = (False, True) if self._reference is None else (False,)
        split = len(both) * len(self._pairs)
        return split, {
            pair: [
                RatioComparison(pair, self._threshold, self._alpha, self._alpha / split, flipped=flipped)
                for flipped in both
            ]
            for pair in self._pairs
        }

    def _edges(self, met_at: Proof, violated_at: Proof) -> tuple[Edge, Edge]:
        top, tested = 1.0 if self._reference is None else math.inf, (self._threshold,)
        return Edge(met_at, 0.0, top, tested), Edge(violated_at, top, 0.0, tested)

    def _worst(self, rates: dict[str, float]) -> float | None:
        """Smallest ratio; None if every rate that is divided by is 0."""
        if self._reference is None:
            largest = max(rates.values())
            return min(rates.values()) / largest if largest else None
        divisor = rates[self._reference]
        others = [rate for name, rate in rates.items() if name != self._reference]
        return min(others) / divisor if divisor else None


class GroupDifferenceTest(_GroupTest):
    """Sequential test of the claim "the rates of no two groups differ by more than `at_most`".

    Parameters
    ----------
    groups
        Names of the groups, at least two.
    at_most
        The largest allowed absolute difference, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].
    reference
        The group that every other is compared with. Without it every group is compared with every other, and the
        claim is about the largest rate minus the smallest.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ()

    def __init__(self, groups: Iterable[str], at_most: float, alpha: float, reference: str | None = None) -> None:
        require_within("the difference", at_most, 0.0, 1.0)
        super().__init__(groups, at_most, alpha, reference)

    def _compare(self) -> tuple[int, dict[Blocks, list[Comparison]]]:
        split = 2 * len(self._pairs)
        return split, {
            pair: [DifferenceComparison(pair, self._threshold, self._alpha, self._alpha / split)]
            for pair in self._pairs
        }

    def _edges(self, met_at: Proof, violated_at: Proof) -> tuple[Edge, Edge]:
        tested = (self._threshold,)
        return Edge(violated_at, 0.0, 1.0, tested), Edge(met_at, 1.0, 0.0, tested)

    def _worst(self, rates: dict[str, float]) -> float | None:
        if self._reference is None:
            return max(rates.values()) - min(rates.values())
        return max(abs(rate - rates[self._reference]) for rate in rates.values())


class RatioTest(GroupRatioTest):
    """Sequential test of the claim "rate_A / rate_B is at least `at_least`", in the form "rate_A >= at_least * rate_B".

    Its groups are called ``"a"`` and ``"b"``; for other names, or more groups, see `GroupRatioTest`.

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

    __slots__ = ()

    def __init__(self, at_least: float, alpha: float) -> None:
        super().__init__(("a", "b"), at_least, alpha, reference="b")


class DifferenceTest(GroupDifferenceTest):
    """Sequential test of the claim "|rate_A - rate_B| is at most `at_most`".

    Its groups are called ``"a"`` and ``"b"``; for other names, or more groups, see `GroupDifferenceTest`.

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

    __slots__ = ()

    def __init__(self, at_most: float, alpha: float) -> None:
        super().__init__(("a", "b"), at_most, alpha)

    def difference(self) -> float | None:
        """Rate of A minus rate of B, with its sign; None if a group has no known observation."""
        rate_a, rate_b = (self._tallies[name].rate_at(self._n) for name in ("a", "b"))
        return None if rate_a is None or rate_b is None else rate_a - rate_b
