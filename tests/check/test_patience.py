"""One retry layer, on a clock that the test owns."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.flow import Flow
from shinrai.check.patience import Access, Clock, Patience, Result, ask_patiently
from shinrai.check.targets.endpoint import retry_after
from shinrai.check.targets.protocol import Answer, CallError, Limits


@dataclass
class FakeTime:
    moment: float = 100.0
    waits: list[float] = field(default_factory=list)
    chance: float = 1.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.moment += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.moment, sleep=self.sleep, chance=lambda: self.chance)


class Flaky:
    """Fails in the given ways, one after the other, then answers."""

    limits = Limits(1, 1, 60.0)

    def __init__(self, time: FakeTime, *failures: CallError, seconds: float = 1.0) -> None:
        self.time = time
        self.failures = list(failures)
        self.seconds = seconds
        self.asked = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ask(self, _request: object) -> Answer:
        self.asked += 1
        self.time.moment += self.seconds
        if self.failures:
            raise self.failures.pop(0)
        return Answer("yes")


def ask(time: FakeTime, target: Flaky, **patience: float) -> Result:
    noticed: list[CallError] = []
    settings = Patience(clock=time.clock(), **patience)  # type: ignore[arg-type]  # numbers, by name
    access = Access(target, settings.clock)
    return asyncio.run(
        ask_patiently(access, target, "asked", settings, lambda failure, _began: noticed.append(failure))
    )


AGAIN = CallError("http-500", retry=True)


def test_waits_double_up_to_a_cap_and_attempts_are_bounded() -> None:
    time = FakeTime()
    target = Flaky(time, *[AGAIN] * 9)
    result = ask(time, target, attempts=6, longest_wait=3.0)
    assert time.waits == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert (result.answer, result.failure, result.attempts) == (None, AGAIN, 6)
    assert target.asked == 6


def test_the_jitter_is_full() -> None:
    for chance in (0.0, 0.25, 0.999):
        time = FakeTime(chance=chance)
        ask(time, Flaky(time, AGAIN, AGAIN))
        assert time.waits == [pytest.approx(0.5 * chance), pytest.approx(1.0 * chance)]


def test_seconds_are_those_of_the_last_attempt() -> None:
    time = FakeTime()
    result = ask(time, Flaky(time, AGAIN, seconds=2.0))
    assert result.answer == Answer("yes")
    assert (result.attempts, result.seconds) == (2, 2.0)


def test_the_server_says_when() -> None:
    time = FakeTime(chance=0.0)
    ask(time, Flaky(time, CallError("http-429", retry=True, after=7.0)))
    assert time.waits == [7.0]


def test_a_server_that_asks_for_too_much_gets_no_further_attempt() -> None:
    time = FakeTime()
    target = Flaky(time, CallError("http-429", retry=True, after=3600.0))
    assert ask(time, target).failure is not None
    assert (target.asked, time.waits) == (1, [])


def test_a_busy_target_is_given_more_time() -> None:
    time = FakeTime()
    target = Flaky(time, *[CallError("http-429", retry=True, busy=True)] * 20)
    assert ask(time, target).attempts == 8
    assert time.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]


def test_what_cannot_change_is_not_tried_again() -> None:
    time = FakeTime()
    target = Flaky(time, CallError("http-401", unusable=True))
    assert ask(time, target).attempts == 1
    assert target.asked == 1


def test_a_call_has_a_deadline() -> None:
    time = FakeTime()
    target = Flaky(time, *[CallError("timeout", retry=True)] * 50, seconds=60.0)
    result = ask(time, target, attempts=50, longest_retry_after=0.0)
    assert result.attempts == 3
    assert time.moment - 100.0 <= 3 * 60.0 + 2.0


@given(st.floats(0, 1e9))
def test_retry_after_reads_dates(now: float) -> None:
    assert retry_after(formatdate(now + 90, usegmt=True), now) == pytest.approx(90, abs=1)
    assert retry_after(formatdate(max(0.0, now - 90), usegmt=True), now) == 0.0


@pytest.mark.parametrize(("text", "seconds"), [("3", 3.0), (" 0 ", 0.0), ("1.5", 1.5)])
def test_retry_after_reads_seconds(text: str, seconds: float) -> None:
    assert retry_after(text, 0.0) == seconds


@given(st.text())
def test_retry_after_survives_anything(text: str) -> None:
    seconds = retry_after(text, 1.0)
    assert seconds is None or seconds >= 0


# ---- calls in flight


def test_flow_grows_fast_then_halves_then_grows_slowly() -> None:
    flow = Flow(Limits(8, 64, 60.0))
    for moment in range(56):
        flow.succeeded(1.0, flow.limit, float(moment))
    assert flow.limit == 64
    flow.overloaded(began=60.0, now=61.0)
    assert flow.limit == 32
    flow.overloaded(began=60.5, now=62.0)  # was on its way together with the first
    assert flow.limit == 32
    for moment in range(33):
        flow.succeeded(1.0, flow.limit, 63.0 + moment)
    assert flow.limit == 33
    for moment in range(20):
        flow.overloaded(began=1000.0 + moment, now=1000.5 + moment)
    assert flow.limit == 1


def test_flow_does_not_grow_while_it_is_not_used() -> None:
    flow = Flow(Limits(8, 64, 60.0))
    for moment in range(100):
        flow.succeeded(1.0, 3, float(moment))
    assert flow.limit == 8


def test_flow_falls_when_replies_take_much_longer() -> None:
    flow = Flow(Limits(8, 64, 60.0))
    for moment in range(64):
        flow.succeeded(0.5, flow.limit, float(moment))
    high = flow.limit
    for moment in range(64):
        flow.succeeded(1.6, flow.limit, 100.0 + moment)
    assert flow.limit < high
    for moment in range(5000):
        flow.succeeded(1.6, 1, 200.0 + moment)
    assert flow.limit >= 8  # slow for good: it is not choked
