"""Many claims: Holm by its definition, what a gate and a table promise, and their error rates."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.stats import Decision, anytime_p_value, decide_gate, decide_table, holm, stopping_table
from shinrai.stats.rates import log_evidence_below
from tests.stats.criterion import ALPHA, Flags, error_is_controlled

evidences = st.lists(st.one_of(st.floats(0.0, 1e6), st.sampled_from([0.0, 1.0, 20.0, 20.0, math.inf])), min_size=1)


def rejected_step_by_step(evidence: list[float], alpha: float) -> set[int]:
    """Holm's procedure as he wrote it: the smallest p against alpha / m, the next against alpha / (m - 1), ..."""
    p = [1.0 / max(1.0, value) for value in evidence]
    order = sorted(range(len(p)), key=p.__getitem__)
    rejected = itertools.takewhile(lambda place: (len(p) - place[0]) * p[place[1]] <= alpha, enumerate(order))
    return {index for _, index in rejected}


@given(evidence=evidences, alpha=st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_holm_is_the_procedure_of_holm(evidence: list[float], alpha: float) -> None:
    adjusted = holm(evidence)
    assert set(np.flatnonzero(adjusted <= alpha).tolist()) == rejected_step_by_step(evidence, alpha)
    assert (adjusted >= anytime_p_value(evidence)).all()
    assert (adjusted <= 1.0).all()


@given(evidence=evidences, data=st.data())
def test_more_evidence_anywhere_takes_no_verdict_back(evidence: list[float], data: st.DataObject) -> None:
    later = [data.draw(st.floats(value, 1e7) if value <= 1e7 else st.just(value)) for value in evidence]
    assert (holm(later) <= holm(evidence)).all()


@given(evidence=evidences, seed=st.integers(0, 100))
def test_the_order_of_the_claims_does_not_matter(evidence: list[float], seed: int) -> None:
    shuffle = np.random.default_rng(seed).permutation(len(evidence))
    assert np.array_equal(holm(np.array(evidence)[shuffle]), holm(evidence)[shuffle])


def test_many_tables_at_once_are_each_table_alone() -> None:
    tables = np.random.default_rng(1).exponential(30.0, (5, 3, 7))
    alone = [[holm(row) for row in block] for block in tables]
    assert np.array_equal(holm(tables), np.array(alone))


def test_one_claim_needs_no_correction() -> None:
    assert holm([20.0]).tolist() == [0.05]
    assert decide_gate([20.0], [1.0], ALPHA) is Decision.MET
    assert decide_gate([1.0], [20.0], ALPHA) is Decision.VIOLATED
    assert decide_table([20.0, 1.0], [1.0, 40.0], ALPHA) == [None, Decision.VIOLATED]


def test_a_gate_passes_without_correction_and_fails_with_it() -> None:
    assert decide_gate([20.0] * 50, [1.0] * 50, ALPHA) is Decision.MET
    assert decide_gate([20.0] * 49 + [19.0], [1.0] * 50, ALPHA) is None
    assert decide_gate([1.0] * 50, [1.0] * 49 + [999.0], ALPHA) is None
    assert decide_gate([1.0] * 50, [1.0] * 49 + [1000.0], ALPHA) is Decision.VIOLATED


def test_a_table_asks_less_of_each_further_claim() -> None:
    assert decide_table([60.0, 40.0, 20.0], [1.0] * 3, ALPHA) == [Decision.MET] * 3
    assert decide_table([59.0, 59.0, 59.0], [1.0] * 3, ALPHA) == [None] * 3
    assert decide_table([60.0, 1.0, 1.0], [1.0, 1.0, 60.0], ALPHA) == [Decision.MET, None, Decision.VIOLATED]


@pytest.mark.parametrize(
    ("met", "violated", "alpha"),
    [([], [], 0.05), ([1.0], [1.0, 1.0], 0.05), ([1.0], [1.0], 0.0), ([-1.0], [1.0], 0.05), ([1.0], [math.nan], 0.05)],
)
def test_impossible_tables_are_refused(met: list[float], violated: list[float], alpha: float) -> None:
    for decide in (decide_gate, decide_table):
        with pytest.raises(ValueError, match=r"must be"):
            decide(met, violated, alpha)


def peak_evidence(failed: Flags, limit: float) -> NDArray[np.float64]:
    """Largest evidence for "met" of streams of trials along the last axis."""
    n = np.arange(1, failed.shape[-1] + 1)
    failures = np.cumsum(failed, axis=-1, dtype=np.int64)
    # Evidence for "below" is largest with the fewest failures for an n, so each n needs its values once.
    table = np.stack([log_evidence_below(n, np.minimum(s, n), limit) for s in range(int(failures.max()) + 1)])
    return np.asarray(np.exp(table[failures, n - 1].max(axis=-1)))


@pytest.mark.parametrize("batches", [1, pytest.param(14, marks=pytest.mark.simulation)])
@pytest.mark.parametrize("shared", [0.0, 1.0, 0.7])
def test_no_wrong_claim_in_a_table_whose_claims_all_sit_at_the_limit(shared: float, batches: int) -> None:
    """Independent claims, fully dependent ones (one reply answers all), and a mixture of both."""
    rng = np.random.default_rng(20260301)
    runs, claims, trials = 1500, 5, 400
    wrong = []
    for _batch in range(batches):
        own, common = rng.random((runs, claims, trials)), rng.random((runs, 1, trials))
        same = rng.random((runs, claims, trials)) < shared
        evidence = peak_evidence(np.where(same, common, own) < 0.1, 0.1)
        wrong.append((holm(evidence) <= ALPHA).any(axis=-1))
    assert error_is_controlled(np.concatenate(wrong))


def test_a_gate_with_one_claim_at_the_limit_and_the_others_perfect() -> None:
    """Only that one claim stands between the gate and a wrong pass, so its error level is that of the gate."""
    table = stopping_table(0.1, ALPHA, 1000)
    rng = np.random.default_rng(20260302)
    failures = np.cumsum(rng.random((4000, 1000), dtype=np.float32) < 0.1, axis=1, dtype=np.int32)
    met = np.asarray((failures <= np.array(table.met[1:])).any(axis=1))
    assert error_is_controlled(met)
    assert met.mean() > 0.03  # the level is used, not given away
    evidence_of_perfect = 1e6
    gates = [
        decide_gate([20.0 if one else 19.0, *[evidence_of_perfect] * 19], [1.0] * 20, ALPHA) for one in met.tolist()
    ]
    assert [gate is Decision.MET for gate in gates] == met.tolist()
