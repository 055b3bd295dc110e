"""A task of Inspect as a trial source: its samples are run as the engine wants them, in the committed order.

The task is other people's code, and runs in a process of its own (`inspect_worker`). There Inspect is given all samples
that can be wanted, in the committed order, and an early-stopping manager that lets a sample through when the engine
asks for it, and ends it unseen when no claim needs it any more. A sample that has finished comes back whole; the row
that a log of Inspect would give is its reply. The log itself stays beside the run.

What is missing is missing: a sample that broke down, that ran into a limit, or that Inspect did not finish, is a call
that ended in an error.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.check.choosing import plan_first
from shinrai.check.journal import Journal
from shinrai.check.sources import Wanted
from shinrai.check.targets.protocol import Answer, CallError, Limits, Request
from shinrai.check.targets.secrets import mask, read_key
from shinrai.check.targets.stack import system_prompt
from shinrai.check.trials import asks_for
from shinrai.errors import TargetError, UsageError
from shinrai.i18n import _
from shinrai.records import Commitment, CommittedData, Endpoint, InspectTask, digest_bytes, rank
from shinrai.source.inspect_samples import LIMIT, Sample, decode, row_of
from shinrai.workspace import AllowedHosts
from shinrai.workspace.inspect_tasks import TaskTold, require_inspect, require_told, rows_of_samples

__all__ = ["KEY", "Begin", "InspectTarget", "Wish"]

KEY: Final = "SHINRAI_API_KEY"
"""Environment variable by which the worker is given the key of the endpoint, which it takes out again."""

_LONGEST_LINE: Final = 2**28
_LEAVING_SECONDS: Final = 60.0
"""How long the worker may take to end its log when nothing is wanted any more."""


class Begin(msgspec.Struct, frozen=True):
    """What the worker is told when a run begins; `samples` in the order in which they can be wanted."""

    log_dir: str
    samples: list[str]
    epochs: int
    model: str
    base_url: str
    config: dict[str, Any]


class Wish(msgspec.Struct, frozen=True):
    """A sample that is wanted now."""

    sample: str
    epoch: int


class _Told(msgspec.Struct):
    """What the worker tells while a run goes on: a sample that has finished, or that it has ended and why."""

    sample: str | None = None
    ended: str | None = None


_encode = msgspec.json.Encoder().encode


class InspectTarget:
    """A task of Inspect, put to the system under test.

    Parameters
    ----------
    wanted : Wanted
        Its promises name one task.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._component = _endpoint(wanted)
        self.limits = Limits(start=4, cap=16, timeout=self._component.timeout)
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[tuple[str, int], asyncio.Future[Sample]] = {}
        self._ended: CallError | None = None
        self._env: dict[str, str] = {}
        self._console = tempfile.TemporaryFile()  # noqa: SIM115 - what Inspect prints; it ends with the target

    async def open(self) -> None:
        """Load the task, and make sure that it is the one that was promised. No sample is run.

        Raises
        ------
        TargetError
            If the workspace does not allow the host, there is no key, Inspect is not installed, or the task fails.
        UsageError
            If the task is another one than was promised: plan first.
        """
        component = self._component
        if not AllowedHosts(self._wanted.allowed_hosts).allows(component):
            raise TargetError(
                "target.host-not-allowed",
                _("the host {host} is not among the `allowed_hosts` of shinrai.yaml").format(host=component.host),
            )
        self._env = {name: value for name, value in os.environ.items() if name != component.key_env}
        self._env |= {KEY: read_key(component) or "none", "INSPECT_DISPLAY": "none"}
        await self._start()

    async def _start(self) -> None:
        """Start the worker, and hold what it tells of the task against what was promised.

        Raises
        ------
        TargetError
            If the task cannot be loaded.
        UsageError
            If it is another one.
        """  # noqa: DOC501 - plan_first makes one
        data, use = _data(self._wanted.commitments[0])
        try:
            require_inspect()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "shinrai.check.sources.inspect_worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=self._console,
                cwd=self._wanted.root,
                env=self._env,
                limit=_LONGEST_LINE,
            )
            self._process = process
            self._send(use.to_json())
            told = await self._told_of_task(process)
            require_told(use, told)
        except UsageError as error:
            raise TargetError("target.task-fails", error.message, hint=error.hint) from error
        task = data.task
        if task is None or told.inspect != task.inspect or digest_bytes(rows_of_samples(told)) != data.digest:
            await self.end()
            raise plan_first(_("the task {name} has changed since the plan").format(name=use.task))

    async def _told_of_task(self, process: Process) -> TaskTold:
        line = await process.stdout.readline() if process.stdout else b""
        try:
            return msgspec.json.decode(line, type=TaskTold)
        except msgspec.DecodeError as error:
            await self.end()
            raise TargetError(
                "target.task-fails", _("the process that runs Inspect has ended: {said}").format(said=self._said())
            ) from error

    def _said(self) -> str:
        """Give the end of what Inspect printed."""
        self._console.seek(max(0, self._console.seek(0, os.SEEK_END) - 500))
        return mask(self._console.read().decode("utf-8", "replace"))

    async def begin(self, journal: Journal, directory: Path) -> None:
        """Let Inspect get ready for all samples that can be wanted and have not finished.

        Raises
        ------
        TargetError
            If the worker of an earlier run is gone and no new one starts.
        """
        if self._process is None:
            await self._start()
        self._ended = None
        logs = _folder_for_logs(directory)
        self._send(
            Begin(
                log_dir=str(logs),
                samples=self._samples(journal),
                epochs=max(_epochs(one) for one in self._wanted.commitments),
                model=self._component.model,
                base_url=self._component.url,
                config=self._config(),
            )
        )
        self._reader = asyncio.ensure_future(self._read())

    def _samples(self, journal: Journal) -> list[str]:
        """Give the samples of which an epoch has not finished, in the committed order."""
        open_ones: dict[str, str] = {}
        for commitment in self._wanted.commitments:
            asks = asks_for("sample", commitment.variants)
            for placed in commitment.draw(self._wanted.items(commitment))[: commitment.budget]:
                if any(journal.number(ask.key) is None for ask in asks(placed.item)):
                    open_ones[placed.item.id] = rank(commitment.order_seed, placed.item.id)
        return sorted(open_ones, key=open_ones.__getitem__)

    def _config(self) -> dict[str, Any]:
        """Give how Inspect is to ask: as the system's version says, whatever the task says."""
        config = self._component.generation.to_json()
        prompt = system_prompt(self._wanted.system)
        return {
            **config,
            **({} if prompt is None else {"system_message": prompt}),
            "max_connections": self.limits.cap,
            "max_retries": 4,
            "attempt_timeout": max(1, round(self._component.timeout)),
        }

    async def ask(self, request: Request) -> Answer:
        """Have one sample run, in one epoch.

        Parameters
        ----------
        request : dict
            ``sample`` and ``epoch``.

        Returns
        -------
        Answer
            Its reply is the row of the sample, with its scores.

        Raises
        ------
        CallError
            If the sample broke down or ran into a limit, or Inspect has ended.
        """
        if self._ended is not None:
            raise self._ended
        name = str(request["sample"]), int(request["epoch"])
        found: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        self._waiting[name] = found
        try:
            self._send(Wish(*name))
            return _answer(await found, f"{name[0]}#{name[1]}")
        finally:
            self._waiting.pop(name, None)

    async def _read(self) -> None:
        """Take what the worker tells, until it ends."""
        reason = ""
        stream = self._process.stdout if self._process else None
        while stream is not None and (line := await stream.readline()):
            told = msgspec.json.decode(line, type=_Told)
            if told.sample is not None:
                self._finished(told.sample)
            reason = told.ended or reason
        self._ended = CallError("inspect-ended", unusable=True, detail=mask(reason)[:500])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(self._ended)

    def _finished(self, text: str) -> None:
        sample = decode(mask(text).encode("utf-8", "replace"), Sample)
        waiting = self._waiting.get((str(sample.id), sample.epoch))
        if waiting is not None and not waiting.done():
            waiting.set_result(sample)

    def _send(self, message: object) -> None:
        if self._process is not None:
            self._send_to(self._process, message)

    @staticmethod
    def _send_to(process: Process, message: object) -> None:
        if process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(_encode(message) + b"\n")

    async def end(self) -> None:
        """Tell the worker that nothing is wanted any more, and wait until its log is complete."""
        process, self._process = self._process, None
        if process is None:
            return
        self._send_to(process, None)
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_LEAVING_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    async def close(self) -> None:
        """End the worker, if there is one."""
        await self.end()
        self._console.close()


def _folder_for_logs(directory: Path) -> Path:
    """Make the folder, and give it by its whole path: the worker runs in another one."""
    logs = directory.resolve() / "inspect"
    logs.mkdir(parents=True, exist_ok=True)
    return logs


def _endpoint(wanted: Wanted) -> Endpoint:
    model = wanted.system.model
    if not isinstance(model, Endpoint):
        raise UsageError("check.no-endpoint", _("{system} has no endpoint for Inspect").format(system=wanted.system.id))
    return model


def _data(commitment: Commitment) -> tuple[CommittedData, InspectTask]:
    data = commitment.data
    if data is None or data.use.inspect is None:
        raise UsageError("check.no-data", _("{claim} names no data").format(claim=commitment.claim))
    return data, data.use.inspect


def _epochs(commitment: Commitment) -> int:
    return getattr(commitment.variants, "times", 1)


def _answer(sample: Sample, row_id: str) -> Answer:
    """Turn a finished sample into the reply of a call.

    Raises
    ------
    CallError
        If it broke down, or ran into a limit: what it would have come to is not known.
    """
    used = sample.model_usage.values()
    tokens = sum(one.input_tokens for one in used), sum(one.output_tokens for one in used)
    row = row_of(sample, row_id=row_id, file="inspect")
    if row.end == "error":
        error = row.error or ""
        raise CallError(error if error.startswith(LIMIT) else "sample-error", detail=error[:500])
    if row.end == "blocked":
        return Answer(None, "blocked", *tokens)
    return Answer(row.kept(), "ok", *tokens)
