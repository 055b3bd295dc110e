"""A circuit breaker: a target that fails again and again is left alone for a while, then asked once.

The pattern is Nygard's ("Release It!", 2007). Closed, every attempt goes through. After `OPENS_AFTER` failed attempts
in a row it opens: all wait. After a pause it is half open: one attempt, the probe, goes through. An answer closes it;
a failure doubles the pause. When all probes have failed, it stays open, every call that waits ends at once, and the
run ends with the reason ``target-failed``.

What counts is what speaks against the target: time limits, refused and broken connections, server errors, bodies that
are none. A 429 or 503 does not, because a target that says that it is busy is there; nor does a failure of a call
that began before the last answer, because calls that fail take longest and come in rows at the end of every run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shinrai.check.targets.protocol import Answer, CallError
from shinrai.check.throttle import Clock

__all__ = ["OPENS_AFTER", "PAUSES", "Breaker", "CircuitOpenError"]

OPENS_AFTER = 10
"""Failed attempts in a row, none answered in between."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each probe. A target that has never answered gets the first one only."""


class CircuitOpenError(CallError):
    """The attempt was not made: the target is given up."""


class Breaker:
    """Stands between the calls and one target.

    Parameters
    ----------
    clock : Clock
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probing = asyncio.Lock()
        self._failures = 0
        self._probes = 0
        self._answered_at: float | None = None
        self._last: CallError | None = None

    @property
    def is_open(self) -> bool:
        """Whether attempts are held back."""
        return self._failures >= OPENS_AFTER

    def attempt(self, wanted: float, ask: Callable[[], Awaitable[Answer]]) -> Awaitable[Answer]:
        """Make an attempt when it may be made, at once where it is closed.

        Parameters
        ----------
        wanted : float
            When the call that it belongs to began to be tried.
        ask : callable
            Makes the attempt.

        Returns
        -------
        Answer

        Raises
        ------
        CircuitOpenError
            If all probes have failed. Nothing was asked.
        CallError
            If the attempt failed.
        """
        return self._in_turn(wanted, ask) if self.is_open else self._tried(wanted, ask)

    async def _in_turn(self, wanted: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        while self.is_open:
            async with self._probing:
                if self.is_open:
                    return await self._probe(wanted, ask)
        return await self._tried(wanted, ask)

    async def _probe(self, wanted: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        pauses = PAUSES[:1] if self._answered_at is None else PAUSES
        if self._probes >= len(pauses):
            kind, detail = (self._last.kind, self._last.detail) if self._last else ("circuit-open", "")
            raise CircuitOpenError(kind, unusable=True, detail=detail)
        self._probes += 1
        await self._clock.sleep(pauses[self._probes - 1])
        return await self._tried(wanted, ask)

    async def _tried(self, wanted: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            answer = await ask()
        except CallError as failure:
            speaks = (failure.retry or failure.unusable) and not failure.busy
            if speaks and (self._answered_at is None or wanted >= self._answered_at):
                self._failures += 1
                self._last = failure
            raise
        self._failures = self._probes = 0
        self._answered_at = self._clock.now()
        return answer
