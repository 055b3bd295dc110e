"""When a test of a failure rate stops: the evidence, which depends on the counts alone, as two integers for each n."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shinrai.stats.rates import log_evidence_above, log_evidence_below
from shinrai.stats.sequential import require_alpha, require_within

__all__ = [
    "BINOMIAL",
    "RateModel",
    "StoppingTable",
    "packed",
    "require_horizon",
    "smallest_clean_sample",
    "stopping_table",
]

_STRIDE = 16
_AT_ONCE = 65_536  # entries that are computed together


@dataclass(frozen=True, slots=True)
class StoppingTable:
    """When to stop, by the number of failures. Each entry takes four bytes.

    Attributes
    ----------
    met
        ``met[n]``: after n trials the claim is met when there were at most so many failures; -1 where none is few
        enough.
    violated
        ``violated[n]``: after n trials the claim is violated when there were at least so many failures; n + 1 where
        none is enough. Both have one entry for each n from 0 to the horizon.
    """

    met: Sequence[int]
    violated: Sequence[int]

    @property
    def can_be_met(self) -> bool:
        """Whether some outcome within the horizon proves the claim. If not, warn before the first trial."""
        return self.met[-1] >= 0

    @property
    def can_be_violated(self) -> bool:
        """Whether some outcome within the horizon proves that the claim does not hold."""
        return self.violated[-1] < len(self.violated)


class RateModel(Protocol):
    """How failures come about, and with it the evidence: by chance at a rate, or as a share of a finite data set.

    Both kinds of evidence must move in one direction in the number of failures, in the number of passes and in the
    limit, so that the tables are integers and the interval has no holes.
    """

    def log_below(
        self, n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
    ) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that the rate lies below `limit` (or at it, where that is no error).

        With a `floor`, only whether the evidence reaches it is exact.
        """

    def log_above(
        self, n: ArrayLike, failures: ArrayLike, limit: float, floor: float | None = None
    ) -> NDArray[np.float64]:
        """Natural logarithm of the evidence that the rate lies above `limit`; `floor` as in `log_below`."""

    def table(self, limit: float, alpha: float, horizon: int) -> StoppingTable:
        """Give the stopping table up to `horizon` trials."""

    def __hash__(self) -> int:
        """Equal models share what was computed for them."""


@lru_cache(maxsize=32)
def stopping_table(limit: float, alpha: float, horizon: int) -> StoppingTable:
    """Turn the test of "failure rate <= limit" into two integers for each number of trials.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].
    horizon
        Number of trials up to which the table goes, at least 1. A longer table begins with the shorter one.

    Returns
    -------
    StoppingTable
        The table; it is kept for the next call.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    require_horizon(horizon)
    met, violated = packed(), packed()
    for start in range(0, horizon + 1, _AT_ONCE):  # so that nothing else grows with a long table
        few, many = _entries(np.arange(start, min(start + _AT_ONCE, horizon + 1)), limit, -math.log(alpha))
        met += packed(few)
        violated += packed(many)
    return StoppingTable(met, violated)


def packed(counts: NDArray[np.int64] | tuple[()] = ()) -> array[int]:
    """Give counts four bytes each, to be looked up one by one."""
    return array("i", np.asarray(counts, dtype=np.int32).tobytes())


def _entries(n: NDArray[np.int64], limit: float, needed: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Few enough and too many failures for each number of trials: bisection on evidence that moves in one direction.

    Both grow with the number of trials, by one at most: those of every 16th number enclose those in between.
    """
    at_limit = np.floor(n * limit).astype(np.int64)
    # Failures at or above n * limit are no evidence for "below", nor failures at or under it for "above".
    few, too_many, too_few, many = np.full(n.size, -1), at_limit + 1, at_limit.copy(), n + 1
    if n.size > _STRIDE:
        known_few, known_many = _entries(n[::_STRIDE], limit, needed)
        before = np.arange(n.size) // _STRIDE
        after = np.minimum(before + 1, known_few.size - 1)
        since = n - n[::_STRIDE][before]
        few, too_few = known_few[before], known_many[before] - 1
        too_many = np.minimum(np.where(after > before, known_few[after], few + since), at_limit) + 1
        many = np.minimum(np.where(after > before, known_many[after], known_many[before] + since), n + 1)
    while (open_ := np.flatnonzero(too_many - few > 1)).size:
        middle = (few[open_] + too_many[open_]) // 2
        proven = log_evidence_below(n[open_], middle, limit, needed) >= needed
        few[open_[proven]], too_many[open_[~proven]] = middle[proven], middle[~proven]
    while (open_ := np.flatnonzero(many - too_few > 1)).size:
        middle = (too_few[open_] + many[open_]) // 2
        proven = log_evidence_above(n[open_], middle, limit, needed) >= needed
        many[open_[proven]], too_few[open_[~proven]] = middle[proven], middle[~proven]
    return few, many


def smallest_clean_sample(limit: float, alpha: float) -> int:
    """How many trials without any failure it takes to prove "failure rate <= limit".

    No budget below this can end in "met": tell the user before the run.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].

    Returns
    -------
    int
        The number of trials, at least 1.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    needed = -math.log(alpha)
    too_few, enough = 0, 1
    while log_evidence_below(enough, 0, limit) < needed:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if log_evidence_below(middle, 0, limit) >= needed:
            enough = middle
        else:
            too_few = middle
    return enough


class _Binomial:
    """Each trial fails by chance, at a rate that is the same or on the same side of the limit, given the past."""

    __slots__ = ()
    log_below = staticmethod(log_evidence_below)
    log_above = staticmethod(log_evidence_above)
    table = staticmethod(stopping_table)


BINOMIAL: RateModel = _Binomial()
"""Trials drawn from traffic without end."""


def require_horizon(horizon: int) -> None:
    """Refuse a horizon under one trial.

    Raises
    ------
    ValueError
        If `horizon` is below 1.
    """
    if horizon < 1:
        raise ValueError(f"the horizon is {horizon}; a test needs at least one trial")
