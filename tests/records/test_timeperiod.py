"""Periods: what they are called, when they begin and end, and what is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.records import (
    IndicatorUse,
    first_day,
    frequency_of,
    last_day_of,
    months_after,
    period_like,
    period_meant,
    year_of,
)


@pytest.mark.parametrize(
    ("period", "frequency", "first", "last", "year"),
    [
        ("2026", "year", "2026-01-01", "2026-12-31", 2026.0),
        ("FY2025", "fiscal-year", "2025-04-01", "2026-03-31", 2025.25),
        ("2026-H2", "half-year", "2026-07-01", "2026-12-31", 2026.5),
        ("2026-Q2", "quarter", "2026-04-01", "2026-06-30", 2026.25),
        ("2024-02", "month", "2024-02-01", "2024-02-29", 2024 + 1 / 12),
        ("2024-12-31", "day", "2024-12-31", "2024-12-31", 2024 + 365 / 366),
    ],
)
def test_a_period_has_a_beginning_and_an_end(period: str, frequency: str, first: str, last: str, year: float) -> None:
    assert frequency_of(period) == frequency
    assert (first_day(period).isoformat(), last_day_of(period).isoformat()) == (first, last)
    assert year_of(period) == pytest.approx(year)


@pytest.mark.parametrize(
    "wrong",
    ["", "26", "FY26", "2026-13", "2026-Q5", "2026-H3", "2026-02-30", "FY2026-01", "２０２６", "2026 ", "令和8年"],
)
def test_what_is_no_period_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="period"):
        first_day(wrong)
    with pytest.raises(ValueError, match="period"):
        IndicatorUse.model_validate({"indicator": "x", "first_effect": wrong})


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 200))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


@given(
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.sampled_from(["2026", "FY2025", "2026-H1", "2026-Q2", "2026-05", "2026-05-31"]),
)
def test_a_day_lies_in_the_period_of_its_name(day: date, kind: str) -> None:
    found = period_like(kind, day)
    assert frequency_of(found) == frequency_of(kind)
    assert first_day(found) <= day <= last_day_of(found)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025年度", "FY2025"),
        ("２０２５年度", "FY2025"),
        ("fy 2025", "FY2025"),
        ("2025年", "2025"),
        ("2025/5", "2025-05"),
        ("2025年5月31日", "2025-05-31"),
        ("2025Q2", "2025-Q2"),
        ("2025/13", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_period_written_in_another_way_is_told_and_not_taken(written: str, meant: str | None) -> None:
    assert period_meant(written) == meant
