"""The sequential test behind each metric, read in the unit of the metric.

A gauge is fed how trials ended and asked whether that decides the claim. Failure rates are tested as failure rates,
pass rates as failure rates below one minus the threshold, bands and groups by their pass rates (`shinrai.stats`).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from shinrai.records import Commitment, Side
from shinrai.records import TracePoint as VerdictPoint
from shinrai.stats import (
    BandTest,
    Decision,
    DifferenceTest,
    FinitePopulationTest,
    JudgedRateTest,
    ProportionTest,
    RatioTest,
    SequentialTest,
    StoppingTable,
    finite_stopping_table,
    stopping_table,
)

__all__ = ["Gauge", "Reading", "Span", "gauge_for", "turned_trace"]

Reading: TypeAlias = Literal["pass", "fail", "missing"]

_TRACE_POINTS = 60
_SNAP = 1e-12  # a bound this close to the threshold is the threshold: 1 - (1 - t) is not always t in floating point
_AHEAD = 16  # trials that may be on their way at first where no table says how near a decision is

_Point = TypeVar("_Point")


class Span(NamedTuple):
    """Estimate and bounds in the unit of the metric; None where undefined or unbounded."""

    estimate: float | None
    lower: float | None
    upper: float | None
    level: float


class Gauge(Protocol):
    """A claim under test."""

    @property
    def test(self) -> SequentialTest:
        """The test itself, for its evidence."""

    def feed(self, reading: Reading, side: Side | None) -> None:
        """Take in how the next trial ended."""

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached."""

    def reach(self) -> int:
        """How many further trials could matter before the test may have decided; at least 1."""

    def can_be_met(self, remaining: int) -> bool:
        """Whether it would be met if so many further trials passed; True where no table says."""

    def can_be_violated(self, remaining: int) -> bool:
        """Whether it would be violated if so many further trials failed; True where no table says."""

    def span(self) -> Span:
        """Estimate and anytime-valid interval now."""

    def borderline(self, span: Span) -> bool:
        """Whether an interval shows that the truth lies within a factor of two of the threshold."""

    def trace(self) -> tuple[VerdictPoint, ...]:
        """Give the path of the test, at most 60 points."""


def gauge_for(commitment: Commitment, horizon: int) -> Gauge:
    """Build the test that a commitment asks for.

    Parameters
    ----------
    commitment : Commitment
        With a metric that is measured by trials.
    horizon : int
        Trials at most, at least 1.

    Returns
    -------
    Gauge

    Raises
    ------
    ValueError
        If the metric is not measured by trials or the threshold does not go with it.
    """
    threshold, alpha = commitment.threshold, commitment.alpha
    if commitment.label_plan is not None and commitment.failure_limit is not None:
        return _CollectingGauge(JudgedRateTest(commitment.failure_limit, alpha), horizon)
    if isinstance(threshold, tuple) and commitment.metric == "rate-band":
        return _BandGauge(BandTest(*threshold, alpha, horizon))
    if not isinstance(threshold, float | int):
        raise ValueError(  # noqa: TRY004 - a threshold that does not go with the metric, not a wrong type
            f"{commitment.metric} cannot be tested against {threshold!r}"
        )
    match commitment.metric:
        case "failure-rate":
            return _FailureGauge(*_rate_test(threshold, commitment, horizon))
        case "pass-rate":
            return _PassGauge(threshold, *_rate_test(1.0 - threshold, commitment, horizon))
        case "rate-ratio":
            return _GroupGauge(RatioTest(threshold, alpha), None)
        case "rate-difference":
            return _GroupGauge(DifferenceTest(threshold, alpha), threshold)
        case _:
            raise ValueError(f"{commitment.metric} is not measured by trials")


_RateTest: TypeAlias = ProportionTest | FinitePopulationTest


def _rate_test(limit: float, commitment: Commitment, horizon: int) -> tuple[_RateTest, StoppingTable, float]:
    """Build the test of a failure rate: of the traffic, or of exactly the data that the promise names."""
    alpha = commitment.alpha
    size = commitment.finite_population
    if size is not None:
        return FinitePopulationTest(limit, alpha, size), finite_stopping_table(limit, alpha, size), limit
    return ProportionTest(limit, alpha, horizon), stopping_table(limit, alpha, horizon), limit


class _FailureGauge:
    """A failure rate, at most so much."""

    _FEED: ClassVar[dict[Reading, tuple[int, int]]] = {"pass": (0, 0), "fail": (1, 1), "missing": (0, 1)}

    def __init__(self, test: _RateTest, table: StoppingTable, limit: float) -> None:
        self.test = test
        self._limit = limit
        self._horizon = len(table.met) - 1
        self._table = table
        self._n = self._must_fail = self._may_fail = 0

    def feed(self, reading: Reading, side: Side | None) -> None:  # noqa: ARG002 - one signature for all gauges
        low, high = self._FEED[reading]
        self.test.update(low, high)
        self._n += 1
        self._must_fail += low
        self._may_fail += high

    @property
    def decision(self) -> Decision | None:
        return self.test.decision

    def reach(self) -> int:
        """Distance to "met" if all that follows passes; to "violated" if it fails as often as so far."""
        n, met, violated = self._n, self._table.met, self._table.violated
        ahead = max(1, bisect.bisect_left(met, self._may_fail, lo=min(n + 1, self._horizon)) - n)
        rate = (self._must_fail + self._limit) / (n + 1)
        if rate > self._limit:
            # In doubling steps: it is asked for at each trial, and need not be exact. Fewer trials than failures are
            # missing at the least could not do.
            fewest = max(1.0, (violated[n] - self._must_fail) / rate)
            further, last = 1 << math.ceil(fewest - 1.0).bit_length(), min(ahead, self._horizon - n)
            while further < last:
                if self._must_fail + rate * further >= violated[n + further]:
                    return further
                further *= 2
        return ahead

    def can_be_met(self, remaining: int) -> bool:
        # Evidence only grows with each further pass (below: failure): what the end cannot prove, nothing before can.
        return self._may_fail <= self._table.met[min(self._n + remaining, self._horizon)]

    def can_be_violated(self, remaining: int) -> bool:
        end = min(self._n + remaining, self._horizon)
        return self._must_fail + end - self._n >= self._table.violated[end]

    def span(self) -> Span:
        interval = self.test.interval()
        return Span(self.test.estimate(), interval.lower, interval.upper, interval.level)

    def borderline(self, span: Span) -> bool:  # noqa: ARG002 - one signature for all gauges
        return self.test.borderline

    def trace(self) -> tuple[VerdictPoint, ...]:
        return _thinned(self.test, lambda lower, upper: (lower, upper), lambda estimate: estimate)


class _PassGauge(_FailureGauge):
    """A pass rate, at least so much: a failure rate, at most the rest."""

    def __init__(self, threshold: float, test: _RateTest, table: StoppingTable, limit: float) -> None:
        super().__init__(test, table, limit)
        self._threshold = threshold

    def span(self) -> Span:
        failures = super().span()
        lower, upper = self._turned(failures.lower or 0.0, 1.0 if failures.upper is None else failures.upper)
        return Span(self._rest(failures.estimate), lower, upper, failures.level)

    def trace(self) -> tuple[VerdictPoint, ...]:
        return _thinned(self.test, self._turned, self._rest)

    def _turned(self, lower: float, upper: float) -> tuple[float, float]:
        return self._snapped(1.0 - upper), self._snapped(1.0 - lower)

    def _snapped(self, bound: float) -> float:
        return self._threshold if abs(bound - self._threshold) < _SNAP else bound

    @staticmethod
    def _rest(estimate: float | None) -> float | None:
        return None if estimate is None else 1.0 - estimate


class _BandGauge:
    """A pass rate inside a band."""

    _FEED: ClassVar[dict[Reading, tuple[int, int]]] = {"pass": (1, 1), "fail": (0, 0), "missing": (0, 1)}

    def __init__(self, test: BandTest) -> None:
        self.test = test

    def feed(self, reading: Reading, side: Side | None) -> None:  # noqa: ARG002 - one signature for all gauges
        self.test.update(*self._FEED[reading])

    @property
    def decision(self) -> Decision | None:
        return self.test.decision

    def reach(self) -> int:
        return _half_again(self.test.n)

    def can_be_met(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return True

    def can_be_violated(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return True

    def span(self) -> Span:
        return _span_of(self.test)

    def borderline(self, span: Span) -> bool:  # noqa: ARG002 - one signature for all gauges
        return False

    def trace(self) -> tuple[VerdictPoint, ...]:
        return _thinned(self.test, lambda lower, upper: (lower, upper), lambda estimate: estimate)


class _GroupGauge:
    """Ratio or difference of the pass rates of two groups."""

    def __init__(self, test: RatioTest | DifferenceTest, at_most: float | None) -> None:
        self.test = test
        self._at_most = at_most

    def feed(self, reading: Reading, side: Side | None) -> None:
        if side is None:
            raise ValueError("a trial of a comparison of groups belongs to a group")
        self.test.update(side, *_BandGauge._FEED[reading])  # noqa: SLF001 - same module: the same reading of a pass

    @property
    def decision(self) -> Decision | None:
        return self.test.decision

    def reach(self) -> int:
        return _half_again(self.test.n)

    def can_be_met(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return True

    def can_be_violated(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return True

    def span(self) -> Span:
        return _span_of(self.test)

    def borderline(self, span: Span) -> bool:
        return self._at_most is not None and _close_to(self._at_most, span.lower, span.upper)

    def trace(self) -> tuple[VerdictPoint, ...]:
        return _thinned(self.test, lambda lower, upper: (lower, upper), lambda estimate: estimate)


class _CollectingGauge:
    """What a judge says, gathered until people have labelled some of it: it decides nothing by itself."""

    def __init__(self, test: JudgedRateTest, horizon: int) -> None:
        self.test = test
        self._horizon = horizon

    def feed(self, reading: Reading, side: Side | None) -> None:
        """Leave it to the run file: labels come later."""

    @property
    def decision(self) -> Decision | None:
        return None

    def reach(self) -> int:
        return self._horizon

    def can_be_met(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return False

    def can_be_violated(self, remaining: int) -> bool:  # noqa: ARG002 - one signature for all gauges
        return False

    def span(self) -> Span:
        return Span(None, None, None, self.test.interval().level)

    def borderline(self, span: Span) -> bool:  # noqa: ARG002 - one signature for all gauges
        return False

    def trace(self) -> tuple[VerdictPoint, ...]:
        return ()


def turned_trace(test: SequentialTest, *, turn: bool) -> tuple[VerdictPoint, ...]:
    """Give the path of the test of a failure rate, at most 60 points; as a pass rate where it is to be turned."""
    if not turn:
        return _thinned(test, lambda lower, upper: (lower, upper), lambda estimate: estimate)
    return _thinned(
        test, lambda lower, upper: (1.0 - upper, 1.0 - lower), lambda rate: None if rate is None else 1.0 - rate
    )


def _close_to(limit: float, lower: float | None, upper: float | None) -> bool:
    return lower is not None and upper is not None and limit / 2.0 < lower and upper < 2.0 * limit


def _half_again(n: int) -> int:
    """Look ahead by half of what was seen: a decision then costs at most half as many trials too many."""
    return max(_AHEAD, n // 2)


def _span_of(test: SequentialTest) -> Span:
    interval = test.interval()
    return Span(test.estimate(), _finite(interval.lower), _finite(interval.upper), interval.level)


def _finite(bound: float) -> float | None:
    """Give None for "no bound": JSON has no infinity."""
    return bound if abs(bound) < float("inf") else None


def _thinned(
    test: SequentialTest,
    bounds: Callable[[float, float], tuple[float, float]],
    estimate: Callable[[float | None], float | None],
) -> tuple[VerdictPoint, ...]:
    points = []
    for point in _spread(test.trace(), _TRACE_POINTS):
        lower, upper = bounds(point.lower, point.upper)
        points.append(
            VerdictPoint(
                n=point.n,
                estimate=estimate(point.estimate),
                lower=_finite(lower),
                upper=_finite(upper),
                evidence_met=10.0 ** min(299.0, point.log10_evidence_met),
                evidence_violated=10.0 ** min(299.0, point.log10_evidence_violated),
            )
        )
    return tuple(points)


def _spread(points: Sequence[_Point], most: int) -> list[_Point]:
    """Keep at most so many points, evenly, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(index * last / (most - 1))] for index in range(most)]
