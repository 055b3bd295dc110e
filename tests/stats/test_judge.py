"""Judges: validity by enumeration, and error rates with judges of every kind."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.stats import (
    ConfirmedFlagsTest,
    Decision,
    JudgedMeanTest,
    JudgedRateTest,
    MeanTest,
    fewest_labels_to_pass,
)
from shinrai.stats.betting import BETS
from shinrai.stats.judge import TRUST, judged_gains, judged_log_evidence
from tests.stats.criterion import ALPHA, Flags, allowed, error_is_controlled

Floats = NDArray[np.float64]


class TestBlocks:
    """What makes the bets fair, and how blocks are read."""

    @given(
        label=st.floats(0.02, 0.98),
        judge=st.floats(0.0, 1.0),
        agreement=st.floats(0.0, 1.0),
        scale=st.tuples(st.floats(-20, 20), st.floats(0.1, 50)),
    )
    def test_each_bet_is_fair_whatever_the_judge_is(
        self, label: float, judge: float, agreement: float, scale: tuple[float, float]
    ) -> None:
        """E[factor] = 1 over the joint law of (Y, f1, f2), f1 depending on Y in any way; factor >= 0: the proof."""
        lower, size = scale
        upper, threshold = lower + size, lower + label * size
        # P(Y = 1, f1 = 1) anywhere between its Frechet bounds, f2 independent with the mean of f1.
        both = max(0.0, label + judge - 1.0) * (1.0 - agreement) + min(label, judge) * agreement
        joint = {(1, 1): both, (1, 0): label - both, (0, 1): judge - both, (0, 0): 1.0 - label - judge + both}
        points, weights = [], []
        for ((y, f1), p), f2 in itertools.product(joint.items(), (0, 1)):
            points.append([y * size + lower - eta * (f1 - f2) * size for eta in TRUST])
            weights.append(p * (judge if f2 else 1.0 - judge))
        for gains in judged_gains(np.array(points).T, threshold, lower, upper):
            for bet in BETS:
                factors = 1.0 + bet * gains
                assert (factors >= 0.0).all()
                assert factors @ np.array(weights) == pytest.approx(np.ones(len(TRUST)), abs=1e-9)

    def test_evidence_is_the_plain_mean_of_all_the_products(self) -> None:
        blocks = [(1.0, 1.0, 0.25), (0.0, 0.5, 0.5), (1.0, 0.0, 0.75), (1.0, 1.0, 0.0)]
        wealth = [
            math.prod(1 + c * (y - eta * (f1 - f) - 0.6) / (0.6 + eta) for y, f1, f in blocks)
            for eta in TRUST
            for c in BETS
        ]
        contrasts = np.array([[y - eta * (f1 - f) for y, f1, f in blocks] for eta in TRUST])
        final = judged_log_evidence(judged_gains(contrasts, 0.6, 0.0, 1.0)[0])[-1]
        assert final == pytest.approx(math.log(sum(wealth) / len(wealth)))

    def test_block_by_block_equals_all_at_once(self) -> None:
        rng = np.random.default_rng(2)
        y, f1, others = rng.random(50), rng.random(50), rng.random((50, 3))
        test = JudgedMeanTest(0.4, 0.0, 1.0, 1e-9)
        for label, judge, rest in zip(y.tolist(), f1.tolist(), others.tolist(), strict=True):
            test.update((label, label), judge, rest)
        contrasts = np.stack([y - eta * (f1 - others.mean(axis=1)) for eta in TRUST])
        log_evidence = judged_log_evidence(judged_gains(contrasts, 0.4, 0.0, 1.0)[0])
        assert math.log(test.evidence_met) == pytest.approx(max(0.0, log_evidence.max()))

    @given(order=st.permutations(range(12)))
    def test_evidence_does_not_depend_on_the_order_of_the_blocks(self, order: list[int]) -> None:
        contrasts = np.random.default_rng(3).uniform(-0.2, 1.0, (4, 12))
        gains = judged_gains(contrasts, 0.4, 0.0, 1.0)[1]
        shuffled = judged_log_evidence(gains[:, order])[-1]
        assert shuffled == pytest.approx(judged_log_evidence(gains)[-1], abs=1e-9)

    def test_a_judge_that_agrees_gives_no_weight_to_luck(self) -> None:
        """A perfect judge turns each block into the mean of the judge-only items."""
        test, luck = JudgedMeanTest(0.5, 0.0, 1.0, 0.05), MeanTest(0.5, 0.0, 1.0, 0.05)
        for label in (0.0, 1.0) * 40:
            test.update((label, label), label, [0.7] * 9)
            luck.update(label, label)
        assert luck.decision is None
        assert test.decision is Decision.MET
        assert test.estimate() == pytest.approx(0.7)

    def test_a_missing_label_costs_the_block_and_a_missing_score_only_the_judge(self) -> None:
        silent, lost, full = (JudgedMeanTest(0.5, 0.0, 1.0, 0.05) for _ in range(3))
        for label in (1.0, 1.0, 0.0, 1.0) * 30:
            full.update((label, label), label, [0.75] * 3)
            silent.update((label, label), None, [None] * 3)
            lost.update((0.0, 1.0), label, [0.75] * 3)
        assert full.evidence_met > silent.evidence_met > 1.0
        assert silent.decision is Decision.MET
        assert silent.estimate() == pytest.approx(0.75)
        assert (lost.decision, lost.evidence_met, lost.n, lost.estimate()) == (None, 1.0, 120, None)

    def test_a_missing_score_is_read_as_the_middle(self) -> None:
        one, other = JudgedMeanTest(3.0, 1.0, 5.0, 0.05), JudgedMeanTest(3.0, 1.0, 5.0, 0.05)
        one.update((4, 4), None, [None, 5.0])
        other.update((4, 4), 3.0, [3.0, 5.0])
        assert one.evidence_met == other.evidence_met > 1.0

    def test_a_rubric_is_read_on_its_own_scale(self) -> None:
        rubric, mapped = JudgedMeanTest(4.0, 1.0, 5.0, 0.05), JudgedMeanTest(0.75, 0.0, 1.0, 0.05)
        for y, f in [(5, 4), (4, 4), (5, 5), (3, 4), (5, 5)] * 12:
            rubric.update((y, y), f, [4, 5])
            mapped.update(((y - 1) / 4, (y - 1) / 4), (f - 1) / 4, [0.75, 1.0])
        assert rubric.evidence_met == pytest.approx(mapped.evidence_met)
        assert rubric.estimate() == pytest.approx(1.0 + 4.0 * (mapped.estimate() or 0.0))


class TestFlags:
    """The shortcut for violations."""

    def test_items_without_a_flag_count_as_no_failure(self) -> None:
        test = ConfirmedFlagsTest(0.1, 0.05)
        for flagged in ([True] * 3 + [False] * 7) * 20:
            test.update(flagged, flagged)
        assert test.decision is Decision.VIOLATED
        assert test.estimate() == pytest.approx(0.3)
        assert test.interval().lower > 0.1
        assert test.interval().upper == 1.0

    def test_it_never_says_met(self) -> None:
        test = ConfirmedFlagsTest(0.5, 0.05)
        for _ in range(2000):
            test.update(0, 0)
        assert (test.decision, test.evidence_met) == (None, 1.0)
        assert test.interval().upper == 1.0


@pytest.mark.parametrize(("limit", "labels"), [(0.01, 299), (0.02, 149), (0.05, 59), (0.5, 5), (0.99, 1)])
def test_the_floor_of_labels_is_the_smallest_n_that_a_blind_judge_allows(limit: float, labels: int) -> None:
    assert fewest_labels_to_pass(limit, 0.05) == labels
    assert (1.0 - limit) ** labels <= 0.05
    assert (1.0 - limit) ** (labels - 1) > 0.05


def test_no_number_of_judge_scores_gets_below_the_floor() -> None:
    test = JudgedRateTest(0.05, 0.05)
    while test.decision is None:
        test.update((0.0, 0.0), 0.0, [0.0] * 50)
    assert test.decision is Decision.MET
    assert fewest_labels_to_pass(0.05, 0.05) <= test.n <= 2.0 * fewest_labels_to_pass(0.05, 0.05)


def judged_contrasts(rng: np.random.Generator, rate: float, judge: str, shape: tuple[int, int]) -> Floats:
    """Blocks of one label and nine judge-only items, with failures at `rate`, for a kind of judge."""
    failed = rng.random((*shape, 10), dtype=np.float32) < rate
    draws = rng.random((*shape, 10), dtype=np.float32)
    if judge == "perfect":
        flagged = failed
    elif judge == "useless":
        flagged = draws < 0.3
    elif judge == "anti-correlated":
        flagged = np.where(failed, draws < 0.1, draws < 0.6)
    elif judge == "usual":
        flagged = np.where(failed, draws < 0.85, draws < 0.03)
    else:  # drifting from strict to lenient, the same for all items of a block
        strict = np.linspace(0.9, 0.0, shape[1])[None, :, None]
        flagged = np.where(failed, draws < 0.2 + 0.6 * strict, draws < 0.5 * strict)
    labels, others = failed[..., 0].astype(float), flagged[..., 1:].mean(axis=-1)
    difference = flagged[..., 0] - others
    return np.stack([labels - eta * difference for eta in TRUST])


def wrong_verdicts(contrasts: Floats, threshold: float) -> tuple[Flags, Flags]:
    """Find the runs that ever say "above", and those that ever say "below"."""
    needed = -math.log(ALPHA)
    above, below = (
        judged_log_evidence(gains).max(axis=-1) >= needed for gains in judged_gains(contrasts, threshold, 0.0, 1.0)
    )
    return above, below


JUDGES = ["perfect", "useless", "anti-correlated", "drifting", "usual"]


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("rate", [0.05, 0.7])
def test_no_judge_breaks_the_error_level(judge: str, rate: float) -> None:
    rng = np.random.default_rng(20260201)
    above, below = wrong_verdicts(judged_contrasts(rng, rate, judge, (800, 150)), rate)
    assert error_is_controlled(above)
    assert error_is_controlled(below)


def test_the_class_itself_exactly_at_the_limit() -> None:
    rng = np.random.default_rng(20260202)
    ends = []
    for _ in range(100):
        test = JudgedRateTest(0.2, ALPHA)
        for failed, draws in zip(rng.random((60, 4)) < 0.2, rng.random((60, 4)), strict=True):
            flagged = np.where(failed, draws < 0.85, draws < 0.1).astype(float).tolist()
            label = float(failed[0])
            test.update((label, label), flagged[0], flagged[1:])
        ends.append(test.decision)
    assert ends.count(Decision.MET) / 100 <= allowed(100)
    assert ends.count(Decision.VIOLATED) / 100 <= allowed(100)


def test_a_good_judge_saves_labels_and_a_useless_one_costs_few() -> None:
    """Labels to prove that a pass rate of 0.8 is above 0.7, with a judge of sensitivity 0.9 and specificity 0.85."""
    rng = np.random.default_rng(20260203)
    passed, draws = rng.random((1000, 600, 10)) < 0.8, rng.random((1000, 600, 10))
    labels = {}
    for judge, says in (("good", np.where(passed, draws < 0.9, draws < 0.15)), ("useless", draws < 0.5)):
        difference = says[..., 0] - says[..., 1:].mean(axis=-1)
        contrasts = np.stack([passed[..., 0] - eta * difference for eta in TRUST])
        reached = judged_log_evidence(judged_gains(contrasts, 0.7, 0.0, 1.0)[0]) >= -math.log(ALPHA)
        labels[judge] = float(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 600).mean())
    assert labels["good"] == pytest.approx(104, rel=0.06)  # an independent program: 104 with the judge, 157 without
    assert labels["useless"] < 1.25 * 157


def test_confirmed_flags_exactly_at_the_limit() -> None:
    """Even with a judge that finds everything, so that the confirmed share is the failure rate itself."""
    rng = np.random.default_rng(20260204)
    violated = []
    for _ in range(200):
        test = ConfirmedFlagsTest(0.1, ALPHA)
        for failed in (rng.random(300) < 0.1).tolist():
            test.update(failed, failed)
        violated.append(test.decision is not None)
    assert error_is_controlled(np.array(violated))


@pytest.mark.simulation
@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("rate", [0.05, 0.7])
def test_no_judge_breaks_the_error_level_in_many_long_runs(judge: str, rate: float) -> None:
    rng = np.random.default_rng(20260205)
    ends = [wrong_verdicts(judged_contrasts(rng, rate, judge, (1000, 200)), rate) for _ in range(20)]
    for side in zip(*ends, strict=True):
        assert error_is_controlled(np.concatenate(side))
