"""How many calls may be on their way at once: found out while running, never asked of the user.

Additive increase, multiplicative decrease (Chiu and Jain 1989), with the fast start that TCP has: as long as the target
never complained, each reply allows one more call. A refusal for overload halves the number, at most once for all the
calls that were on their way together. A jump in the time of a reply, averaged over a window, lowers it by a fifth.
"""

from __future__ import annotations

from shinrai.check.targets.protocol import Limits

__all__ = ["Flow"]

_WINDOW = 32  # replies over which times are averaged: their lengths differ, one alone says little
_JUMP = 2.0  # times the best average so far
_SLACK = 0.05  # seconds of difference that never count as a jump
_FORGET = 1.02  # the best average fades, so that a target that became slower for good is not choked


class Flow:
    """The number of calls that may be in flight.

    Parameters
    ----------
    limits : Limits
        Where to start and where to stop growing. With ``start == cap`` the number moves only down, and back.
    """

    def __init__(self, limits: Limits) -> None:
        self._cap = float(limits.cap)
        self._floor = float(limits.start)
        self._allowed = self._floor
        self._fast = True
        self._lowered_at = -1.0
        self._sum = 0.0
        self._count = 0
        self._best: float | None = None

    @property
    def limit(self) -> int:
        """Calls that may be on their way, at least 1."""
        return int(self._allowed)

    def succeeded(self, seconds: float, in_flight: int, now: float) -> None:
        """Take in a reply.

        Parameters
        ----------
        seconds : float
            From sending to the end of the reply.
        in_flight : int
            Calls that were on their way, this one included. The number grows only while it is made use of.
        now : float
            The moment on the run's clock.
        """
        self._sum += seconds
        self._count += 1
        if self._count == _WINDOW:
            self._look_at_times(now)
        if self._allowed < self._cap and in_flight + 1 >= self._allowed:
            self._allowed = min(self._cap, self._allowed + (1.0 if self._fast else 1.0 / self._allowed))

    def overloaded(self, began: float, now: float) -> None:
        """Take in a refusal for overload of an attempt that began at a moment."""
        if began > self._lowered_at:
            self._lower(0.5, 1.0, now)

    def _look_at_times(self, now: float) -> None:
        average = self._sum / self._count
        self._sum, self._count = 0.0, 0
        if self._best is None or average < self._best:
            self._best = average
            return
        if average > _JUMP * self._best + _SLACK:
            self._lower(0.8, self._floor, now)
        self._best *= _FORGET

    def _lower(self, factor: float, floor: float, now: float) -> None:
        self._allowed = max(min(floor, self._allowed), self._allowed * factor)
        self._fast = False
        self._lowered_at = now
