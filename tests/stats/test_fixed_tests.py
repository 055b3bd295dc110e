"""Tests that look once: their error, worked out exactly, and what missing outcomes do to them."""

from __future__ import annotations

import math
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.stats import (
    Decision,
    FixedBandTest,
    FixedContrastTest,
    FixedProportionTest,
    binomial_interval,
    hypergeometric_interval,
)

READINGS = {"pass": (0.0, 0.0), "fail": (1.0, 1.0), "missing": (0.0, 1.0)}


def decide(failures: int, n: int, limit: float, alpha: float, size: int | None = None) -> Decision | None:
    test = FixedProportionTest(limit, alpha, size)
    for number in range(n):
        test.update(*READINGS["fail" if number < failures else "pass"])
    assert test.decision is None  # not before it has looked
    test.close()
    return test.decision


@pytest.mark.parametrize("limit", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("n", [5, 30, 200])
def test_a_rate_at_the_limit_is_judged_wrongly_at_most_as_often_as_was_promised(limit: float, n: int) -> None:
    """Summed over all outcomes: at the limit "violated" is wrong; a hair above it "met" is."""
    chance = {Decision.MET: 0.0, Decision.VIOLATED: 0.0}
    for failures in range(n + 1):
        verdict = decide(failures, n, limit, 0.05)
        if verdict is not None:
            chance[verdict] += comb(n, failures) * limit**failures * (1 - limit) ** (n - failures)
    assert chance[Decision.VIOLATED] <= 0.05
    assert chance[Decision.MET] <= 0.05
    assert any(chance.values()) or n < 30


@pytest.mark.parametrize(("size", "n"), [(20, 8), (60, 30), (60, 59)])
def test_a_sample_of_a_finite_data_set_is_judged_wrongly_at_most_as_often(size: int, n: int) -> None:
    limit, alpha = 0.2, 0.05
    verdicts = {failures: decide(failures, n, limit, alpha, size) for failures in range(n + 1)}
    for total in range(size + 1):
        wrong = Decision.VIOLATED if total <= limit * size + 1e-9 else Decision.MET
        chance = sum(
            comb(total, failures) * comb(size - total, n - failures) / comb(size, n)
            for failures in range(max(0, n - size + total), min(n, total) + 1)
            if verdicts[failures] is wrong
        )
        assert chance <= alpha + 1e-12, total


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size))), st.floats(0.01, 0.99))
def test_a_whole_data_set_decides_exactly(whole: tuple[int, int], limit: float) -> None:
    size, failures = whole
    verdict = decide(failures, size, limit, 0.05, size)
    assert verdict is (Decision.MET if failures / size <= limit + 1e-12 else Decision.VIOLATED)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 200), st.data())
def test_hypergeometric_bounds_hold_what_was_seen_and_tend_to_the_binomial_ones(n: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, n))
    size = data.draw(st.integers(n, 4 * n))
    near = hypergeometric_interval(events, n, size, 0.9)
    assert near.lower * size >= events - 1e-9  # what was seen is there
    assert near.upper * size <= size - (n - events) + 1e-9
    assert near.lower <= events / n + 1 / size
    assert near.upper >= events / n - 1 / size
    far, limit = hypergeometric_interval(events, n, 100_000, 0.9), binomial_interval(events, n, 0.9)
    assert far.lower == pytest.approx(limit.lower, abs=0.01)
    assert far.upper == pytest.approx(limit.upper, abs=0.01)


@pytest.mark.parametrize(("events", "n", "size"), [(3, 2, 9), (-1, 2, 9), (0, 0, 9), (1, 10, 9)])
def test_impossible_samples_are_refused(events: int, n: int, size: int) -> None:
    with pytest.raises(ValueError, match="a sample has 1 unit at least"):
        hypergeometric_interval(events, n, size)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(READINGS)), min_size=1, max_size=80), st.sampled_from([0.1, 0.4]))
def test_nothing_is_decided_that_a_missing_outcome_could_turn(outcomes: list[str], limit: float) -> None:
    def verdict(read: dict[str, str]) -> Decision | None:
        test = FixedProportionTest(limit, 0.05)
        for outcome in outcomes:
            test.update(*READINGS[read.get(outcome, outcome)])
        test.close()
        return test.decision

    found = verdict({})
    if found is not None:
        assert verdict({"missing": "fail"}) is found
        assert verdict({"missing": "pass"}) is found


@pytest.mark.parametrize(
    ("passes", "n", "verdict"), [(50, 100, Decision.MET), (10, 100, Decision.VIOLATED), (70, 100, None)]
)
def test_a_band(passes: int, n: int, verdict: Decision | None) -> None:
    test = FixedBandTest(0.3, 0.7, 0.05)
    for number in range(n):
        test.update(number < passes, number < passes)
    test.close()
    assert test.decision is verdict
    assert test.estimate() == passes / n
    assert test.interval().lower < passes / n < test.interval().upper


@pytest.mark.parametrize("edge", [0.3, 0.7])
def test_a_rate_at_an_edge_of_the_band_is_seldom_called_outside(edge: float) -> None:
    n, wrong = 60, 0.0
    for passes in range(n + 1):
        test = FixedBandTest(0.3, 0.7, 0.05)
        for number in range(n):
            test.update(number < passes, number < passes)
        test.close()
        if test.decision is Decision.VIOLATED:
            wrong += comb(n, passes) * edge**passes * (1 - edge) ** (n - passes)
    assert wrong <= 0.05


@pytest.mark.parametrize("kind", ["ratio", "difference"])
@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_two_groups_at_the_threshold_are_judged_wrongly_at_most_as_often(kind: str, rate: float) -> None:
    n, threshold = 30, 0.8 if kind == "ratio" else 0.1
    other = rate * threshold if kind == "ratio" else rate - threshold
    wrong = {Decision.MET: 0.0, Decision.VIOLATED: 0.0}
    for a in range(n + 1):
        for b in range(n + 1):
            test = FixedContrastTest("ratio" if kind == "ratio" else "difference", threshold, 0.05)
            test._groups["a"].n = test._groups["b"].n = n
            test._groups["a"].must = test._groups["a"].may = a
            test._groups["b"].must = test._groups["b"].may = b
            test.close()
            if test.decision is not None:
                chance = comb(n, a) * other**a * (1 - other) ** (n - a) * comb(n, b) * rate**b * (1 - rate) ** (n - b)
                wrong[test.decision] += chance
    assert max(wrong.values()) <= 0.05


def test_groups_without_a_pass_have_no_ratio() -> None:
    test = FixedContrastTest("ratio", 0.8, 0.05)
    for _number in range(20):
        test.update("a", 1.0, 1.0)
        test.update("b", 0.0, 0.0)
    test.close()
    assert test.estimate() is None
    assert math.isinf(test.bounds()[1])
    assert test.decision is Decision.MET  # a passes far more often than b


def test_nothing_is_decided_from_nothing() -> None:
    for test in (FixedProportionTest(0.1, 0.05), FixedBandTest(0.1, 0.2, 0.05), FixedContrastTest("ratio", 0.8, 0.05)):
        test.close()
        assert test.decision is None
