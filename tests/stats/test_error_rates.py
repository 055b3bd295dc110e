"""Error rates by simulation, with a look after every observation, and controls that must fail the same criterion."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from shinrai.stats import BandTest, Decision, DifferenceTest, RatioTest, stopping_table
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from tests.stats.criterion import ALPHA, Flags, allowed


def first_verdicts(rate: float, limit: float, horizon: int, runs: int) -> tuple[Flags, Flags, NDArray[np.int64]]:
    """Run the proportion test `runs` times on its tables: met, violated, and the trials used."""
    table = stopping_table(limit, ALPHA, horizon)
    few, many = np.array(table.met[1:]), np.array(table.violated[1:])
    rng = np.random.default_rng(20260101)
    parts = []
    for size in [2000] * (runs // 2000):
        failures = np.cumsum(rng.random((size, horizon), dtype=np.float32) < rate, axis=1, dtype=np.int32)
        met_at = np.where((failures <= few).any(axis=1), (failures <= few).argmax(axis=1), horizon)
        violated_at = np.where((failures >= many).any(axis=1), (failures >= many).argmax(axis=1), horizon)
        parts.append(
            (met_at < violated_at, violated_at < met_at, np.minimum(np.minimum(met_at, violated_at) + 1, horizon))
        )
    met, violated, calls = (np.concatenate(column) for column in zip(*parts, strict=True))
    return met, violated, calls


def test_proportion_exactly_at_the_limit() -> None:
    met, violated, _ = first_verdicts(0.1, 0.1, 1000, 20_000)
    assert met.mean() <= allowed(20_000)
    assert violated.mean() <= allowed(20_000)


@pytest.mark.parametrize(
    ("rate", "most_calls", "right"), [(0.025, 85, "met"), (0.05, 215, "met"), (0.2, 95, "violated")]
)
def test_clear_cases_take_few_calls(rate: float, most_calls: float, right: str) -> None:
    met, violated, calls = first_verdicts(rate, 0.1, 1500, 4000)
    assert calls.mean() <= most_calls
    assert (met if right == "met" else violated).mean() > 0.97


def crossing_share(gains: NDArray[np.float64], alpha: float = ALPHA) -> float:
    return float((log_wealth(gains).max(axis=1) >= -math.log(alpha)).mean())


def group_means(rng: np.random.Generator, rate: float, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(rng.binomial(sizes, rate) / sizes)


def block_sizes(share_a: float, shape: tuple[int, int]) -> tuple[NDArray[np.int64], ...]:
    """Members of A and of B in each block: one of the rarer group A, and as many of B as come with it."""
    return np.full(shape, 1), np.full(shape, round((1.0 - share_a) / share_a))


@pytest.mark.parametrize("share_a", [0.5, 0.1])
@pytest.mark.parametrize("rate_b", [0.3, 0.6])
def test_ratio_exactly_at_the_threshold(share_a: float, rate_b: float) -> None:
    rng = np.random.default_rng(3)
    runs, blocks = 4000, 400
    in_a, in_b = block_sizes(share_a, (runs, blocks))
    contrast = group_means(rng, 0.8 * rate_b, in_a) - 0.8 * group_means(rng, rate_b, in_b)
    assert crossing_share(gains_above(contrast, 0.0, -0.8)) <= allowed(runs)
    assert crossing_share(gains_below(contrast, 0.0, 1.0)) <= allowed(runs)


def test_difference_exactly_at_the_threshold() -> None:
    rng = np.random.default_rng(4)
    runs, blocks = 4000, 400
    in_a, in_b = block_sizes(0.3, (runs, blocks))
    contrast = group_means(rng, 0.5, in_a) - group_means(rng, 0.4, in_b)
    assert crossing_share(gains_below(contrast, 0.1, 1.0)) <= allowed(runs)  # half of a wrong "met"
    assert crossing_share(gains_above(contrast, 0.1, -1.0), ALPHA / 2) <= allowed(runs, ALPHA / 2)


@pytest.mark.parametrize(("rate_a", "wrong"), [(0.24, None), (0.5, Decision.VIOLATED), (0.08, Decision.MET)])
def test_ratio_test_itself_in_random_order_of_groups(rate_a: float, wrong: Decision | None) -> None:
    """The class, not only its kernel: at the threshold both verdicts are rare, far from it the wrong one is."""
    rng = np.random.default_rng(6)
    runs, ends = 250, []
    for _ in range(runs):
        test = RatioTest(0.8, ALPHA)
        groups, draws = rng.random(600) < 0.3, rng.random(600)
        for is_a, draw in zip(groups.tolist(), draws.tolist(), strict=True):
            value = float(draw < (rate_a if is_a else 0.3))
            test.update("a" if is_a else "b", value, value)
            if test.decision is not None:
                break
        ends.append(test.decision)
    if wrong is None:
        assert ends.count(Decision.MET) / runs <= allowed(runs)
        assert ends.count(Decision.VIOLATED) / runs <= allowed(runs)
    else:
        assert ends.count(wrong) / runs <= allowed(runs)
        assert (runs - ends.count(None) - ends.count(wrong)) / runs > 0.5


def test_difference_test_itself_exactly_at_the_threshold() -> None:
    rng = np.random.default_rng(7)
    runs, ends = 250, []
    for _ in range(runs):
        test = DifferenceTest(0.2, ALPHA)
        for draw_a, draw_b in rng.random((300, 2)).tolist():
            test.update("a", float(draw_a < 0.6), float(draw_a < 0.6))
            test.update("b", float(draw_b < 0.4), float(draw_b < 0.4))
        ends.append(test.decision)
    assert ends.count(Decision.MET) / runs <= allowed(runs)
    assert ends.count(Decision.VIOLATED) / runs <= allowed(runs)


def test_narrow_band_is_not_violated_by_mistake_on_either_side() -> None:
    rng = np.random.default_rng(8)
    runs, ends = 400, []
    for _ in range(runs):
        test = BandTest(0.295, 0.305, ALPHA, 800)
        for draw in rng.random(800).tolist():
            test.update(float(draw < 0.3), float(draw < 0.3))
        ends.append(test.decision)
    assert ends.count(Decision.VIOLATED) / runs <= allowed(runs)


def test_control_blocks_chosen_by_outcomes_fail_the_criterion() -> None:
    """If a block waits for the first success of group A, its mean is no longer the rate of the group."""
    rng = np.random.default_rng(9)
    runs, blocks = 1000, 200
    waits = rng.geometric(0.24, (runs, blocks))
    contrast = 1.0 / waits - 0.8 * (rng.random((runs, blocks)) < 0.3)
    assert crossing_share(gains_above(contrast, 0.0, -0.8)) > 2.0 * allowed(runs)


@pytest.mark.simulation
@pytest.mark.parametrize("share_a", [0.5, 0.1])
def test_ratio_exactly_at_the_threshold_in_many_long_runs(share_a: float) -> None:
    rng = np.random.default_rng(10)
    above = below = 0.0
    rounds, runs = 20, 1000
    for _ in range(rounds):
        in_a, in_b = block_sizes(share_a, (runs, 2000))
        contrast = group_means(rng, 0.24, in_a) - 0.8 * group_means(rng, 0.3, in_b)
        above += crossing_share(gains_above(contrast, 0.0, -0.8)) / rounds
        below += crossing_share(gains_below(contrast, 0.0, 1.0)) / rounds
    assert above <= allowed(rounds * runs)
    assert below <= allowed(rounds * runs)


@pytest.mark.simulation
@pytest.mark.parametrize("name", ["two points", "rubric", "low variance", "at the ends", "dependent"])
def test_means_exactly_at_the_threshold(name: str) -> None:
    """Wrong verdicts about means of many shapes, also where each score depends on the past."""
    rng = np.random.default_rng(12)
    shape = (2000, 1500)
    above = below = 0.0
    for _ in range(10):
        if name == "two points":
            x = (rng.random(shape) < 0.7).astype(float)
        elif name == "rubric":
            x = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], p=[0.05, 0.1, 0.2, 0.3, 0.35], size=shape)
        elif name == "low variance":
            x = rng.beta(42.0, 18.0, shape)
        elif name == "at the ends":
            x = rng.choice([0.0, 0.7, 1.0], p=[0.03, 0.9, 0.07], size=shape)
        else:
            noise = rng.random(shape)
            # Each score is certain or wide, by the score before: the mean given the past is 0.7 in both cases.
            wide = np.concatenate([np.ones((2000, 1), bool), noise[:, :-1] < 0.5], axis=1)
            x = np.where(wide, (noise < 0.7).astype(float), 0.7)
        above += crossing_share(gains_above(x, 0.7, 0.0)) / 10
        below += crossing_share(gains_below(x, 0.7, 1.0)) / 10
    assert above <= allowed(20_000)
    assert below <= allowed(20_000)
