"""One worker of several: it asks the system, writes each reply into a journal of its own, and only then tells of it.

A worker is an operating system process (``python -m shinrai.check.shards``, told what to do on its standard input) or
an actor in a Ray cluster. Keys reach it by its environment alone. It ends when whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import msgspec

from shinrai.check.journal import Journal, Line
from shinrai.check.targets.protocol import Answer, CallError
from shinrai.check.targets.stack import target_of
from shinrai.errors import ShinraiError
from shinrai.records import System

__all__ = ["Done", "Failed", "Hello", "Result", "Shard", "Trouble", "Work"]


class Hello(msgspec.Struct, frozen=True):
    """What a worker is told first: workspace, system (no secrets are in it), file of its journal, allowed hosts."""

    root: str
    system: dict[str, Any]
    journal: str
    allowed_hosts: tuple[str, ...] = ()


class Work(msgspec.Struct, frozen=True):
    """One attempt at a call. ``attempt`` counts from 1."""

    key: str
    request: Any
    attempt: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """A reply that is in the worker's journal, at this place."""

    line: Line
    start: int
    length: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An attempt without a reply; the fields are those of `CallError`."""

    key: str
    kind: str
    retry: bool
    after: float | None
    overload: bool
    busy: bool
    unusable: bool
    detail: str


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """The worker cannot go on: its target does not open, or its journal cannot be written."""

    code: str
    message: str


Result: TypeAlias = Done | Failed | Trouble


class Shard:
    """The part of a worker that does not depend on how it was started.

    Parameters
    ----------
    hello : Hello
    """

    def __init__(self, hello: Hello) -> None:
        root = Path(hello.root)
        self._target = target_of(System.model_validate(hello.system), root, hello.allowed_hosts)
        self._path = Path(hello.journal)
        self._journal: Journal | None = None

    async def open(self) -> None:
        """Begin the journal and open the target.

        Raises
        ------
        ShinraiError
            If either is not possible.
        """
        Journal.create(self._path)
        self._journal = Journal(self._path)
        self._journal.claim()
        await self._target.open()

    async def ask(self, work: Work) -> Result:
        """Make one attempt. A reply is in the journal before this returns."""
        began = time.monotonic()
        try:
            answer = await self._target.ask(work.request)
            return self._keep(work, answer, time.monotonic() - began)
        except CallError as error:
            return Failed(
                *(work.key, error.kind, error.retry, error.after, error.overload, error.busy, error.unusable),
                error.detail,
            )
        except ShinraiError as error:
            return Trouble(error.code, error.message)

    def _keep(self, work: Work, answer: Answer, seconds: float) -> Done:
        if self._journal is None:
            raise RuntimeError("the shard is not open")
        line = Line(
            *(work.key, answer.end, answer.reply, None, round(seconds, 6), work.attempt),
            *(answer.tokens_in, answer.tokens_out, answer.guard, work.request, answer.cut),
        )
        return Done(line, *self._journal.write(line))

    async def close(self) -> None:
        """Let go of everything."""
        await self._target.close()
        if self._journal is not None:
            self._journal.close()


# ---- as a process of its own

_encode = msgspec.json.Encoder().encode
_decode_work = msgspec.json.Decoder(list[Work]).decode


def frame(body: bytes) -> bytes:
    """Put the length before a message: four bytes, the largest first."""
    return len(body).to_bytes(4) + body


class _Process:
    def __init__(self, reader: asyncio.StreamReader, out: BinaryIO) -> None:
        self._reader = reader
        self._out = out
        self._results: list[Result] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        shard = Shard(msgspec.json.decode(await self._message(), type=Hello))
        try:
            try:
                await shard.open()
            except ShinraiError as error:
                self._send([Trouble(error.code, error.message)])
                return
            self._send([])
            while True:
                for work in _decode_work(await self._message()):
                    task = asyncio.ensure_future(self._do(shard, work))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        except asyncio.IncompleteReadError:  # whoever started it is gone, or needs it no more
            return
        finally:
            for task in self._tasks:
                task.cancel()
            await shard.close()

    async def _message(self) -> bytes:
        return await self._reader.readexactly(int.from_bytes(await self._reader.readexactly(4)))

    async def _do(self, shard: Shard, work: Work) -> None:
        result = await shard.ask(work)
        if not self._results:  # all that end in one turn of the loop go out together
            asyncio.get_running_loop().call_soon(self._flush)
        self._results.append(result)

    def _flush(self) -> None:
        results, self._results = self._results, []
        self._send(results)

    def _send(self, results: list[Result]) -> None:
        self._out.write(frame(_encode(results)))
        self._out.flush()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await _Process(reader, sys.stdout.buffer).run()


if __name__ == "__main__":
    import signal

    import uvloop

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it, who then ends this
    uvloop.run(_main())
