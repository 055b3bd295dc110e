"""The promises that every sequential test makes, checked on every one of them."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shinrai.stats import (
    BandTest,
    Decision,
    DifferenceTest,
    FinitePopulationMeanTest,
    FinitePopulationTest,
    GroupDifferenceTest,
    GroupedTest,
    GroupRatioTest,
    Interval,
    MeanTest,
    ProportionTest,
    RatioTest,
    ScoreTest,
    SequentialTest,
    TracePoint,
)

HORIZON = 1000
PASSED, FAILED, MISSING = (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)
# One step of a scenario: (group, low, high). Tests of a single stream ignore the group.
Step = tuple[str, float, float]


@dataclass(frozen=True)
class Case:
    """How to build one kind of test, and what it may be asked about."""

    build: Callable[[float], Any]
    threshold: float
    others: tuple[float, ...]
    groups: str = ""
    at_most: bool = True
    upper: float = 1.0
    binary: bool = False

    def run(self, steps: list[Step], threshold: float | None = None) -> Any:
        test = self.build(self.threshold if threshold is None else threshold)
        for step in steps:
            self.feed(test, step)
        return test

    def feed(self, test: Any, step: Step) -> None:
        group, low, high = step
        if self.groups:
            test.update(group if group in self.groups else self.groups[-1], low, high)
        else:
            test.update(low, high)


CASES = {
    "proportion": Case(
        lambda m: ProportionTest(m, 0.1, HORIZON), 0.2, (0.01, 0.1, 0.19, 0.21, 0.5, 0.8, 0.97), binary=True
    ),
    "mean": Case(lambda m: MeanTest(m, 0.0, 1.0, 0.1), 0.5, (0.05, 0.3, 0.49, 0.51, 0.8, 0.95), at_most=False),
    "ratio": Case(
        lambda m: RatioTest(m, 0.1), 0.8, (0.1, 0.5, 0.79, 1.0, 1.25, 4.0), groups="ab", at_most=False, upper=math.inf
    ),
    "difference": Case(lambda m: DifferenceTest(m, 0.1), 0.2, (0.02, 0.1, 0.19, 0.3, 0.5, 0.9), groups="ab"),
    "finite": Case(
        lambda m: FinitePopulationTest(m, 0.1, HORIZON), 0.2, (0.01, 0.1, 0.19, 0.21, 0.5, 0.8, 0.97), binary=True
    ),
    "finite mean": Case(
        lambda m: FinitePopulationMeanTest(m, 0.0, 1.0, 0.1, HORIZON), 0.5, (0.05, 0.3, 0.49, 0.8), at_most=False
    ),
    "ratios": Case(lambda m: GroupRatioTest("abc", m, 0.1), 0.8, (0.1, 0.5, 0.79, 0.95), groups="abc", at_most=False),
    "ratios to one": Case(
        lambda m: GroupRatioTest("abc", m, 0.1, "c"),
        0.8,
        (0.1, 0.79, 1.25, 4.0),
        groups="abc",
        at_most=False,
        upper=math.inf,
    ),
    "differences": Case(lambda m: GroupDifferenceTest("abc", m, 0.1), 0.2, (0.02, 0.19, 0.3, 0.9), groups="abc"),
    "band": Case(lambda m: BandTest(m, 0.6, 0.1, HORIZON), 0.2, (), binary=True),
}
ALL = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
INVERTED = pytest.mark.parametrize(
    "case", [case for name, case in CASES.items() if name != "band"], ids=[name for name in CASES if name != "band"]
)


@st.composite
def scenarios(draw: st.DrawFn, *, missing: bool = True) -> list[Step]:
    """Stretches of trials: long enough that verdicts are reached, and the rates may drift."""
    kinds = st.sampled_from([PASSED, FAILED, MISSING] if missing else [PASSED, FAILED])
    stretch = st.tuples(st.sampled_from("abc"), kinds, st.sampled_from("abc"), kinds, st.integers(1, 40))
    steps: list[Step] = []
    for first, one, second, other, times in draw(st.lists(stretch, min_size=1, max_size=7)):
        steps += [(first, *one), (second, *other)] * times
    return steps


@ALL
@settings(max_examples=8)
@given(steps=scenarios())
def test_interval_and_verdict_never_contradict_each_other(case: Case, steps: list[Step]) -> None:
    test = case.build(case.threshold)
    for index, step in enumerate(steps):
        case.feed(test, step)
        if index % 150 and index != len(steps) - 1:
            continue
        interval = test.interval()
        assert interval.lower <= interval.upper
        if isinstance(test, BandTest):
            outside = interval.lower >= 0.6 or interval.upper <= 0.2
            inside = interval.lower >= 0.2 and interval.upper <= 0.6
            assert (test.decision is Decision.VIOLATED, test.decision is Decision.MET) == (outside, inside)
        else:
            assert interval.excludes(case.threshold) == (test.decision is not None)


@INVERTED
@settings(max_examples=7)
@given(steps=scenarios())
def test_interval_is_what_fresh_tests_at_other_thresholds_decide(case: Case, steps: list[Step]) -> None:
    interval = case.run(steps).interval()
    for threshold in case.others:
        decision = case.run(steps, threshold).decision
        over, under = threshold >= interval.upper, threshold <= interval.lower
        met, violated = (over, under) if case.at_most else (under, over)
        assert (decision is Decision.MET, decision is Decision.VIOLATED) == (met, violated), threshold


@ALL
@settings(max_examples=8)
@given(steps=scenarios(), data=st.data())
def test_a_verdict_holds_for_every_value_of_what_is_missing(case: Case, steps: list[Step], data: st.DataObject) -> None:
    values = [0.0, 1.0] if case.binary else [0.0, 0.3, 1.0]
    filling = data.draw(
        st.sampled_from(values).map(lambda value: [value] * len(steps))
        | st.lists(st.sampled_from(values), min_size=len(steps), max_size=len(steps))
    )
    filled = [
        (group, value, value) if (low, high) == MISSING else (group, low, high)
        for (group, low, high), value in zip(steps, filling, strict=True)
    ]
    with_missing, complete = case.run(steps), case.run(filled)
    if with_missing.decision is not None:
        assert complete.decision is with_missing.decision
    if isinstance(complete, BandTest):
        return  # where a drift excludes every rate of the band, its two bounds change places
    known, full = with_missing.interval(), complete.interval()
    assert known.lower <= full.lower + 1e-9
    assert known.upper >= full.upper - 1e-9


@ALL
@settings(max_examples=20)
@given(steps=scenarios())
def test_decision_is_reached_exactly_with_the_evidence_and_stays(case: Case, steps: list[Step]) -> None:
    test = case.build(case.threshold)
    reached, before = None, (0.0, 0.0)
    for index, step in enumerate(steps):
        case.feed(test, step)
        if index % 4:
            continue
        evidence = test.evidence_met, test.evidence_violated
        assert evidence >= (0.0, 0.0)
        assert evidence[0] >= before[0]
        assert evidence[1] >= before[1]
        assert (evidence[0] >= 10.0) == (test.decision is Decision.MET)
        assert (evidence[1] >= 10.0) == (test.decision is Decision.VIOLATED)
        if reached is not None:
            assert test.decision is reached
        reached, before = test.decision, evidence
    assert test.n == len(steps)


@ALL
def test_nothing_but_missing_trials_decides_nothing(case: Case) -> None:
    steps = [(group, *MISSING) for group in case.groups or "a"]
    test = case.run(steps * (800 // len(steps)))
    assert test.decision is None
    assert test.estimate() is None
    assert test.n == 800 // len(steps) * len(steps)
    assert test.evidence_met <= 1.0
    assert test.evidence_violated <= 1.0
    interval = test.interval()
    assert interval.lower == 0.0
    assert interval.upper == case.upper


@ALL
def test_before_the_first_observation_nothing_is_claimed(case: Case) -> None:
    test = case.build(case.threshold)
    assert (test.decision, test.estimate(), test.n, test.trace()) == (None, None, 0, [])
    assert not test.interval().excludes(case.threshold)


# Fifteen passes, then half of the trials fail: "under 0.21" and "over 0.2" are both proven, and all rates excluded.
DRIFTED: list[Step] = [("a", *PASSED)] * 15 + [("a", *FAILED), ("a", *PASSED)] * 20 + [("a", *PASSED)] * 20


@ALL
@settings(max_examples=4)
@example(steps=DRIFTED)
@given(steps=scenarios())
def test_trace_agrees_with_the_test_at_the_same_moment(case: Case, steps: list[Step]) -> None:
    final = case.run(steps)
    trace = final.trace()
    assert len(trace) <= 205
    assert [point.n for point in trace] == sorted({point.n for point in trace})
    for point in trace[:: max(1, len(trace) // 5)] + trace[-1:]:
        test = case.run(steps[: point.n])
        interval = test.interval()
        assert point.estimate == pytest.approx(test.estimate())
        assert point.log10_evidence_met == pytest.approx(math.log10(test.evidence_met), abs=1e-6)
        assert point.log10_evidence_violated == pytest.approx(math.log10(test.evidence_violated), abs=1e-6)
        assert _no_narrower(point, interval) or (_excludes_every_rate(test) and _no_narrower(interval, point))
        if not isinstance(test, BandTest):
            decided = not point.lower < case.threshold < point.upper
            assert decided == (test.decision is not None)
    if trace:
        assert (trace[-1].lower, trace[-1].upper) == (final.interval().lower, final.interval().upper)


def _no_narrower(one: TracePoint | Interval, other: TracePoint | Interval) -> bool:
    return one.lower <= other.lower + 1e-8 and one.upper >= other.upper - 1e-8


def _excludes_every_rate(test: Any) -> bool:
    """Whether a drift made the two bounds of a band change places, so that a bound less sharp narrows what is shown."""
    interval, estimate = test.interval(), test.estimate()
    return isinstance(test, BandTest) and not interval.lower < estimate < interval.upper


@ALL
@settings(max_examples=6)
@given(steps=scenarios())
def test_replaying_the_observations_gives_the_same_state(case: Case, steps: list[Step]) -> None:
    one, other = case.run(steps), case.run(steps[: len(steps) // 2])
    other.trace()  # looking changes nothing
    for step in steps[len(steps) // 2 :]:
        case.feed(other, step)
    assert (one.decision, one.evidence_met, one.evidence_violated) == (
        other.decision,
        other.evidence_met,
        other.evidence_violated,
    )
    assert one.interval() == other.interval()


@ALL
def test_evidence_stays_a_number_that_json_can_carry(case: Case) -> None:
    for outcome in (PASSED, FAILED):
        test = case.run([(group, *outcome) for group in "abca"] * (HORIZON // 4))
        text = json.dumps([test.evidence_met, test.evidence_violated], allow_nan=False)
        assert all(math.isfinite(value) for value in json.loads(text))


@pytest.mark.parametrize("alpha", [0.0, -0.1, 0.51, 1.0, math.nan])
@ALL
def test_impossible_error_levels_are_refused(case: Case, alpha: float) -> None:
    builders: dict[type, Callable[[], Any]] = {
        ProportionTest: lambda: ProportionTest(0.1, alpha, 10),
        BandTest: lambda: BandTest(0.1, 0.2, alpha, 10),
        MeanTest: lambda: MeanTest(0.5, 0.0, 1.0, alpha),
        RatioTest: lambda: RatioTest(0.8, alpha),
        DifferenceTest: lambda: DifferenceTest(0.1, alpha),
        FinitePopulationTest: lambda: FinitePopulationTest(0.1, alpha, 10),
        FinitePopulationMeanTest: lambda: FinitePopulationMeanTest(0.5, 0.0, 1.0, alpha, 10),
        GroupRatioTest: lambda: GroupRatioTest("abc", 0.8, alpha),
        GroupDifferenceTest: lambda: GroupDifferenceTest("abc", 0.1, alpha),
    }
    with pytest.raises(ValueError, match="alpha"):
        builders[type(case.build(case.threshold))]()


@pytest.mark.parametrize(
    "build",
    [
        *[lambda limit=limit: ProportionTest(limit, 0.05, 10) for limit in (0.0, 1.0, -0.1, 1.1, math.nan)],
        lambda: ProportionTest(0.1, 0.05, 0),
        lambda: BandTest(0.3, 0.2, 0.05, 10),
        lambda: BandTest(0.0, 0.2, 0.05, 10),
        lambda: MeanTest(1.0, 0.0, 1.0, 0.05),
        lambda: MeanTest(0.5, -math.inf, 1.0, 0.05),
        lambda: RatioTest(0.0, 0.05),
        lambda: RatioTest(math.inf, 0.05),
        lambda: DifferenceTest(0.0, 0.05),
        lambda: DifferenceTest(1.0, 0.05),
        *[lambda limit=limit: FinitePopulationTest(limit, 0.05, 10) for limit in (0.0, 1.0, math.nan)],
        lambda: FinitePopulationTest(0.1, 0.05, 0),
        lambda: FinitePopulationMeanTest(0.5, 0.0, 1.0, 0.05, 0),
        lambda: FinitePopulationMeanTest(1.0, 0.0, 1.0, 0.05, 9),
        lambda: GroupRatioTest("abc", 1.0, 0.05),
        lambda: GroupRatioTest("abc", 0.0, 0.05, "a"),
        lambda: GroupRatioTest("a", 0.8, 0.05),
        lambda: GroupRatioTest("aa", 0.8, 0.05),
        lambda: GroupDifferenceTest("abc", 0.1, 0.05, "d"),
        lambda: GroupDifferenceTest("abc", 1.0, 0.05),
    ],
)
def test_thresholds_that_cannot_be_tested_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"must|at least"):
        build()


@ALL
@pytest.mark.parametrize("score", [(-0.1, 0.5), (0.5, 1.1), (0.8, 0.2), (math.nan, math.nan), (1.0, 0.0)])
def test_scores_outside_the_range_are_refused_and_change_nothing(case: Case, score: tuple[float, float]) -> None:
    test = case.run([("a", *PASSED), ("b", *FAILED)])
    before = test.n, test.evidence_met, test.evidence_violated
    with pytest.raises(ValueError, match=r"observation|trial"):
        case.feed(test, ("a", *score))
    assert (test.n, test.evidence_met, test.evidence_violated) == before


def test_the_tests_fit_their_protocols() -> None:
    streams: list[ScoreTest] = [
        CASES[name].build(CASES[name].threshold) for name in ("proportion", "mean", "band", "finite", "finite mean")
    ]
    pairs: list[GroupedTest] = [
        CASES[name].build(CASES[name].threshold) for name in ("ratio", "difference", "ratios", "differences")
    ]
    one: ScoreTest = ProportionTest(0.1, 0.05, 10)
    two: GroupedTest = RatioTest(0.8, 0.05)
    everything: list[SequentialTest] = [*streams, *pairs, one, two]
    assert all(test.decision is None for test in everything)
