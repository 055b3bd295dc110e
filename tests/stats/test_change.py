"""Monitors: the recursion, its states, and how long they take, with and without a reason."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.stats import MeanMonitor, MonitorState, RateMonitor
from shinrai.stats.betting import BETS
from shinrai.stats.change import detector_step, rate_bets
from tests.stats.criterion import allowed

Floats = NDArray[np.float64]
outcomes = st.lists(st.sampled_from([(0, 0), (0, 0), (0, 0), (1, 1), (0, 1)]), min_size=1, max_size=80)


def alarm_times(rng: np.random.Generator, rates: list[tuple[int, float]], level: float, runs: int) -> Floats:
    """Run many rate monitors with a limit of 2 % at once, record by record.

    Parameters
    ----------
    rng
        The source of chance.
    rates
        Pairs of a number of records and the failure rate in them. Alarms before the last stretch restart a monitor.
    level
        A.
    runs
        Number of monitors.

    Returns
    -------
    numpy.ndarray
        Records of the last stretch until the alarm; its length where there was none.
    """
    limit = 0.02
    bets = rate_bets(limit)
    factors = np.log1p(np.stack([-bets, bets * (1.0 - limit) / limit]))
    wealth, live = np.zeros((runs, bets.size)), np.arange(runs)
    times = np.full(runs, float(rates[-1][0]))
    for stretch, (records, rate) in enumerate(rates):
        last = stretch == len(rates) - 1
        for record in range(1, records + 1):
            failed = (rng.random(live.size) < rate).astype(np.intp)
            wealth = detector_step(wealth, factors[failed], 1)
            alarm = wealth.mean(axis=1) >= level
            if alarm.any() and not last:
                wealth[alarm] = 0.0
            elif alarm.any():
                times[live[alarm]] = record
                live, wealth = live[~alarm], wealth[~alarm]
                if not live.size:
                    break
    return times


@given(limit=st.floats(0.0005, 0.98))
def test_bets_on_a_rate_are_fair_at_the_limit_and_never_bet_everything(limit: float) -> None:
    bets = rate_bets(limit)
    assert ((bets > 0.0) & (bets < 1.0)).all()
    on_failure, on_pass = 1.0 + bets * (1.0 - limit) / limit, 1.0 - bets
    assert limit * on_failure + (1.0 - limit) * on_pass == pytest.approx(np.ones(bets.size))


@given(steps=outcomes)
def test_the_statistic_is_the_sum_of_a_bet_begun_at_each_record(steps: list[tuple[int, int]]) -> None:
    monitor = RateMonitor(0.1, 1e300)
    factors = [1.0 + rate_bets(0.1) * ((low - 0.1) / 0.1) for low, _ in steps]  # a missing record is a pass
    for low, high in steps:
        monitor.update(low, high)
    started = sum(np.prod(factors[start:], axis=0) for start in range(len(steps)))
    assert monitor.statistic == pytest.approx(float(np.mean(started)))
    assert (monitor.n, monitor.missing) == (len(steps), sum(low < high for low, high in steps))


@given(scores=st.lists(st.floats(1.0, 5.0), min_size=1, max_size=60))
def test_a_monitor_of_means_bets_that_the_mean_is_below(scores: list[float]) -> None:
    monitor = MeanMonitor(4.0, 1.0, 5.0, 1e300)
    wealth = np.zeros(len(BETS))
    for score in scores:
        monitor.update(score, score)
        wealth = (wealth + 1.0) * (1.0 + np.array(BETS) * (4.0 - score))
    assert monitor.statistic == pytest.approx(float(wealth.mean()))


@given(steps=outcomes, cut=st.integers(0, 80))
def test_going_on_from_a_stored_state_is_never_having_stopped(steps: list[tuple[int, int]], cut: int) -> None:
    whole, first = RateMonitor(0.05, 30.0), RateMonitor(0.05, 30.0)
    for step in steps:
        whole.update(*step)
    for step in steps[:cut]:
        first.update(*step)
    stored = json.loads(json.dumps(dataclasses.asdict(first.state), allow_nan=False))
    second = RateMonitor(0.05, 30.0, MonitorState(**stored))
    for step in steps[cut:]:
        second.update(*step)
    assert second.state == whole.state
    assert second.changed_after == whole.changed_after


def test_batches_of_one_are_records_and_larger_ones_begin_their_bets_together() -> None:
    single, batches, batch = (RateMonitor(0.05, 1e6) for _ in range(3))
    for failed in (0, 1, 0, 0, 1):
        single.update(failed, failed)
        batches.update_batch(1, failures=failed)
    batch.update_batch(5, failures=2)
    assert single.state == batches.state
    bets = rate_bets(0.05)
    together = 5.0 * (1.0 + bets * 19.0) ** 2 * (1.0 - bets) ** 3
    assert batch.statistic == pytest.approx(float(together.mean()))
    one, other = MeanMonitor(0.5, 0.0, 1.0, 1e6), MeanMonitor(0.5, 0.0, 1.0, 1e6)
    one.update_batch([0.2, 0.9], [0.2, 0.9])
    other.update_batch([0.9, 0.2], [0.9, 0.2])
    assert one.statistic == pytest.approx(other.statistic)


def test_an_alarm_stays_until_the_monitor_is_restarted() -> None:
    monitor = RateMonitor(0.02, 1000.0)
    assert (monitor.alarm_at, monitor.changed_after) == (None, None)
    monitor.update_batch(500, failures=5)
    for _ in range(40):
        monitor.update(1, 1)
    raised = monitor.alarm_at
    assert raised is not None
    assert 500 < raised < 510
    assert monitor.changed_after == 500
    monitor.update_batch(10_000, failures=0)
    assert (monitor.alarm_at, monitor.n) == (raised, 10_540)
    monitor.restart()
    assert monitor.state == RateMonitor(0.02, 1000.0).state


def test_missing_records_raise_no_alarm_and_are_counted() -> None:
    rate, mean = RateMonitor(0.02, 100.0), MeanMonitor(0.7, 0.0, 1.0, 100.0)
    for _ in range(3000):
        rate.update(0, 1)
    rate.update_batch(1000, failures=0, missing=1000)
    mean.update_batch(np.zeros(4000), np.ones(4000))
    assert (rate.alarm_at, rate.missing) == (None, 4000)
    assert (mean.alarm_at, mean.missing) == (None, 4000)


def test_a_burst_that_no_double_could_hold_is_an_alarm_with_a_finite_state() -> None:
    monitor = RateMonitor(0.001, 1000.0)
    monitor.update_batch(100_000, failures=100_000)
    assert monitor.alarm_at == 100_000
    assert json.dumps(dataclasses.asdict(monitor.state), allow_nan=False)
    calm = RateMonitor(0.5, 1000.0)
    calm.update_batch(1_000_000, failures=0)
    assert json.dumps(dataclasses.asdict(calm.state), allow_nan=False)
    assert calm.alarm_at is None


def test_arguments_outside_their_range_are_refused() -> None:
    state = RateMonitor(0.1, 10.0).state
    for build in (
        lambda: RateMonitor(0.0, 10.0),
        lambda: RateMonitor(0.1, 0.5),
        lambda: RateMonitor(0.1, math.inf),
        lambda: RateMonitor(0.1, math.nan),
        lambda: MeanMonitor(1.0, 0.0, 1.0, 10.0),
        lambda: MeanMonitor(0.5, 0.0, math.inf, 10.0),
        lambda: MeanMonitor(0.5, 0.0, 1.0, 10.0, state),
    ):
        with pytest.raises(ValueError, match="must"):
            build()
    monitor = RateMonitor(0.1, 10.0)
    for counts in ((0, 0, 0), (5, 6, 0), (5, -1, 0), (5, 3, 3), (5, 0, -1)):
        with pytest.raises(ValueError, match="impossible"):
            monitor.update_batch(*counts)
    with pytest.raises(ValueError, match="record"):
        monitor.update(0.5, 0.5)
    scores = MeanMonitor(0.5, 0.0, 1.0, 10.0)
    for lows, highs in (([], []), ([0.1], [0.1, 0.2]), ([[0.1]], [[0.1]])):
        with pytest.raises(ValueError, match="shape"):
            scores.update_batch(lows, highs)
    with pytest.raises(ValueError, match="observation"):
        scores.update_batch([0.5, 0.2], [0.5, 1.2])
    assert (monitor.n, scores.n) == (0, 0)


def test_mean_time_to_a_false_alarm_is_kept_at_the_limit_record_by_record() -> None:
    times = alarm_times(np.random.default_rng(20260401), [(60_000, 0.02)], 1000.0, 300)
    assert times.mean() - 3.0 * times.std() / math.sqrt(times.size) >= 1000.0 * 0.95
    assert times.mean() >= 1000.0


@pytest.mark.parametrize("size", [20, 100])
def test_mean_time_to_a_false_alarm_is_kept_at_the_limit_in_batches(size: int) -> None:
    rng = np.random.default_rng(20260402)
    times = []
    for _ in range(40):
        monitor = RateMonitor(0.02, 1000.0)
        while monitor.alarm_at is None:
            monitor.update_batch(size, int(rng.binomial(size, 0.02)))
        times.append(monitor.alarm_at)
    assert np.mean(times) >= 1000.0


def test_mean_time_to_a_false_alarm_is_kept_for_scores() -> None:
    rng = np.random.default_rng(20260403)
    times = []
    for _ in range(40):
        monitor = MeanMonitor(0.7, 0.0, 1.0, 500.0)
        while monitor.alarm_at is None:
            monitor.update_batch(*[rng.choice([0.0, 0.5, 1.0], p=[0.1, 0.4, 0.5], size=5)] * 2)
        times.append(monitor.alarm_at)
    assert np.mean(times) >= 500.0


# Mean records from the change to the alarm, limit 2 %, A = 10,000, healthy traffic at 1 %, by an independent program.
DELAYS = {0.04: 509, 0.06: 198, 0.1: 78, 0.2: 27}


@pytest.mark.parametrize("rate", [0.06, 0.1, 0.2])
def test_delays_are_those_of_an_independent_program(rate: float) -> None:
    healthy = (2500, 0.01)
    delays = alarm_times(np.random.default_rng(20260404), [healthy, (8000, rate)], 10_000.0, 500)
    assert delays.mean() == pytest.approx(DELAYS[rate], rel=0.1)


def test_the_change_is_dated_near_where_it_was() -> None:
    rng = np.random.default_rng(20260405)
    errors = []
    for _ in range(40):
        monitor = RateMonitor(0.02, 10_000.0)
        for failures in rng.binomial(10, 0.01, 200).tolist():
            monitor.update_batch(10, failures)
        while monitor.alarm_at is None:
            monitor.update_batch(10, int(rng.binomial(10, 0.08)))
        errors.append((monitor.changed_after or 0) - 2000)
    assert abs(np.median(errors)) <= 20
    assert np.mean(np.abs(errors) <= 100) >= 0.75


@pytest.mark.simulation
def test_mean_time_to_a_false_alarm_in_many_runs() -> None:
    times = alarm_times(np.random.default_rng(20260406), [(400_000, 0.02)], 10_000.0, 2000)
    assert times.mean() == pytest.approx(14_950, rel=0.1)


@pytest.mark.simulation
def test_healthy_traffic_hardly_ever_raises_an_alarm() -> None:
    times = alarm_times(np.random.default_rng(20260407), [(10_000, 0.01)], 10_000.0, 4000)
    assert float((times < 10_000).mean()) <= allowed(4000, 0.013)


@pytest.mark.simulation
@pytest.mark.parametrize("rate", list(DELAYS))
def test_delays_in_many_runs(rate: float) -> None:
    delays = alarm_times(np.random.default_rng(20260408), [(5000, 0.01), (20_000, rate)], 10_000.0, 4000)
    assert delays.mean() == pytest.approx(DELAYS[rate], rel=0.06)
