"""Did a promise that was kept stop being kept? Monitors with a guaranteed mean time to a false alarm.

An evaluation test left running does not detect: evidence piled up in good months has to be used up first. A monitor
starts a fresh bet at every record and keeps them all, in one number for each bet size (mixture e-Shiryaev-Roberts
procedure: Shin, Ramdas and Rinaldo 2023, "E-detectors", NEJSDS). For bet sizes c and the gain g of a record on a stake
of 1 (`shinrai.stats.betting`),

    M_c <- (M_c + 1) (1 + c g)          after each record
    M_c <- (M_c + b) prod (1 + c g)     after a micro-batch of b records
    alarm when the mean of M_c over the bet sizes reaches A

As long as the promise is kept, each factor has a mean of at most 1 given the past. Then ``mean M_c - records`` is a
supermartingale, and stopping it at the alarm gives ``A <= E[mean M_c] <= E[records until the alarm]``: **the mean time
to a false alarm is at least A records**, whatever the distribution inside the range, without calibration, for records
and micro-batches of any sizes in any mixture, as long as the size of a batch does not depend on its outcomes. (Measured
exactly at the limit it is about 1.5 A; where the promise is kept with room to spare, far longer.)

This is a rate of false alarms, not an error level: about one alarm in A records comes without a cause when the system
is exactly at its limit. For m monitors that together may raise one false alarm in A records, give each m A. After an
alarm run a fresh evaluation before anybody is woken.

Missing records count as what is best for the promise, so they can never raise an alarm, and the guarantee holds
whatever they were; an outage therefore looks like silence. Watch it with a monitor of its own: a `RateMonitor` fed
with ``(1, 1)`` for every record that is missing and ``(0, 0)`` for every one that came.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shinrai.stats.betting import BETS, gains_above, gains_below
from shinrai.stats.mean import require_score
from shinrai.stats.sequential import require_within

__all__ = ["MeanMonitor", "MonitorState", "RateMonitor", "detector_step", "rate_bets"]

Floats = NDArray[np.float64]

_LARGEST_LOG = 690.0

# Alternatives for a rate, as pairs (r, t): the failure rate is r times the limit, or, where that is larger than the
# pass rate allows, the pass rate is t times that at the limit.
_ALTERNATIVES = np.array([(1.25, 0.8), (1.5, 0.6), (2.0, 0.4), (3.0, 0.25), (5.0, 0.1), (10.0, 0.05), (20.0, 0.02)])


def rate_bets(limit: float) -> Floats:
    """Choose bet sizes for a failure rate: likelihood ratios of 1.25 to 20 times the limit.

    A bet of size ``c = (q - limit) / (1 - limit)`` multiplies by ``q / limit`` at a failure and by ``(1 - q) / (1 -
    limit)`` at a pass. For rare events that is closer to the best bet than the eight sizes of the general kernel.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.

    Returns
    -------
    numpy.ndarray
        Sizes strictly between 0 and 1, shape (7,).
    """
    r, t = _ALTERNATIVES.T
    rates = np.minimum(r * limit, 1.0 - t * (1.0 - limit))
    return np.asarray((rates - limit) / (1.0 - limit))


def detector_step(wealth: Floats, log_factors: Floats, records: int) -> Floats:
    """Do one step of the e-Shiryaev-Roberts procedure, for any number of streams at once.

    Parameters
    ----------
    wealth
        ``M_c`` before the step, at least 0, bet sizes along the last axis, shape (..., bets).
    log_factors
        Logarithm of the product of the factors of the new records, same shape.
    records
        How many records they are, at least 1.

    Returns
    -------
    numpy.ndarray
        ``M_c`` after the step, held at about 1e299 so that it stays a finite number.
    """
    return np.asarray(np.exp(np.minimum(np.log(wealth + records) + log_factors, _LARGEST_LOG)))


@dataclass(frozen=True, slots=True)
class MonitorState:
    """Everything that a monitor remembers; plain finite numbers, so that it can be written as JSON and read back.

    Attributes
    ----------
    n, missing
        Records since the (re)start, and those of them that were not known exactly.
    wealth
        ``M_c`` for each bet size, at least 0.
    rise
        For each bet size, log of the likelihood ratio since `since`: a CUSUM (Page 1954), used only to say when.
    since
        For each bet size, the number of records before its present rise.
    alarm_at
        Number of records at the alarm; None while there was none.
    """

    n: int
    missing: int
    wealth: tuple[float, ...]
    rise: tuple[float, ...]
    since: tuple[int, ...]
    alarm_at: int | None


class _Monitor:
    """The recursion that both monitors share; they differ in how a record becomes a gain."""

    __slots__ = ("_alarm_at", "_alarm_level", "_bets", "_missing", "_n", "_rise", "_since", "_wealth")

    def __init__(self, bets: Floats, mean_records_to_false_alarm: float, state: MonitorState | None) -> None:
        if not 1.0 <= mean_records_to_false_alarm < math.inf:
            raise ValueError(
                f"the mean time to a false alarm is {mean_records_to_false_alarm!r} records; it must be at least 1"
            )
        if state is not None and not len(state.wealth) == len(state.rise) == len(state.since) == bets.size:
            raise ValueError(f"the state must hold {bets.size} bets, as this kind of monitor does")
        self._bets = bets
        self._alarm_level = mean_records_to_false_alarm
        self._set(state or self._fresh())

    def _fresh(self) -> MonitorState:
        none = (0.0,) * self._bets.size
        return MonitorState(0, 0, none, none, (0,) * self._bets.size, None)

    def _set(self, state: MonitorState) -> None:
        self._n, self._missing, self._alarm_at = state.n, state.missing, state.alarm_at
        self._wealth, self._rise = np.array(state.wealth), np.array(state.rise)
        self._since = np.array(state.since, dtype=np.int64)

    def _advance(self, log_factors: Floats, records: int, missing: int) -> None:
        """Take in records with these products of factors; after an alarm they are only counted."""
        before, self._n, self._missing = self._n, self._n + records, self._missing + missing
        if self._alarm_at is not None:
            return
        self._wealth = detector_step(self._wealth, log_factors, records)
        fell = self._rise <= 0.0
        self._since[fell] = before
        self._rise = np.maximum(np.where(fell, 0.0, self._rise) + log_factors, -_LARGEST_LOG)
        if self.statistic >= self._alarm_level:
            self._alarm_at = self._n

    @property
    def n(self) -> int:
        """How many records came in since the (re)start, missing ones included."""
        return self._n

    @property
    def missing(self) -> int:
        """How many of them were not known exactly."""
        return self._missing

    @property
    def statistic(self) -> float:
        """Mean of ``M_c`` over the bet sizes: the alarm is raised when it reaches the mean time to a false alarm."""
        return float(self._wealth.mean())

    @property
    def alarm_at(self) -> int | None:
        """Number of records at the alarm, which stays until `restart`; None while there was none."""
        return self._alarm_at

    @property
    def changed_after(self) -> int | None:
        """How many records came before the change, as estimated at the alarm; None while there was no alarm.

        The maximum-likelihood time of the change under the bet size that explains the rise best (Page 1954). It is
        for looking up what happened then, not a statement with an error level.
        """
        return None if self._alarm_at is None else int(self._since[int(self._rise.argmax())])

    @property
    def state(self) -> MonitorState:
        """What to store; a monitor built with it goes on as if it had never stopped."""
        return MonitorState(
            self._n,
            self._missing,
            tuple(self._wealth.tolist()),
            tuple(self._rise.tolist()),
            tuple(self._since.tolist()),
            self._alarm_at,
        )

    def restart(self) -> None:
        """Forget everything, after an alarm was dealt with; the mean time to a false alarm begins anew."""
        self._set(self._fresh())


class RateMonitor(_Monitor):
    """Watches "the failure rate is at most `limit`" and raises an alarm when it no longer is.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    mean_records_to_false_alarm
        A: while the rate is at most the limit, the mean number of records until an alarm is at least A; at least 1.
    state
        Where another monitor with the same arguments stopped; None to begin.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the state is not that of such a monitor.

    Examples
    --------
    >>> monitor = RateMonitor(0.02, 10_000)
    >>> monitor.update_batch(1000, failures=10)
    >>> monitor.update_batch(200, failures=30)
    >>> monitor.alarm_at, monitor.changed_after
    (1200, 1000)
    """

    __slots__ = ("_on_failure", "_on_pass")

    def __init__(self, limit: float, mean_records_to_false_alarm: float, state: MonitorState | None = None) -> None:
        require_within("the limit", limit, 0.0, 1.0)
        bets = rate_bets(limit)
        super().__init__(bets, mean_records_to_false_alarm, state)
        ends = gains_above(np.array([0.0, 1.0]), limit, 0.0)
        self._on_pass, self._on_failure = np.log1p(np.multiply.outer(ends, bets))

    def update(self, low: float, high: float) -> None:
        """Take in a record: (0, 0) passed, (1, 1) failed, (0, 1) missing.

        Raises
        ------
        ValueError
            If it is none of the three.
        """
        if (low, high) not in {(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)}:
            raise ValueError(f"a record is (0, 0) passed, (1, 1) failed or (0, 1) missing, not ({low!r}, {high!r})")
        self._advance(self._on_failure if low else self._on_pass, 1, int(low < high))

    def update_batch(self, records: int, failures: int, missing: int = 0) -> None:
        """Take in a micro-batch by its counts; an alarm is then raised at the end of the batch.

        Parameters
        ----------
        records
            Number of records, at least 1, chosen without looking at their outcomes.
        failures, missing
            How many of them failed and how many are missing, together at most `records`.

        Raises
        ------
        ValueError
            If a count is outside its range.
        """
        if records < 1 or min(failures, missing) < 0 or failures + missing > records:
            raise ValueError(f"{failures} failures and {missing} missing in {records} records are impossible counts")
        self._advance(failures * self._on_failure + (records - failures) * self._on_pass, records, missing)


class MeanMonitor(_Monitor):
    """Watches "the mean score is at least `at_least`" and raises an alarm when it no longer is.

    Parameters
    ----------
    at_least
        The threshold, strictly between `lower` and `upper`.
    lower, upper
        True end points of the score. A score outside is refused.
    mean_records_to_false_alarm
        A: while the mean is at least the threshold, the mean number of records until an alarm is at least A; at
        least 1.
    state
        Where another monitor with the same arguments stopped; None to begin.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the state is not that of such a monitor.
    """

    __slots__ = ("_lower", "_threshold", "_upper")

    def __init__(
        self,
        at_least: float,
        lower: float,
        upper: float,
        mean_records_to_false_alarm: float,
        state: MonitorState | None = None,
    ) -> None:
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise ValueError(f"the range of the score is from {lower!r} to {upper!r}; both ends must be finite")
        require_within("the threshold", at_least, lower, upper)
        super().__init__(np.array(BETS), mean_records_to_false_alarm, state)
        self._threshold, self._lower, self._upper = at_least, lower, upper

    def update(self, low: float, high: float) -> None:
        """Take in a score that is at least `low` and at most `high`; a missing one is the whole range.

        Raises
        ------
        ValueError
            If it does not lie in the range of the score.
        """
        self.update_batch([low], [high])

    def update_batch(self, lows: ArrayLike, highs: ArrayLike) -> None:
        """Take in a micro-batch of scores; an alarm is then raised at the end of the batch.

        Parameters
        ----------
        lows, highs
            Bounds of each score, shape (b,), at least one; b chosen without looking at the scores.

        Raises
        ------
        ValueError
            If there is none, the shapes differ, or a score does not lie in the range.
        """
        low, high = np.asarray(lows, dtype=np.float64), np.asarray(highs, dtype=np.float64)
        if low.ndim != 1 or low.shape != high.shape or not low.size:
            raise ValueError(f"the bounds have shapes {low.shape} and {high.shape}; both must be (b,), b at least 1")
        bad = np.flatnonzero(~((self._lower <= low) & (low <= high) & (high <= self._upper)))
        if bad.size:
            require_score(float(low[bad[0]]), float(high[bad[0]]), self._lower, self._upper)
        gains = gains_below(high, self._threshold, self._upper)
        factors = np.log1p(np.multiply.outer(self._bets, gains)).sum(axis=1)
        self._advance(factors, low.size, int((low < high).sum()))
