"""Limits per minute, pauses and the circuit breaker, on time that the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.check.breaker import OPENS_AFTER, PAUSES, Breaker, CircuitOpenError
from shinrai.check.engine import UNUSABLE_IN_A_ROW
from shinrai.check.patience import Access, Clock, Patience, Result, ask_patiently
from shinrai.check.targets.protocol import Answer, CallError, Limits
from shinrai.check.throttle import Throttle
from shinrai.check.tokens import TokenBound
from tests.check.town import Town
from tests.check.virtual import VirtualTime
from tests.servers.endpoint import Reply, serving

BOUND = TokenBound(around=0, reply=10)


def throttle(time: VirtualTime, requests: int | None = None, tokens: int | None = None) -> Throttle:
    return Throttle(Limits(8, 64, 60.0, requests, tokens), BOUND, time.clock)


def busiest(moments: list[tuple[float, float]], window: float = 60.0) -> float:
    """Give the most that fell into any window, each as (moment, amount)."""
    return max(sum(amount for moment, amount in moments if start <= moment < start + window) for start, _ in moments)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 90), st.lists(st.floats(0, 20), min_size=1, max_size=5))
def test_in_no_minute_more_requests_begin_than_allowed(limit: int, calls: int, gaps: list[float]) -> None:
    time = VirtualTime()
    began: list[tuple[float, float]] = []

    async def everything() -> None:
        limiter = throttle(time, requests=limit)

        async def one(number: int) -> None:
            await time.clock.sleep(gaps[number % len(gaps)])
            await limiter.enter("asked")
            began.append((time.moment, 1))

        await asyncio.gather(*(one(number) for number in range(calls)))

    asyncio.run(time.run(everything()))
    assert len(began) == calls
    assert busiest(began) <= limit
    # No more patience than the limit asks for: a minute (and its margin) for each full window, and the gaps.
    assert time.moment - 1000.0 <= 61.0 * ((calls - 1) // limit) + 21.0
    assert time.sleeps < 10 * calls + 10  # it waits; it does not look all the time


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 400), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 10)), min_size=1, max_size=60))
def test_in_no_minute_more_tokens_are_used_than_allowed(limit: int, calls: list[tuple[int, int]]) -> None:
    """Prompts of n bytes take n / 4 + 1 tokens; what is above the limit on its own goes alone."""
    time = VirtualTime()
    used: list[tuple[float, float]] = []

    async def everything() -> None:
        limiter = throttle(time, tokens=limit)

        async def one(size: int, reply: int) -> None:
            request = "x" * size
            entry = await limiter.enter(request)
            began = time.moment
            await time.clock.sleep(0.5)
            answer = Answer("y", tokens_in=size // 4 + 1, tokens_out=reply)
            limiter.settle(entry, request, answer)
            used.append((began, answer.tokens_in + answer.tokens_out))

        await asyncio.gather(*(one(*call) for call in calls))

    asyncio.run(time.run(everything()))
    assert len(used) == len(calls)
    assert busiest(used) <= max(limit, *(amount for _moment, amount in used))
    assert time.sleeps < 2000


def test_tokens_that_were_not_used_make_room_at_once() -> None:
    time = VirtualTime()
    moments: list[float] = []

    async def everything() -> None:
        limiter = throttle(time, tokens=100)
        for _call in range(6):
            entry = await limiter.enter("x" * 78)  # 80 bytes of JSON and a reply of 10: 90 reserved, 10 used
            moments.append(time.moment)
            limiter.settle(entry, "x" * 78, Answer("y", tokens_in=9, tokens_out=1))

    asyncio.run(time.run(everything()))
    assert moments[:2] == [1000.0, 1000.0]
    assert moments[2] >= 1060.0  # 20 used: another 90 have no room before the minute is over


def test_without_limits_nothing_waits() -> None:
    time = VirtualTime()

    async def everything() -> None:
        limiter = throttle(time)
        for _call in range(1000):
            assert await limiter.enter("asked") is None

    asyncio.run(time.run(everything()))
    assert (time.moment, time.sleeps) == (1000.0, 0)


def test_a_retry_after_holds_for_all() -> None:
    time = VirtualTime()
    asked: list[float] = []

    class Target:
        limits = Limits(8, 8, 60.0)

        async def open(self) -> None: ...

        async def close(self) -> None: ...

        async def ask(self, _request: object) -> Answer:
            asked.append(time.moment)
            if len(asked) == 1:
                raise CallError("http-429", retry=True, busy=True, after=30.0)
            return Answer("yes")

    async def everything() -> list[Result]:
        access = Access(Target(), time.clock)
        patience = Patience(clock=time.clock)
        first = asyncio.ensure_future(
            ask_patiently(access, access.target, "a", patience, lambda _failure, _began: None)
        )
        await asyncio.sleep(0.0)
        rest = [
            asyncio.ensure_future(ask_patiently(access, access.target, name, patience, lambda _failure, _began: None))
            for name in "bcd"
        ]
        return [await first, *await asyncio.gather(*rest)]

    results = asyncio.run(time.run(everything()))
    assert [result.answer for result in results] == [Answer("yes")] * 4
    assert asked[0] == 1000.0
    assert all(moment >= 1030.0 for moment in asked[1:])
    assert all(result.seconds < 1.0 for result in results)  # waiting is not the target's time


# ---- the circuit breaker


class Scripted:
    """A target that does what it is told, each attempt taking a second."""

    limits = Limits(8, 8, 60.0)

    def __init__(self, time: VirtualTime, does: Callable[[int], Answer | CallError]) -> None:
        self.time = time
        self.does = does
        self.moments: list[float] = []
        self.at_once = self.most_at_once = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ask(self, _request: object) -> Answer:
        self.moments.append(self.time.moment)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        outcome = self.does(len(self.moments))
        await self.time.clock.sleep(1.0)
        self.at_once -= 1
        if isinstance(outcome, CallError):
            raise outcome
        return outcome


def calls(time: VirtualTime, target: Scripted, number: int, warm: bool = True) -> list[Result]:
    async def everything() -> list[Result]:
        access = Access(target, time.clock)
        patience = Patience(clock=time.clock, attempts=4)

        def one(name: int) -> Any:
            return ask_patiently(access, access.target, str(name), patience, lambda _failure, _began: None)

        first = [await one(0)] if warm else []
        return first + await asyncio.gather(*(one(name) for name in range(1, number)))

    return asyncio.run(time.run(everything()))


DOWN = CallError("http-500", retry=True)


def test_it_opens_probes_with_one_call_and_closes_again() -> None:
    time = VirtualTime()
    target = Scripted(time, lambda number: Answer("yes") if number == 1 or time.moment > 1012.0 else DOWN)
    results = calls(time, target, 20)
    assert all(result.answer == Answer("yes") for result in results)
    during = [moment for moment in target.moments if moment < 1012.0]
    # 19 calls at once, then one at a time, after 1, 2 and 4 seconds (and the second that each takes).
    assert len(during) <= 1 + 19 + 4
    probes = during[20:]
    assert [round(later - earlier) for earlier, later in pairwise(probes)] == [3, 5][: len(probes) - 1]


def test_a_target_that_stays_down_is_given_up_within_a_minute_and_few_attempts() -> None:
    time = VirtualTime()
    target = Scripted(time, lambda number: Answer("yes") if number == 1 else DOWN)
    results = calls(time, target, 40)
    assert all(result.answer is None for result in results[1:])
    assert len(target.moments) <= 1 + 39 + len(PAUSES) + 1
    assert time.moment - 1000.0 <= 60.0
    assert time.sleeps < 500


def test_a_target_that_never_answered_is_probed_once() -> None:
    time = VirtualTime()
    target = Scripted(time, lambda _number: DOWN)
    results = calls(time, target, 40, warm=False)
    assert all(result.answer is None for result in results)
    assert len(target.moments) <= 39 + 1
    assert time.moment - 1000.0 <= 5.0


def test_when_given_up_nothing_is_asked_and_nothing_waits() -> None:
    time = VirtualTime()

    async def everything() -> None:
        breaker = Breaker(time.clock)

        async def fail() -> Answer:
            raise DOWN

        for _attempt in range(OPENS_AFTER + 1):
            with pytest.raises(CallError) as failed:
                await breaker.attempt(time.moment, fail)
            assert not isinstance(failed.value, CircuitOpenError)
        before = time.moment
        for _attempt in range(UNUSABLE_IN_A_ROW):
            with pytest.raises(CircuitOpenError) as caught:
                await breaker.attempt(time.moment, fail)
            assert (caught.value.kind, caught.value.unusable, caught.value.retry) == ("http-500", True, False)
        assert time.moment == before

    asyncio.run(time.run(everything()))


@pytest.mark.parametrize(
    "failure",
    [CallError("http-429", retry=True, busy=True), CallError("http-422"), CallError("guard-KeyError")],
)
def test_what_says_nothing_against_the_target_does_not_open_it(failure: CallError) -> None:
    time = VirtualTime()

    async def everything() -> None:
        breaker = Breaker(time.clock)

        async def fail() -> Answer:
            raise failure

        for _attempt in range(5 * OPENS_AFTER):
            with pytest.raises(CallError):
                await breaker.attempt(time.moment, fail)
        assert not breaker.is_open

    asyncio.run(time.run(everything()))


def test_calls_that_fail_late_at_the_end_of_a_run_do_not_open_it() -> None:
    time = VirtualTime()
    bad = {str(number) for number in range(1, 40, 2)}

    class Half(Scripted):
        async def ask(self, request: object) -> Answer:
            await self.time.clock.sleep(1.0 if request in bad else 0.5)
            self.moments.append(self.time.moment)
            if request in bad:
                raise DOWN
            return Answer("yes")

    target = Half(time, lambda _number: DOWN)
    results = calls(time, target, 40)
    assert sum(result.answer is None for result in results) == 20
    assert {result.attempts for result in results if result.answer is None} == {4}  # each had all its attempts


async def test_a_dead_target_ends_the_run_with_its_reason(town: Town) -> None:
    """Behind a real port: answers for a while, then hangs up on everybody, for good."""
    waited: list[float] = []

    async def count(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    def behave(_prompt: str, _attempt: int) -> Reply:
        return Reply() if len(endpoint.log.asked) <= 30 else Reply(drop=True)

    with serving(behave) as endpoint:
        town.chat(endpoint.url)
        town.prompts(400)
        town.promise(threshold=0.02)
        [verdict] = await town.check(patience=Patience(clock=Clock(sleep=count)))
    assert (verdict.status, verdict.reason) == ("not_measured", "target-failed")
    assert sum(endpoint.log.asked.values()) < 30 + 64 * 4
    assert set(PAUSES) <= set(waited)


async def test_the_limits_of_the_system_file_hold_for_a_run(town: Town) -> None:
    time = VirtualTime()
    began: list[tuple[float, float]] = []

    def behave(_prompt: str, _attempt: int) -> Reply:
        began.append((time.moment, 1))
        return Reply()

    with serving(behave) as endpoint:
        town.chat(endpoint.url, limits={"requests_per_minute": 15})
        town.prompts(100)
        town.promise()

        async def jump(seconds: float) -> None:
            await asyncio.sleep(0.02)  # replies that are on their way arrive first
            time.moment += seconds

        clock = Clock(now=lambda: time.moment, sleep=jump, chance=lambda: 0.0)
        [verdict] = await town.check(patience=Patience(clock=clock))
    assert (verdict.status, len(began)) == ("met", 41)
    assert busiest(began) <= 15
