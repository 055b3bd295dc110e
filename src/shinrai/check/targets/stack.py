"""A system as it stands: guards in front, instructions, and the model behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from shinrai.check.targets.components import load_component, resolve_parameters
from shinrai.check.targets.embedded import EmbeddedTarget
from shinrai.check.targets.endpoint import EndpointTarget
from shinrai.check.targets.plugin import PluginTarget
from shinrai.check.targets.predictor import PredictorTarget
from shinrai.check.targets.protocol import Answer, CallError, ChatRequest, Limits, Target
from shinrai.check.targets.secrets import mask
from shinrai.check.targets.worker import Worker
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Embedded, Endpoint, Guard, Instructions, PluginModel, System
from shinrai.workspace import AllowedHosts

__all__ = ["GuardedTarget", "system_prompt", "target_of"]


def system_prompt(system: System) -> str | None:
    """Give the texts of all instructions of a system, joined by an empty line; None where it has none."""
    texts = [part.text for part in system.stack if isinstance(part, Instructions)]
    return "\n\n".join(texts) if texts else None


def target_of(system: System, root: Path, allowed_hosts: Collection[str] = ()) -> Target:
    """Build the target of a system. Nothing is opened.

    Parameters
    ----------
    system : System
        The texts of all its instructions, joined by an empty line, are the system prompt.
    root : Path
        The workspace, which paths in the stack are relative to.
    allowed_hosts : collection of str
        Where the workspace allows systems to be asked; nowhere when left out.

    Returns
    -------
    Target
    """
    instructions = system_prompt(system)
    component = system.model
    model: Target
    if isinstance(component, Endpoint):
        model = EndpointTarget(component, instructions, hosts=AllowedHosts(allowed_hosts))
    elif isinstance(component, Embedded):
        model = EmbeddedTarget(component, root, instructions)
    elif isinstance(component, PluginModel):
        model = PluginTarget(component, root, instructions, predicts=system.kind == "predictor")
    else:
        return PredictorTarget(component, root, system.secrets)
    guards = [part for part in system.stack if isinstance(part, Guard)]
    return GuardedTarget(model, guards, root, system.secrets) if guards else model


_Result = TypeVar("_Result")


class _Loaded(NamedTuple):
    id: str
    guard: Any


class GuardedTarget:
    """Guards around a model, like the skins of an onion.

    A text passes the guards' ``before`` from the outside in. The first that returns a reply answers instead of what
    lies behind it. The reply passes the ``after`` of the guards it comes out through. The guard that last changed the
    reply is named in the answer.

    Parameters
    ----------
    model : Target
    guards : sequence of Guard
        From the outside in.
    root : Path
    secrets : sequence of str
    """

    def __init__(self, model: Target, guards: Sequence[Guard], root: Path, secrets: Sequence[str]) -> None:
        self._model = model
        self._components = guards
        self._root = root
        self._secrets = secrets
        self._guards: list[_Loaded] = []
        self._worker: Worker | None = None

    @property
    def limits(self) -> Limits:
        """Those of the model; its time limit also holds for each guard."""
        return self._model.limits

    async def open(self) -> None:
        """Load the guards, then open the model.

        Raises
        ------
        TargetError
            If either fails.
        """
        self._worker = Worker("guards")
        for component in self._components:
            parameters = resolve_parameters(component.parameters, self._root, self._secrets)
            try:
                guard = await self._worker.call(
                    lambda component=component, parameters=parameters: load_component(
                        self._root / component.path, parameters, shown_as=component.path
                    ),
                    timeout=self.limits.timeout,
                )
            except TimeoutError as error:
                raise TargetError(
                    "target.component-hangs",
                    _("{file} was not loaded within {seconds} seconds").format(
                        file=component.path, seconds=self.limits.timeout
                    ),
                ) from error
            self._guards.append(_Loaded(component.id, guard))
        await self._model.open()

    async def ask(self, request: ChatRequest) -> Answer:
        """Make one attempt through all guards. Of a dialogue they see what the user says last.

        Raises
        ------
        CallError
            As the model, or ``guard-…`` with the name of the exception that a guard raised.
        """
        last = request if isinstance(request, str) else request["messages"][-1]["content"]
        depth, text = await self._in_worker(self._before, last)
        if text is None:
            answer = await self._model.ask(request)
            if answer.end != "ok":
                return answer
        else:
            answer = Answer(text, guard=self._guards[depth].id)
        reply, guard_id = await self._in_worker(self._after, depth, last, answer.reply)
        if guard_id is None:
            return answer
        return msgspec.structs.replace(answer, reply=reply, guard=guard_id)

    def _before(self, text: str) -> tuple[int, str | None]:
        for depth, loaded in enumerate(self._guards):
            reply = loaded.guard.before(text)
            if reply is not None:
                return depth, _text(reply)
        return len(self._guards), None

    def _after(self, depth: int, text: str, reply: str) -> tuple[str, str | None]:
        changed_by = None
        for loaded in reversed(self._guards[:depth]):
            new = _text(loaded.guard.after(text, reply))
            if new != reply:
                reply, changed_by = new, loaded.id
        return reply, changed_by

    async def _in_worker(self, function: Callable[..., _Result], *arguments: object) -> _Result:
        if self._worker is None:
            raise RuntimeError("the target is not open")
        try:
            return await self._worker.call(function, *arguments, timeout=self.limits.timeout)
        except TimeoutError as error:
            raise CallError("guard-timeout", unusable=True) from error
        except Exception as error:
            raise CallError(f"guard-{type(error).__name__}", detail=mask(str(error))[:500]) from error

    async def close(self) -> None:
        """Close the model and let the guards' thread end."""
        await self._model.close()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def _text(reply: object) -> str:
    if not isinstance(reply, str):
        raise TypeError(f"a guard gave a {type(reply).__name__} where a text belongs")
    # A guard runs where the key is in the environment, and may let it out, too.
    return mask(reply.encode("utf-8", "replace").decode("utf-8") if not reply.isascii() else reply)
