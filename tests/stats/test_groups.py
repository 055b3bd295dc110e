"""Two or more groups: error rates at the worst pair, corrections, and that two groups are the special case."""

import itertools
import math

import numpy as np
import pytest

from shinrai.stats import Decision, DifferenceTest, GroupDifferenceTest, GroupRatioTest, RatioTest
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from tests.stats.criterion import ALPHA, allowed


def stream(rng: np.random.Generator, rates: dict[str, float], shares: list[float], n: int) -> list[tuple[str, float]]:
    names = list(rates)
    drawn = rng.choice(len(names), size=n, p=shares).tolist()
    return [
        (names[index], float(chance < rates[names[index]])) for index, chance in zip(drawn, rng.random(n), strict=True)
    ]


def ends(
    build: type[GroupRatioTest] | type[GroupDifferenceTest],
    threshold: float,
    rates: dict[str, float],
    shares: list[float],
    *,
    reference: str | None = None,
    runs: int = 250,
    n: int = 400,
) -> list[Decision | None]:
    rng, verdicts = np.random.default_rng(31), []
    for _ in range(runs):
        test = build(rates, threshold, ALPHA, reference)
        for group, value in stream(rng, rates, shares, n):
            test.update(group, value, value)
        verdicts.append(test.decision)
    return verdicts


@pytest.mark.parametrize(
    ("rates", "shares"),
    [
        ({"a": 0.48, "b": 0.6, "c": 0.55}, [0.4, 0.3, 0.3]),
        ({"a": 0.48, "b": 0.6, "c": 0.54, "d": 0.5}, [0.1, 0.5, 0.3, 0.1]),
    ],
)
@pytest.mark.parametrize("reference", [None, "b"])
def test_worst_ratio_exactly_at_the_threshold(
    rates: dict[str, float], shares: list[float], reference: str | None
) -> None:
    verdicts = ends(GroupRatioTest, 0.8, rates, shares, reference=reference)
    assert verdicts.count(Decision.MET) / 250 <= allowed(250)
    assert verdicts.count(Decision.VIOLATED) / 250 <= allowed(250)


def test_worst_difference_exactly_at_the_threshold() -> None:
    verdicts = ends(GroupDifferenceTest, 0.2, {"a": 0.4, "b": 0.6, "c": 0.5}, [0.5, 0.2, 0.3])
    assert verdicts.count(Decision.MET) / 250 <= allowed(250)
    assert verdicts.count(Decision.VIOLATED) / 250 <= allowed(250)


@pytest.mark.parametrize(
    ("lowest", "right"), [(0.2, Decision.VIOLATED), (0.85, Decision.MET)], ids=["one group left behind", "all alike"]
)
def test_clear_cases_are_decided(lowest: float, right: Decision) -> None:
    verdicts = ends(GroupRatioTest, 0.7, {"a": lowest, "b": 0.85, "c": 0.85}, [0.2, 0.4, 0.4], runs=60)
    assert verdicts.count(right) >= 55


def test_met_needs_every_pair_and_violated_one() -> None:
    test = GroupRatioTest(["a", "b", "c"], 0.8, ALPHA, "c")
    for _ in range(200):
        test.update("a", 1, 1)
        test.update("c", 1, 1)
    assert test.decision is None  # nothing is known of b
    assert test.estimate() is None
    for _ in range(200):
        test.update("b", 0, 0)
        test.update("c", 1, 1)
    assert test.decision is Decision.VIOLATED
    assert test.estimate() == 0.0


def test_one_rare_group_does_not_hold_up_the_others() -> None:
    """A pair closes its blocks without waiting for a third group."""
    with_rare, without = GroupRatioTest("abc", 0.8, 0.3), GroupRatioTest("ab", 0.8, 0.1)
    rng = np.random.default_rng(4)
    for value_a, value_b in (rng.random((80, 2)) < [0.1, 0.9]).astype(float).tolist():
        for test in (with_rare, without):
            test.update("a", value_a, value_a)
            test.update("b", value_b, value_b)
    assert with_rare.decision is without.decision is Decision.VIOLATED  # 0.3 over six statements is 0.1 over two


@pytest.mark.parametrize("share_a", [0.5, 0.1])
def test_two_groups_are_the_special_case(share_a: float) -> None:
    rng = np.random.default_rng(5)
    ratio, difference = RatioTest(0.8, ALPHA), DifferenceTest(0.2, ALPHA)
    named, apart = GroupRatioTest(["x", "y"], 0.8, ALPHA, "y"), GroupDifferenceTest(["x", "y"], 0.2, ALPHA)
    for group, value in stream(rng, {"a": 0.3, "b": 0.5}, [share_a, 1 - share_a], 400):
        for two, many in ((ratio, named), (difference, apart)):
            two.update(group, value, value)
            many.update({"a": "x", "b": "y"}[group], value, value)
    for two, many in ((ratio, named), (difference, apart)):
        assert two.interval() == many.interval()
        assert two.trace() == many.trace()
        assert (two.decision, two.evidence_violated) == (many.decision, many.evidence_violated)


def test_the_order_in_which_groups_are_named_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    observed = stream(rng, {"a": 0.3, "b": 0.5, "c": 0.6}, [0.2, 0.3, 0.5], 300)
    intervals = []
    for names in ("abc", "cab", "bca"):
        test = GroupRatioTest(names, 0.8, ALPHA)
        for group, value in observed:
            test.update(group, value, value)
        intervals.append(test.interval())
    assert [one.lower for one in intervals] == pytest.approx([intervals[0].lower] * 3)
    assert [one.upper for one in intervals] == pytest.approx([intervals[0].upper] * 3)


def test_estimates_are_those_of_the_worst_pair() -> None:
    ratio, difference = GroupRatioTest("abc", 0.8, ALPHA), GroupDifferenceTest("abc", 0.2, ALPHA, "b")
    for test in (ratio, difference):
        for group, values in (("a", (1, 0, 0, 0)), ("b", (1, 1, 0, 0)), ("c", (1, 1, 1, 1))):
            for value in values:
                test.update(group, value, value)
        test.update("a", 0, 1)  # missing: in n, not in the rate
        assert test.n == 13
    assert ratio.estimate() == pytest.approx(0.25)
    assert difference.estimate() == pytest.approx(0.5)


def test_an_unknown_group_is_refused_and_changes_nothing() -> None:
    test = GroupRatioTest("abc", 0.8, ALPHA)
    with pytest.raises(ValueError, match="must be one of 'a', 'b', 'c'"):
        test.update("d", 1, 1)
    assert test.n == 0


@pytest.mark.parametrize(("share_a", "reference"), [(0.5, 196), (0.1, 743)])
def test_unequal_groups_in_random_order_cost_no_more_than_paired_ones(share_a: float, reference: float) -> None:
    """Mean observations at a true ratio of 0.5 and a rate of 0.6 in B, threshold 0.8, by an independent program."""
    rng, stops = np.random.default_rng(12), []
    for _ in range(150):
        test = RatioTest(0.8, ALPHA)
        for group, value in stream(rng, {"a": 0.3, "b": 0.6}, [share_a, 1.0 - share_a], round(6 * reference)):
            test.update(group, value, value)
            if test.decision is not None:
                break
        stops.append(test.n)
    assert np.mean(stops) <= reference + 3.0 * np.std(stops) / math.sqrt(150)


def pair_crossings(
    rng: np.random.Generator, rates: list[float], runs: int, blocks: int, alpha_violated: float
) -> tuple[float, float]:
    """Run every ordered pair on common balanced blocks: share of runs with every pair met, and with any refuted."""
    every, some = np.ones(runs, bool), np.zeros(runs, bool)
    x = (rng.random((len(rates), runs, blocks)) < np.array(rates)[:, None, None]).astype(float)
    for g, h in itertools.permutations(range(len(rates)), 2):
        contrast = x[g] - 0.8 * x[h]
        every &= (log_wealth(gains_above(contrast, 0.0, -0.8)) >= -math.log(ALPHA)).any(axis=1)
        some |= (log_wealth(gains_below(contrast, 0.0, 1.0)) >= -math.log(alpha_violated)).any(axis=1)
    return float(every.mean()), float(some.mean())


def test_control_violated_without_a_correction_fails_the_criterion() -> None:
    """Six groups, nine pairs exactly at the threshold: each pair at alpha refutes some pair far too often."""
    rng, runs = np.random.default_rng(8), 500
    high, low = ((rng.random((3, runs, 300)) < rate).astype(float) for rate in (0.8, 0.64))
    strongest = np.max(
        [log_wealth(gains_below(g - 0.8 * h, 0.0, 1.0)).max(axis=1) for g, h in itertools.product(low, high)], axis=0
    )
    assert (strongest >= -math.log(ALPHA)).mean() > allowed(runs)
    assert (strongest >= -math.log(ALPHA / 30)).mean() <= allowed(runs)


@pytest.mark.simulation
@pytest.mark.parametrize(
    "rates", [[0.48, 0.6], [0.48, 0.6, 0.6], [0.48, 0.5, 0.55, 0.6], [0.48, 0.48, 0.48, 0.48, 0.6]]
)
def test_worst_ratio_exactly_at_the_threshold_in_many_runs(rates: list[float]) -> None:
    rng, pairs, rounds = np.random.default_rng(9), len(rates) * (len(rates) - 1), 8
    shares = [pair_crossings(rng, rates, 500, 1000, ALPHA / pairs) for _ in range(rounds)]
    met, violated = np.mean(shares, axis=0).tolist()
    assert met <= allowed(500 * rounds)
    assert violated <= allowed(500 * rounds)
