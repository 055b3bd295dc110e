"""Borderline: proven to be close to the limit, exactly as often wrong as it may be."""

import math
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.stats import (
    Decision,
    FinitePopulationTest,
    ProportionTest,
    StoppingTable,
    borderline_range,
    finite_stopping_table,
    fixed_sample_size,
    stopping_table,
)

# Probability that the next trial fails, by how many came and how many of them failed.
Chance = Callable[[int, int], float]


def borderline_is_ever_said(limit: float, tables: Callable[[float], StoppingTable], fails: Chance) -> float:
    """Probability that at some n nothing is decided but both sides of the range were proven: exact recursion.

    The state is the count and which of the two sides was proven so far. Where the lower side is refuted, so is the
    limit, and the run has ended; the same above.
    """
    decide = tables(limit)
    low, high = (tables(threshold) for threshold in borderline_range(limit))
    undecided = {(0, False, False): 1.0}
    said = 0.0
    for n in range(1, len(decide.met)):
        following: defaultdict[tuple[int, bool, bool], float] = defaultdict(float)
        for (failures, above, below), mass in undecided.items():
            chance = fails(n - 1, failures)
            for count, part in ((failures, mass * (1.0 - chance)), (failures + 1, mass * chance)):
                if part <= 0.0 or not decide.met[n] < count < decide.violated[n]:
                    continue
                state = (count, above or count >= low.violated[n], below or count <= high.met[n])
                if state[1] and state[2]:
                    said += part
                else:
                    following[state] += part
        undecided = following
    return said


@pytest.mark.parametrize("limit", [0.02, 0.1, 0.3, 0.6, 0.9])
def test_wrong_borderline_is_rarer_than_alpha(limit: float) -> None:
    horizon = min(4 * fixed_sample_size(min(limit, 1.0 - limit), 0.05), 3000)
    low, high = borderline_range(limit)

    def said(rate: float) -> float:
        return borderline_is_ever_said(limit, lambda m: stopping_table(m, 0.05, horizon), lambda _n, _s: rate)

    assert said(low) <= 0.05
    assert said(high) <= 0.05
    assert said(limit) > 0.6  # and it is said where it is true


@pytest.mark.parametrize(("size", "limit"), [(300, 0.1), (400, 0.5)])
def test_the_same_for_a_finite_data_set(size: int, limit: float) -> None:
    low, high = borderline_range(limit)

    def said(failing: int) -> float:
        return borderline_is_ever_said(
            limit, lambda m: finite_stopping_table(m, 0.05, size), lambda n, s: max(0, failing - s) / (size - n)
        )

    assert said(math.floor(low * size)) <= 0.05
    assert said(math.floor(high * size) + 1) <= 0.05
    assert said(round(limit * size)) > 0.5


@settings(max_examples=40, deadline=None)
@given(
    stretches=st.lists(st.tuples(st.sampled_from([(0, 0), (1, 1), (0, 1)]), st.integers(1, 60)), max_size=8),
    limit=st.sampled_from([0.05, 0.2, 0.6]),
    finite=st.booleans(),
)
def test_it_is_what_the_interval_shows_and_never_beside_a_verdict(
    stretches: list[tuple[tuple[int, int], int]], limit: float, finite: bool
) -> None:
    test = FinitePopulationTest(limit, 0.05, 600) if finite else ProportionTest(limit, 0.05, 600)
    filled = FinitePopulationTest(limit, 0.05, 600) if finite else ProportionTest(limit, 0.05, 600)
    low, high = borderline_range(limit)
    for (lowest, highest), times in stretches:
        for _ in range(times):
            test.update(lowest, highest)
            filled.update(lowest, lowest)  # what is missing turns out to have passed
    interval = test.interval()
    inside = interval.lower >= low - 1e-8 and interval.upper <= high + 1e-8
    assert test.borderline <= (test.decision is None and inside)
    if interval.lower > low and interval.upper < high and test.decision is None:
        assert test.borderline
    if test.borderline:
        assert filled.borderline or filled.decision is not None


def test_a_run_at_the_limit_ends_borderline_and_missing_trials_never_prove_it() -> None:
    test, gaps = ProportionTest(0.1, 0.05, 600), ProportionTest(0.1, 0.05, 600)
    for index in range(600):
        failed = int(index % 10 == 5)
        test.update(failed, failed)
        gaps.update(failed and index % 20 == 5, failed or index % 4 == 0)
    assert (test.decision, test.borderline) == (None, True)
    assert (gaps.decision, gaps.borderline) == (None, False)


def test_a_verdict_is_not_borderline() -> None:
    test = ProportionTest(0.1, 0.05, 600)
    while test.decision is None:
        test.update(0, 0)
    assert test.decision is Decision.MET
    assert not test.borderline


@given(limit=st.floats(0.001, 0.999), factor=st.floats(1.01, 20))
def test_range_lies_within_the_factor_and_mirrors_for_pass_rates(limit: float, factor: float) -> None:
    low, high = borderline_range(limit, factor)
    assert limit / factor <= low < limit < high <= limit * factor
    assert (low > 0.0, high < 1.0) == (True, True)
    mirrored = borderline_range(1.0 - limit, factor)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low))


@pytest.mark.parametrize(("limit", "factor"), [(0.0, 2.0), (1.0, 2.0), (0.1, 1.0), (0.1, math.inf), (math.nan, 2.0)])
def test_impossible_ranges_are_refused(limit: float, factor: float) -> None:
    with pytest.raises(ValueError, match="must lie strictly"):
        borderline_range(limit, factor)
