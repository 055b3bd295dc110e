"""Workers of a run that are actors of a Ray cluster."""

from __future__ import annotations

import logging
import os
from typing import Any

import msgspec

from shinrai.check.members import MemberLostError, not_started, raise_trouble
from shinrai.check.shards import Hello, Result, Shard, Trouble, Work
from shinrai.errors import TargetError, UsageError
from shinrai.i18n import _

__all__ = ["RayMember", "started_ray"]

_encode = msgspec.json.Encoder().encode


class RayMember:
    """An actor. Where no cluster is given by ``RAY_ADDRESS``, one is started on this machine, on 127.0.0.1 alone."""

    def __init__(self) -> None:
        self._actor: Any = None
        self.pid = 0

    async def start(self, hello: Hello) -> None:
        """See `Member.start`.

        Raises
        ------
        TargetError
            If it was gone before it began, or cannot open its target.
        """  # noqa: DOC501 - `not_started` makes the TargetError
        ray = started_ray()
        remote = ray.remote(_Actor).options(max_restarts=0, max_task_retries=0, max_concurrency=1000, num_cpus=0)
        self._actor = remote.remote(msgspec.json.encode(hello))
        try:
            trouble, self.pid = await self._actor.open.remote()
        except ray.exceptions.RayActorError as error:
            raise not_started() from error
        if trouble:
            raise_trouble(msgspec.json.decode(trouble, type=Result))

    async def ask(self, work: Work) -> Result:
        """See `Member.ask`.

        Raises
        ------
        MemberLostError
            If it is gone.
        """
        ray = started_ray()
        try:
            found = await self._actor.ask.remote(_encode(work))
        except ray.exceptions.RayActorError as error:
            raise MemberLostError from error
        result: Result = msgspec.json.decode(found, type=Result)
        return result

    async def stop(self) -> None:
        """See `Member.stop`."""
        if self._actor is not None:
            started_ray().kill(self._actor)
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


def started_ray() -> Any:  # noqa: ANN401 - a module that is there only with the extra
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
