"""Blocks of two groups: what makes observations of groups that come in any order comparable.

Two groups are compared in *blocks*: one observation of the group that is rarer so far with the mean of the next k of
the other, where k is the ratio of their counts so far, rounded. Observations wait in line until their block is
complete, so that unequal groups cost no more than their inequality, and a run of one group does not end up in one
block. The contrast of a block, ``A - rho B`` or ``A - B``, has conditional mean ``rate_A - rho rate_B`` or ``rate_A -
rate_B``, and the kernel for bounded scores tests it against a constant. (Closing a block as soon as both groups have
come takes 10 to 20 % more observations when the groups come in random order.)

The composition of a block depends on the order of the *groups* only, never on what was observed. That matters: if a
block waited for, say, the first failure of group A, the mean inside the block would be chosen by the outcomes and
no longer have the group's rate as its expectation, and the error level would be lost. For the same reason, whoever
decides which group comes next must not look at the outcomes that still wait in line. And as the members of a block
may have come at different times, the data must be in random order, not sorted by anything that moves the rates.

With more than two groups each pair has blocks of its own, so that a rare group slows only its own pairs down, and an
observation enters every pair that its group is part of.
"""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from shinrai.stats.betting import Floats

__all__ = ["Blocks", "Tally"]


class Tally:
    """All observations of one group."""

    __slots__ = ("_at", "_known", "_total")

    def __init__(self) -> None:
        self._at: list[int] = [0]
        self._total: list[float] = [0.0]
        self._known: list[int] = [0]

    def add(self, n: int, low: float, high: float) -> None:
        """Take in the observation with number `n` of all groups; (0, 1) is a missing one."""
        known = (low, high) != (0, 1)
        self._at.append(n)
        self._total.append(self._total[-1] + known * (low + high) / 2.0)
        self._known.append(self._known[-1] + known)

    def rate_at(self, n: int) -> float | None:
        """Mean of what is known among the first `n` observations of all groups; None if nothing is."""
        index = int(np.searchsorted(self._at, n, side="right")) - 1
        return self._total[index] / self._known[index] if self._known[index] else None


class Blocks:
    """The blocks of one pair of groups: means of each group on both readings."""

    __slots__ = ("_came", "_waiting", "closed", "closed_at", "groups")

    def __init__(self, a: str, b: str) -> None:
        self.groups = (a, b)
        self._waiting: dict[str, deque[tuple[float, float]]] = {a: deque(), b: deque()}
        self._came = {a: 0, b: 0}
        self.closed: list[tuple[float, float, float, float]] = []
        self.closed_at: list[int] = []

    def add(self, n: int, group: str, low: float, high: float) -> Iterator[tuple[float, float, float, float]]:
        """Take in an observation of one of the two, and give the blocks that it closes (most often one or none)."""
        self._waiting[group].append((low, high))
        self._came[group] += 1
        (came_a, came_b), (line_a, line_b) = self._came.values(), self._waiting.values()
        of_a, of_b = _rounded_ratio(came_a, came_b), _rounded_ratio(came_b, came_a)
        while len(line_a) >= of_a and len(line_b) >= of_b:
            block = (*_mean_of_next(line_a, of_a), *_mean_of_next(line_b, of_b))
            self.closed.append(block)
            self.closed_at.append(n)
            yield block

    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Lowest and highest mean of the first group, lowest and highest mean of the second, shape (blocks,)."""
        low_a, high_a, low_b, high_b = np.asarray(self.closed, dtype=np.float64).reshape(-1, 4).T
        return low_a, high_a, low_b, high_b

    def observation(self, block: float) -> float:
        """Turn the number of a block, from 1, into that of the observation which closed it; infinity stays."""
        return float(self.closed_at[int(block) - 1]) if math.isfinite(block) else math.inf


def _rounded_ratio(count: int, other: int) -> int:
    """How many observations of a group go with one of the other, at least 1."""
    return max(1, (2 * count + other) // (2 * other)) if other else 1


def _mean_of_next(line: deque[tuple[float, float]], count: int) -> tuple[float, float]:
    if count == 1:
        return line.popleft()
    lows, highs = zip(*(line.popleft() for _ in range(count)), strict=True)
    return sum(lows) / count, sum(highs) / count
