"""Trial sources: what makes the trials of a run. One module each, which is imported where a promise names it.

By itself, a system is asked item by item (`shinrai.check.targets`). Another source stands where the target stands: the
engine wants trials in the committed order, journals what comes back before it counts, and stops. A source gives one
reply for each request, in whatever way it makes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from shinrai.check.journal import Journal
from shinrai.check.patience import Patience
from shinrai.check.targets.protocol import Target
from shinrai.records import Commitment, Item, System

__all__ = ["OfARun", "Wanted", "evidence_of", "leaving_evidence", "source_of", "target_from"]

_SOURCES: Final = {"inspect": ("inspect", "InspectTarget"), "plugin": ("plugin", "PluginSource")}


class Wanted(NamedTuple):
    """What a source is built for.

    Parameters
    ----------
    system : System
        The system under test.
    root : Path
        Of the workspace.
    allowed_hosts : collection of str
        Where the workspace allows systems to be asked.
    commitments : sequence of Commitment
        The promises that it makes trials for. All of them name the same source.
    items : callable
        Gives the items of a promise.
    patience : Patience
        How failed attempts are tried again.
    """

    system: System
    root: Path
    allowed_hosts: Collection[str]
    commitments: Sequence[Commitment]
    items: Callable[[Commitment], Sequence[Item]]
    patience: Patience


@runtime_checkable
class OfARun(Protocol):
    """A target that has to know which run it works for."""

    async def begin(self, journal: Journal, directory: Path) -> None:
        """Get ready for a run, of which the journal holds what has finished."""

    async def end(self) -> None:
        """Let go of the run. What it has left in the run's directory is complete then."""


def source_of(commitment: Commitment) -> str:
    """Name the source of a promise's trials; empty where the system itself is asked, item by item.

    Promises of one source share a run, and so their trials.
    """
    data = commitment.data
    if data is None:
        return ""
    if data.use.inspect is not None:
        return f"inspect {data.digest} {data.use.inspect.content_digest}"
    if data.use.source is not None and data.source is not None:
        return f"plugin {data.digest} {data.use.source.content_digest} {data.source.content_digest}"
    return ""


def target_from(source: str, wanted: Wanted) -> Target:
    """Build what stands for the target. Nothing is opened.

    Parameters
    ----------
    source : str
        As `source_of` names it.
    wanted : Wanted
        What it is built for.

    Returns
    -------
    Target
    """
    module, name = _SOURCES[source.partition(" ")[0]]
    build: Any = getattr(import_module(f"shinrai.check.sources.{module}"), name)
    target: Target = build(wanted)
    return target


def evidence_of(directory: Path) -> list[Path]:
    """Give the files that sources have left in the directory of a run, beside what the run itself keeps.

    A source that lost its run is waited for, until it has cleared up: its files are complete then.
    """
    folder = directory / "inspect"
    if not folder.is_dir():
        return []
    with _held(folder, fcntl.LOCK_EX):
        return sorted(folder.glob("*.eval"))


def leaving_evidence(folder: Path) -> AbstractContextManager[None]:
    """Write into a folder of evidence: nobody takes the files for complete meanwhile, however this process ends."""
    return _held(folder, fcntl.LOCK_SH)


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
