"""Names that SDMX gives to periods and to the status of an observation, and ours for the same.

Source: SDMX 3.0, section 6 (technical notes), time formats; code list CL_OBS_STATUS.
"""

from __future__ import annotations

import re
from typing import Final

from shinrai.i18n import _
from shinrai.records.evidence import ObservationStatus
from shinrai.records.timeperiod import frequency_of

FISCAL_START: Final = "--04-01"
"""``REPORTING_YEAR_START_DAY`` of Japanese fiscal years; SDMX counts reporting years from the day it names."""

STATUS_CODES: Final[dict[ObservationStatus, str]] = {
    "normal": "A",
    "estimated": "E",
    "provisional": "P",
    "forecast": "F",
    "break": "B",
}

_REPORTING: Final = re.compile(r"(\d{4})-(?:A1|S([12])|Q([1-4])|M(\d{2}))", re.ASCII)


def to_sdmx_period(period: str) -> str:
    """Give a period as SDMX names it: ``FY2025`` is ``2025-A1`` of a reporting year that begins in April.

    Raises
    ------
    ValueError
        If it names no period.
    """
    kind = frequency_of(period)
    if kind == "fiscal-year":
        return f"{period[2:]}-A1"
    return period.replace("-H", "-S") if kind == "half-year" else period


def from_sdmx_period(period: str, start_day: str | None) -> str:
    """Give the period that SDMX names.

    Parameters
    ----------
    period : str
        ``2025``, ``2025-A1``, ``2025-S1``, ``2025-Q2``, ``2025-M05``, ``2025-05`` or ``2025-05-31``.
    start_day : str or None
        ``REPORTING_YEAR_START_DAY``; ``--01-01`` where it is not given.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it names no period, or one of a reporting year that begins neither in January nor in April.
    """
    found = _REPORTING.fullmatch(period)
    if found is None:
        frequency_of(period)
        return period
    year, half, quarter, month = found.groups()
    start = start_day or "--01-01"
    if start == FISCAL_START and period.endswith("-A1"):
        return f"FY{year}"
    if start != "--01-01":
        raise ValueError(_("{period} is of a reporting year that begins on {start}").format(period=period, start=start))
    named = year if period.endswith("-A1") else f"{year}-H{half}" if half else f"{year}-Q{quarter}" if quarter else ""
    named = named or f"{year}-{month}"
    frequency_of(named)
    return named
