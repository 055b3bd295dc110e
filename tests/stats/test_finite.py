"""Finite data sets, drawn without replacement: error rates and costs exactly, and the mean by simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shinrai.stats import (
    Decision,
    FinitePopulationMeanTest,
    FinitePopulationTest,
    ProportionTest,
    finite_stopping_table,
    plan_finite_population,
)
from shinrai.stats.finite import FinitePopulation
from tests.stats.criterion import allowed

ALPHAS = [0.01, 0.05, 0.1]
LIMITS = [0.004, 0.02, 0.05, 0.2, 0.5, 0.8]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("size", "limit"), [(20, 0.2), (100, 0.02), (100, 0.5), (500, 0.004), (500, 0.05), (500, 0.8)])
def test_wrong_verdicts_stay_below_alpha_whatever_the_number_of_failing_items(
    size: int, limit: float, alpha: float
) -> None:
    allowed = FinitePopulation(size).allowed(limit)
    for failing in range(size + 1):
        plan = plan_finite_population(limit, alpha, size, failing)
        assert (plan.violated if failing <= allowed else plan.met) <= alpha
        assert plan.met + plan.violated == pytest.approx(1.0, abs=1e-9)
        assert plan.undecided == 0.0


@pytest.mark.simulation
@pytest.mark.parametrize("limit", LIMITS)
def test_the_same_for_every_number_of_failing_items_among_two_thousand(limit: float) -> None:
    allowed = FinitePopulation(2000).allowed(limit)
    for failing in range(2001):
        plan = plan_finite_population(limit, 0.05, 2000, failing)
        assert (plan.violated if failing <= allowed else plan.met) <= 0.05


@settings(deadline=None)
@given(
    size=st.integers(1, 300), limit=st.floats(0.002, 0.998), alpha=st.sampled_from(ALPHAS), horizon=st.integers(1, 300)
)
def test_tables_end_with_the_truth_and_never_contradict_what_is_certain(
    size: int, limit: float, alpha: float, horizon: int
) -> None:
    table, allowed = finite_stopping_table(limit, alpha, size), FinitePopulation(size).allowed(limit)
    n, met, violated = np.arange(size + 1), np.array(table.met), np.array(table.violated)
    assert (met[-1], violated[-1]) == (allowed, allowed + 1)
    assert (met < violated).all()
    # Curtailment: so few failures that even failing from here on keeps the limit, and the reverse.
    assert (met >= np.minimum(allowed, n - (size - allowed))).all()
    assert (violated <= allowed + 1).all() or size == allowed
    assert (met <= allowed).all()
    # Nothing is said of counts that both truths can still explain better than the evidence allows.
    for steps in (np.diff(met), np.diff(violated)):
        assert set(steps.tolist()) <= {0, 1}
    cut = FinitePopulation(size).table(limit, alpha, min(horizon, size))
    assert cut.met == table.met[: min(horizon, size) + 1]


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(2, 120),
    limit=st.floats(0.0, 0.99),
    harder=st.floats(0.0, 0.99),
    n=st.integers(0, 120),
    share=st.floats(0, 1),
)
def test_evidence_moves_in_one_direction_with_limit_failures_and_passes(
    size: int, limit: float, harder: float, n: int, share: float
) -> None:
    model, n = FinitePopulation(size), min(n, size - 1)
    (low, high), failures, slack = sorted((limit, harder)), round(share * n), 1e-8
    assert model.log_below(n, failures, low) <= model.log_below(n, failures, high) + slack
    assert model.log_above(n, failures, low) >= model.log_above(n, failures, high) - slack
    assert model.log_below(n + 1, failures, high) >= model.log_below(n, failures, high) - slack
    assert model.log_above(n + 1, failures, high) <= model.log_above(n, failures, high) + slack
    assert model.log_below(n + 1, failures + 1, high) <= model.log_below(n, failures, high) + slack
    assert model.log_above(n + 1, failures + 1, high) >= model.log_above(n, failures, high) - slack


@settings(max_examples=40, deadline=None)
@given(size=st.integers(2, 80), limit=st.floats(0.0, 0.99), n=st.integers(0, 80), beyond=st.integers(0, 80))
def test_evidence_has_mean_at_most_one_when_it_should_not_grow(size: int, limit: float, n: int, beyond: int) -> None:
    """By adding over all outcomes of n draws, for the null and for every truth on its side: the validity proof."""
    model, n = FinitePopulation(size), min(n, size)
    allowed = model.allowed(limit)
    failures = np.arange(n + 1)
    log_orders = np.array([math.log(math.comb(n, int(s))) for s in failures])
    for failing, evidence in (
        (min(allowed + 1 + beyond, size), model.log_below),
        (max(allowed - beyond, 0), model.log_above),
    ):
        chance = np.exp(log_orders + model.log_chance_of_path(np.full(n + 1, n), failures, failing))
        assert chance.sum() == pytest.approx(1.0, abs=1e-9)
        assert chance[chance > 0] @ np.exp(evidence(n, failures, limit)[chance > 0]) <= 1.0 + 1e-9


@pytest.mark.parametrize(("size", "limit", "failing"), [(60, 0.1, 3), (60, 0.1, 6), (40, 0.3, 20)])
def test_plan_is_the_plain_recursion_over_draws(size: int, limit: float, failing: int) -> None:
    table = finite_stopping_table(limit, 0.05, size)
    undecided, expected, met, stopped = {0: 1.0}, 0.0, 0.0, [0.0]
    for n in range(size):
        expected += sum(undecided.values())
        following: dict[int, float] = {}
        for s, mass in undecided.items():
            fails = (failing - s) / (size - n)
            for count, part in ((s, mass * (1 - fails)), (s + 1, mass * fails)):
                if part > 0.0:
                    following[count] = following.get(count, 0.0) + part
        met += sum(mass for s, mass in following.items() if s <= table.met[n + 1])
        undecided = {s: mass for s, mass in following.items() if table.met[n + 1] < s < table.violated[n + 1]}
        stopped.append(1.0 - sum(undecided.values()))
    plan = plan_finite_population(limit, 0.05, size, failing)
    assert plan.expected == pytest.approx(expected)
    assert plan.met == pytest.approx(met)
    assert plan.p95 == next(n for n, share in enumerate(stopped) if share >= 0.95)


def test_plan_agrees_with_running_the_test_on_shuffled_items() -> None:
    rng = np.random.default_rng(21)
    items = np.repeat([1.0, 0.0], [4, 196])
    stops, ends = [], []
    for _ in range(800):
        test = FinitePopulationTest(0.05, 0.05, 200)
        for value in rng.permutation(items).tolist():
            test.update(value, value)
            if test.decision is not None:
                break
        stops.append(test.n)
        ends.append(test.decision is Decision.MET)
    plan = plan_finite_population(0.05, 0.05, 200, 4)
    assert np.mean(stops) == pytest.approx(plan.expected, abs=4 * float(np.std(stops)) / math.sqrt(800))
    assert np.mean(ends) == pytest.approx(plan.met, abs=0.01)


def test_a_smaller_budget_leaves_some_runs_undecided() -> None:
    whole, cut = plan_finite_population(0.02, 0.05, 500, 5), plan_finite_population(0.02, 0.05, 500, 5, 200)
    assert whole.undecided == 0.0
    assert cut.met < whole.met
    assert cut.met + cut.violated + cut.undecided == pytest.approx(1.0)
    assert cut.p95 == 200
    assert plan_finite_population(0.02, 0.05, 500, 500).expected == pytest.approx(2.0)


@settings(deadline=None)
@given(
    outcomes=st.lists(st.sampled_from([0, 0, 0, 1]), min_size=1, max_size=60), limit=st.sampled_from([0.05, 0.2, 0.5])
)
def test_a_whole_data_set_ends_with_the_truth_or_an_early_verdict(outcomes: list[int], limit: float) -> None:
    test, early = FinitePopulationTest(limit, 0.05, len(outcomes)), None
    certain = FinitePopulationTest(limit, 1e-12, len(outcomes))  # so strict that only certainty decides
    for value in outcomes:
        early = early or test.decision
        test.update(value, value)
        certain.update(value, value)
    rate = sum(outcomes) / len(outcomes)
    truth = Decision.MET if rate <= limit else Decision.VIOLATED
    assert test.decision is (early or truth)
    assert certain.decision is truth
    interval = certain.interval()
    assert interval.lower <= rate == interval.upper
    assert rate - interval.lower < 1e-8


def test_interval_of_a_census_is_the_rate_itself() -> None:
    test = FinitePopulationTest(0.25, 0.05, 20)
    for value in [0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]:
        test.update(value, value)
    interval = test.interval()
    assert test.decision is Decision.MET  # five of twenty: exactly at the limit, which the claim allows
    assert interval.upper == 0.25
    assert interval.lower == pytest.approx(0.25, abs=1e-9)
    assert interval.lower < 0.25


@settings(deadline=None)
@given(
    values=st.lists(st.sampled_from([(0, 0), (0, 0), (1, 1), (0, 1)]), min_size=5, max_size=40),
    limit=st.sampled_from([0.1, 0.3, 0.6]),
)
def test_a_census_with_missing_items_is_decided_only_if_they_cannot_matter(
    values: list[tuple[int, int]], limit: float
) -> None:
    test = FinitePopulationTest(limit, 1e-9, len(values))  # so strict that only certainty decides
    for low, high in values:
        test.update(low, high)
    allowed = FinitePopulation(len(values)).allowed(limit)
    lows, highs = (sum(ends) for ends in zip(*values, strict=True))
    expected = Decision.MET if highs <= allowed else Decision.VIOLATED if lows > allowed else None
    assert test.decision is expected


@pytest.mark.parametrize(
    ("limit", "size", "allowed"), [(1 - 0.9, 100, 10), (0.29, 100, 29), (0.07, 100, 7), (0.1, 5, 0)]
)
def test_a_limit_is_read_as_whole_items_in_spite_of_rounding(limit: float, size: int, allowed: int) -> None:
    assert FinitePopulation(size).allowed(limit) == allowed


def test_without_replacement_a_verdict_comes_sooner() -> None:
    finite, endless = FinitePopulationTest(0.02, 0.05, 500), ProportionTest(0.02, 0.05, 500)
    while finite.decision is None:
        finite.update(0, 0)
        endless.update(0, 0)
    assert finite.n == 156
    assert endless.decision is None


def test_an_item_more_than_there_are_is_refused() -> None:
    test, mean = FinitePopulationTest(0.5, 0.05, 1), FinitePopulationMeanTest(0.5, 0.0, 1.0, 0.05, 1)
    for one in (test, mean):
        one.update(0, 0)
        with pytest.raises(ValueError, match="2 came in"):
            one.update(0, 0)
        assert one.n == 1


@pytest.mark.parametrize(("failing", "horizon"), [(-1, None), (11, None), (5, 11), (5, 0)])
def test_impossible_plans_are_refused(failing: int, horizon: int | None) -> None:
    with pytest.raises(ValueError, match=r"must be|needs"):
        plan_finite_population(0.1, 0.05, 10, failing, horizon)


class TestMean:
    """The bounded mean without replacement."""

    @settings(max_examples=40, deadline=None)
    @given(scores=st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), min_size=1, max_size=40), data=st.data())
    def test_each_bet_is_fair_and_the_census_tells_the_truth(self, scores: list[float], data: st.DataObject) -> None:
        threshold = data.draw(st.sampled_from([0.2, 0.45, 0.7]))
        test, early = FinitePopulationMeanTest(threshold, 0.0, 1.0, 0.05, len(scores)), None
        for score in scores:
            early = early or test.decision
            test.update(score, score)
        mean = math.fsum(scores) / len(scores)
        truth = Decision.MET if mean >= threshold - 1e-12 else Decision.VIOLATED
        assert test.decision is (early or truth)
        if early is None:
            assert test.interval().lower == pytest.approx(mean, abs=1e-8)
            assert test.interval().upper == pytest.approx(mean, abs=1e-8)

    @settings(max_examples=25, deadline=None)
    @given(
        scores=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=5),
        threshold=st.sampled_from([0.2, 0.5, 0.8]),
    )
    def test_evidence_has_mean_at_most_one_over_all_orders(self, scores: list[float], threshold: float) -> None:
        """With the mean on the null side the evidence does not grow on average, however long one waits."""
        mean = math.fsum(scores) / len(scores)
        assume(abs(mean - threshold) > 1e-6)
        orders = list(itertools.permutations(scores))
        for n in range(1, len(scores)):
            total = 0.0
            for order in orders:
                test = FinitePopulationMeanTest(threshold, 0.0, 1.0, 1e-9, len(scores))
                above, below = test._log_paths(np.array(order[:n]), threshold)
                total += float(np.exp((above if mean < threshold else below)[-1]))
            assert total / len(orders) <= 1.0 + 1e-9

    def test_scores_on_another_scale_are_the_same_test(self) -> None:
        rng = np.random.default_rng(3)
        rubric, mapped = (
            FinitePopulationMeanTest(4.0, 1.0, 5.0, 0.05, 200),
            FinitePopulationMeanTest(0.75, 0.0, 1.0, 0.05, 200),
        )
        for score in rng.integers(1, 6, 200).tolist():
            rubric.update(score, score)
            mapped.update((score - 1) / 4, (score - 1) / 4)
            assert rubric.decision is mapped.decision
        assert rubric.interval().lower == pytest.approx(1.0 + 4.0 * mapped.interval().lower, abs=1e-7)

    def test_a_missing_score_can_decide_nothing(self) -> None:
        test = FinitePopulationMeanTest(0.5, 0.0, 1.0, 0.05, 20)
        for low, high in [(0.5, 0.5)] * 19 + [(0.0, 1.0)]:
            test.update(low, high)
        assert test.decision is None
        assert test.estimate() == 0.5
        assert test.interval().lower == pytest.approx(0.475, abs=1e-8)
        assert test.interval().upper == pytest.approx(0.525, abs=1e-8)

    @pytest.mark.parametrize("runs", [1500, pytest.param(20_000, marks=pytest.mark.simulation)])
    def test_wrong_verdicts_when_the_mean_is_a_trifle_from_the_threshold(self, runs: int) -> None:
        above, _, _ = rubric_runs(200, 0.7 - 0.25 / 200, runs)  # one step of one item too low
        _, below, _ = rubric_runs(200, 0.7, runs)
        assert above <= allowed(runs)
        assert below <= allowed(runs)

    @pytest.mark.parametrize(("mean", "draws"), [(0.6, 42), (0.65, 122), (0.75, 127), (0.8, 50)])
    def test_mean_draws_are_near_the_reference(self, mean: float, draws: int) -> None:
        _, _, stops = rubric_runs(500, mean, 1000)
        assert stops.mean() == pytest.approx(draws, rel=0.05, abs=4 * float(stops.std()) / math.sqrt(1000))


def rubric_runs(size: int, mean: float, runs: int) -> tuple[float, float, np.ndarray]:
    """Shuffle a data set of scores 0, 0.25 .. 1 with this mean: shares decided above and below 0.7, and draws.

    Only decisions before the last two draws count: what the last ones show is certain, not evidence.
    """
    weights = np.array([math.comb(4, k) * mean**k * (1 - mean) ** (4 - k) for k in range(5)])
    counts = np.floor(weights * size).astype(int)
    items = np.repeat(np.arange(5), counts)
    items = np.sort(np.concatenate((items, np.full(size - items.size, 3))))
    for _ in range(abs(excess := int(items.sum()) - round(mean * size * 4))):
        items[int(np.argmax(items > 0) if excess > 0 else np.argmax(items < 4))] -= np.sign(excess)
    rng = np.random.default_rng(5)
    test, needed = FinitePopulationMeanTest(0.7, 0.0, 1.0, 0.05, size), math.log(20.0)
    ends, stops = [], []
    for _ in range(runs):
        reached = [np.append(path, needed) >= needed for path in test._log_paths(rng.permutation(items) / 4.0, 0.7)]
        above, below = (int(flags.argmax()) + 1 for flags in reached)
        stops.append(min(above, below, size))
        ends.append(0 if stops[-1] > size - 2 else 1 if above < below else -1)
    return ends.count(1) / runs, ends.count(-1) / runs, np.array(stops)
