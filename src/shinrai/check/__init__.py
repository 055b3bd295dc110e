"""Check: trials in, verdicts out."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from shinrai.check.events import Tell, Waiting
from shinrai.ledger import Ledger
from shinrai.records import Budget, Pairing, Verdict
from shinrai.workspace import lock

__all__ = ["check", "compare"]


def check(  # noqa: PLR0913 - what a command is given
    root: Path,
    ledger: Ledger,
    *,
    systems: Collection[str] | None = None,
    claims: Collection[str] | None = None,
    budget: Budget,
    allowed_hosts: Collection[str] = (),
    tell: Tell | None = None,
    engine: str = "one",
) -> list[Verdict]:
    """Measure every promise in force that has no verdict yet; see `shinrai.check.runs.run`.

    Waits for the workspace's lock and runs an event loop of its own (uvloop where it is installed). When it is
    interrupted, the run stays open for next time.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Open for writing.
    systems, claims : collection of str, optional
        Only these.
    budget : Budget
        Calls, tokens and money that may be spent now.
    allowed_hosts : collection of str
        Where systems may be asked, as in ``shinrai.yaml``; nowhere when left out.
    tell : callable, optional
        Told what happens.
    engine : str
        ``one`` process, ``processes:N`` of this machine, or ``ray:N`` workers of a cluster.

    Returns
    -------
    list of Verdict
        The new ones.

    Raises
    ------
    ShinraiError
        As `shinrai.check.runs.run`.
    KeyboardInterrupt
        On Ctrl-C, after everything that was answered has been written down.
    """
    from shinrai.check.crew import read_plan  # noqa: PLC0415 - as the engine
    from shinrai.check.runs import run  # noqa: PLC0415 - the engine and its HTTP client load when something is measured

    spread = read_plan(engine)
    waiting: Callable[[], None] | None = None if tell is None else lambda: tell(Waiting())
    with lock(root, waiting=waiting), _lasting(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(
            run(
                root,
                ledger,
                systems=systems,
                claims=claims,
                budget=budget,
                allowed_hosts=allowed_hosts,
                tell=tell,
                spread=spread,
            )
        )


def compare(  # noqa: PLR0913 - what a command is given
    root: Path,
    ledger: Ledger,
    against: str,
    *,
    systems: Collection[str] | None = None,
    claims: Collection[str] | None = None,
    budget: Budget,
    allowed_hosts: Collection[str] = (),
) -> list[Pairing]:
    """Set the promises in force beside another version; see `shinrai.check.versions.compare_versions`.

    Parameters
    ----------
    root, ledger, systems, claims, budget, allowed_hosts
        As for `check`.
    against : str
        A version: ``3`` or ``before`` of the same system; ``other-system`` or ``other-system@2``.

    Returns
    -------
    list of Pairing

    Raises
    ------
    ShinraiError
        As `shinrai.check.versions.compare_versions`.
    KeyboardInterrupt
        On Ctrl-C, after everything that was answered has been written down.
    """
    from shinrai.check.versions import compare_versions  # noqa: PLC0415 - as the engine

    with lock(root), _lasting(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(
            compare_versions(
                root, ledger, against, systems=systems, claims=claims, budget=budget, allowed_hosts=allowed_hosts
            )
        )


@contextmanager
def _lasting() -> Iterator[None]:
    """Let the garbage collector pass over what was there before a run: it outlives the run, modules above all."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - only when something is measured

    return uvloop.new_event_loop
