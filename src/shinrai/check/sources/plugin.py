"""A plug-in as a trial source: it makes a trial out of each item, and asks the system under test as often as it wants.

The plug-in is ``source(parameters)``, which returns a function ``trial(item, repeat, ask)``. That gives the reply that
counts, or a dict of columns, ``reply`` among them; ``ask(request)`` puts something to the system, guards and
instructions included, and gives its reply. A call that the system does not answer makes the trial missing, and one
that its provider blocks makes it blocked, whatever the plug-in does about it. A trial in which the system was never
asked is missing, too: it says nothing of the system.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, TypeAlias

import msgspec

from shinrai.check.patience import Access, ask_patiently
from shinrai.check.sources import Wanted
from shinrai.check.targets.protocol import Answer, CallError, Limits, Request
from shinrai.check.targets.secrets import mask
from shinrai.check.targets.stack import target_of
from shinrai.check.targets.worker import Worker
from shinrai.check.tokens import token_bound
from shinrai.check.trials import said
from shinrai.errors import PluginError, TargetError, UsageError
from shinrai.i18n import _
from shinrai.plugins import Offer, blame, called, choose, load
from shinrai.records import Commitment, Item, SourceUse
from shinrai.source import Row

__all__ = ["PluginSource"]

TrialFunction: TypeAlias = Callable[[Item, int, Callable[[Request], Any]], Any]

_OWN: Final = frozenset({"id", "sample", "prompts", "end", "error", "repeat", "replies"})
"""Columns of a row that a plug-in does not write."""


class PluginSource:
    """A plug-in that makes trials, and the system under test behind it.

    Each trial runs in a thread, as many of them at once as the check allows.

    Parameters
    ----------
    wanted : Wanted
        Its promises name one plug-in, with the same parameters, on the same data.
    """

    def __init__(self, wanted: Wanted) -> None:
        use = _use(wanted.commitments[0])
        self._use = use
        self._wanted = wanted
        self._system = target_of(wanted.system, wanted.root, wanted.allowed_hosts)
        self._access: Access | None = None
        self._made: tuple[Offer, TrialFunction] | None = None
        self._places: dict[str, int] = {}
        self._workers: list[Worker] = []
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        self.limits = Limits(start=use.at_once, cap=use.at_once, timeout=use.timeout)

    async def open(self) -> None:
        """Load the plug-in, in a thread, and get the system under test ready.

        Raises
        ------
        PluginError
            If the plug-in fails, or gives no function.
        TargetError
            If it takes too long, or the system cannot be used.
        """
        use = self._use
        self._workers = [Worker(f"{use.name}-{number}") for number in range(use.at_once)]
        try:
            self._made = await self._workers[0].call(self._load, timeout=use.timeout)
        except TimeoutError as error:
            message = _("{file} was not loaded within {seconds} seconds").format(file=use.name, seconds=use.timeout)
            raise TargetError("target.component-hangs", message) from error
        for worker in self._workers:
            self._free.put_nowait(worker)
        await self._system.open()
        self._access = Access(self._system, self._wanted.patience.clock, token_bound(self._wanted.system))
        items = self._items()
        self._places = {items[number].id: number for number in range(len(items))}

    def _load(self) -> tuple[Offer, TrialFunction]:
        offer = choose("source", self._use.name, self._wanted.root)
        trial: Any = called(offer, load(offer), deepcopy(self._use.parameters))
        if not callable(trial):
            message = _("{file}: source(parameters) has to return a function trial(item, repeat, ask)")
            raise PluginError("plugin.no-rule", message.format(file=offer.plugin.file))
        return offer, trial

    def _items(self) -> Any:  # noqa: ANN401 - a sequence of items that may lie on disk
        return self._wanted.items(self._wanted.commitments[0])

    async def ask(self, request: Request) -> Answer:
        """Make one trial.

        Parameters
        ----------
        request : dict
            ``sample`` and ``epoch``.

        Returns
        -------
        Answer
            Its reply is the row of the trial.

        Raises
        ------
        CallError
            As the system, where it did not answer; with the name of the exception that the plug-in raised; ``timeout``
            when it took too long; ``malformed`` for what is no row.
        RuntimeError
            If it was not opened before.
        """
        if self._made is None or self._access is None:
            raise RuntimeError("the source is not open")
        offer, trial = self._made
        item, repeat = self._items()[self._places[request["sample"]]], int(request["epoch"])
        line = _Line(self._access, self._wanted)
        worker = await self._free.get()
        try:
            found = await worker.call(trial, deepcopy(item), repeat, line.ask, timeout=self._use.timeout)
        except TimeoutError as error:
            raise CallError("timeout", unusable=all(one.hangs for one in self._workers)) from error
        except Exception as error:
            line.require_answered()
            detail = f"{blame(error, offer)}: {mask(str(error))}"[:500]
            raise CallError(type(error).__name__, detail=detail) from error
        finally:
            line.over = True
            if not worker.hangs or all(one.hangs for one in self._workers):
                self._free.put_nowait(worker)
        line.require_answered()
        return line.answer(item, repeat, found)

    async def close(self) -> None:
        """Let the threads end, and go of the system."""
        for worker in self._workers:
            worker.stop()
        self._workers = []
        await self._system.close()


class _NoReplyError(Exception):
    """What `ask` raises in a plug-in when there is no reply to give."""


class _Line:
    """The line from one trial to the system under test."""

    def __init__(self, access: Access, wanted: Wanted) -> None:
        self._access = access
        self._wanted = wanted
        self._loop = asyncio.get_running_loop()
        self._asked: list[str] = []
        self._replies: list[Any] = []
        self._tokens_in = self._tokens_out = 0
        self._failure: CallError | None = None
        self._blocked = False
        self.over = False

    def ask(self, request: Request) -> Any:  # noqa: ANN401 - a text or a prediction
        """Put something to the system, from the thread of the plug-in.

        Raises
        ------
        TypeError
            If a system of this kind cannot be asked this.
        _NoReplyError
            If there is no reply.
        """
        if self._failure is not None or self._blocked or self.over:
            raise _NoReplyError
        if not _askable(request, self._wanted.system.kind):
            raise TypeError("ask() takes a text or {'messages': […]} for a chat system, a dict for a predictor")
        going = ask_patiently(
            self._access, self._access.target, deepcopy(request), self._wanted.patience, lambda _failure, _began: None
        )
        result = asyncio.run_coroutine_threadsafe(going, self._loop).result()
        if result.answer is None:
            failure = result.failure or CallError("error")
            self._failure = CallError(failure.kind, unusable=failure.unusable, detail=failure.detail)
            raise _NoReplyError(failure.kind)
        answer = result.answer
        self._tokens_in += answer.tokens_in
        self._tokens_out += answer.tokens_out
        self._asked.append(_as_text(said(request)))
        if answer.end == "blocked":
            self._blocked = True
            raise _NoReplyError("blocked")
        self._replies.append(answer.reply)
        return deepcopy(answer.reply)

    def require_answered(self) -> None:
        """Make the trial missing if a call of it was not answered.

        Raises
        ------
        CallError
            That of the call.
        """
        if self._failure is not None:
            raise self._failure

    def answer(self, item: Item, repeat: int, found: object) -> Answer:
        """Turn what the plug-in has given into the reply of a call.

        Raises
        ------
        CallError
            If the system was never asked, or it is neither a text nor a dict of JSON values, or has columns that
            are not the plug-in's.
        """
        if self._blocked:
            return Answer(None, "blocked", self._tokens_in, self._tokens_out)
        if not self._asked:
            raise CallError("system-not-asked", detail="trial() did not ask the system, so it says nothing of it")
        columns = {"reply": found} if isinstance(found, str) else found
        if not isinstance(columns, dict) or not all(isinstance(name, str) for name in columns):
            raise CallError("malformed", detail="trial() gave neither a text nor a dict of columns")
        taken = sorted(_OWN & columns.keys())
        if taken:
            raise CallError("malformed", detail=f"trial() gave columns that are written for it: {', '.join(taken)}")
        texts = [reply for reply in self._replies if isinstance(reply, str)]
        reply = columns.get("reply", texts[-1] if texts else None)
        if reply is not None and not isinstance(reply, str):
            raise CallError("malformed", detail="the reply is not a text")
        told = {name: value for name, value in columns.items() if name != "reply"}
        told |= {"repeat": repeat, "replies": self._replies}
        row = Row(item.id, item.id, self._asked, "ok", reply, columns=told)
        try:
            text = mask(msgspec.json.encode(row.kept()).decode())  # NaN and infinities become null
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise CallError("malformed", detail=f"trial() gave what is no JSON: {error}"[:500]) from error
        return Answer(msgspec.json.decode(text), "ok", self._tokens_in, self._tokens_out)


def _askable(request: object, kind: str) -> bool:
    if kind == "predictor":
        return isinstance(request, dict)
    if not isinstance(request, dict):
        return isinstance(request, str)
    messages = request.get("messages")
    return (
        request.keys() == {"messages"}
        and isinstance(messages, list)
        and bool(messages)
        and all(isinstance(one, dict) and isinstance(one.get("content"), str) and "role" in one for one in messages)
    )


def _as_text(request: Any) -> str:  # noqa: ANN401 - any JSON value
    return request if isinstance(request, str) else msgspec.json.encode(request).decode()


def _use(commitment: Commitment) -> SourceUse:
    if commitment.data is None or commitment.data.use.source is None:
        raise UsageError("check.no-data", _("{claim} names no data").format(claim=commitment.claim))
    return commitment.data.use.source
