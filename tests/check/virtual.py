"""Time that passes only when everybody waits: minutes of limits and pauses in no time at all."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

from shinrai.check.throttle import Clock

_Result = TypeVar("_Result")


class VirtualTime:
    """Use `run` to run what sleeps on `clock`."""

    def __init__(self, chance: float = 0.0) -> None:
        self.moment = 1000.0
        self.clock = Clock(now=lambda: self.moment, sleep=self._sleep, chance=lambda: chance)
        self.sleeps = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def _sleep(self, seconds: float) -> None:
        self.sleeps += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.moment + max(0.0, seconds), self.sleeps, future))
        await future

    async def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        task = asyncio.ensure_future(work)
        while not task.done():
            for _turn in range(30):
                await asyncio.sleep(0)
            if self._waiting and not task.done():
                moment, _number, future = heapq.heappop(self._waiting)
                self.moment = max(self.moment, moment)
                if not future.done():
                    future.set_result(None)
        return task.result()
