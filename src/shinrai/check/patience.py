"""How long to try: the one place where a failed attempt is tried again.

Bounded attempts, exponential backoff with full jitter (Brooker, "Exponential backoff and jitter", AWS 2015), the
server's own Retry-After up to a cap, and a deadline for the whole call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from shinrai.check.targets.protocol import Answer, CallError, Request, Target

__all__ = ["Clock", "Patience", "Result", "ask_patiently"]


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


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is tried.

    Parameters
    ----------
    attempts : int
        At most, the first one included.
    attempts_when_busy : int
        The same where the target says that it has too much to do: that passes, and says nothing about the call.
    first_wait, longest_wait : float
        Seconds: before attempt k + 1 a random share of ``min(longest_wait, first_wait * 2**(k - 1))``.
    longest_retry_after : float
        Seconds that a server may ask for. One that asks for more gets no further attempt.
    deadline : float
        Time limit of the whole call, in time limits of one attempt (the component's ``timeout``), on top of one
        longest Retry-After.
    """

    attempts: int = 4
    attempts_when_busy: int = 8
    first_wait: float = 0.5
    longest_wait: float = 20.0
    longest_retry_after: float = 60.0
    deadline: float = 3.0
    clock: Clock = field(default_factory=Clock)

    def wait(self, attempt: int, failure: CallError) -> float | None:
        """Seconds to wait after a failed attempt (counted from 1); None when it is not worth another one."""
        after = failure.after
        if not failure.retry or attempt >= (self.attempts_when_busy if failure.busy else self.attempts):
            return None
        if after is not None and after > self.longest_retry_after:
            return None
        backoff = self.clock.chance() * min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return max(after or 0.0, backoff)


class Result(NamedTuple):
    """How a call ended: an answer or the last failure; ``seconds`` are those of the last attempt."""

    answer: Answer | None
    failure: CallError | None
    attempts: int
    seconds: float


async def ask_patiently(
    target: Target, request: Request, patience: Patience, notice: Callable[[CallError, float], None]
) -> Result:
    """Ask until there is an answer, or it makes no sense to go on.

    Parameters
    ----------
    target : Target
        What to ask.
    request : str or dict
        What is asked.
    patience : Patience
        How often and how long.
    notice : callable
        Told of each failed attempt at once, with the moment at which the attempt began.

    Returns
    -------
    Result
    """
    now = patience.clock.now
    attempt = 0
    last_moment = now() + patience.deadline * target.limits.timeout + patience.longest_retry_after
    while True:
        attempt += 1
        began = now()
        try:
            answer = await target.ask(request)
        except CallError as error:
            failure = error
        else:
            return Result(answer, None, attempt, now() - began)
        ended = now()
        notice(failure, began)
        wait = patience.wait(attempt, failure)
        if wait is None or ended + wait >= last_moment:
            return Result(None, failure, attempt, ended - began)
        await patience.clock.sleep(wait)
