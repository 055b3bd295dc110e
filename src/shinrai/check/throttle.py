"""When the next attempt at a target may begin: its limits per minute, and the pauses that it asks for.

In any window of 60 seconds at most so many attempts begin and at most so many tokens are under way or used. A window
counts a second more, for the time that attempts are on their way. Tokens are reserved before an attempt by their
bound (`shinrai.check.tokens`) and settled when the target has counted them; those of an attempt that failed stay
reserved. A `Retry-After` that one attempt brings back holds for all.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shinrai.check.targets.protocol import Answer, Limits, Request
from shinrai.check.tokens import TokenBound

__all__ = ["Clock", "Throttle"]

_WINDOW = 61.0  # seconds
_LOOK_AGAIN = 1.0  # seconds after which a call that waits for tokens looks again: others may have used fewer


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that a test can bring its own.

    Parameters
    ----------
    now : callable
        Seconds on a clock that is never set back.
    sleep : callable
        Waits a number of seconds.
    chance : callable
        A number in [0, 1).
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random  # noqa: S311 - waits need no secret


@dataclass(slots=True)
class Entry:
    """An attempt in the window."""

    moment: float
    tokens: int
    gone: bool = False


class Throttle:
    """Lets attempts begin.

    Parameters
    ----------
    limits : Limits
        With those per minute.
    bound : TokenBound
    clock : Clock
    """

    def __init__(self, limits: Limits, bound: TokenBound, clock: Clock) -> None:
        self._requests = limits.requests_per_minute
        self._tokens = limits.tokens_per_minute
        self._limited = self._requests is not None or self._tokens is not None
        self._bound = bound
        self._clock = clock
        self._window: deque[Entry] = deque()
        self._sum = 0
        self._largest_reply = 0
        self._turn = asyncio.Lock()
        self._resume_at = float("-inf")

    @property
    def holds_back(self) -> bool:
        """Whether an attempt may have to wait, or has to be counted."""
        return self._limited or self._resume_at > self._clock.now()

    async def enter(self, request: Request) -> Entry | None:
        """Wait until an attempt may begin, in the order of asking.

        Returns
        -------
        Entry or None
            To be settled; None where nothing is limited.
        """
        pause = self._resume_at - self._clock.now()
        if pause > 0:
            await self._clock.sleep(pause + self._clock.chance())  # not all of them in the same moment
        if not self._limited:
            return None
        tokens = 0 if self._tokens is None else self._expected(request)
        async with self._turn:
            while (wait := self._wait(tokens)) > 0:
                await self._clock.sleep(wait)
            entry = Entry(self._clock.now(), tokens)
            self._window.append(entry)
            self._sum += tokens
        return entry

    def settle(self, entry: Entry | None, request: Request, answer: Answer) -> None:
        """Replace what was reserved for an attempt by what it used."""
        if entry is None or self._tokens is None:
            return
        used = sum(self._bound.used(request, answer))
        self._largest_reply = max(self._largest_reply, answer.tokens_out)
        if not entry.gone:
            self._sum += used - entry.tokens
        entry.tokens = used

    def pause(self, seconds: float) -> None:
        """Let no attempt begin for some seconds."""
        self._resume_at = max(self._resume_at, self._clock.now() + seconds)

    def _expected(self, request: Request) -> int:
        reply = self._bound.reply
        return self._bound.of_request(request) + (self._largest_reply if reply is None else reply)

    def _wait(self, tokens: int) -> float:
        """Give the seconds until there may be room; 0 when there is."""
        now, window = self._clock.now(), self._window
        while window and window[0].moment + _WINDOW <= now:
            entry = window.popleft()
            entry.gone = True
            self._sum -= entry.tokens
        if not window:
            return 0.0  # even what is above the limit on its own goes, alone
        until = now
        if self._requests is not None and len(window) >= self._requests:
            until = window[len(window) - self._requests].moment + _WINDOW
        if self._tokens is not None and self._sum + tokens > self._tokens:
            until = max(until, min(self._room_at(tokens, self._tokens), now + _LOOK_AGAIN))
        return until - now

    def _room_at(self, tokens: int, limit: int) -> float:
        left = self._sum
        for entry in self._window:
            left -= entry.tokens
            if left + tokens <= limit:
                return entry.moment + _WINDOW
        return self._window[-1].moment + _WINDOW
