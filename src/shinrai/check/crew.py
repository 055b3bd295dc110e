"""Several workers as one target: calls are dealt out, replies are written down by the worker that got them.

What decides is in one place: order, tests, patience, budget and the number of calls in flight stay with the engine, so
that a verdict is the same with any number of workers. A worker makes one attempt when it is told to, and writes a
reply into its own journal before it tells of it. When a worker is gone, its journal is read for what it wrote and did
not tell; only what is not in there is asked again, by another.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from shinrai.check.journal import Journal
from shinrai.check.shards import Done, Failed, Hello, Result, Shard, Trouble, Work, frame
from shinrai.check.targets.protocol import Answer, CallError, Request, Target
from shinrai.errors import StoreError, TargetError, UsageError
from shinrai.i18n import _
from shinrai.records import Embedded, System

__all__ = ["Crew", "Member", "MemberLostError", "Plan", "read_plan"]


class Plan(NamedTuple):
    """How a run is spread: over processes of this machine, or over the actors of a Ray cluster."""

    kind: Literal["processes", "ray"]
    workers: int


def read_plan(text: str) -> Plan | None:
    """Read ``one``, ``processes:N`` or ``ray:N``.

    Returns
    -------
    Plan or None
        None for one process.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if text == "one":
        return None
    kind, _colon, number = text.partition(":")
    if kind in {"processes", "ray"} and number.isascii() and number.isdigit() and 1 <= int(number) <= 256:
        return Plan("ray" if kind == "ray" else "processes", int(number))
    raise UsageError(
        "check.engine",
        _("there is no engine {name}").format(name=repr(text)),
        hint=_("one, processes:N or ray:N, with N workers from 1 to 256"),
    )


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


class _Place:
    """A worker with its journal and the calls that it has."""

    def __init__(self, member: Member, file: int) -> None:
        self.member = member
        self.file = file
        self.open = 0
        self.burial: asyncio.Task[None] | None = None


class Crew:
    """Workers that stand for a target. Between `begin` and `end` there is a run to write down.

    Parameters
    ----------
    system : System
    root : Path
        The workspace; all workers reach it under this path.
    model : Target
        What each worker will open. Here it only tells its limits.
    plan : Plan
    allowed_hosts : collection of str
        Where the workspace allows systems to be asked.
    """

    def __init__(
        self, system: System, root: Path, model: Target, plan: Plan, *, allowed_hosts: Collection[str] = ()
    ) -> None:
        if isinstance(system.model, Embedded):
            raise UsageError(
                "check.engine",
                _("the embedded model of {system} runs in one process").format(system=system.id),
                hint=_("leave out --engine"),
            )
        self._system = system
        self._given, self._root = root, root.resolve()
        self._plan = plan
        limits = model.limits
        self.limits = limits._replace(start=limits.start * plan.workers, cap=limits.cap * plan.workers)
        self._allowed_hosts = tuple(allowed_hosts)
        self._places: list[_Place] = []
        self._journal: Journal | None = None

    async def open(self) -> None:
        """Nothing is opened before there is a run."""

    async def begin(self, journal: Journal, directory: Path) -> None:
        """Start the workers for a run.

        Raises
        ------
        TargetError
            If they cannot open the target.
        """
        self._journal = journal
        number = len(list(directory.glob("calls-*.jsonl")))  # noqa: ASYNC240 - once, before anything is sent
        members = hire(self._plan)
        folder = self._root / directory.relative_to(self._given)  # for all workers, wherever they start
        paths = [folder / f"calls-{number + place:04d}.jsonl" for place in range(1, len(members) + 1)]
        system = self._system.model_dump(mode="json")
        hellos = [Hello(str(self._root), system, str(path), self._allowed_hosts) for path in paths]
        try:
            await asyncio.gather(*(member.start(hello) for member, hello in zip(members, hellos, strict=True)))
        except BaseException:
            await asyncio.gather(*(member.stop() for member in members))
            raise
        self._places = [_Place(member, journal.join(path)) for member, path in zip(members, paths, strict=True)]

    @property
    def pids(self) -> list[int]:
        """Process numbers of the workers."""
        return [place.member.pid for place in self._places]

    async def end(self) -> None:
        """End all workers. Replies that come after this are nowhere."""
        places, self._places = self._places, []
        await asyncio.gather(*(place.member.stop() for place in places))
        if self._journal is not None:
            for place in places:
                self._journal.catch_up(place.file)

    def caller(self, key: str) -> _Caller:
        """Give the target for one call."""
        return _Caller(self, key)

    async def ask(self, request: Request) -> Answer:  # noqa: ARG002 - what a target is asked
        """Refuse: a call has a name here.

        Raises
        ------
        RuntimeError
            Always; see `caller`.
        """
        raise RuntimeError("a crew is asked by way of its caller")

    async def ask_one(self, work: Work) -> Answer:
        """Have an attempt made by the worker that has least to do, and by another if that one is lost.

        Raises
        ------
        CallError
            If there was no reply.
        StoreError
            If no worker is left, or one cannot write.
        RuntimeError
            Outside of a run.
        """
        journal = self._journal
        if journal is None:
            raise RuntimeError("the crew has no run")
        while True:
            alive = [place for place in self._places if place.burial is None]
            if not alive:
                raise StoreError(
                    "run.no-workers",
                    _("all workers of this run are gone"),
                    hint=_("run `shinrai check` again: it goes on where it was"),
                )
            place = min(alive, key=lambda one: one.open)
            place.open += 1
            try:
                result = await place.member.ask(work)
            except MemberLostError:
                await self._bury(place)
                if journal.number(work.key) is not None:
                    return _answer(journal, work.key)
                continue
            finally:
                place.open -= 1
            return _taken(journal, place.file, result)

    async def _bury(self, place: _Place) -> None:
        """Wait until a worker is gone for sure, then take what it wrote and did not tell."""
        if place.burial is None:
            place.burial = asyncio.ensure_future(self._gone(place))
        await asyncio.shield(place.burial)

    async def _gone(self, place: _Place) -> None:
        await place.member.stop()
        if self._journal is not None:
            self._journal.catch_up(place.file)

    async def close(self) -> None:
        """End all workers."""
        await self.end()


class _Caller:
    """The target of one call: it counts the attempts."""

    def __init__(self, crew: Crew, key: str) -> None:
        self._crew = crew
        self._key = key
        self._attempt = 0
        self.limits = crew.limits

    async def open(self) -> None:
        """Nothing to open."""

    async def ask(self, request: Request) -> Answer:
        """Make the next attempt; see `Crew.ask_one`."""
        self._attempt += 1
        return await self._crew.ask_one(Work(self._key, request, self._attempt))

    async def close(self) -> None:
        """Nothing to close."""


def _taken(journal: Journal, file: int, result: Result) -> Answer:
    """Take a reply into account that a worker has written down.

    Raises
    ------
    CallError
        If there was none.
    StoreError
        If the worker cannot go on.
    """
    match result:
        case Done(line=line, start=start, length=length):
            if journal.number(line.key) is None:
                journal.adopt(file, start, length, line)
            return _answer(journal, line.key)
        case Failed():
            raise CallError(
                result.kind,
                retry=result.retry,
                after=result.after,
                overload=result.overload,
                busy=result.busy,
                unusable=result.unusable,
                detail=result.detail,
            )
        case Trouble(code=code, message=message):
            raise StoreError(code, message)


def _answer(journal: Journal, key: str) -> Answer:
    line = journal.read(key)
    end: Literal["ok", "blocked"] = "blocked" if line.end == "blocked" else "ok"
    return Answer(line.reply, end, line.tokens_in, line.tokens_out, line.guard, line.cut)


def hire(plan: Plan) -> Sequence[Member]:
    """Give workers that are not started yet."""
    make: Callable[[], Member] = _RayMember if plan.kind == "ray" else _ProcessMember
    return [make() for _number in range(plan.workers)]


# ---- processes of this machine

_encode = msgspec.json.Encoder().encode
_decode_results = msgspec.json.Decoder(list[Result]).decode


class _ProcessMember:
    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[Result]] = {}
        self._batch: list[Work] = []
        self._lost = False

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self, hello: Hello) -> None:
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "shinrai.check.shards")
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**26)
        self._send(_encode(hello))
        try:
            first = await self._message()
        except asyncio.IncompleteReadError as error:
            raise _not_started() from error
        if first:
            _raise_trouble(first[0])
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


def _raise_trouble(result: Result) -> None:
    if isinstance(result, Trouble):
        raise TargetError(result.code, result.message)


def _not_started() -> TargetError:
    return TargetError("target.worker-gone", _("a worker ended before it was ready"))


# ---- a Ray cluster


class _RayMember:
    """An actor. Where no cluster is given by ``RAY_ADDRESS``, one is started on this machine, on 127.0.0.1 alone."""

    def __init__(self) -> None:
        self._actor: Any = None
        self.pid = 0

    async def start(self, hello: Hello) -> None:
        ray = _ray()
        remote = ray.remote(_Actor).options(max_restarts=0, max_task_retries=0, max_concurrency=1000, num_cpus=0)
        self._actor = remote.remote(msgspec.json.encode(hello))
        try:
            trouble, self.pid = await self._actor.open.remote()
        except ray.exceptions.RayActorError as error:
            raise _not_started() from error
        if trouble:
            _raise_trouble(msgspec.json.decode(trouble, type=Result))

    async def ask(self, work: Work) -> Result:
        ray = _ray()
        try:
            found = await self._actor.ask.remote(_encode(work))
        except ray.exceptions.RayActorError as error:
            raise MemberLostError from error
        result: Result = msgspec.json.decode(found, type=Result)
        return result

    async def stop(self) -> None:
        if self._actor is not None:
            _ray().kill(self._actor)
            self._actor = None


class _Actor:
    """Runs in a worker of the cluster. Messages are JSON, so that nothing is unpickled there but this class."""

    def __init__(self, hello: bytes) -> None:
        self._shard = Shard(msgspec.json.decode(hello, type=Hello))

    async def open(self) -> tuple[bytes, int]:
        try:
            await self._shard.open()
        except TargetError as error:
            return _encode(Trouble(error.code, error.message)), os.getpid()
        return b"", os.getpid()

    async def ask(self, work: bytes) -> bytes:
        return _encode(await self._shard.ask(msgspec.json.decode(work, type=Work)))


def _ray() -> Any:  # noqa: ANN401 - a module that is there only with the extra
    """Import Ray, and start it where it has not been: no figures sent out, no dashboard, no port outside.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if "RAY_ADDRESS" not in os.environ:
        # Ray's own switch for "this machine only", under the name of the systems where that is the default: all of
        # its servers listen on the loopback address. An address given to ray.init is turned into an outside one.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray  # noqa: PLC0415 - seconds, for a run that is spread over a cluster
    except ImportError as error:
        raise UsageError(
            "check.no-ray", _("Ray is not installed"), hint=_("install it with: pip install 'shinrai[ray]'")
        ) from error
    if not ray.is_initialized():
        if "RAY_ADDRESS" in os.environ:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return ray
