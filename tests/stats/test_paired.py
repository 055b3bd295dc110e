"""Paired differences: what pairing gains, what a missing half costs, and error rates at the margin."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from shinrai.stats import Decision, MeanTest, PairedTest
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from tests.stats.criterion import ALPHA, error_is_controlled


def test_it_is_the_mean_test_of_the_differences() -> None:
    rng = np.random.default_rng(1)
    pairs, plain = PairedTest(-0.1, ALPHA), MeanTest(-0.1, -1.0, 1.0, ALPHA)
    for a, b in rng.random((60, 2)).tolist():
        pairs.update_pair((a, a), (b, b))
        plain.update(a - b, a - b)
    assert (pairs.decision, pairs.evidence_met, pairs.n) == (plain.decision, plain.evidence_met, plain.n)
    assert pairs.interval() == plain.interval()
    assert pairs.trace() == plain.trace()


def test_a_rubric_is_read_on_its_own_scale() -> None:
    rubric, mapped = PairedTest.non_inferiority(0.4, ALPHA, 1.0, 5.0), PairedTest.non_inferiority(0.1, ALPHA)
    for a, b in [(5, 4), (4, 4), (4, 5), (5, 5), (4, 3)] * 10:
        rubric.update_pair((a, a), (b, b))
        mapped.update_pair(((a - 1) / 4,) * 2, ((b - 1) / 4,) * 2)
    assert rubric.evidence_met == pytest.approx(mapped.evidence_met)
    assert rubric.estimate() == pytest.approx(4.0 * (mapped.estimate() or math.nan))
    assert rubric.interval().lower == pytest.approx(4.0 * mapped.interval().lower)


def test_where_both_versions_agree_pairing_needs_few_items() -> None:
    """Two versions that differ on 4 % of the items: no loss of 10 points is proven in fewer than 150 pairs."""
    rng = np.random.default_rng(2)
    needed = []
    for _ in range(20):
        test = PairedTest.non_inferiority(0.1, ALPHA)
        while test.decision is None:
            b = float(rng.random() < 0.6)
            a = 1.0 - b if rng.random() < 0.04 else b
            test.update_pair((a, a), (b, b))
        assert test.decision is Decision.MET
        needed.append(test.n)
    assert np.mean(needed) < 150


def test_one_missing_score_leaves_half_of_what_the_pair_could_say() -> None:
    half, lost = PairedTest(-0.5, ALPHA), PairedTest(-0.5, ALPHA)
    for _ in range(60):
        half.update_pair(a=(1, 1), b=(0, 1))  # the difference is at least 0
        lost.update_pair(a=(0, 1), b=(0, 1))
    assert half.decision is Decision.MET
    assert (lost.decision, lost.evidence_met) == (None, 1.0)
    assert half.estimate() is None
    half.update_pair((1, 1), (0, 0))
    assert half.estimate() == 1.0
    assert half.n == 61


@pytest.mark.parametrize("batches", [1, pytest.param(10, marks=pytest.mark.simulation)])
@pytest.mark.parametrize("agreement", ["independent", "same", "opposite"])
def test_exactly_at_the_margin(agreement: str, batches: int) -> None:
    """Rates of 0.5 and 0.6, however the two versions' answers hang together."""
    rng = np.random.default_rng(3)
    shape = (2000, 400)
    wrong: list[list[NDArray[np.bool_]]] = [[], []]
    for _batch in range(batches):
        first = rng.random(shape)
        second = {"independent": rng.random(shape), "same": first, "opposite": 1.0 - first}[agreement]
        x = (first < 0.5).astype(float) - (second < 0.6)
        for side, gains in zip(wrong, (gains_above(x, -0.1, -1.0), gains_below(x, -0.1, 1.0)), strict=True):
            side.append(np.asarray((log_wealth(gains) >= -math.log(ALPHA)).any(axis=1)))
    assert all(error_is_controlled(np.concatenate(side)) for side in wrong)
