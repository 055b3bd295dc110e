"""What stands in a cell: a number, nothing, or something that is not taken for a number."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Oddity: TypeAlias = Literal["full-width", "not-a-number"]
"""What is to be said of a cell: a number in full-width digits, which is taken; or no number, which is not."""

_PLAIN: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
_NOTHING: Final = frozenset({"", "-", "--", "－", "―", "ー", "‐", "−", "–", "—"})
_PROJECT: Final = re.compile(r"0*([0-9]{1,12})", re.ASCII)


def number(cell: str) -> tuple[float | None, Oddity | None]:
    """Read a number as the ministries write it.

    Parameters
    ----------
    cell : str
        Without white space at its ends.

    Returns
    -------
    tuple
        The value, None where there is none (an empty cell and a dash are missing, never 0), and what is odd about it.
        Full-width digits are the same digits in another width and are taken, with a note; ``約3``, ``12%``, ``▲3``,
        ``1,23`` or ``集計中`` are not read as anything, nor is a number too large to be one.
    """
    value, oddity = _read(cell)
    return (None, "not-a-number") if value is not None and math.isinf(value) else (value, oddity)


def _read(cell: str) -> tuple[float | None, Oddity | None]:
    if _PLAIN.fullmatch(cell):
        return float(cell), None
    if cell in _NOTHING:
        return None, None
    if _GROUPED.fullmatch(cell):
        return float(cell.replace(",", "")), None
    narrow = unicodedata.normalize("NFKC", cell)
    if narrow != cell and (_PLAIN.fullmatch(narrow) or _GROUPED.fullmatch(narrow)):
        return float(narrow.replace(",", "")), "full-width"
    return None, "not-a-number"


@lru_cache(maxsize=4096)
def project_number(cell: str) -> str | None:
    """Give the number of a project without leading zeros (``000004`` and ``4`` are one); None if it is no number."""
    found = _PROJECT.fullmatch(unicodedata.normalize("NFKC", cell))
    return found.group(1) if found else None


def is_nothing(cell: str) -> bool:
    """Tell whether a cell is empty or a mere dash."""
    return cell in _NOTHING


def text(cell: str) -> str:
    """Give what is written in a cell, without white space at its ends; nothing for a mere dash."""
    written = cell.strip()
    return "" if written in _NOTHING else written
