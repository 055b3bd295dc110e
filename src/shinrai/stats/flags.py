"""Flags of a judge that people confirm: a proof of violation for few labels.

`ConfirmedFlagsTest` proves violations only. People look at nothing but what the judge flagged; with f = 1 for flagged,
``E[f Y] <= E[Y]``, so that a proof of "confirmed flags are more than the limit" is one of "failures are more than the
limit". It needs a fraction of the labels, and it can never prove that a promise is kept: for that see
`fewest_labels_to_pass`.
"""

import math
from collections.abc import Sequence

import numpy as np

from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints, first_reached
from shinrai.stats.rates import log_evidence_above
from shinrai.stats.sequential import (
    Decision,
    Interval,
    TracePoint,
    evidence_from_log,
    require_alpha,
    require_within,
)

__all__ = ["ConfirmedFlagsTest", "fewest_labels_to_pass"]


def fewest_labels_to_pass(limit: float, alpha: float) -> int:
    """How many clean human labels any valid test needs before it may say "failure rate <= limit".

    A judge that misses every failure cannot be told from a perfect one by its own scores. So before "met" as many
    clean labels must have come in as make it improbable that the rate is at the limit: ``(1 - limit)^n <= alpha``,

        n = ln(1/alpha) / -ln(1 - limit),  about ln(1/alpha) / limit.

    No judge and no method gets below this; tell the user before the run. (The tests here need somewhat more, because
    they may be looked at after every label.)

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].

    Returns
    -------
    int
        The number of labels, at least 1: 149 for a limit of 2 % at 5 %.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    return max(1, math.ceil(math.log(alpha) / math.log1p(-limit)))


class ConfirmedFlagsTest:
    """One-sided sequential test: proves that the failure rate exceeds `limit`, from flags that people confirmed.

    It never says "met". The evidence is that of `ProportionTest` for "above", on the share of confirmed flags.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level of the verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> test = ConfirmedFlagsTest(0.02, 0.05)
    >>> for item in range(1, 201):
    ...     confirmed = item % 10 == 0
    ...     test.update(confirmed, confirmed)
    >>> test.decision
    <Decision.VIOLATED: 'violated'>
    """

    __slots__ = ("_alpha", "_confirmed_at", "_limit", "_logs", "_n", "_needed", "_unknown_at")

    def __init__(self, limit: float, alpha: float) -> None:
        require_within("the limit", limit, 0.0, 1.0)
        require_alpha(alpha)
        self._limit, self._alpha, self._needed = limit, alpha, -math.log(alpha)
        self._n = 0
        self._confirmed_at: list[int] = []
        self._unknown_at: list[int] = []
        self._logs: list[float] = []  # largest log evidence so far at each confirmed flag

    def update(self, low: float, high: float) -> None:
        """Take in an item: (1, 1) flagged and confirmed, (0, 0) refuted or not flagged, (0, 1) flagged, label missing.

        Items that were not flagged count, and need no label. An item that the judge could not read is not flagged.

        Raises
        ------
        ValueError
            If it is none of the three.
        """
        if (low, high) not in {(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)}:
            raise ValueError(
                f"an observation is (0, 0) no failure, (1, 1) confirmed or (0, 1) missing, not ({low!r}, {high!r})"
            )
        self._n += 1
        if low:
            self._confirmed_at.append(self._n)
            log = float(log_evidence_above(self._n, len(self._confirmed_at), self._limit))
            self._logs.append(max(log, self._logs[-1] if self._logs else 0.0))
        elif high:
            self._unknown_at.append(self._n)

    @property
    def decision(self) -> Decision | None:
        """`VIOLATED` once it is proven, which stays; None otherwise."""
        return Decision.VIOLATED if self._logs and self._logs[-1] >= self._needed else None

    @property
    def n(self) -> int:
        """How many items came in, flagged or not."""
        return self._n

    @property
    def evidence_met(self) -> float:
        """Always 1: what the judge did not flag was not looked at."""
        return 1.0

    @property
    def evidence_violated(self) -> float:
        """The largest e-value against "failure rate <= limit", every missing label read as no failure; at least 1."""
        return evidence_from_log(self._logs[-1]) if self._logs else 1.0

    def estimate(self) -> float | None:
        """Share of confirmed failures in the items that are known: at least so many fail. None if none is known."""
        return self._estimate_at(self._n)

    def interval(self) -> Interval:
        """Anytime-valid lower bound of the failure rate; the upper bound is 1."""
        return Interval(bound(self._edge()), 1.0, 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far, by items."""
        proven = self._proven_at(self._limit)
        moments = checkpoints(self._n, also=(proven,) if math.isfinite(proven) else ())
        edge = self._edge()
        ten = math.log(10.0)
        points = []
        for moment, low in zip(moments, bound_path(edge, bound(edge), moments), strict=True):
            confirmed = _count(self._confirmed_at, moment)
            log = self._logs[confirmed - 1] if confirmed else 0.0
            points.append(TracePoint(moment, self._estimate_at(moment), low, 1.0, 0.0, log / ten))
        return points

    def _estimate_at(self, n: int) -> float | None:
        known = n - _count(self._unknown_at, n)
        return _count(self._confirmed_at, n) / known if known else None

    def _proven_at(self, threshold: float) -> float:
        """Item at which "above `threshold`" was proven: evidence only rises at a confirmed flag."""
        at = np.asarray(self._confirmed_at, dtype=np.int64)
        first = first_reached(log_evidence_above(at, np.arange(1, at.size + 1), threshold) >= self._needed)
        return float(at[int(first) - 1]) if math.isfinite(first) else math.inf

    def _edge(self) -> Edge:
        return Edge(self._proven_at, 0.0, 1.0, (self._limit,))


def _count(moments: Sequence[int], n: int) -> int:
    return int(np.searchsorted(moments, n, side="right"))
