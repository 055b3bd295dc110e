"""The promise in words, with its threshold in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from shinrai.records import Metric, Text

_PERCENT: tuple[Metric, ...] = ("failure-rate", "pass-rate", "rate-band")


def render_statement(statement: Text, metric: Metric, threshold: float | tuple[float, float] | None) -> Text:
    """Put a threshold where a statement has ``{threshold}``.

    Parameters
    ----------
    statement : Text
        Other braces in it stay as they are.
    metric : Metric
        Decides the unit: percent for rates, percentage points for differences of rates, a plain number otherwise.
    threshold : float or (float, float) or None
        In the unit of the metric (rates in [0, 1]).

    Returns
    -------
    Text
        In the languages that the statement has.
    """
    if threshold is None:
        return statement
    return Text(
        ja=statement.ja and statement.ja.replace("{threshold}", render_threshold(metric, threshold, "ja")),
        en=statement.en and statement.en.replace("{threshold}", render_threshold(metric, threshold, "en")),
    )


def render_threshold(metric: Metric, threshold: float | tuple[float, float], language: Literal["ja", "en"]) -> str:
    """Write a threshold as people read it, exact to the last digit that was given.

    Parameters
    ----------
    metric : Metric
        Of the claim.
    threshold : float or (float, float)
        A pair for a band.
    language : {"ja", "en"}
        Of the words.

    Returns
    -------
    str
        Such as ``2 %``, ``2 % to 30 %``, ``15 percentage points``, ``0.8``.
    """
    if isinstance(threshold, tuple):
        low, high = (render_threshold(metric, edge, language) for edge in threshold)
        return f"{low} から {high}" if language == "ja" else f"{low} to {high}"
    if metric in _PERCENT:
        return f"{_decimal(threshold, 2)} %"
    if metric == "rate-difference":
        return f"{_decimal(threshold, 2)} {'ポイント' if language == 'ja' else 'percentage points'}"
    return _decimal(threshold, 0)


def _decimal(value: float, shift: int) -> str:
    """Shift the decimal point to the right without the noise of binary fractions: 0.07 becomes exactly 7."""
    return f"{Decimal(repr(float(value))).scaleb(shift).normalize():f}"
