"""The kernel: its validity proof by enumeration, and that its forms agree."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.stats import Decision, DifferenceTest, MeanTest, RatioTest
from shinrai.stats.betting import BETS, BettingRace, gains_above, gains_below, log_wealth

ranges = st.tuples(st.floats(-50, 50), st.floats(0.1, 100), st.floats(0.02, 0.98)).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[0] + drawn[2] * drawn[1])
)
scores = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=60)


@given(scale=ranges, left=st.floats(0, 1), right=st.floats(0, 1))
def test_each_bet_is_fair_at_the_threshold(scale: tuple[float, float, float], left: float, right: float) -> None:
    """E[factor] = 1 for every two-point distribution with mean at the threshold; with factor >= 0 this is the proof."""
    lower, upper, threshold = scale
    low, high = threshold - left * (threshold - lower), threshold + right * (upper - threshold)
    if high - low < 1e-6 * (upper - lower):
        return
    weight_high = (threshold - low) / (high - low)
    points, weights = np.array([low, high]), np.array([1.0 - weight_high, weight_high])
    for gains in (gains_above(points, threshold, lower), gains_below(points, threshold, upper)):
        for bet in BETS:
            factors = 1.0 + bet * gains
            assert (factors >= 0.0).all()
            assert float(weights @ factors) == pytest.approx(1.0, abs=1e-9)


@given(scale=ranges, share=st.floats(0, 1))
def test_no_bet_gains_on_average_when_it_is_wrong(scale: tuple[float, float, float], share: float) -> None:
    lower, upper, threshold = scale
    below = lower + share * (threshold - lower)  # a true mean under the threshold
    weight_high = (below - lower) / (upper - lower)
    points, weights = np.array([lower, upper]), np.array([1.0 - weight_high, weight_high])
    assert float(weights @ gains_above(points, threshold, lower)) <= 1e-9


@given(values=scores, seed=st.integers(0, 1000))
def test_evidence_does_not_depend_on_the_order_of_the_scores(values: list[float], seed: int) -> None:
    x = np.array(values)
    shuffled = np.random.default_rng(seed).permutation(x)
    assert log_wealth(gains_above(x, 0.4, 0.0))[-1] == pytest.approx(
        log_wealth(gains_above(shuffled, 0.4, 0.0))[-1], abs=1e-9
    )


@given(values=scores)
def test_one_by_one_equals_all_at_once(values: list[float]) -> None:
    race = BettingRace(0.4, 0.0, 1.0, alpha_above=1e-9, alpha_below=1e-9)
    for value in values:
        race.update(value, value)
    x = np.array(values)
    assert race.log_above == pytest.approx(max(0.0, log_wealth(gains_above(x, 0.4, 0.0)).max()), abs=1e-9)
    assert race.log_below == pytest.approx(max(0.0, log_wealth(gains_below(x, 0.4, 1.0)).max()), abs=1e-9)


def test_wealth_is_the_plain_product_of_the_factors() -> None:
    x = np.array([0.0, 1.0, 1.0, 0.5, 0.25])
    wealth = sum(math.prod(1.0 + bet * (value - 0.7) / 0.7 for value in x) for bet in BETS) / len(BETS)
    assert log_wealth(gains_above(x, 0.7, 0.0))[-1] == pytest.approx(math.log(wealth))


def test_long_runs_neither_overflow_nor_lose_a_bet() -> None:
    """A product would be 0 after the first half, for ever, and beyond the largest double after the second."""
    test = MeanTest(0.001, 0.0, 1.0, 1e-3)
    for value in [0.0] * 3000 + [1.0] * 3000:
        test.update(value, value)
    assert math.isfinite(test.evidence_met)
    fresh = BettingRace(0.5, 0.0, 1.0, alpha_above=1e-300, alpha_below=1e-300)
    for value in [0.0] * 800 + [1.0] * 12000:
        fresh.update(value, value)
    assert fresh.log_above > 300.0


def test_a_mean_is_read_on_its_own_scale() -> None:
    """A rubric from 1 to 5 is the same test as its map to 0..1."""
    rubric, mapped = MeanTest(4.0, 1.0, 5.0, 0.05), MeanTest(0.75, 0.0, 1.0, 0.05)
    for score in [5, 4, 5, 5, 3, 5, 5, 5] * 10:
        rubric.update(score, score)
        mapped.update((score - 1) / 4, (score - 1) / 4)
    assert rubric.evidence_met == pytest.approx(mapped.evidence_met)
    assert rubric.decision is mapped.decision is Decision.MET
    assert rubric.estimate() == pytest.approx(4.625)
    assert rubric.interval().lower == pytest.approx(1.0 + 4.0 * mapped.interval().lower)


def test_a_score_known_in_part_counts_as_its_middle_and_a_missing_one_not_at_all() -> None:
    test = MeanTest(0.5, 0.0, 1.0, 0.05)
    for low, high in [(0.2, 0.4), (1.0, 1.0), (0.0, 1.0)]:
        test.update(low, high)
    assert test.estimate() == pytest.approx(0.65)
    assert test.n == 3


class TestBlocks:
    """Blocks of a contrast close on the order of the groups alone."""

    def test_rare_group_meets_the_mean_of_the_others(self) -> None:
        test, by_hand = RatioTest(0.8, 0.05), BettingRace(0.0, -0.8, 1.0, alpha_above=0.05, alpha_below=0.05)
        # After four of b comes one of a; with three of a and five of b, two of b go with one of a.
        groups = [("b", 1), ("b", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 0), ("a", 1), ("b", 0), ("b", 1)]
        for group, value in groups:
            test.update(group, value, value)
        for contrast in (1.0 - 0.8 * 0.5, 0.0 - 0.8 * 0.5):
            by_hand.update(contrast, contrast)
        assert math.log(test.evidence_met) == pytest.approx(by_hand.log_above)
        assert test.n == 9

    def test_a_run_of_one_group_waits_in_line(self) -> None:
        test, by_hand = RatioTest(0.8, 0.05), BettingRace(0.0, -0.8, 1.0, alpha_above=0.05, alpha_below=0.05)
        for group, value in [("a", 1), ("b", 1), ("b", 0), ("a", 1), ("a", 0), ("a", 1), ("b", 1), ("b", 0)]:
            test.update(group, value, value)
        for a, b in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0)):
            by_hand.update(a - 0.8 * b, a - 0.8 * b)
        assert math.log(test.evidence_met) == pytest.approx(by_hand.log_above)
        assert len(test.trace()) == 4

    def test_estimates_are_the_plain_rates_of_both_groups(self) -> None:
        ratio, difference = RatioTest(0.8, 0.05), DifferenceTest(0.1, 0.05)
        for test in (ratio, difference):
            for value in (1, 0, 0, 0):
                test.update("a", value, value)
            assert test.estimate() is None
            for value in (1, 1, 0, 0):
                test.update("b", value, value)
            test.update("b", 0, 1)  # missing: in n, not in the rate
        assert ratio.estimate() == pytest.approx(0.5)
        assert difference.estimate() == pytest.approx(0.25)
        assert difference.difference() == pytest.approx(-0.25)

    def test_ratio_to_a_rate_of_zero_is_undefined_not_infinite(self) -> None:
        test = RatioTest(0.8, 0.05)
        test.update("a", 1, 1)
        test.update("b", 0, 0)
        assert test.estimate() is None

    def test_swapping_the_groups_leaves_the_absolute_difference(self) -> None:
        one, other = DifferenceTest(0.2, 0.05), DifferenceTest(0.2, 0.05)
        rng = np.random.default_rng(5)
        for _ in range(300):
            a, b = float(rng.random() < 0.8), float(rng.random() < 0.3)
            one.update("a", a, a)
            one.update("b", b, b)
            other.update("b", a, a)
            other.update("a", b, b)
        assert one.decision is other.decision is Decision.VIOLATED
        assert one.interval() == other.interval()
        assert one.evidence_violated == pytest.approx(other.evidence_violated)

    def test_unknown_group_is_refused(self) -> None:
        with pytest.raises(ValueError, match="group"):
            RatioTest(0.8, 0.05).update("c", 1, 1)
