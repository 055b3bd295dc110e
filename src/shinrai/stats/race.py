"""Which is proven first, that a rate lies below a limit or above it? The part that proportion tests share."""

import bisect
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from shinrai.stats.sequential import Side
from shinrai.stats.stopping import BINOMIAL, RateModel

__all__ = ["FailurePath", "RateRace"]

_FIRST_LOOK, _GROWTH = 256, 4  # moments of a path that are looked at together, and how that grows
_Counts: TypeAlias = NDArray[np.int64]
_Evidence: TypeAlias = Callable[[_Counts, _Counts, float, float], NDArray[np.float64]]
_READINGS = {(0.0, 0.0): (False, False), (0.0, 1.0): (False, True), (1.0, 1.0): (True, True)}


class _Crossing:
    """When evidence along a path first reaches what is needed.

    At each moment, evidence falls as the threshold gets harder. What does not reach at a threshold is therefore not
    looked at again for harder ones; and most thresholds are proven early or never, so that the first moments are looked
    at first, then ever more of the later ones.

    Parameters
    ----------
    evidence
        Counts, failures, threshold and what is needed to evidence, as in `RateModel`.
    at, failures
        The moments, increasing, and how many had failed by then.
    harder
        1 where larger thresholds are harder to prove, -1 where smaller ones are.
    """

    __slots__ = ("_at", "_evidence", "_failures", "_harder", "_hardest", "_left", "_needed")

    def __init__(self, evidence: _Evidence, at: _Counts, failures: _Counts, harder: int) -> None:
        self._evidence = evidence
        self._at = at
        self._failures = failures
        self._harder = harder
        self._hardest = self._needed = -math.inf
        self._left: _Counts = np.arange(at.size)

    def first(self, threshold: float, needed: float) -> float:
        """Give the first moment at which evidence reaches what is needed; infinity where none does."""
        hardness = self._harder * threshold
        known = hardness >= self._hardest and needed >= self._needed
        left = self._left if known else np.arange(self._at.size)
        for part, end in _parts(left.size):
            looked_at = left[part]
            reached = looked_at[self._reaches(looked_at, threshold, needed)]
            if reached.size:
                if known:
                    self._left = np.concatenate((reached, left[end:]))
                    self._hardest, self._needed = hardness, needed
                return float(self._at[reached[0]])
        return math.inf

    def any_up_to(self, moment: float, threshold: float, needed: float) -> bool:
        """Whether evidence reaches what is needed at a moment or before."""
        end = int(np.searchsorted(self._at, moment, side="right"))
        return any(self._reaches(part, threshold, needed).any() for part, _end in _parts(end))

    def _reaches(self, where: _Counts | slice, threshold: float, needed: float) -> NDArray[np.bool_]:
        return self._evidence(self._at[where], self._failures[where], threshold, needed) >= needed


def _parts(size: int) -> Iterator[tuple[slice, int]]:
    """Cut so many moments into a few parts, each larger than the one before."""
    start, length = 0, _FIRST_LOOK
    while start < size:
        end = min(size, start + length)
        yield slice(start, end), end
        start, length = end, _GROWTH * length


class FailurePath:
    """The moments at which one reading of the trials failed, and the evidence along them.

    Between two failures the evidence for "below" only rises and the evidence for "above" only falls. Looking just
    before each failure (and now) for the first, and at each failure for the second, therefore misses no crossing.

    Parameters
    ----------
    failed_at
        Trial numbers of the failures, from 1, increasing.
    n
        Number of trials.
    moments
        Further trial numbers at which the evidence for "below" is wanted.
    model
        How failures come about.
    """

    __slots__ = ("_above", "_above_at", "_above_failures", "_below", "_below_at", "_below_failures", "_model")

    def __init__(self, failed_at: Sequence[int], n: int, moments: Sequence[int], model: RateModel) -> None:
        self._model = model
        failures = np.array(failed_at, dtype=np.int64)
        looked_at = np.concatenate((failures - 1, np.asarray([n, *moments], dtype=np.int64)))
        looked_at.sort()
        self._below_at = looked_at[np.diff(looked_at, prepend=-1) > 0]
        self._below_failures = np.searchsorted(failures, self._below_at, side="right")
        self._above_at = np.concatenate(([0], failures))
        self._above_failures = np.arange(failures.size + 1)
        self._below = _Crossing(model.log_below, self._below_at, self._below_failures, harder=-1)
        self._above = _Crossing(model.log_above, self._above_at, self._above_failures, harder=1)

    def below_proven_at(self, threshold: float, alpha_below: float, alpha_above: float) -> float:
        """When "below `threshold`" was proven, and "above" not by then: the first of the two counts.

        Returns
        -------
        float
            Trial number, infinity where not proven. It is that of the next failure or moment, not of the very trial.
        """
        moment = self._below.first(threshold, -math.log(alpha_below))
        if math.isinf(moment) or self._above.any_up_to(moment, threshold, -math.log(alpha_above)):
            return math.inf
        return moment

    def above_proven_at(self, threshold: float, alpha_below: float, alpha_above: float) -> float:
        """When "above `threshold`" was proven, and "below" not before: the first of the two counts.

        Returns
        -------
        float
            Trial number, infinity where not proven.
        """
        moment = self._above.first(threshold, -math.log(alpha_above))
        if math.isinf(moment) or self._below.any_up_to(moment - 1, threshold, -math.log(alpha_below)):
            return math.inf
        return moment

    def largest_below(self, limit: float, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "below" up to each moment (which must be among those of the path, or the end)."""
        running = np.maximum.accumulate(self._model.log_below(self._below_at, self._below_failures, limit))
        where = np.searchsorted(self._below_at, moments, side="right") - 1
        return [max(0.0, float(running[index])) if index >= 0 else 0.0 for index in where]

    def largest_above(self, limit: float, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "above" up to each moment."""
        running = np.maximum.accumulate(self._model.log_above(self._above_at, self._above_failures, limit))
        return [float(log) for log in running[np.searchsorted(self._above_at, moments, side="right") - 1]]


class RateRace:
    """Which is proven first, that a rate lies below a limit or above it? The part that proportion tests share.

    Parameters
    ----------
    limit
        The limit, strictly between 0 and 1.
    alpha_below, alpha_above
        Error level of each of the two answers, in (0, 0.5].
    horizon
        Largest number of trials.
    model
        How failures come about.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """

    __slots__ = (
        "_above_from",
        "_alpha_above",
        "_alpha_below",
        "_below_up_to",
        "_high_side",
        "_high_stop",
        "_limit",
        "_low_side",
        "_low_stop",
        "_may_fail_at",
        "_model",
        "_must_fail_at",
        "n",
    )

    def __init__(
        self, limit: float, *, alpha_below: float, alpha_above: float, horizon: int, model: RateModel = BINOMIAL
    ) -> None:
        self._limit = limit
        self._alpha_below = alpha_below
        self._alpha_above = alpha_above
        self._model = model
        self._below_up_to = model.table(limit, alpha_below, horizon).met
        self._above_from = model.table(limit, alpha_above, horizon).violated
        self.n = 0
        self._must_fail_at = array("I")  # failures: the reading in which every missing trial passed
        self._may_fail_at = array("I")  # failures and missing: the reading in which every missing trial failed
        self._low_side: Side | None = None
        self._high_side: Side | None = None
        self._low_stop = 0
        self._high_stop = 0

    def update(self, low: float, high: float) -> None:
        """Take in a trial: (0, 0) passed, (1, 1) failed, (0, 1) missing.

        Raises
        ------
        ValueError
            If it is none of the three, or the horizon was reached before.
        """
        reading = _READINGS.get((low, high))
        if reading is None:
            raise ValueError(f"a trial is (0, 0) passed, (1, 1) failed or (0, 1) missing, not ({low!r}, {high!r})")
        n = self.n + 1
        if n >= len(self._below_up_to):
            raise ValueError(f"the test was set up for {n - 1} trials, and trial {n} came in")
        self.n = n
        if reading[1]:
            self._may_fail_at.append(n)
            if reading[0]:
                self._must_fail_at.append(n)
        if self._high_side is None:
            self._high_side, self._high_stop = self._look(n, len(self._may_fail_at)), n
        if self._low_side is None:
            self._low_side, self._low_stop = self._look(n, len(self._must_fail_at)), n

    def _look(self, n: int, failures: int) -> Side | None:
        if failures <= self._below_up_to[n]:
            return Side.BELOW
        if failures >= self._above_from[n]:
            return Side.ABOVE
        return None

    @property
    def below(self) -> bool:
        """Whether "below the limit" is proven, whatever the missing trials were."""
        return self._high_side is Side.BELOW

    @property
    def above(self) -> bool:
        """Whether "above the limit" is proven, whatever the missing trials were."""
        return self._low_side is Side.ABOVE

    @property
    def stops(self) -> tuple[int, ...]:
        """Trial numbers at which an answer was proven."""
        return (self._high_stop,) * self.below + (self._low_stop,) * self.above

    def estimate_at(self, n: int) -> float | None:
        """Failures as a share of the trials that are known, among the first `n`; None if none is known."""
        failures = bisect.bisect_right(self._must_fail_at, n)
        known = n - (bisect.bisect_right(self._may_fail_at, n) - failures)
        return failures / known if known else None

    def worst_path(self, moments: Sequence[int] = ()) -> FailurePath:
        """Read every missing trial as a failure."""
        return FailurePath(self._may_fail_at, self.n, moments, self._model)

    def best_path(self, moments: Sequence[int] = ()) -> FailurePath:
        """Read every missing trial as a pass."""
        return FailurePath(self._must_fail_at, self.n, moments, self._model)

    def log_below(self, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "below" up to each moment; it stands still once the worst reading proved "above"."""
        stopped = [min(moment, self._high_stop) for moment in moments] if self._high_side is Side.ABOVE else moments
        return self.worst_path(stopped).largest_below(self._limit, stopped)

    def log_above(self, moments: Sequence[int]) -> list[float]:
        """Largest log evidence for "above" up to each moment; it stands still once the best reading proved "below"."""
        stopped = [min(moment, self._low_stop) for moment in moments] if self._low_side is Side.BELOW else moments
        return self.best_path().largest_above(self._limit, stopped)

    def proven_below_at(self, path: FailurePath, threshold: float) -> float:
        """When "below `threshold`" was proven on a path; infinity if it was not."""
        return path.below_proven_at(threshold, self._alpha_below, self._alpha_above)

    def proven_above_at(self, path: FailurePath, threshold: float) -> float:
        """When "above `threshold`" was proven on a path; infinity if it was not."""
        return path.above_proven_at(threshold, self._alpha_below, self._alpha_above)
