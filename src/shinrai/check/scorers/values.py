"""When two plain values are the same."""

from __future__ import annotations

import math
from typing import TypeGuard


def same(one: object, other: object) -> bool | None:
    """Compare two plain values without guessing.

    Parameters
    ----------
    one, other : object
        Texts (compared without white space at the ends), numbers (1 and 1.0 are the same) or truth values.

    Returns
    -------
    bool or None
        None where they cannot be compared: one is missing, not a number (NaN), or of another kind than the other.
        A truth value is not a number here, and the text ``"1"`` is not the number 1.
    """
    kind = _kind(one)
    if kind is None or kind != _kind(other):
        return None
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    return one == other


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number, not counting truth values and NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _kind(value: object) -> str | None:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "text" if value.strip() else None
    return "number" if is_number(value) else None
