"""Verdicts with a judge that may be wrong: a few human labels keep it honest.

A judge (a language model, a classifier) scores everything cheaply and with errors of its own; taken as truth it gives
confident wrong verdicts. Two tests here use it and stay valid however bad it is.

Blocks
------
`JudgedMeanTest` and `JudgedRateTest` take *blocks*: one item with a human label Y and the judge's score f1, and k items
with only the judge's scores f_j. For a share eta of trust,

    x = Y - eta (f1 - mean_j f_j)     in [lower - eta R, upper + eta R],  R = upper - lower

has the mean of Y whatever the judge does, because f1 and f_j have the same mean: the judge's bias cancels, and where
the judge agrees with people, x varies less than Y. The kernel for bounded scores (`shinrai.stats.betting`) bets on x
for each eta in `TRUST`, and the mean of the four wealths is the evidence. Nothing has to be known of the judge, and
with ``eta = 0`` among the four, a useless judge costs little. This is prediction-powered inference (Angelopoulos et
al. 2023, Science) as an e-process (Csillag, Struchiner and Goedert 2025, "Prediction-powered e-values",
arXiv:2502.04294).

It rests on one thing: which item of a block a person labels is chosen at random (or by the committed order), without a
look at any score, all items of a block come from the same traffic, and the judge treats them alike. Labels from another
data set will not do.

A missing *label* is an unknown outcome, so it is an interval as everywhere in this package. A missing *judge's score*
is not: f may be any function of the item, "the score, or the middle of the range where the judge failed" is one, and
its bias cancels like any other. So it is read as the middle, and costs what the judge would have added, no more.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.betting import BETS, log_wealth
from shinrai.stats.inversion import Edge, bound, bound_path, checkpoints, first_reached
from shinrai.stats.mean import require_score
from shinrai.stats.sequential import (
    Decision,
    Interval,
    Side,
    TracePoint,
    evidence_from_log,
    require_alpha,
    require_within,
)

__all__ = [
    "TRUST",
    "JudgedMeanTest",
    "JudgedRateTest",
    "fewest_clean_blocks",
    "judged_gains",
    "judged_log_evidence",
]

Floats = NDArray[np.float64]
Bounds = tuple[float, float]

TRUST = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0)
"""Shares eta of the judge's difference that are taken off the label; the evidence is the mean over them."""

_TRUST = np.array(TRUST)
_BETS = np.array(BETS)


def fewest_clean_blocks(limit: float, alpha: float, most: int) -> int | None:
    """How many blocks `JudgedRateTest` needs for "met" if neither people nor judge find a single failure.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level, in (0, 0.5].
    most
        Blocks that there are; at least 0.

    Returns
    -------
    int or None
        The number of labels, somewhat above `fewest_labels_to_pass`; None where `most` are too few.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    require_within("the limit", limit, 0.0, 1.0)
    require_alpha(alpha)
    if most < 1:
        return None
    clean = np.zeros((len(TRUST), most))
    proven = judged_log_evidence(judged_gains(clean, limit, 0.0, 1.0)[1]) >= -math.log(alpha)
    return int(proven.argmax()) + 1 if proven.any() else None


def judged_gains(contrasts: Floats, threshold: float, lower: float, upper: float) -> tuple[Floats, Floats]:
    """Gains of a stake of 1 on "the mean label is above the threshold" and on "below".

    Parameters
    ----------
    contrasts
        ``Y - eta (f1 - mean f_j)`` for each eta of `TRUST`, shape (4, ..., n).
    threshold
        The threshold, strictly between `lower` and `upper`.
    lower, upper
        Range of the label.

    Returns
    -------
    tuple of numpy.ndarray
        Gains for "above" and for "below", at least -1, same shape.
    """
    reach = (_TRUST * (upper - lower)).reshape(-1, *[1] * (contrasts.ndim - 1))
    above = (contrasts - threshold) / (threshold - (lower - reach))
    below = (threshold - contrasts) / (upper + reach - threshold)
    # The ends of the range are computed twice, here and in the contrasts: rounding must not bet more than everything.
    return np.maximum(above, -1.0), np.maximum(below, -1.0)


def judged_log_evidence(gains: Floats) -> Floats:
    """Log of the mean wealth over all shares of trust and bet sizes, after each block.

    Parameters
    ----------
    gains
        One of the two that `judged_gains` gives, shape (4, ..., n).

    Returns
    -------
    numpy.ndarray
        Natural logarithm of the e-process, shape (..., n).
    """
    wealth = log_wealth(gains)
    largest = wealth.max(axis=0)
    return np.asarray(largest + np.log(np.exp(wealth - largest).mean(axis=0)))


class _Run:
    """A classical sequential test on one reading of the blocks; it stops at its first answer."""

    __slots__ = ("_wealth", "peak", "side", "stop")

    def __init__(self) -> None:
        self._wealth = np.zeros((2, len(TRUST), len(BETS)))
        self.peak = {Side.ABOVE: 0.0, Side.BELOW: 0.0}
        self.side: Side | None = None
        self.stop = 0

    def settle(self, gains: tuple[Floats, Floats], needed: float, n: int) -> None:
        self._wealth += np.log1p(_BETS * np.stack(gains))
        largest = self._wealth.max(axis=(1, 2), keepdims=True)
        means = (largest[:, 0, 0] + np.log(np.exp(self._wealth - largest).mean(axis=(1, 2)))).tolist()
        now = dict(zip((Side.ABOVE, Side.BELOW), means, strict=True))
        if self.side is None:
            # The shares of trust may disagree, so that both sides could cross at one block: the draw goes to "above".
            self.side = next((side for side, log_mean in now.items() if log_mean >= needed), None)
            self.stop = n if self.side else 0
        for side, log_mean in now.items():
            if self.side in {None, side}:
                self.peak[side] = max(self.peak[side], log_mean)


class _JudgedTest:
    """What the two judged tests share; they differ in which side of the threshold is the claim."""

    __slots__ = ("_alpha", "_contrasts", "_good", "_labels", "_lower", "_needed", "_runs", "_threshold", "_upper")

    def __init__(self, threshold: float, lower: float, upper: float, alpha: float, good: Side) -> None:
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise ValueError(f"the range of the score is from {lower!r} to {upper!r}; both ends must be finite")
        require_within("the threshold", threshold, lower, upper)
        require_alpha(alpha)
        self._threshold, self._lower, self._upper, self._alpha = threshold, lower, upper, alpha
        self._needed = -math.log(alpha)
        self._good = good
        self._runs = (_Run(), _Run())  # on the lowest and on the highest reading of the labels
        self._contrasts: tuple[list[Floats], list[Floats]] = ([], [])
        self._labels: list[Bounds] = []

    def update(self, label: Bounds, judge: float | None, others: Sequence[float | None]) -> None:
        """Take in a block.

        Parameters
        ----------
        label
            What a person said about the first item, as (low, high); a missing label is the whole range.
        judge
            What the judge said about the first item; None where it gave no readable score.
        others
            What the judge said about the further items of the block, at least one. How many they are must not depend
            on what was seen in the block.

        Raises
        ------
        ValueError
            If a score does not lie in its range, or there is no further item.
        """
        if not others:
            raise ValueError("a block needs at least one item that only the judge scored")
        require_score(*label, self._lower, self._upper)
        middle = (self._lower + self._upper) / 2.0
        first, *rest = (middle if score is None else score for score in (judge, *others))
        for score in (first, *rest):
            require_score(score, score, self._lower, self._upper)
        shift = _TRUST * (first - math.fsum(rest) / len(rest))
        self._labels.append(label)
        for run, contrasts, bound_of_label in zip(self._runs, self._contrasts, label, strict=True):
            contrasts.append(bound_of_label - shift)
            gains = self._gains(contrasts[-1][:, None], self._threshold)
            run.settle(gains, self._needed, len(self._labels))

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""
        low, high = self._runs
        if low.side is Side.ABOVE:
            return Decision.MET if self._good is Side.ABOVE else Decision.VIOLATED
        if high.side is Side.BELOW:
            return Decision.MET if self._good is Side.BELOW else Decision.VIOLATED
        return None

    @property
    def n(self) -> int:
        """How many blocks came in, that is, human labels asked for, missing ones included."""
        return len(self._labels)

    @property
    def evidence_met(self) -> float:
        """The largest e-value for the claim, on the reading of the labels that is worst for it; at least 1."""
        return self._evidence(self._good)

    @property
    def evidence_violated(self) -> float:
        """The largest e-value against the claim, on the reading of the labels that is best for it; at least 1."""
        return self._evidence(Side.BELOW if self._good is Side.ABOVE else Side.ABOVE)

    def estimate(self) -> float | None:
        """Mean of the labels, with as much of the judge as makes the smallest standard error; None without labels.

        The prediction-powered estimate (Angelopoulos et al. 2023, arXiv:2311.01453) over the shares of trust, from
        blocks whose label is known exactly, held in the range of the label.
        """
        return self._estimates([self.n])[0] if self._labels else None

    def interval(self) -> Interval:
        """Anytime-valid interval of the mean label, by inverting this test."""
        lower, upper = self._edges()
        return Interval(bound(lower), bound(upper), 1.0 - 2.0 * self._alpha)

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far, by blocks."""
        if not self._labels:
            return []
        low, high = self._runs
        moments = checkpoints(self.n, also=(low.stop, high.stop))
        lower, upper = self._edges()
        paths = {Side.ABOVE: self._largest(low, Side.ABOVE), Side.BELOW: self._largest(high, Side.BELOW)}
        met = paths.pop(self._good)
        (violated,) = paths.values()
        where, ten = np.asarray(moments) - 1, math.log(10.0)
        columns = zip(
            moments,
            self._estimates(moments),
            bound_path(lower, bound(lower), moments),
            bound_path(upper, bound(upper), moments),
            (met[where] / ten).tolist(),
            (violated[where] / ten).tolist(),
            strict=True,
        )
        return [TracePoint(*column) for column in columns]

    def _evidence(self, side: Side) -> float:
        low, high = self._runs
        return evidence_from_log((low if side is Side.ABOVE else high).peak[side])

    def _gains(self, contrasts: Floats, threshold: float) -> tuple[Floats, Floats]:
        return judged_gains(contrasts, threshold, self._lower, self._upper)

    def _readings(self) -> tuple[Floats, Floats]:
        """Contrasts on the lowest and on the highest reading, each of shape (4, n)."""
        lows, highs = (np.asarray(contrasts).reshape(-1, len(TRUST)).T for contrasts in self._contrasts)
        return lows, highs

    def _largest(self, run: _Run, side: Side) -> Floats:
        """Largest log evidence so far on the reading of `run`; it stands still when the other side is proven."""
        contrasts = self._readings()[0 if side is Side.ABOVE else 1]
        log_evidence = judged_log_evidence(self._gains(contrasts, self._threshold)[0 if side is Side.ABOVE else 1])
        running = np.maximum(np.maximum.accumulate(log_evidence), 0.0)
        if run.side not in {None, side}:
            running[run.stop - 1 :] = running[run.stop - 2] if run.stop > 1 else 0.0
        return running

    def _proven_at(self, contrasts: Floats, threshold: float, side: Side) -> float:
        """Block at which a side was proven first; infinity if it was not. A draw goes to "above", as in `_Run`."""
        above, below = (
            first_reached(judged_log_evidence(gains) >= self._needed) for gains in self._gains(contrasts, threshold)
        )
        first = Side.ABOVE if above <= below else Side.BELOW
        return min(above, below) if first is side else math.inf

    def _edges(self) -> tuple[Edge, Edge]:
        lows, highs = self._readings()
        tested = (self._threshold,)
        if not self._labels:
            return Edge(_never, self._lower, self._upper, tested), Edge(_never, self._upper, self._lower, tested)
        return (
            Edge(lambda m: self._proven_at(lows, m, Side.ABOVE), self._lower, self._upper, tested),
            Edge(lambda m: self._proven_at(highs, m, Side.BELOW), self._upper, self._lower, tested),
        )

    def _estimates(self, moments: Sequence[int]) -> list[float | None]:
        known = np.array([low == high for low, high in self._labels])
        x = np.where(known, self._readings()[0], 0.0)
        where = np.asarray(moments) - 1
        counts = np.cumsum(known)[where]
        totals, squares = np.cumsum(x, axis=1)[:, where], np.cumsum(x * x, axis=1)[:, where]
        several = np.maximum(counts, 1)
        means = totals / several
        variances = np.where(counts > 1, squares / several - means**2, 0.0)
        best = np.maximum(variances, 0.0).argmin(axis=0)  # the first of equals: no judge
        held = np.clip(means[best, np.arange(where.size)], self._lower, self._upper).tolist()
        return [mean if count else None for mean, count in zip(held, counts.tolist(), strict=True)]


class JudgedMeanTest(_JudgedTest):
    """Sequential test of the claim "the mean score that people would give is at least `at_least`", helped by a judge.

    Parameters
    ----------
    at_least
        The threshold, strictly between `lower` and `upper`.
    lower, upper
        True end points of the score, of people and judge alike. A score outside is refused.
    alpha
        Error level of each verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = ()

    def __init__(self, at_least: float, lower: float, upper: float, alpha: float) -> None:
        super().__init__(at_least, lower, upper, alpha, Side.ABOVE)


class JudgedRateTest(_JudgedTest):
    """Sequential test of the claim "the failure rate that people would find is at most `limit`", helped by a judge.

    Labels and judge's scores are 0 for no failure and 1 for a failure, or numbers between (a judge's probability).

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha
        Error level of each verdict, in (0, 0.5].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Examples
    --------
    >>> test = JudgedRateTest(0.2, 0.05)
    >>> for _ in range(30):
    ...     test.update(label=(0, 0), judge=0, others=[0] * 9)
    >>> test.decision
    <Decision.MET: 'met'>
    """

    __slots__ = ()

    def __init__(self, limit: float, alpha: float) -> None:
        super().__init__(limit, 0.0, 1.0, alpha, Side.BELOW)


def _never(_threshold: float) -> float:
    return math.inf
