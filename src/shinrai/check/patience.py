"""How long to try: the one place where a failed attempt is tried again.

Bounded attempts, exponential backoff with full jitter (Brooker, "Exponential backoff and jitter", AWS 2015), the
server's own Retry-After up to a cap, and a deadline for the whole call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from shinrai.check.breaker import Breaker, CircuitOpenError
from shinrai.check.targets.protocol import Answer, CallError, Request, Target
from shinrai.check.throttle import Clock, Throttle
from shinrai.check.tokens import TokenBound

__all__ = ["Access", "Clock", "Patience", "Result", "ask_patiently"]


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


class Access:
    """The way to one target: what every call to it passes, in all the runs of a command.

    Parameters
    ----------
    target : Target
        Open.
    clock : Clock
    bound : TokenBound, optional
        Needed where tokens are limited.
    """

    def __init__(self, target: Target, clock: Clock, bound: TokenBound | None = None) -> None:
        self.target = target
        self.throttle = Throttle(target.limits, bound or TokenBound(), clock)
        self.breaker = Breaker(clock)


class _Call:
    """A call while it is tried."""

    def __init__(self, access: Access, target: Target, request: Request, now: Callable[[], float]) -> None:
        self._access = access
        self._target = target
        self._request = request
        self._now = now
        self._wanted = now()
        self.began = self._wanted

    def attempt(self) -> Awaitable[Answer]:
        """Wait for the target's leave, then make one attempt."""
        return self._access.breaker.attempt(self._wanted, self._ask)

    async def _ask(self) -> Answer:
        throttle = self._access.throttle
        entry = await throttle.enter(self._request) if throttle.holds_back else None
        self.began = self._now()
        answer = await self._target.ask(self._request)
        throttle.settle(entry, self._request, answer)
        return answer


async def ask_patiently(
    access: Access, target: Target, request: Request, patience: Patience, notice: Callable[[CallError, float], None]
) -> Result:
    """Ask until there is an answer, or it makes no sense to go on.

    Parameters
    ----------
    access : Access
        The way to what is asked. Time spent in waiting for its leave counts against no limit of the call.
    target : Target
        What makes the attempts: the target of the access, or what stands for it in this call.
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
    call = _Call(access, target, request, now)
    attempt, spent, failure = 0, 0.0, None
    limit = patience.deadline * access.target.limits.timeout + patience.longest_retry_after
    while True:
        try:
            answer = await call.attempt()
        except CircuitOpenError as given_up:
            # Not the call's own last failure: it was given no chance to do better, so nothing speaks against it.
            return Result(None, given_up, max(1, attempt), 0.0)
        except CallError as error:
            failure = error
        else:
            return Result(answer, None, attempt + 1, now() - call.began)
        attempt += 1
        seconds = now() - call.began
        notice(failure, call.began)
        wait = patience.wait(attempt, failure)
        if failure.after is not None and failure.after <= patience.longest_retry_after:
            access.throttle.pause(failure.after)
        spent += seconds
        if wait is None or spent + wait >= limit:
            return Result(None, failure, attempt, seconds)
        await patience.clock.sleep(wait)
        spent += wait
