"""The process in which Inspect runs a task: ``python -m shinrai.check.sources.inspect_worker``.

Standard input: the task; then, when the run begins, `Begin`; then a `Wish` for each sample that is wanted. Standard
output: what the task is; then each sample that has finished, and at last why the run has ended. All are lines of JSON.
After `null` nothing is wanted any more: samples that wait are stopped, those on their way may end within some seconds,
and Inspect completes its log. When standard input ends without it, whoever started this is gone: samples are stopped at
once, for another one may have gone on with the run, and this ends when Inspect has cleared its sandboxes away.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from inspect_ai import Epochs, eval_async, task_with
from inspect_ai.dataset import MemoryDataset
from inspect_ai.hooks import Hooks, SampleEnd, hooks
from inspect_ai.model import get_model
from inspect_ai.util import EarlyStop

from shinrai.check.sources import leaving_evidence
from shinrai.check.sources.inspect import KEY, Begin, Wish
from shinrai.records import InspectTask
from shinrai.workspace.inspect_loading import Loaded, load, output
from shinrai.workspace.inspect_tasks import TaskTold

GRACE_SECONDS: Final = 5.0
"""How long samples on their way may still end when nothing is wanted any more."""

CLEARING_SECONDS: Final = 30.0
"""How long clearing up may take when whoever started this is gone."""

_NOT_NEEDED: Final = {"messages", "events", "store", "timelines", "uuid"}


class Gate:
    """The early-stopping manager of Inspect: a sample passes when it is wanted, and is stopped when it is not."""

    def __init__(self) -> None:
        self._wanted: set[tuple[str, int]] = set()
        self._over = False
        self._moved: dict[tuple[str, int], asyncio.Event] = {}

    def want(self, sample: str, epoch: int) -> None:
        """Let a sample through, now or when Inspect comes to it."""
        self._wanted.add((sample, epoch))
        self._event(sample, epoch).set()

    def stop(self) -> None:
        """Stop all samples that have not been let through."""
        self._over = True
        for event in self._moved.values():
            event.set()

    def _event(self, sample: str, epoch: int) -> asyncio.Event:
        return self._moved.setdefault((sample, epoch), asyncio.Event())

    async def start_task(self, task: object, samples: list[Any], epochs: int) -> str:  # noqa: ARG002 - a protocol of Inspect
        """Name the manager in the log."""
        return "shinrai"

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:  # noqa: A002 - as above
        """Hold a sample until it is wanted, or is no more."""
        if not self._over:
            await self._event(str(id), epoch).wait()
        if (str(id), epoch) in self._wanted:
            return None
        return EarlyStop(id=id, epoch=epoch, reason="no claim needs it")

    async def complete_sample(self, id: str | int, epoch: int, scores: dict[str, Any]) -> None:  # noqa: A002 - as above
        """Do nothing: finished samples are told by the hook, whole."""

    async def complete_task(self) -> dict[str, Any]:
        """Note in the log how many samples were wanted."""
        return {"wanted": len(self._wanted)}


def _listen_to_samples(channel: BinaryIO) -> None:
    """Tell of each sample as soon as it is in Inspect's log."""

    class Told(Hooks):  # type: ignore[misc,unused-ignore]  # an extra that type checking does not look into
        async def on_sample_end(self, data: SampleEnd) -> None:
            _tell(channel, {"sample": data.sample.model_dump_json(exclude=_NOT_NEEDED)})

    hooks(name="shinrai", description="Tells of finished samples")(Told)


def _tell(channel: BinaryIO, message: object) -> None:
    channel.write(msgspec.json.encode(message) + b"\n")
    channel.flush()


async def _run(loaded: Loaded, begin: Begin, gate: Gate) -> str:
    """Run the task, and say how it ended."""
    samples = [loaded.samples[name] for name in begin.samples]
    model = get_model(f"openai-api/shinrai/{begin.model}", base_url=begin.base_url)
    os.environ.pop(KEY, None)  # tools and sandboxes inherit the environment
    task = task_with(
        loaded.task,
        dataset=MemoryDataset(samples, name=loaded.task.dataset.name),
        epochs=Epochs(begin.epochs),
        early_stopping=gate,
    )
    with leaving_evidence(Path(begin.log_dir)):
        logs = await eval_async(
            task,
            model=model,
            log_dir=begin.log_dir,
            log_format="eval",
            max_samples=len(samples) * begin.epochs,  # the gate alone decides how many run at once
            fail_on_error=False,
            log_realtime=False,
            log_buffer=1,
            score_display=False,
            acp_server=False,
            ctl_server=False,
            **begin.config,
        )
    return "; ".join(f"{log.status}: {log.error.message}" for log in logs if log.error is not None)


async def _hear(reader: asyncio.StreamReader, gate: Gate) -> None:
    """Pass wishes on until there are no more, or whoever has them is gone."""
    while line := await reader.readline():
        wish = msgspec.json.decode(line, type=Wish | None)
        if wish is None:
            gate.stop()
            await asyncio.sleep(GRACE_SECONDS)
            return
        gate.want(wish.sample, wish.epoch)
    limit = threading.Timer(CLEARING_SECONDS, os._exit, (1,))
    limit.daemon = True
    limit.start()


async def _main() -> None:
    channel = output()
    reader = asyncio.StreamReader(limit=2**28)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    loaded = load(InspectTask.model_validate_json(await reader.readline()))
    _tell(channel, msgspec.convert(loaded.told, TaskTold))
    line = await reader.readline()
    begin = msgspec.json.decode(line, type=Begin | None) if line else None
    if begin is None or not begin.samples or loaded.task is None:
        return
    gate = Gate()
    _listen_to_samples(channel)
    running = asyncio.ensure_future(_run(loaded, begin, gate))
    hearing = asyncio.ensure_future(_hear(reader, gate))
    await asyncio.wait({running, hearing}, return_when=asyncio.FIRST_COMPLETED)
    ended = "stopped"
    for task in (hearing, running):
        task.cancel()
    try:
        ended = await running
    except asyncio.CancelledError:
        pass
    except Exception as error:  # noqa: BLE001 - whatever Inspect raises: it is told, and no trial comes from it
        ended = f"{type(error).__name__}: {error}"
    with suppress(BrokenPipeError):  # nobody is there any more
        _tell(channel, {"ended": ended[:500]})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it, who then ends this
    asyncio.run(_main())
