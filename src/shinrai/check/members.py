"""Workers of a run, seen from the engine: what each of them does, and those that are processes of this machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import suppress
from typing import Protocol

import msgspec

from shinrai.check.shards import Done, Hello, Result, Trouble, Work, frame
from shinrai.errors import TargetError
from shinrai.i18n import _

__all__ = ["Member", "MemberLostError", "ProcessMember", "not_started", "raise_trouble"]


class MemberLostError(Exception):
    """A worker is gone."""


class Member(Protocol):
    """A worker, seen from the engine."""

    @property
    def pid(self) -> int:
        """Number of its process."""

    async def start(self, hello: Hello) -> None:
        """Start it and wait until it is ready.

        Raises
        ------
        TargetError
            If it cannot open its target.
        """

    def ask(self, work: Work) -> Awaitable[Result]:
        """Have an attempt made.

        Raises
        ------
        MemberLostError
            If it is gone.
        """

    async def stop(self) -> None:
        """End it and wait until it is gone. Never raises; stopping twice is allowed."""


_encode = msgspec.json.Encoder().encode
_decode_results = msgspec.json.Decoder(list[Result]).decode


class ProcessMember:
    """A process that is told by a pipe what to ask, and tells by another what came."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Result]] = {}
        self._batch: list[Work] = []
        self._lost = False

    @property
    def pid(self) -> int:
        """Number of its process; 0 before it is started."""
        return self._process.pid if self._process else 0

    async def start(self, hello: Hello) -> None:
        """See `Member.start`.

        Raises
        ------
        TargetError
            If it was gone before it began, or cannot open its target.
        """  # noqa: DOC501 - `not_started` makes the TargetError
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "shinrai.check.shards")
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**26)
        self._send(_encode(hello))
        try:
            first = await self._message()
        except asyncio.IncompleteReadError as error:
            raise not_started() from error
        if first:
            raise_trouble(first[0])
        self._reader = asyncio.ensure_future(self._read())

    def _send(self, body: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(frame(body))

    async def _message(self) -> list[Result]:
        stream = self._process.stdout if self._process else None
        if stream is None:
            raise RuntimeError("the worker is not started")
        return _decode_results(await stream.readexactly(int.from_bytes(await stream.readexactly(4))))

    async def _read(self) -> None:
        try:
            while True:
                for result in await self._message():
                    self._resolve(result)
        except (asyncio.IncompleteReadError, OSError):
            self._lose()

    def _resolve(self, result: Result) -> None:
        if isinstance(result, Trouble):
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(result)
            return
        asked = self._waiting.get(result.line.key if isinstance(result, Done) else result.key)
        if asked is not None and not asked.done():
            asked.set_result(result)

    def _lose(self) -> None:
        self._lost = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MemberLostError())

    async def ask(self, work: Work) -> Result:
        """See `Member.ask`.

        Raises
        ------
        MemberLostError
            If it is gone.
        """
        if self._lost:
            raise MemberLostError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting[work.key] = future
        if not self._batch:
            loop.call_soon(self._flush)
        self._batch.append(work)
        try:
            return await future
        finally:
            del self._waiting[work.key]

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self._send(_encode(batch))

    async def stop(self) -> None:
        """See `Member.stop`."""
        process, reader = self._process, self._reader
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5.0)
        except TimeoutError:
            with suppress(ProcessLookupError):  # it has ended just now, after all
                process.kill()
            await process.wait()
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


def raise_trouble(result: Result) -> None:
    """Say what a worker says that cannot go on.

    Raises
    ------
    TargetError
        If it is that.
    """
    if isinstance(result, Trouble):
        raise TargetError(result.code, result.message)


def not_started() -> TargetError:
    """Say that a worker was gone before it began."""
    return TargetError("target.worker-gone", _("a worker ended before it was ready"))
