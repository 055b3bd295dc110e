from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.plan import render_threshold
from shinrai.plan.statement import render_statement
from shinrai.records import Metric, Text


@pytest.mark.parametrize(
    ("metric", "threshold", "en", "ja"),
    [
        ("failure-rate", 0.02, "2 %", "2 %"),
        ("failure-rate", 0.07, "7 %", "7 %"),
        ("failure-rate", 0.0005, "0.05 %", "0.05 %"),
        ("pass-rate", 0.5, "50 %", "50 %"),
        ("rate-band", (0.02, 0.3), "2 % to 30 %", "2 % から 30 %"),
        ("rate-difference", 0.15, "15 percentage points", "15 ポイント"),
        ("rate-ratio", 0.8, "0.8", "0.8"),
        ("observed", 1200.0, "1200", "1200"),
        ("observed", (1.5, 2.0), "1.5 to 2", "1.5 から 2"),
    ],
)
def test_a_threshold_is_written_as_people_read_it(
    metric: Metric, threshold: float | tuple[float, float], en: str, ja: str
) -> None:
    assert render_threshold(metric, threshold, "en") == en
    assert render_threshold(metric, threshold, "ja") == ja


@given(st.floats(min_value=0, max_value=1, exclude_min=True))
def test_a_rate_is_written_without_gaining_or_losing_a_digit(rate: float) -> None:
    shown = render_threshold("failure-rate", rate, "en")
    assert "E" not in shown.upper()
    assert float(Decimal(shown.removesuffix(" %")) / 100) == rate


def test_only_the_threshold_is_filled_in_and_only_in_the_languages_there_are() -> None:
    statement = Text(en="At most {threshold} of {these} {} {threshold}")
    filled = render_statement(statement, "failure-rate", 0.1)
    assert filled == Text(en="At most 10 % of {these} {} 10 %")
    assert render_statement(statement, "attested", None) == statement
