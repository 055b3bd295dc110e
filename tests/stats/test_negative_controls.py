"""The tests have teeth: each popular shortcut fails the criterion that the right way passes, on the same runs.

Every test here simulates one situation in which the claim sits exactly where it may not be decided wrongly, hands the
same data to our rule and to the shortcut, and puts both through `error_is_controlled`.
"""

import heapq
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from shinrai.stats import holm, stopping_table
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from shinrai.stats.judge import TRUST, judged_gains, judged_log_evidence
from tests.stats.criterion import ALPHA, Flags, error_is_controlled

Floats = NDArray[np.float64]
NEEDED = -math.log(ALPHA)


def first_verdict(failed: Flags, limit: float, alpha: float = ALPHA) -> tuple[Flags, Flags]:
    """Run our proportion test on streams of trials, shape (runs, n): said "met", said "violated"."""
    table = stopping_table(limit, alpha, failed.shape[1])
    failures = np.cumsum(failed, axis=1, dtype=np.int32)
    below, above = failures <= np.array(table.met[1:]), failures >= np.array(table.violated[1:])
    never = failed.shape[1]
    below_at = np.where(below.any(axis=1), below.argmax(axis=1), never)
    above_at = np.where(above.any(axis=1), above.argmax(axis=1), never)
    return below_at < above_at, above_at < below_at


def shares(failed: Flags) -> tuple[Floats, Floats]:
    n = np.arange(1.0, failed.shape[1] + 1.0)
    return np.cumsum(failed, axis=1) / n, n


def wald(failed: Flags) -> tuple[Floats, Floats]:
    share, n = shares(failed)
    half = 1.96 * np.sqrt(share * (1.0 - share) / n)
    return share - half, share + half


def wilson(failed: Flags) -> tuple[Floats, Floats]:
    share, n = shares(failed)
    z2 = 1.96**2
    centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = np.sqrt(z2) / (1.0 + z2 / n) * np.sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n))
    return centre - half, centre + half


@pytest.mark.parametrize("interval", [wald, wilson])
@pytest.mark.parametrize(("limit", "every"), [(0.1, 1), (0.1, 50), (0.02, 1)])
def test_peeking_at_a_plain_interval(interval: type, limit: float, every: int) -> None:
    """Stop as soon as the 95 % interval leaves the limit out, with a look at every trial or at every fiftieth."""
    failed = np.random.default_rng(20260501).random((1000, 1500)) < limit
    lower, upper = (bound[:, every - 1 :: every] for bound in interval(failed))
    met, violated = first_verdict(failed, limit)
    assert error_is_controlled(met)
    assert error_is_controlled(violated)
    assert not error_is_controlled(((upper < limit) | (lower > limit)).any(axis=1), 2.0 * ALPHA)


def order_of_arrival(failed: Flags, *, concurrency: int, slowdown: float, rng: np.random.Generator) -> list[int]:
    """Order replies as they come back when a failing reply takes `slowdown` times as long."""
    durations = (rng.exponential(1.0, failed.size) * np.where(failed, slowdown, 1.0)).tolist()
    running = [(durations[index], index) for index in range(concurrency)]
    heapq.heapify(running)
    order = []
    waiting = iter(range(concurrency, failed.size))
    while running:
        now, index = heapq.heappop(running)
        order.append(index)
        following = next(waiting, None)
        if following is not None:
            heapq.heappush(running, (now + durations[following], following))
    return order


@pytest.mark.parametrize("slowdown", [3.0, 10.0])
def test_folding_replies_in_their_order_of_arrival(slowdown: float) -> None:
    rng = np.random.default_rng(20260502)
    failed = rng.random((500, 600)) < 0.05
    arrived = np.stack([run[order_of_arrival(run, concurrency=64, slowdown=slowdown, rng=rng)] for run in failed])
    assert error_is_controlled(first_verdict(failed, 0.05)[0])
    assert not error_is_controlled(first_verdict(arrived, 0.05)[0], 2.0 * ALPHA)


@pytest.mark.parametrize(("size", "correlation"), [(20, 0.1), (20, 0.3), (5, 0.3)])
def test_items_of_one_cluster_taken_for_independent(size: int, correlation: float) -> None:
    """Failure rates vary between clusters (beta-binomial): one item of each in turn is valid, all in a row are not."""
    rng = np.random.default_rng(20260503)
    limit, clusters = 0.2, 300
    strength = 1.0 / correlation - 1.0
    rates = rng.beta(limit * strength, (1.0 - limit) * strength, (600, clusters))
    failed = rng.random((600, clusters, size)) < rates[..., None]
    for verdict in first_verdict(failed[:, :, 0], limit):
        assert error_is_controlled(verdict)
    in_a_row = failed.reshape(600, -1)[:, :1500]
    assert not error_is_controlled(np.logical_or(*first_verdict(in_a_row, limit)), 2.0 * ALPHA)


def test_an_asymptotic_confidence_sequence_for_a_rare_rate() -> None:
    """The sequence of Waudby-Smith et al. (arXiv:2103.06476), rho = 1, from 30 trials on, as gates document it."""
    limit, trials = 0.02, 2000
    failed = np.random.default_rng(20260504).random((1000, trials)) < limit
    share, n = shares(failed)
    deviation = np.sqrt(share * (1.0 - share))
    half = deviation * np.sqrt(2.0 * (n + 1.0) / n**2 * np.log(np.sqrt(n + 1.0) / ALPHA))
    says_below = (share + half < limit)[:, 29:].any(axis=1)
    assert error_is_controlled(first_verdict(failed, limit)[0])
    assert not error_is_controlled(says_below, 2.0 * ALPHA)


def e_benjamini_hochberg(e_values: Floats, alpha: float) -> Flags:
    """Reject the k largest e-values, with the largest k for which the k-th is at least m / (alpha k)."""
    claims = e_values.shape[-1]
    order = np.argsort(-e_values, axis=-1, kind="stable")
    ranked = np.take_along_axis(e_values, order, axis=-1)
    k = np.arange(1, claims + 1)
    enough = ranked * k * alpha >= claims * (1.0 - 1e-12)
    largest = np.where(enough, k, 0).max(axis=-1, keepdims=True)
    rejected = np.zeros(e_values.shape, dtype=bool)
    np.put_along_axis(rejected, order, k <= largest, axis=-1)
    return rejected


def dependent_e_processes(rng: np.random.Generator, runs: int, claims: int) -> Floats:
    """Paths of e-processes of true null hypotheses that hang together unfavourably, shape (runs, claims, steps).

    Each claim plays one fair game: from m / (alpha (k + 1)) it either reaches m / (alpha k) or falls to 0, with k from
    m down to 1, beginning at 1. Each alone is a martingale. Together: exactly j claims get to level m / (alpha j),
    and no further, with probability alpha / j.
    """
    sizes = np.arange(1, claims + 1)
    chances = ALPHA / sizes
    survivors = rng.choice(np.append(sizes, 0), size=runs, p=np.append(chances, 1.0 - chances.sum()))
    place = rng.permuted(np.tile(sizes, (runs, 1)), axis=1)
    chosen = place <= survivors[:, None]
    levels = claims / (ALPHA * sizes[::-1])  # from k = m to k = 1
    reached = chosen[..., None] & (sizes[::-1] >= survivors[:, None, None])
    return np.concatenate([np.ones((runs, claims, 1)), np.where(reached, levels, 0.0)], axis=-1)


def test_e_bh_on_running_maxima() -> None:
    """All claims are wrong, so every rejection is a false discovery: e-BH holds on the values, Holm on the maxima."""
    rng = np.random.default_rng(20260505)
    paths = dependent_e_processes(rng, 20_000, 20)
    maxima = paths.max(axis=-1)
    # They are what they claim to be: a fair game at every step, and at most 1 / x of the maxima at x or above.
    assert paths.mean(axis=(0, 1)) == pytest.approx(np.ones(paths.shape[-1]), abs=0.12)
    for level in (20.0, 40.0, 100.0, 400.0):
        assert (maxima >= level).mean() <= 1.05 / level + 3.0 * math.sqrt(1.0 / level / maxima.size)
    assert error_is_controlled((holm(maxima) <= ALPHA).any(axis=-1))
    for step in (1, 10, -1):
        assert error_is_controlled(e_benjamini_hochberg(paths[..., step], ALPHA).any(axis=-1))
    assert not error_is_controlled(e_benjamini_hochberg(maxima, ALPHA).any(axis=-1), 2.0 * ALPHA)


def test_a_table_in_which_each_claim_is_tested_alone() -> None:
    """Holm calls any of 20 claims met when the largest evidence reaches 20 / alpha, not when it reaches 1 / alpha."""
    failed = np.random.default_rng(20260506).random((600 * 20, 300), dtype=np.float32) < 0.1
    holm_says_met, each_says_met = (first_verdict(failed, 0.1, alpha)[0] for alpha in (ALPHA / 20.0, ALPHA))
    assert error_is_controlled(holm_says_met.reshape(600, 20).any(axis=1))
    assert not error_is_controlled(each_says_met.reshape(600, 20).any(axis=1), 2.0 * ALPHA)


def test_a_judge_taken_for_the_truth() -> None:
    """A judge with sensitivity 0.85 and specificity 0.97 on a system exactly at its limit of 5 %."""
    rng = np.random.default_rng(20260507)
    failed, draws = rng.random((500, 400, 6)) < 0.05, rng.random((500, 400, 6))
    flagged = np.where(failed, draws < 0.85, draws < 0.03)
    difference = flagged[..., 0] - flagged[..., 1:].mean(axis=-1)
    contrasts = np.stack([failed[..., 0] - eta * difference for eta in TRUST])
    for gains in judged_gains(contrasts, 0.05, 0.0, 1.0):
        assert error_is_controlled((judged_log_evidence(gains) >= NEEDED).any(axis=1))
    assert not error_is_controlled(first_verdict(flagged.reshape(500, -1), 0.05)[1], 2.0 * ALPHA)


def test_peeking_at_a_plain_interval_of_a_mean() -> None:
    rng = np.random.default_rng(20260508)
    x = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], p=[0.05, 0.1, 0.2, 0.3, 0.35], size=(500, 800))
    n = np.arange(1.0, 801.0)
    mean = np.cumsum(x, axis=1) / n
    deviation = np.sqrt(np.maximum(np.cumsum(x * x, axis=1) / n - mean**2, 0.0))
    for gains in (gains_above(x, 0.7, 0.0), gains_below(x, 0.7, 1.0)):
        assert error_is_controlled((log_wealth(gains) >= NEEDED).any(axis=1))
    excluded = np.abs(mean - 0.7) > 1.96 * deviation / np.sqrt(n)
    assert not error_is_controlled(excluded[:, 29:].any(axis=1), 2.0 * ALPHA)


def test_dropping_what_is_missing() -> None:
    """One failure in three times out; counted against the claim it stays honest, dropped it passes a violating system.

    The limit is 10 % and so is the failure rate: dropping a third of the failures makes it look like 6.9 %.
    """
    rng = np.random.default_rng(20260509)
    failed = rng.random((600, 1500)) < 0.1
    lost = failed & (rng.random(failed.shape) < 1.0 / 3.0)
    assert error_is_controlled(first_verdict(failed | lost, 0.1)[0])
    kept = np.take_along_axis(failed, np.argsort(lost, axis=1, kind="stable"), axis=1)[:, :1200]
    assert not error_is_controlled(first_verdict(kept, 0.1)[0], 2.0 * ALPHA)
