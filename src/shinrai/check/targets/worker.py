"""A thread for code that is not ours: a component's Python file, the loading of weights.

The engine never waits for it longer than a time limit. Python cannot end a thread from outside: one that hangs is left
behind (it ends with the process) and the worker is of no use any more.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Worker"]

_Result = TypeVar("_Result")


class Worker:
    """Runs functions one after another in a thread of its own.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self.hangs = False

    async def call(
        self,
        function: Callable[..., _Result],
        *arguments: object,
        timeout: float | None = None,  # noqa: ASYNC109 - it also says whether the thread hangs
    ) -> _Result:
        """Run a function in the thread.

        Parameters
        ----------
        function : callable
            Runs in the thread.
        *arguments
            What it is called with.
        timeout : float, optional
            Seconds; no limit when left out.

        Returns
        -------
        object
            What the function returned; what it raised is raised here.

        Raises
        ------
        TimeoutError
            If it took too long, now or in an earlier call. The worker is of no use from then on.
        """
        if self.hangs:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()

        def deliver(result: _Result | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # None only where the function returns None

        def job() -> None:
            outcome = _attempt(function, arguments)
            try:
                loop.call_soon_threadsafe(deliver, *outcome)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

        self._jobs.put(job)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            self.hangs = self.hangs or future.cancelled()
            raise

    def stop(self) -> None:
        """Let the thread end after what it is doing."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _attempt(
    function: Callable[..., _Result], arguments: tuple[object, ...]
) -> tuple[_Result | None, Exception | None]:
    try:
        return function(*arguments), None
    except StopIteration as stop:  # a future cannot carry it
        return None, RuntimeError(f"StopIteration: {stop}")
    except Exception as raised:  # noqa: BLE001 - handed over to whoever awaits the call
        return None, raised
    except BaseException as raised:  # noqa: BLE001 - sys.exit() in a component must not end the thread silently
        return None, RuntimeError(type(raised).__name__)
