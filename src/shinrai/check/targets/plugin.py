"""A plug-in as a target: its function is asked in threads, within a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from shinrai.check.targets.predictor import answer_of
from shinrai.check.targets.protocol import Answer, CallError, Limits, Request
from shinrai.check.targets.secrets import mask
from shinrai.check.targets.worker import Worker
from shinrai.errors import PluginError, TargetError
from shinrai.i18n import _
from shinrai.plugins import Offer, called, choose, load
from shinrai.records import PluginModel

__all__ = ["PluginTarget"]


class PluginTarget:
    """The component ``plugin`` as a target.

    The plug-in is ``target(parameters, instructions)``, which returns a function ``ask(request)``: that gives the
    reply, a text for a chat system and a dict for a predictor, or raises. It is called in as many threads as the
    component allows calls at once.

    Parameters
    ----------
    component : PluginModel
    root : Path
        The workspace.
    instructions : str or None
        The system prompt of the stack, which the plug-in has to pass on.
    predicts : bool
        Whether replies are predictions.
    """

    def __init__(self, component: PluginModel, root: Path, instructions: str | None, *, predicts: bool) -> None:
        self._component = component
        self._root = root
        self._instructions = instructions
        self._predicts = predicts
        self._ask: Callable[[Request], Any] | None = None
        self._workers: list[Worker] = []
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        self.limits = Limits(start=component.at_once, cap=component.at_once, timeout=component.timeout)

    async def open(self) -> None:
        """Load the plug-in, in a thread.

        Raises
        ------
        TargetError
            If it fails, takes too long, or gives no function.
        """
        component = self._component
        self._workers = [Worker(f"{component.id}-{number}") for number in range(component.at_once)]
        try:
            self._ask = await self._workers[0].call(self._load, timeout=component.timeout)
        except PluginError as error:
            raise TargetError(error.code, error.message, hint=error.hint) from error
        except TimeoutError as error:
            message = _("{file} was not loaded within {seconds} seconds")
            message = message.format(file=component.name, seconds=component.timeout)
            raise TargetError("target.component-hangs", message) from error
        for worker in self._workers:
            self._free.put_nowait(worker)

    def _load(self) -> Callable[[Request], Any]:
        offer: Offer = choose("target", self._component.name, self._root)
        ask: Any = called(offer, load(offer), deepcopy(self._component.parameters), self._instructions)
        if not callable(ask):
            message = _("{file}: target(parameters, instructions) has to return a function ask(request)")
            raise PluginError("plugin.no-rule", message.format(file=offer.plugin.file))
        return ask  # type: ignore[no-any-return]  # whatever a foreign module gives

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises
        ------
        CallError
            With the name of the exception that the plug-in raised; ``timeout`` when it took too long (the thread is of
            no use then; when none is left, the target is unusable); ``malformed`` for a reply of another kind.
        RuntimeError
            If it was not opened before.
        """
        if self._ask is None:
            raise RuntimeError("the target is not open")
        worker = await self._free.get()
        try:
            reply = await worker.call(self._ask, deepcopy(request), timeout=self.limits.timeout)
        except TimeoutError as error:
            unusable = all(one.hangs for one in self._workers)
            raise CallError("timeout", unusable=unusable) from error
        except Exception as error:
            raise CallError(type(error).__name__, detail=mask(str(error))[:500]) from error
        finally:
            if not worker.hangs or all(one.hangs for one in self._workers):
                self._free.put_nowait(worker)
        if not self._predicts:
            if not isinstance(reply, str):
                raise CallError("malformed", detail="the reply is not a text")
            return Answer(reply)
        answer = answer_of(reply)
        if isinstance(answer, CallError):
            raise answer
        return answer

    async def close(self) -> None:
        """Let the threads end."""
        for worker in self._workers:
            worker.stop()
        self._workers = []
