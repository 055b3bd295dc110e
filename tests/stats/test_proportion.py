"""Proportions: error rates and costs computed exactly, not simulated."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.stats import (
    Decision,
    ProportionTest,
    binomial_interval,
    fixed_sample_size,
    plan_proportion,
    smallest_clean_sample,
    stopping_table,
)
from shinrai.stats.rates import log_evidence_above, log_evidence_below

LIMITS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.95]
ALPHAS = [0.01, 0.05, 0.1]

# Mean calls at a true rate of 0, 1/4, 1/2, 3/4, 5/4, 3/2, 2 and 3 times the limit, alpha 5 %, horizon 10 times the
# fixed size: computed once by an independent program.
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0)
CLOSE_TO_95 = (0.95 - 1e-12, 0.95 + 1e-12)  # rounding may fall on either side
CALLS = {
    0.01: (2784, (423, 862, 2227, 10595, 13944, 3869, 1073, 328)),
    0.02: (1390, (211, 429, 1105, 5255, 6813, 1880, 521, 160)),
    0.05: (554, (83, 168, 432, 2051, 2569, 698, 193, 59)),
    0.1: (263, (41, 81, 207, 979, 1198, 323, 89, 27)),
    0.2: (124, (19, 38, 95, 444, 514, 135, 37, 11)),
}


def relative_entropy(rate: float, limit: float) -> float:
    terms = ((rate, limit), (1.0 - rate, 1.0 - limit))
    return sum(true * math.log(true / claimed) for true, claimed in terms if true > 0.0)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("limit", LIMITS)
def test_wrong_verdicts_at_the_limit_stay_below_alpha(limit: float, alpha: float) -> None:
    # Near 1 it is the pass rate that is rare, and it sets how many trials a verdict takes.
    horizon = 10 * fixed_sample_size(min(limit, 1.0 - limit), alpha)
    plan = plan_proportion(limit, alpha, horizon, limit)
    assert 0.0 < plan.met <= alpha
    assert 0.0 < plan.violated <= alpha


@pytest.mark.simulation
@pytest.mark.parametrize("alpha", ALPHAS)
def test_wrong_verdicts_at_a_very_small_limit_stay_below_alpha(alpha: float) -> None:
    plan = plan_proportion(0.001, alpha, 10 * fixed_sample_size(0.001, alpha), 0.001)
    assert 0.0 < plan.met <= alpha
    assert 0.0 < plan.violated <= alpha


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("limit", [0.001, *LIMITS])
def test_tables_move_by_at_most_one_and_never_meet(limit: float, alpha: float) -> None:
    table = stopping_table(limit, alpha, 4000)
    met, violated = np.array(table.met), np.array(table.violated)
    for steps in (np.diff(met), np.diff(violated)):
        assert set(steps.tolist()) <= {0, 1}
    assert (met < violated).all()
    assert (met < np.arange(4001) * limit).all()
    assert (violated > np.arange(4001) * limit).all()


@given(limit=st.floats(0.005, 0.99), alpha=st.sampled_from(ALPHAS), n=st.integers(1, 120))
def test_tables_are_the_evidence_rounded_to_counts(limit: float, alpha: float, n: int) -> None:
    table = stopping_table(limit, alpha, 120)
    failures = np.arange(n + 1)
    few = failures[log_evidence_below(n, failures, limit) >= -math.log(alpha)]
    many = failures[log_evidence_above(n, failures, limit) >= -math.log(alpha)]
    assert table.met[n] == few.max(initial=-1)
    assert table.violated[n] == many.min(initial=n + 1)


@given(limit=st.floats(0.001, 0.999), harder=st.floats(0.001, 0.999), n=st.integers(0, 300), share=st.floats(0, 1))
def test_evidence_is_nested_in_the_limit(limit: float, harder: float, n: int, share: float) -> None:
    """What is proven against a limit is proven against every easier one: the interval has no holes."""
    low, high = sorted((limit, harder))
    failures = round(share * n)
    slack = 1e-9 * (1.0 + n)
    assert log_evidence_below(n, failures, low) <= log_evidence_below(n, failures, high) + slack
    assert log_evidence_above(n, failures, low) >= log_evidence_above(n, failures, high) - slack


@given(limit=st.floats(0.001, 0.999), n=st.integers(0, 60))
def test_evidence_is_fair_at_the_limit(limit: float, n: int) -> None:
    """The mean of a likelihood ratio under its null is 1, by adding over all outcomes of n trials."""
    failures = np.arange(n + 1)
    log_counts = np.array([math.lgamma(n + 1) - math.lgamma(s + 1) - math.lgamma(n - s + 1) for s in failures])
    log_null = log_counts + failures * math.log(limit) + (n - failures) * math.log1p(-limit)
    for evidence in (log_evidence_below, log_evidence_above):
        assert np.exp(log_null + evidence(n, failures, limit)).sum() == pytest.approx(1.0, abs=1e-6)


def test_a_longer_table_begins_with_the_shorter_one() -> None:
    short, long = stopping_table(0.07, 0.05, 200), stopping_table(0.07, 0.05, 900)
    assert long.met[:201] == short.met
    assert long.violated[:201] == short.violated


@pytest.mark.parametrize("limit", CALLS)
def test_mean_calls_are_within_one_percent_of_the_reference_or_fewer(limit: float) -> None:
    fixed, reference = CALLS[limit]
    for multiple, calls in zip(MULTIPLES, reference, strict=True):
        expected = plan_proportion(limit, 0.05, 10 * fixed, multiple * limit).expected
        assert expected <= 1.01 * calls + 0.5  # the reference is rounded to whole calls
        if multiple < 1.0:
            assert expected >= 0.99 * calls - 0.5


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("multiple", [0.25, 0.5, 2.0, 3.0])
def test_mean_calls_are_near_the_bound_that_no_test_can_beat(limit: float, multiple: float) -> None:
    """Wald's bound log(1/alpha) / relative entropy; for large limits, the same multiples of the pass rate."""
    rate = multiple * limit if limit <= 0.5 else 1.0 - multiple * (1.0 - limit)
    rate = min(rate, 1.0)
    bound = -math.log(0.05) / relative_entropy(rate, limit)
    plan = plan_proportion(limit, 0.05, math.ceil(30 * bound), rate)
    # Where the bound is a handful of trials, whole trials cost up to two.
    assert plan.expected <= 1.6 * bound + 2.0
    assert plan.met + plan.violated > 0.99


@pytest.mark.parametrize("limit", [0.02, 0.2, 0.8])
def test_passing_gets_rarer_as_the_rate_grows(limit: float) -> None:
    plans = [plan_proportion(limit, 0.05, 600, rate) for rate in np.linspace(0.0, 1.0, 21).tolist()]
    for earlier, later in itertools.pairwise(plans):
        assert later.met <= earlier.met + 1e-12
        assert later.violated >= earlier.violated - 1e-12
    assert all(plan.met + plan.violated + plan.undecided == pytest.approx(1.0) for plan in plans)


def test_plan_agrees_with_running_the_test() -> None:
    rng = np.random.default_rng(11)
    stops, ends = [], []
    for _ in range(1500):
        test = ProportionTest(0.1, 0.05, 150)
        while test.decision is None and test.n < 150:
            failed = float(rng.random() < 0.04)
            test.update(failed, failed)
        stops.append(test.n)
        ends.append(test.decision is Decision.MET)
    plan = plan_proportion(0.1, 0.05, 150, 0.04)
    assert np.mean(stops) == pytest.approx(plan.expected, abs=4 * float(np.std(stops)) / math.sqrt(1500))
    assert np.mean(ends) == pytest.approx(plan.met, abs=4 * math.sqrt(plan.met * (1 - plan.met) / 1500))
    assert np.mean(np.array(stops) <= plan.p95) >= 0.93


@given(limit=st.floats(0.02, 0.98), alpha=st.sampled_from(ALPHAS), horizon=st.integers(1, 80), rate=st.floats(0.0, 1.0))
def test_plan_is_the_plain_recursion_at_the_true_rate(limit: float, alpha: float, horizon: int, rate: float) -> None:
    table = stopping_table(limit, alpha, horizon)
    undecided, expected, ends, stopped = {0: 1.0}, 0.0, [0.0, 0.0], [0.0]
    for n in range(1, horizon + 1):
        expected += sum(undecided.values())
        following: dict[int, float] = {}
        for s, mass in undecided.items():
            for count, part in ((s, mass * (1.0 - rate)), (s + 1, mass * rate)):
                following[count] = following.get(count, 0.0) + part
        ends[0] += sum(mass for s, mass in following.items() if s <= table.met[n])
        ends[1] += sum(mass for s, mass in following.items() if s >= table.violated[n])
        undecided = {s: mass for s, mass in following.items() if table.met[n] < s < table.violated[n]}
        stopped.append(1.0 - sum(undecided.values()))
    plan = plan_proportion(limit, alpha, horizon, rate)
    assert plan.expected == pytest.approx(expected)
    assert [plan.met, plan.violated] == pytest.approx(ends, abs=1e-12)
    assert plan.undecided == pytest.approx(1.0 - sum(ends), abs=1e-12)
    assert plan.p95 in {next((n for n, part in enumerate(stopped) if part >= level), horizon) for level in CLOSE_TO_95}


def test_a_table_over_many_rates_takes_no_longer_than_a_glance() -> None:
    """At most 0.2 s of CPU for a limit of 2 % and twice the fixed size, the first computation included."""
    start = time.process_time()
    plans = [plan_proportion(0.0201, 0.05, 2780, multiple * 0.0201) for multiple in MULTIPLES]
    assert time.process_time() - start < 0.2
    assert plans[0].expected < plans[1].expected < plans[2].expected


@pytest.mark.parametrize("limit", [0.001, 0.02, 0.3])
def test_what_the_data_cannot_prove_is_known_before_the_run(limit: float) -> None:
    enough = smallest_clean_sample(limit, 0.05)
    too_few, table = stopping_table(limit, 0.05, enough - 1), stopping_table(limit, 0.05, enough)
    assert (too_few.can_be_met, table.can_be_met) == (False, True)
    assert table.can_be_violated
    assert plan_proportion(limit, 0.05, enough - 1, 0.0).met == 0.0
    assert not stopping_table(0.9, 0.05, 5).can_be_violated


def test_plan_of_a_certain_run_is_exact() -> None:
    plan = plan_proportion(0.02, 0.05, 1000, 0.0)
    assert [plan.expected, plan.p95, plan.met] == pytest.approx([211.0, 211, 1.0])
    never = plan_proportion(0.02, 0.05, 100, 0.0)
    assert [never.expected, never.p95, never.undecided] == pytest.approx([100.0, 100, 1.0])


@pytest.mark.parametrize("rate", [-0.01, 1.01, math.nan])
def test_plan_refuses_an_impossible_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        plan_proportion(0.1, 0.05, 10, rate)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("limit", LIMITS)
def test_smallest_clean_sample_is_where_a_clean_run_is_met(limit: float, alpha: float) -> None:
    n = smallest_clean_sample(limit, alpha)
    test = ProportionTest(limit, alpha, n)
    for _ in range(n):
        assert test.decision is None
        test.update(0, 0)
    assert test.decision is Decision.MET


def test_a_trial_beyond_the_horizon_is_refused() -> None:
    test = ProportionTest(0.1, 0.05, 2)
    test.update(0, 0)
    test.update(0, 1)
    with pytest.raises(ValueError, match="set up for 2 trials"):
        test.update(0, 0)
    assert test.n == 2


def test_missing_trials_are_no_part_of_the_estimate() -> None:
    test = ProportionTest(0.1, 0.05, 100)
    for low, high in [(0, 0), (0, 1), (1, 1), (0, 0), (0, 1), (0, 0)]:
        test.update(low, high)
    assert test.estimate() == pytest.approx(0.25)


def test_missing_trials_keep_a_clean_run_from_passing() -> None:
    clean, gaps = ProportionTest(0.02, 0.05, 1000), ProportionTest(0.02, 0.05, 1000)
    for index in range(300):
        clean.update(0, 0)
        gaps.update(0, int(index % 20 == 10))
    assert clean.decision is Decision.MET
    assert gaps.decision is None
    assert gaps.estimate() == 0.0


@pytest.mark.parametrize(
    ("limit", "margin", "size"),
    [(0.01, 0.5, 2784), (0.01, 0.75, 12663), (0.02, 0.5, 1390), (0.02, 2.0, 673), (0.1, 0.5, 263), (0.2, 1.5, 171)],
)
def test_fixed_sample_sizes(limit: float, margin: float, size: int) -> None:
    assert fixed_sample_size(limit, 0.05, margin) == size


@pytest.mark.parametrize("margin", [1.0, 0.0, -1.0, 10.0, math.nan])
def test_fixed_sample_size_refuses_a_margin_that_tells_nothing(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        fixed_sample_size(0.1, 0.05, margin)


@pytest.mark.parametrize(
    ("events", "n", "lower", "upper"),
    # Clopper and Pearson at 95 %: 0 of n has the closed form 1 - (0.025)^(1/n); the others are published table values.
    [
        (0, 10, 0.0, 1.0 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1.0),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (3, 20, 0.0321, 0.3789),
    ],
)
def test_binomial_interval(events: int, n: int, lower: float, upper: float) -> None:
    interval = binomial_interval(events, n)
    assert [interval.lower, interval.upper] == pytest.approx([lower, upper], abs=6e-5)


@pytest.mark.parametrize(("events", "n", "level"), [(-1, 10, 0.95), (11, 10, 0.95), (0, 0, 0.95), (1, 10, 1.0)])
def test_binomial_interval_refuses_impossible_counts(events: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match=r"trials|level"):
        binomial_interval(events, n, level)
