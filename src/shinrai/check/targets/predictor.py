"""A Python file that predicts: asked in batches, in a thread of its own, within a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from shinrai.check.targets.components import load_component, resolve_parameters
from shinrai.check.targets.protocol import Answer, CallError, Limits
from shinrai.check.targets.secrets import mask
from shinrai.check.targets.worker import Worker
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Json, Predictor

__all__ = ["BATCH", "PredictorTarget", "answer_of"]

BATCH = 256
"""Records handed over at once, at most."""

Records: TypeAlias = Sequence[dict[str, Any]]
Predict: TypeAlias = Callable[[Records], Sequence[dict[str, Any]]]


class PredictorTarget:
    """The component ``predictor`` as a target.

    What is asked within one turn of the event loop is one batch. When a batch raises, its records are asked again one
    by one, so that one record that the predictor cannot take does not cost the others their answers.

    Parameters
    ----------
    component : Predictor
    root : Path
        The workspace.
    secrets : sequence of str
        The system's planted strings, for parameters that ask for them.
    """

    def __init__(self, component: Predictor, root: Path, secrets: Sequence[str] = ()) -> None:
        self._component = component
        self._root = root
        self._secrets = secrets
        self.limits = Limits(start=BATCH, cap=BATCH, timeout=component.timeout)
        self._worker: Worker | None = None
        self._predict: Predict | None = None
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[Answer]]] = []
        self._batches: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Run the file and call its ``load``.

        Raises
        ------
        TargetError
            If that fails or takes longer than the time limit of a batch.
        """
        component = self._component
        parameters = resolve_parameters(component.parameters, self._root, self._secrets)
        self._worker = Worker(component.id)

        def load() -> Predict:
            loaded: Predict = load_component(self._root / component.path, parameters, shown_as=component.path)
            return loaded

        try:
            self._predict = await self._worker.call(load, timeout=component.timeout)
        except TimeoutError as error:
            raise TargetError(
                "target.component-hangs",
                _("{file} was not loaded within {seconds} seconds").format(
                    file=component.path, seconds=component.timeout
                ),
            ) from error

    async def ask(self, request: dict[str, Any]) -> Answer:
        """Predict one record, together with the others that are asked now.

        Raises
        ------
        CallError
            With the name of the exception that the predictor raised; ``timeout`` when a batch took too long (the
            predictor is unusable then); ``malformed`` when it gave no dict of JSON values for the record.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._hand_over)
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, future))
        return await future

    def _hand_over(self) -> None:
        waiting, self._waiting = self._waiting, []
        batch = [(record, future) for record, future in waiting if not future.done()]
        if batch:
            task = asyncio.get_running_loop().create_task(self._answer(batch))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    async def _answer(self, batch: list[tuple[dict[str, Any], asyncio.Future[Answer]]]) -> None:
        results = await self._results([record for record, _future in batch])
        for (_record, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, CallError):
                future.set_exception(result)
            else:
                future.set_result(result)

    async def _results(self, records: Records) -> list[Answer | CallError]:
        try:
            return await self._predicted(records)
        except CallError as failure:
            if len(records) == 1 or failure.unusable:
                return [failure] * len(records)
        return [result for record in records for result in await self._results([record])]

    async def _predicted(self, records: Records) -> list[Answer | CallError]:
        if self._worker is None or self._predict is None:
            raise RuntimeError("the target is not open")
        try:
            outputs = await self._worker.call(self._predict, records, timeout=self.limits.timeout)
        except TimeoutError as error:
            raise CallError("timeout", unusable=self._worker.hangs) from error
        except Exception as error:
            raise CallError(type(error).__name__, detail=mask(str(error))[:500]) from error
        if not isinstance(outputs, Sequence) or len(outputs) != len(records):
            raise CallError("malformed", detail="not one output for each record")
        return [answer_of(output) for output in outputs]

    async def close(self) -> None:
        """Let the thread end."""
        for task in list(self._batches):
            task.cancel()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def answer_of(output: object) -> Answer | CallError:
    """Give a prediction as an answer; an error where it is no dict of JSON values."""
    if not isinstance(output, Mapping):
        return CallError("malformed", detail="the output is not a dict")
    try:
        # Through JSON and back: what is scored is exactly what the journal holds.
        return Answer(msgspec.json.decode(msgspec.json.encode(dict(output), enc_hook=_plain)))
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        return CallError("malformed", detail=str(error)[:500])


def _plain(value: Any) -> Json:  # noqa: ANN401 - whatever a predictor puts into its output
    """Turn a NumPy scalar into the Python number it stands for.

    Raises
    ------
    TypeError
        For anything else.
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON value")
