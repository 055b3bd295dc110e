"""Verdicts of one table read together: what the report says of all of them at once is rarely wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shinrai.act import gate
from shinrai.ledger.projection import ClaimState
from shinrai.records import Commitment, Ruling, Status, Text, Verdict
from shinrai.report.family import read_together
from shinrai.stats import Decision, decide_gate
from shinrai.stats.rates import log_evidence_above
from tests.stats.criterion import error_is_controlled

ALPHA, LIMIT, TRIALS, CLAIMS = 0.05, 0.1, 250, 6
RULED = Ruling(claim="p/g/m/c", system="s", applies=True, rule="named", reason=Text(en="named"))


def row(
    name: str, status: str, *, met: float = 0.0, violated: float = 0.0, alpha: float = ALPHA
) -> tuple[Commitment, Verdict]:
    """Make a line of a table."""
    promised: dict[str, Any] = {"claim": f"p/g/m/{name}", "system": "s", "alpha": alpha, "title": Text(en=name)}
    found: dict[str, Any] = {"claim": promised["claim"], "system": "s", "status": status}
    found |= {"evidence_met": met, "evidence_violated": violated}
    commitment, verdict = Commitment.model_construct(**promised), Verdict.model_construct(**found)
    return commitment, verdict


def stopped(evidence: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Stop each stream at its own level, as the engine does: the largest evidence by then, and whether it decided."""
    reached = evidence >= 1.0 / ALPHA
    decided = np.asarray(reached.any(axis=-1))
    last = np.where(decided, reached.argmax(axis=-1), evidence.shape[-1] - 1)
    largest = np.maximum.accumulate(evidence, axis=-1)
    return np.take_along_axis(largest, last[..., None], axis=-1)[..., 0], decided


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_tables_whose_claims_all_sit_at_the_limit(shared: float) -> None:
    """One by one, some verdict of six is wrong far more often than one claim's error level; together, it is not."""
    rng = np.random.default_rng(20261123)
    runs = 1200
    own, common = rng.random((runs, CLAIMS, TRIALS)), rng.random((runs, 1, TRIALS))
    failed = np.where(rng.random((runs, CLAIMS, TRIALS)) < shared, common, own) < LIMIT
    failures = np.cumsum(failed, axis=-1, dtype=np.int64)
    n = np.arange(1, TRIALS + 1)
    table = np.stack([log_evidence_above(n, np.minimum(s, n), LIMIT) for s in range(int(failures.max()) + 1)])
    evidence, decided = stopped(np.exp(table[failures, n - 1]))
    said = [table_says(largest, each) for largest, each in zip(evidence, decided, strict=True)]
    assert error_is_controlled(np.array(said))
    assert not error_is_controlled(decided.any(axis=-1))  # the negative control: the same verdicts, read one by one


def table_says(evidence: NDArray[np.float64], decided: NDArray[np.bool_]) -> bool:
    """Whether a table names any claim as violated."""
    rows = [
        row(f"c{number}", "violated" if its else "undecided", violated=float(largest))
        for number, (largest, its) in enumerate(zip(evidence, decided, strict=True))
    ]
    family = read_together(rows)
    assert family is not None
    return bool(family.violated)


def test_what_is_named_and_what_is_not() -> None:
    rows = [
        row("clear", "violated", violated=500.0),
        row("next", "violated", violated=41.0),
        row("scarce", "violated", violated=21.0),
        row("good", "met", met=900.0),
        row("unmeasured", "not_measured"),
    ]
    family = read_together(rows)
    assert family is not None
    assert (family.alpha, family.size) == (ALPHA, 5)
    assert (family.violated, family.met) == (("clear",), ("good",))  # 41 < 4 / alpha: it holds by itself only
    fewer = read_together(rows[:2])
    assert fewer is not None
    assert fewer.violated == ("clear", "next")
    assert read_together(rows[:1]) is None
    assert read_together([(rows[0][0], None), (rows[1][0], None)]) is None
    stricter = read_together([*rows[:2], row("strict", "undecided", alpha=0.01)])
    assert stricter is not None
    assert (stricter.alpha, stricter.violated) == (0.01, ("clear",))


evidences = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 19.0, 20.0, 400.0]), st.sampled_from([0.0, 1.0, 19.0, 20.0, 400.0])),
    min_size=1,
    max_size=6,
)


@given(evidences)
def test_the_gate_opens_exactly_where_all_claims_together_are_met(pairs: Sequence[tuple[float, float]]) -> None:
    """By intersection and union: each claim at its own level, no correction, and the gate has that level."""
    states = []
    for met, violated in pairs:
        status: Status = "met" if met >= 1.0 / ALPHA else "violated" if violated >= 1.0 / ALPHA else "undecided"
        states.append(ClaimState("k", status, None, RULED))
    together = decide_gate([met for met, _violated in pairs], [violated for _met, violated in pairs], ALPHA)
    assert (gate(states) == 0) == (together is Decision.MET)
