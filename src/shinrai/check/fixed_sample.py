"""The fixed-sample test behind each metric, for trials that may not be read one after the other.

The order of an imported run was not committed before it was made, and nobody outside can know how its length was
chosen. So it is looked at once, as a whole, and the verdict names the test.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from shinrai.check.gauges import Reading, Span
from shinrai.records import Commitment, Side
from shinrai.records import TracePoint as VerdictPoint
from shinrai.stats import Decision, FixedBandTest, FixedContrastTest, FixedProportionTest

__all__ = ["FixedGauge", "fixed_gauge_for"]

_Test: TypeAlias = FixedProportionTest | FixedBandTest | FixedContrastTest
_SNAP = 1e-12  # as in `shinrai.check.gauges`


class FixedGauge:
    """A claim under a test that looks once.

    Parameters
    ----------
    name : str
        Of the test, as verdicts carry it.
    test : FixedProportionTest or FixedBandTest or FixedContrastTest
    turned : float, optional
        The threshold of a pass rate, which is tested as a failure rate below the rest.
    """

    _FAILURES: ClassVar[dict[Reading, tuple[int, int]]] = {"pass": (0, 0), "fail": (1, 1), "missing": (0, 1)}
    _PASSES: ClassVar[dict[Reading, tuple[int, int]]] = {"pass": (1, 1), "fail": (0, 0), "missing": (0, 1)}

    def __init__(self, name: str, test: _Test, turned: float | None = None) -> None:
        self.name = name
        self.test = test
        self._turned = turned

    def feed(self, reading: Reading, side: Side | None) -> None:
        """Take in how a trial ended.

        Raises
        ------
        ValueError
            If groups are compared and it belongs to none.
        """
        if isinstance(self.test, FixedProportionTest):
            self.test.update(*self._FAILURES[reading])
        elif isinstance(self.test, FixedBandTest):
            self.test.update(*self._PASSES[reading])
        elif side is None:
            raise ValueError("a trial of a comparison of groups belongs to a group")
        else:
            self.test.update(side, *self._PASSES[reading])

    def close(self) -> None:
        """Look, once."""
        self.test.close()

    @property
    def decision(self) -> Decision | None:
        """The verdict; None before `close`, and where the trials prove neither side."""
        return self.test.decision

    def reach(self) -> int:
        """Nothing is decided before the end: one trial more is always wanted."""
        return 1

    def can_be_met(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        """Tell nothing before the end, at which it looks."""
        return True

    def can_be_violated(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        """Tell nothing before the end, at which it looks."""
        return True

    def span(self) -> Span:
        """Give estimate and bounds in the unit of the metric, each bound at the error level, for this one look."""
        estimate, (lower, upper) = self.test.estimate(), self.test.bounds()
        level = 1.0 - 2.0 * self.test.alpha
        if self._turned is not None:
            lower, upper = self._snapped(1.0 - upper), self._snapped(1.0 - lower)
            estimate = None if estimate is None else 1.0 - estimate
        return Span(estimate, lower, upper if upper < float("inf") else None, level)

    def _snapped(self, bound: float) -> float:
        return self._turned if self._turned is not None and abs(bound - self._turned) < _SNAP else bound

    def borderline(self, span: Span) -> bool:  # noqa: ARG002 - one signature for all gauges
        """Whether the interval shows that the truth lies within a factor of two of the limit of a rate."""
        return isinstance(self.test, FixedProportionTest) and self.test.borderline

    def trace(self) -> tuple[VerdictPoint, ...]:
        """No path: it looks once."""
        return ()


def fixed_gauge_for(commitment: Commitment, size: int | None = None) -> FixedGauge:
    """Build the fixed-sample test that a commitment asks for.

    Parameters
    ----------
    commitment : Commitment
        With a metric that is measured by trials.
    size : int, optional
        Trials that there are of the data set which the promise is about; None where it is about the traffic.

    Returns
    -------
    FixedGauge

    Raises
    ------
    ValueError
        If the metric is not measured by trials or the threshold does not go with it.
    """
    threshold, alpha = commitment.threshold, commitment.alpha
    if isinstance(threshold, tuple) and commitment.metric == "rate-band":
        return FixedGauge("exact-binomial-band", FixedBandTest(*threshold, alpha))
    if not isinstance(threshold, float | int):
        raise ValueError(  # noqa: TRY004 - a threshold that does not go with the metric, not a wrong type
            f"{commitment.metric} cannot be tested against {threshold!r}"
        )
    name = "exact-binomial" if size is None else "exact-hypergeometric"
    match commitment.metric:
        case "failure-rate":
            return FixedGauge(name, FixedProportionTest(threshold, alpha, size))
        case "pass-rate":
            return FixedGauge(name, FixedProportionTest(1.0 - threshold, alpha, size), threshold)
        case "rate-ratio":
            return FixedGauge("clopper-pearson-ratio", FixedContrastTest("ratio", threshold, alpha))
        case "rate-difference":
            return FixedGauge("clopper-pearson-difference", FixedContrastTest("difference", threshold, alpha))
        case _:
            raise ValueError(f"{commitment.metric} is not measured by trials")
