"""A language model inside this process: llama.cpp's own server on 127.0.0.1, asked like any other endpoint.

Small weights are served by several servers with one thread and one conversation each, one for each core. Measured with
the 135M model on two cores that others use too (48 tokens a reply, seconds a call, three rounds): two servers with one
thread 0.55–0.72, one server with two threads 0.60–2.05 (its threads wait for each other without sleeping), one server
with one thread 0.85–1.07. Each server keeps the system prompt that it has read, and no reply depends on what else is
being answered at the same time.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from pathlib import Path
from typing import Any

from shinrai.check.targets.endpoint import ChatClient
from shinrai.check.targets.protocol import Answer, ChatRequest, Limits
from shinrai.check.targets.worker import Worker
from shinrai.errors import TargetError
from shinrai.i18n import _
from shinrai.records import Embedded

__all__ = ["EmbeddedTarget", "weights_path"]

_SILENT = -1
_SMALL = 500_000_000  # bytes of weights that may be loaded more than once
_MOST_SERVERS = 4


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
        self.limits = Limits(start=1, cap=1, timeout=component.timeout)
        self._servers: list[Any] = []
        self._clients: list[ChatClient] = []
        self._free: asyncio.Queue[ChatClient] = asyncio.Queue()

    async def open(self) -> None:
        """Load the weights and start the servers.

        Raises
        ------
        TargetError
            If the library, the package or the weights are not there, or do not load.
        """
        path = weights_path(self._component, self._root)
        cores = os.cpu_count() or 1
        servers, threads = (min(cores, _MOST_SERVERS), 1) if path.stat().st_size <= _SMALL else (1, cores)
        self.limits = Limits(start=servers, cap=servers, timeout=self._component.timeout)
        worker = Worker("weights")
        try:
            for _number in range(servers):
                self._servers.append(await worker.call(_start, path, self._component.context, threads))
        finally:
            worker.stop()
        for server in self._servers:
            client = ChatClient(
                f"{server.listening_address}/v1",
                self._component.id,
                self._component.generation,
                instructions=self._instructions,
                limits=self.limits,
            )
            self._clients.append(client)
            self._free.put_nowait(client)

    async def ask(self, request: ChatRequest) -> Answer:
        """Make one attempt; see `ChatClient.ask`.

        Raises
        ------
        RuntimeError
            If it was not opened.
        """
        if not self._clients:
            raise RuntimeError("the target is not open")
        client = await self._free.get()
        try:
            return await client.ask(request)
        finally:
            self._free.put_nowait(client)

    async def close(self) -> None:
        """Stop the servers and free the weights."""
        clients, self._clients, self._free = self._clients, [], asyncio.Queue()
        for client in clients:
            await client.close()
        self._servers.clear()  # a server stops when nobody holds it


def _start(path: Path, context: int, threads: int) -> Any:  # noqa: ANN401 - the library carries no types
    try:
        import xllamacpp  # noqa: PLC0415 - heavy, and an extra: needed for embedded models only
    except ModuleNotFoundError as error:
        raise TargetError(
            "target.no-library",
            _("the package xllamacpp, which runs embedded models, is not installed"),
            hint=_("install shinrai with the extra `demo`"),
        ) from error
    except ImportError as error:
        raise TargetError(
            "target.library-broken",
            _("the package xllamacpp, which runs embedded models, cannot be loaded: {reason}").format(reason=error),
            hint=_("install the system library that it names; libgomp.so.1 is Debian's package libgomp1"),
        ) from error
    parameters = xllamacpp.CommonParams()
    parameters.verbosity = _SILENT  # set before anything loads: otherwise about 100 lines on standard error
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = threads
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        raise TargetError(
            "target.weights-not-loaded",
            _("the weights {file} could not be loaded: {message}").format(file=path.name, message=error),
        ) from error
