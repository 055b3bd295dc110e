"""Several workers as one target: calls are dealt out, replies are written down by the worker that got them.

What decides is in one place: order, tests, patience, budget and the number of calls in flight stay with the engine, so
that a verdict is the same with any number of workers. A worker makes one attempt when it is told to, and writes a
reply into its own journal before it tells of it. When a worker is gone, its journal is read for what it wrote and did
not tell; only what is not in there is asked again, by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from shinrai.check.journal import Journal
from shinrai.check.members import Member, MemberLostError, ProcessMember
from shinrai.check.ray_members import RayMember
from shinrai.check.shards import Done, Failed, Hello, Result, Trouble, Work
from shinrai.check.targets.protocol import Answer, CallError, Request, Target
from shinrai.errors import StoreError, UsageError
from shinrai.i18n import _
from shinrai.records import Embedded, System

__all__ = ["Crew", "Plan", "read_plan"]


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
    make: Callable[[], Member] = RayMember if plan.kind == "ray" else ProcessMember
    return [make() for _number in range(plan.workers)]
