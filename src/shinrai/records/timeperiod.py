"""Periods of time as statistics name them: years, Japanese fiscal years, half-years, quarters, months, days."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from shinrai.i18n import _

Frequency: TypeAlias = Literal["year", "fiscal-year", "half-year", "quarter", "month", "day"]

_FORM: Final = re.compile(
    r"(?P<fiscal>FY)?(?P<year>\d{4})(?:-(?:H(?P<half>[12])|Q(?P<quarter>[1-4])|(?P<month>\d{2})(?:-(?P<day>\d{2}))?))?",
    re.ASCII,
)
_MEANT: Final = tuple(
    (re.compile(form, re.ASCII | re.IGNORECASE), name)
    for form, name in (
        (r"(?:FY)?-?([0-9]{4})年度", "FY{}"),
        (r"FY-?([0-9]{4})", "FY{}"),
        (r"([0-9]{4})年?", "{}"),
        (r"([0-9]{4})[-/.]?Q([1-4])", "{}-Q{}"),
        (r"([0-9]{4})[-/.]?H([12])", "{}-H{}"),
        (r"([0-9]{4})[-/.年]([0-9]{1,2})月?", "{}-{:0>2}"),
        (r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", "{}-{:0>2}-{:0>2}"),
    )
)
"""How people write periods, and what these are called here."""
_FISCAL_START: Final = 4  # Japan's fiscal year begins in April


@lru_cache(maxsize=4096)
def _named(written: str) -> str:
    """Check the name of a period.

    Raises
    ------
    ValueError
        If it names none.
    """
    if _parts(written) is None:
        raise ValueError(_("expected a period such as 2026, FY2025, 2026-H1, 2026-Q2, 2026-05 or 2026-05-31"))
    return written


TimePeriod: TypeAlias = Annotated[
    str,
    AfterValidator(_named),
    Field(json_schema_extra={"pattern": "^(FY[0-9]{4}|[0-9]{4}(-H[12]|-Q[1-4]|-[0-9]{2}(-[0-9]{2})?)?)$"}),
]
"""``2026``, ``FY2025`` (April 2025 to March 2026), ``2026-H1``, ``2026-Q2``, ``2026-05`` or ``2026-05-31``."""


@lru_cache(maxsize=4096)
def frequency_of(period: str) -> Frequency:
    """Tell what kind of period it is: only periods of one kind can be compared.

    Raises
    ------
    ValueError
        If it names none.
    """
    return _require(period)[0]


@lru_cache(maxsize=4096)
def first_day(period: str) -> date:
    """Give the day on which a period begins.

    Raises
    ------
    ValueError
        If it names none.
    """
    return _require(period)[1]


@lru_cache(maxsize=4096)
def last_day_of(period: str) -> date:
    """Give the day on which a period ends.

    Raises
    ------
    ValueError
        If it names none.
    """
    _frequency, start, months = _require(period)
    return start if months == 0 else _after(start, months) - timedelta(days=1)


@lru_cache(maxsize=4096)
def year_of(period: str) -> float:
    """Give the beginning of a period on an axis of years; differences of two periods of one kind are exact years.

    Days are counted as fractions of their own year.

    Raises
    ------
    ValueError
        If it names none.
    """
    start = first_day(period)
    if frequency_of(period) == "day":
        year = date(start.year, 1, 1)
        return start.year + (start - year).days / (date(start.year + 1, 1, 1) - year).days
    return start.year + (start.month - 1) / 12


def period_like(period: str, day: date) -> str:
    """Give the period of the same kind that a day lies in.

    Parameters
    ----------
    period : str
        Of which kind.
    day : date
        Within the period that is wanted.

    Returns
    -------
    str
        Such as FY2024 for 31 March 2025, where `period` is a Japanese fiscal year.

    Raises
    ------
    ValueError
        If `period` names none.
    """
    names: dict[Frequency, str] = {
        "year": f"{day.year:04}",
        "fiscal-year": f"FY{day.year - (day.month < _FISCAL_START):04}",
        "half-year": f"{day.year:04}-H{(day.month + 5) // 6}",
        "quarter": f"{day.year:04}-Q{(day.month + 2) // 3}",
        "month": f"{day.year:04}-{day.month:02}",
        "day": day.isoformat(),
    }
    return names[frequency_of(period)]


def period_meant(written: str) -> str | None:
    """Give the period that somebody probably means who writes it in another way, such as ``2025年度`` or ``2025/5``.

    For a hint only; nothing is read that way.

    Returns
    -------
    str or None
        None where nothing is near.
    """
    narrow = unicodedata.normalize("NFKC", written).replace(" ", "")
    for form, name in _MEANT:
        found = form.fullmatch(narrow)
        meant = None if found is None else name.format(*found.groups())
        if meant is not None and _parts(meant) is not None:
            return meant
    return None


def months_after(day: date, months: int) -> date:
    """Give the day so many months later; the last day of the month where there is no such day."""
    first = _after(day.replace(day=1), months)
    return min(first + timedelta(days=day.day - 1), _after(first, 1) - timedelta(days=1))


def _after(start: date, months: int) -> date:
    count = start.year * 12 + start.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


@lru_cache(maxsize=4096)
def _require(period: str) -> tuple[Frequency, date, int]:
    parts = _parts(period)
    if parts is None:
        raise ValueError(_("{period} is no period").format(period=period))
    return parts


@lru_cache(maxsize=4096)
def _parts(written: str) -> tuple[Frequency, date, int] | None:
    """Give the kind of a period, its first day and its length in months (0 for a day); None if it is no period."""
    found = _FORM.fullmatch(written)
    if found is None or (found["fiscal"] and len(written) > len("FY2025")):
        return None
    try:
        return _span(found)
    except ValueError:
        return None


def _span(found: re.Match[str]) -> tuple[Frequency, date, int]:
    """Give kind, first day and months.

    Raises
    ------
    ValueError
        If there is no such month or day.
    """
    year = int(found["year"])
    parts: dict[Frequency, tuple[str | None, int, int]] = {
        "half-year": (found["half"], 6, 6),
        "quarter": (found["quarter"], 3, 3),
        "month": (found["month"], 1, 1),
    }
    if found["day"]:
        return "day", date(year, int(found["month"]), int(found["day"])), 0
    for frequency, (number, width, months) in parts.items():
        if number:
            return frequency, date(year, width * (int(number) - 1) + 1, 1), months
    return ("fiscal-year", date(year, _FISCAL_START, 1), 12) if found["fiscal"] else ("year", date(year, 1, 1), 12)
