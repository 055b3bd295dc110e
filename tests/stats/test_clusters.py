"""Clusters: the order, the means, and what goes wrong when clusters are ignored."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.stats import MeanTest, breadth_first_order, cluster_mean, fresh_items, stopping_table
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from tests.stats.criterion import ALPHA, allowed

ICC = 0.3
PINNED = [1, 7, 6, 4, 5, 2, 0, 3]
labels = st.lists(st.sampled_from("abcdef"), max_size=40)


@given(clusters=labels, seed=st.integers(0, 10**9))
def test_every_item_once_and_no_cluster_again_before_every_other_has_come(clusters: list[str], seed: int) -> None:
    order = breadth_first_order([f"i{index}" for index in range(len(clusters))], clusters, seed)
    assert sorted(order) == list(range(len(clusters)))
    drawn = [clusters[position] for position in order]
    assert fresh_items(drawn) == len(set(clusters))
    sizes, seen = Counter(clusters), Counter[str]()
    for cluster in drawn:
        assert all(seen[other] >= min(seen[cluster], sizes[other]) for other in sizes)
        seen[cluster] += 1


@given(clusters=labels, seed=st.integers(0, 100), data=st.data())
def test_the_order_is_that_of_the_ids_and_not_of_the_file(clusters: list[str], seed: int, data: st.DataObject) -> None:
    items = [f"i{index}" for index in range(len(clusters))]
    there = [items[position] for position in breadth_first_order(items, clusters, seed)]
    shuffled = data.draw(st.permutations(range(len(items))))
    moved = [items[index] for index in shuffled]
    again = breadth_first_order(moved, [clusters[index] for index in shuffled], seed)
    assert [moved[position] for position in again] == there
    kept = [index for index in range(len(items)) if clusters[index] != "a"]
    without = breadth_first_order([items[index] for index in kept], [clusters[index] for index in kept], seed)
    names = {items[index] for index in kept}
    assert [items[kept[position]] for position in without] == [name for name in there if name in names]


def test_the_order_is_the_same_on_every_machine_and_another_for_another_seed() -> None:
    items, clusters = [f"q{index}" for index in range(8)], list("aabbbccd")
    assert breadth_first_order(items, clusters, 7) == PINNED
    assert breadth_first_order(items, clusters, 8) != PINNED


def test_each_item_of_a_cluster_is_first_equally_often() -> None:
    first = Counter(breadth_first_order(["x", "y", "z"], ["c", "c", "c"], seed)[0] for seed in range(3000))
    assert all(abs(count - 1000) < 4 * math.sqrt(3000 * 2 / 9) for count in first.values())
    leads = Counter(breadth_first_order(["x", "y"], ["c", "d"], seed)[0] for seed in range(3000))
    assert abs(leads[0] - 1500) < 4 * math.sqrt(750)


def test_an_order_that_goes_depth_first_has_few_fresh_items() -> None:
    assert fresh_items(["a", "a", "b", "b"]) == 1
    assert fresh_items(["a", "b", "a"]) == 2
    assert fresh_items([]) == 0


@given(
    scores=st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)).map(lambda pair: (min(pair), max(pair))), min_size=1)
)
def test_cluster_mean_covers_every_value_of_what_is_unknown(scores: list[tuple[float, float]]) -> None:
    low, high = cluster_mean(scores, 1.0, 5.0)
    assert 1.0 <= low <= high <= 5.0
    assert low == pytest.approx(np.mean([one[0] for one in scores]))
    assert high == pytest.approx(np.mean([one[1] for one in scores]))
    MeanTest(3.0, 1.0, 5.0, 0.05).update(low, high)


def test_repeats_of_one_prompt_count_as_one_trial() -> None:
    once, repeated = MeanTest(0.5, 0.0, 1.0, 0.05), MeanTest(0.5, 0.0, 1.0, 0.05)
    for _ in range(5):
        once.update(1, 1)
        repeated.update(*cluster_mean([(1, 1)] * 20))
    assert repeated.evidence_met == once.evidence_met


@pytest.mark.parametrize("scores", [[], [(0.0, 1.5)], [(0.6, 0.4)]])
def test_a_cluster_without_scores_or_with_impossible_ones_is_refused(scores: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"cluster|interval"):
        cluster_mean(scores)


def test_items_and_clusters_must_fit() -> None:
    with pytest.raises(ValueError, match="each item needs one"):
        breadth_first_order(["a"], [], 1)
    with pytest.raises(ValueError, match="comes twice"):
        breadth_first_order(["a", "a"], ["c", "d"], 1)


def clustered(rng: np.random.Generator, rate: float, runs: int, clusters: int, size: int) -> NDArray[np.bool_]:
    """Failures of shape (runs, clusters, size): each cluster has a rate of its own, from a beta distribution."""
    spread = 1.0 / ICC - 1.0
    rates = rng.beta(rate * spread, (1.0 - rate) * spread, (runs, clusters))
    return np.asarray(rng.random((runs, clusters, size)) < rates[:, :, None])


def wrong_on_counts(failed: NDArray[np.bool_], limit: float) -> tuple[float, float]:
    """Shares of runs that are met and violated at some point, taking every trial for independent."""
    table = stopping_table(limit, ALPHA, failed.shape[1])
    failures = np.cumsum(failed, axis=1)
    n_met, n_violated = (
        np.where(hit.any(axis=1), hit.argmax(axis=1), failed.shape[1])
        for hit in (failures <= np.array(table.met[1:]), failures >= np.array(table.violated[1:]))
    )
    return float((n_met < n_violated).mean()), float((n_violated < n_met).mean())


@pytest.mark.parametrize("size", [5, 20])
@pytest.mark.parametrize("runs", [2000, pytest.param(20_000, marks=pytest.mark.simulation)])
def test_breadth_first_and_cluster_means_hold_and_ignoring_clusters_fails(size: int, runs: int) -> None:
    rng, limit, clusters = np.random.default_rng(17), 0.2, 400
    shares = {"ignored": np.zeros(2), "fresh": np.zeros(2), "means": np.zeros(2)}
    part = 500
    for _ in range(runs // part):
        failed = clustered(rng, limit, part, clusters, size)
        means = 1.0 - failed.mean(axis=2)  # pass rate of each cluster, at least 0.8
        paths = gains_above(means, 1.0 - limit, 0.0), gains_below(means, 1.0 - limit, 1.0)
        crossed = [float((log_wealth(path).max(axis=1) >= -math.log(ALPHA)).mean()) for path in paths]
        shares["ignored"] += wrong_on_counts(failed.reshape(part, -1)[:, :2000], limit)
        shares["fresh"] += wrong_on_counts(failed[:, :, 0], limit)
        shares["means"] += crossed
    rounds = runs // part
    assert (shares["fresh"] / rounds <= allowed(runs)).all()
    assert (shares["means"] / rounds <= allowed(runs)).all()
    assert (shares["ignored"] / rounds > 3.0 * allowed(runs)).all()  # the control: the criterion has teeth
