"""Cohen's kappa: what it is by hand, what cannot change it, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.stats.agreement import cohen_kappa

COUNTS = st.tuples(*[st.integers(0, 60)] * 4)


def _by_hand(a: int, b: int, c: int, d: int) -> float | None:
    n = a + b + c + d
    expected = ((a + b) * (a + c) + (c + d) * (b + d)) / n**2
    return None if expected == 1 else ((a + d) / n - expected) / (1 - expected)


@given(COUNTS)
def test_it_is_what_the_table_says_whoever_is_first_and_whatever_a_label_is_called(counts: tuple[int, ...]) -> None:
    a, b, c, d = counts
    found = cohen_kappa(a, b, c, d)
    if not a + b + c + d:
        assert found == (0, None, None, None)
        return
    wanted = _by_hand(a, b, c, d)
    assert (found.kappa is None) == (wanted is None)
    if found.kappa is None or found.interval is None:
        assert found.interval is None
        return
    assert found.kappa == pytest.approx(wanted, abs=1e-12)
    assert -1 <= found.interval.lower <= found.kappa <= found.interval.upper <= 1
    for other in (cohen_kappa(a, c, b, d), cohen_kappa(d, c, b, a)):
        assert other.kappa == pytest.approx(found.kappa, abs=1e-12)
        assert other.interval is not None
        bounds = found.interval.lower, found.interval.upper
        assert (other.interval.lower, other.interval.upper) == pytest.approx(bounds, abs=1e-9)


@pytest.mark.parametrize("kappa", [-0.5, 0.0, 0.4, 0.8, 0.95])
@pytest.mark.parametrize(("n", "least"), [(24, 0.9), (200, 0.93)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(kappa: float, n: int, least: float) -> None:
    """Two labellers who pass six replies of ten, at a kappa that is known; 600 tables each."""
    share = 0.6
    both = share**2 + kappa * share * (1 - share)
    cells = [both, share - both, share - both, 1 - 2 * share + both]
    tables = np.random.default_rng(20261123).multinomial(n, np.clip(cells, 0, 1), size=600)
    held = [one.interval for a, b, c, d in tables.tolist() if (one := cohen_kappa(a, b, c, d)).interval is not None]
    assert len(held) > 590
    assert np.mean([one.lower <= kappa <= one.upper for one in held]) >= least


def test_perfect_agreement_on_few_replies_is_not_certain() -> None:
    found = cohen_kappa(5, 0, 0, 5)
    assert found.kappa == 1
    assert found.interval is not None
    assert found.interval.lower < 0.8
    with pytest.raises(ValueError, match="at least 0"):
        cohen_kappa(1, -1, 0, 0)
