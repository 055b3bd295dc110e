"""The promises that every sequential test makes, for those that take blocks, flags and pairs."""

import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.stats import (
    ConfirmedFlagsTest,
    Decision,
    JudgedMeanTest,
    JudgedRateTest,
    PairedTest,
    ScoreTest,
    SequentialTest,
    fewest_labels_to_pass,
)

Floats = NDArray[np.float64]
Bounds = tuple[float, float]
PASSED, FAILED, HALF, MISSING = (0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.0, 1.0)
Step = tuple[Bounds, ...]


@dataclass(frozen=True)
class Case:
    """How to build one kind of test and how a step of scores is fed to it."""

    build: Callable[[float], Any]
    feed: Callable[[Any, Step], None]
    threshold: float
    others: tuple[float, ...]
    at_most: bool

    def run(self, steps: list[Step], threshold: float | None = None) -> Any:
        test = self.build(self.threshold if threshold is None else threshold)
        for step in steps:
            self.feed(test, step)
        return test


def feed_block(test: Any, step: Step) -> None:
    judge, *others = (None if score == MISSING else score[0] for score in step[1:])
    test.update(step[0], judge, others)


def feed_flag(test: Any, step: Step) -> None:
    label, judge, _ = step
    flagged = judge[1] > 0.0
    whole = label if label in {PASSED, FAILED, MISSING} else FAILED
    test.update(*(whole if flagged else PASSED))


def feed_pair(test: Any, step: Step) -> None:
    test.update_pair(step[0], step[1])


CASES = {
    "judged mean": Case(
        lambda m: JudgedMeanTest(m, 0.0, 1.0, 0.1), feed_block, 0.5, (0.05, 0.3, 0.49, 0.51, 0.8, 0.95), at_most=False
    ),
    "judged rate": Case(
        lambda m: JudgedRateTest(m, 0.1), feed_block, 0.2, (0.01, 0.1, 0.19, 0.21, 0.5, 0.9), at_most=True
    ),
    "confirmed flags": Case(
        lambda m: ConfirmedFlagsTest(m, 0.1), feed_flag, 0.2, (0.01, 0.1, 0.19, 0.21, 0.5, 0.9), at_most=True
    ),
    "paired": Case(
        lambda m: PairedTest(m, 0.1), feed_pair, -0.1, (-0.9, -0.4, -0.11, -0.09, 0.0, 0.4, 0.9), at_most=False
    ),
}
ALL = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@st.composite
def scenarios(draw: st.DrawFn) -> list[Step]:
    """Stretches of blocks (label, judge, judge-only) in which everything may drift and be missing."""
    score = st.sampled_from([PASSED, PASSED, FAILED, FAILED, HALF, MISSING])
    stretch = st.tuples(st.tuples(score, score, score), st.tuples(score, score, score), st.integers(1, 16))
    steps: list[Step] = []
    for one, other, times in draw(st.lists(stretch, min_size=1, max_size=6)):
        steps += [one, other] * times
    return steps


@ALL
@settings(max_examples=6, deadline=None)
@given(steps=scenarios())
def test_interval_and_verdict_never_contradict_each_other(case: Case, steps: list[Step]) -> None:
    test = case.build(case.threshold)
    for index, step in enumerate(steps):
        case.feed(test, step)
        if index % 70 and index != len(steps) - 1:
            continue
        interval = test.interval()
        assert interval.lower <= interval.upper
        assert interval.excludes(case.threshold) == (test.decision is not None)


@ALL
@settings(max_examples=5, deadline=None)
@given(steps=scenarios())
def test_interval_is_what_fresh_tests_at_other_thresholds_decide(case: Case, steps: list[Step]) -> None:
    interval = case.run(steps).interval()
    for threshold in case.others:
        decision = case.run(steps, threshold).decision
        over, under = threshold >= interval.upper, threshold <= interval.lower
        met, violated = (over, under) if case.at_most else (under, over)
        assert (decision is Decision.MET, decision is Decision.VIOLATED) == (met, violated), threshold


@ALL
@settings(max_examples=6, deadline=None)
@given(steps=scenarios(), data=st.data())
def test_a_verdict_holds_for_every_value_of_what_is_missing(case: Case, steps: list[Step], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=30))
    cycle = itertools.cycle(values)
    # What a judge leaves out is no outcome; in a pair both scores are.
    outcomes = 2 if case.feed is feed_pair else 1
    filled = [(*(_filled(score, cycle) for score in step[:outcomes]), *step[outcomes:]) for step in steps]
    with_missing, complete = case.run(steps), case.run(filled)
    if with_missing.decision is not None:
        assert complete.decision is with_missing.decision
    known, full = with_missing.interval(), complete.interval()
    assert known.lower <= full.lower + 1e-9
    assert known.upper >= full.upper - 1e-9


def _filled(score: Bounds, values: Iterator[float]) -> Bounds:
    value = next(values)
    return (value, value) if score == MISSING else score


@ALL
@settings(max_examples=6, deadline=None)
@given(steps=scenarios())
def test_decision_is_reached_exactly_with_the_evidence_and_stays(case: Case, steps: list[Step]) -> None:
    test = case.build(case.threshold)
    reached, before = None, (0.0, 0.0)
    for step in steps:
        case.feed(test, step)
        evidence = test.evidence_met, test.evidence_violated
        assert evidence[0] >= before[0]
        assert evidence[1] >= before[1]
        assert (evidence[0] >= 10.0) == (test.decision is Decision.MET)
        assert (evidence[1] >= 10.0) == (test.decision is Decision.VIOLATED)
        if reached is not None:
            assert test.decision is reached
        reached, before = test.decision, evidence
    assert test.n == len(steps)
    assert json.dumps(before, allow_nan=False)


@ALL
@settings(max_examples=4, deadline=None)
@given(steps=scenarios())
def test_trace_agrees_with_the_test_at_the_same_moment(case: Case, steps: list[Step]) -> None:
    final = case.run(steps)
    trace = final.trace()
    assert len(trace) <= 205
    assert [point.n for point in trace] == sorted({point.n for point in trace})
    for point in trace[:: max(1, len(trace) // 3)] + trace[-1:]:
        test = case.run(steps[: point.n])
        interval = test.interval()
        assert point.estimate == pytest.approx(test.estimate())
        assert point.log10_evidence_met == pytest.approx(math.log10(test.evidence_met), abs=1e-6)
        assert point.log10_evidence_violated == pytest.approx(math.log10(test.evidence_violated), abs=1e-6)
        assert point.lower <= interval.lower + 1e-8
        assert point.upper >= interval.upper - 1e-8
        assert (not point.lower < case.threshold < point.upper) == (test.decision is not None)
    assert (trace[-1].lower, trace[-1].upper) == (final.interval().lower, final.interval().upper)


@ALL
def test_before_the_first_observation_and_with_nothing_but_missing_nothing_is_claimed(case: Case) -> None:
    for test in (case.build(case.threshold), case.run([(MISSING, MISSING, MISSING)] * 300)):
        assert (test.decision, test.estimate()) == (None, None)
        assert (test.evidence_met, test.evidence_violated) == (1.0, 1.0)
        interval = test.interval()
        assert (interval.lower, interval.upper) == (-1.0 if case.feed is feed_pair else 0.0, 1.0)
    assert case.build(case.threshold).trace() == []


@ALL
@pytest.mark.parametrize("alpha", [0.0, -0.1, 0.51, math.nan])
def test_impossible_error_levels_are_refused(case: Case, alpha: float) -> None:
    builders: dict[type, Callable[[], Any]] = {
        JudgedMeanTest: lambda: JudgedMeanTest(0.5, 0.0, 1.0, alpha),
        JudgedRateTest: lambda: JudgedRateTest(0.5, alpha),
        ConfirmedFlagsTest: lambda: ConfirmedFlagsTest(0.5, alpha),
        PairedTest: lambda: PairedTest(0.0, alpha),
    }
    with pytest.raises(ValueError, match="alpha"):
        builders[type(case.build(case.threshold))]()


@pytest.mark.parametrize(
    "build",
    [
        lambda: JudgedMeanTest(1.0, 0.0, 1.0, 0.05),
        lambda: JudgedMeanTest(0.5, -math.inf, 1.0, 0.05),
        lambda: JudgedRateTest(0.0, 0.05),
        lambda: ConfirmedFlagsTest(1.0, 0.05),
        lambda: ConfirmedFlagsTest(math.nan, 0.05),
        lambda: PairedTest(1.0, 0.05),
        lambda: PairedTest(0.0, 0.05, 1.0, 1.0),
        lambda: PairedTest(0.0, 0.05, 0.0, math.inf),
        lambda: PairedTest.non_inferiority(-0.1, 0.05),
        lambda: PairedTest.non_inferiority(1.0, 0.05),
        lambda: PairedTest.non_inferiority(math.nan, 0.05),
        lambda: fewest_labels_to_pass(0.0, 0.05),
        lambda: fewest_labels_to_pass(0.1, 0.0),
    ],
)
def test_thresholds_that_cannot_be_tested_are_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"must|at least"):
        build()


@pytest.mark.parametrize("score", [(-0.1, 0.5), (0.5, 1.1), (0.8, 0.2), (math.nan, math.nan)])
def test_scores_outside_the_range_are_refused_and_change_nothing(score: Bounds) -> None:
    test = JudgedRateTest(0.1, 0.05)
    test.update(FAILED, 1.0, [0.0])
    before = test.n, test.evidence_violated
    worst = score[1] if score[1] > 1.0 else -0.1
    blocks: list[tuple[Bounds, float, list[float | None]]]
    blocks = [(score, 0.0, [0.0]), (PASSED, worst, [0.0]), (PASSED, 0.0, [None, math.nan])]
    for label, judge, others in blocks:
        with pytest.raises(ValueError, match="observation"):
            test.update(label, judge, others)
    with pytest.raises(ValueError, match="at least one item"):
        test.update(PASSED, 0.0, [])
    assert (test.n, test.evidence_violated) == before
    flags, pairs = ConfirmedFlagsTest(0.1, 0.05), PairedTest(0.0, 0.05)
    with pytest.raises(ValueError, match="observation"):
        flags.update(*score)
    for pair in [(score, PASSED), (PASSED, score)]:
        with pytest.raises(ValueError, match="observation"):
            pairs.update_pair(*pair)
    assert (flags.n, pairs.n) == (0, 0)


def test_the_one_stream_tests_fit_the_protocol() -> None:
    streams: list[ScoreTest] = [ConfirmedFlagsTest(0.1, 0.05), PairedTest(0.0, 0.05)]
    everything: list[SequentialTest] = [*streams, JudgedRateTest(0.1, 0.05), JudgedMeanTest(0.5, 0.0, 1.0, 0.05)]
    assert all(test.decision is None for test in everything)
