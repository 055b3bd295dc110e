"""How far two people agree beyond chance: Cohen's kappa of two labellers and two labels, with an interval.

``kappa = (p_o - p_e) / (1 - p_e)``: the share on which they agree, less the share on which they would agree if each
kept to their own habits and looked at nothing, as a part of what chance leaves (Cohen 1960). 1 is perfect agreement,
0 that of chance, below 0 less than chance; two people who disagree everywhere reach -1 at worst.

The interval uses the large-sample variance of Fleiss, Cohen and Everitt (1969) on the table with half an observation
added to each cell, because a few labels without a single disagreement would otherwise look certain. It is the usual
approximate 95 % interval at a fixed number of labels, a description and no part of any verdict.
"""

import math
from typing import NamedTuple

import numpy as np

from shinrai.stats.sequential import Interval

__all__ = ["Agreement", "cohen_kappa"]

_Z95 = 1.959963984540054


class Agreement(NamedTuple):
    """How two labellers agree.

    Parameters
    ----------
    n : int
        Replies that both labelled.
    agreed : float or None
        Share on which they agree, in [0, 1]; None without a common reply.
    kappa : float or None
        In [-1, 1]; None where chance alone explains full agreement: both always said the same one thing.
    interval : Interval or None
        About 95 %; None where kappa is.
    """

    n: int
    agreed: float | None
    kappa: float | None
    interval: Interval | None


def cohen_kappa(both_pass: int, first_only: int, second_only: int, both_fail: int) -> Agreement:
    """Compute Cohen's kappa from a table of two by two.

    Parameters
    ----------
    both_pass, both_fail : int
        Replies on which both say the same; at least 0.
    first_only, second_only : int
        Replies that only the first, only the second passes; at least 0.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If a count is below 0.

    Examples
    --------
    >>> found = cohen_kappa(20, 5, 10, 15)
    >>> found.n, found.agreed, round(found.kappa, 3)
    (50, 0.7, 0.4)
    """
    counts = np.array([[both_pass, first_only], [second_only, both_fail]], dtype=np.float64)
    if counts.min() < 0:
        raise ValueError("a count is at least 0")
    n = int(counts.sum())
    if not n:
        return Agreement(0, None, None, None)
    agreed = float(np.trace(counts)) / n
    kappa, _spread = _kappa(counts)
    if kappa is None:
        return Agreement(n, agreed, None, None)
    middle, spread = _kappa(counts + 0.5)
    centre = kappa if middle is None else middle
    lower, upper = min(kappa, centre - _Z95 * spread), max(kappa, centre + _Z95 * spread)
    return Agreement(n, agreed, kappa, Interval(max(-1.0, lower), min(1.0, upper), 0.95))


def _kappa(counts: np.ndarray) -> tuple[float | None, float]:
    """Kappa and its standard error (Fleiss, Cohen and Everitt 1969, eq. 13)."""
    n = counts.sum()
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float(np.trace(shares)), float(rows @ columns)
    if 1.0 - expected < 1e-12:
        return None, 0.0
    kappa = (observed - expected) / (1.0 - expected)
    meeting = rows[None, :] + columns[:, None]  # p_.i + p_j. for cell (i, j), as the formula pairs them
    diagonal = (np.diag(shares) * (1.0 - np.diag(meeting) * (1.0 - kappa)) ** 2).sum()
    off = shares * meeting**2
    beside = (1.0 - kappa) ** 2 * (off.sum() - np.trace(off))
    variance = (diagonal + beside - (kappa - expected * (1.0 - kappa)) ** 2) / (n * (1.0 - expected) ** 2)
    return kappa, math.sqrt(max(variance, 0.0))
