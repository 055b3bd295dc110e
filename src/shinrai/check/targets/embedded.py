"""A language model inside this process: llama.cpp's own server on 127.0.0.1, asked like any other endpoint.

Measured on two shared cores with the 135M model: generation is bound by memory, so more slots give hardly more tokens
a second; two threads are slower than one as soon as anything else runs, because llama.cpp's threads wait for each
other without sleeping. Hence one thread for each pair of cores, and two slots, which share the cores between reading
one prompt and writing another.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from shinrai.check.targets.endpoint import ChatClient
from shinrai.check.targets.protocol import Answer, Limits
from shinrai.check.targets.worker import Worker
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Embedded

__all__ = ["EmbeddedTarget", "weights_path"]

SLOTS = 2
_SILENT = -1


def weights_path(component: Embedded, root: Path) -> Path:
    """Find the weights; a package is located without importing it.

    Raises
    ------
    TargetError
        If the package or the file is not there.
    """
    folder = root
    if component.package is not None:
        spec = importlib.util.find_spec(component.package)
        if spec is None or not spec.submodule_search_locations:
            raise TargetError(
                "target.no-package",
                _("the package {package}, which carries the weights, is not installed").format(
                    package=component.package
                ),
                hint=_("`make demo` installs it"),
            )
        folder = Path(next(iter(spec.submodule_search_locations)))
    path = folder / component.file
    if not path.is_file():
        raise TargetError("target.no-weights", _("there are no weights at {file}").format(file=component.file))
    return path


class EmbeddedTarget:
    """The component ``embedded`` as a target.

    Parameters
    ----------
    component : Embedded
    root : Path
        The workspace.
    instructions : str, optional
        The system prompt.
    """

    def __init__(self, component: Embedded, root: Path, instructions: str | None = None) -> None:
        self._component = component
        self._root = root
        self._instructions = instructions
        self.limits = Limits(start=SLOTS, cap=SLOTS, timeout=component.timeout)
        self._worker: Worker | None = None
        self._server: Any = None
        self._client: ChatClient | None = None

    async def open(self) -> None:
        """Load the weights and start the server.

        Raises
        ------
        TargetError
            If the library, the package or the weights are not there, or do not load.
        """
        path = weights_path(self._component, self._root)
        self._worker = Worker("weights")
        self._server = await self._worker.call(_start, path, self._component.context)
        self._client = ChatClient(
            f"{self._server.listening_address}/v1",
            self._component.id,
            self._component.generation,
            instructions=self._instructions,
            limits=self.limits,
        )

    async def ask(self, request: str) -> Answer:
        """Make one attempt; see `ChatClient.ask`.

        Raises
        ------
        RuntimeError
            If it was not opened.
        """
        if self._client is None:
            raise RuntimeError("the target is not open")
        return await self._client.ask(request)

    async def close(self) -> None:
        """Stop the server and free the weights."""
        if self._client is not None:
            await self._client.close()
            self._client = None
        if self._worker is not None:
            self._server = None  # the server stops when nobody holds it
            self._worker.stop()
            self._worker = None


def _start(path: Path, context: int) -> Any:  # noqa: ANN401 - the library carries no types
    try:
        import xllamacpp  # noqa: PLC0415 - heavy, and an extra: needed for embedded models only
    except ImportError as error:
        raise TargetError(
            "target.no-library",
            _("the package xllamacpp, which runs embedded models, is not installed"),
            hint=_("install shinrai with the extra `demo`"),
        ) from error
    parameters = xllamacpp.CommonParams()
    parameters.verbosity = _SILENT  # set before anything loads: otherwise about 100 lines on standard error
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.model.path = str(path)
    parameters.n_ctx = context * SLOTS
    parameters.n_parallel = SLOTS
    parameters.cpuparams.n_threads = max(1, (os.cpu_count() or 1) // 2)
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        raise TargetError(
            "target.weights-not-loaded",
            _("the weights {file} could not be loaded: {message}").format(file=path.name, message=error),
        ) from error
