"""Systems whose files say something else than what was planned: a check still measures the planned version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from shinrai.check.instruments import instruments_of
from shinrai.ledger import Promise, State
from shinrai.records import Basis, Commitment, Id, Json, digest
from shinrai.rules.standing import Standing, standing
from shinrai.workspace import Workspace

__all__ = ["Changed", "changed_since_plan"]


@dataclass(frozen=True, slots=True)
class Changed:
    """A system that is no longer as its newest version in the ledger says.

    Parameters
    ----------
    system : Id
    version : int
        That newest version.
    stale : tuple of str
        Keys of the promises that a plan would make anew, because their verdicts hang on what has changed.
    """

    system: Id
    version: int
    stale: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {"system": self.system, "version": self.version, "stale": list(self.stale)}


def changed_since_plan(workspace: Workspace, state: State, promises: Iterable[Promise]) -> list[Changed]:
    """Compare the systems that promises are about, and those that judge or drive for them, with the ledger.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    promises : iterable of Promise
        In force.

    Returns
    -------
    list of Changed
        In the order of the promises. Systems that are no longer in the workspace are left out: no plan makes a version
        of them.

    Raises
    ------
    UsageError
        If the change of an applied action no longer fits the file of a system, or a file that it names is missing.
    """
    uses: dict[Id, list[Commitment]] = {}
    for promise in promises:
        commitment = promise.commitment
        for name in dict.fromkeys((commitment.system, *(one for one, _pinned in instruments_of(commitment)))):
            uses.setdefault(name, []).append(commitment)
    found = []
    for name, commitments in uses.items():
        version, system = state.version(name), workspace.systems.get(name)
        if version is None or system is None:
            continue
        now = standing(system, workspace, state)
        if now.fingerprint != version.fingerprint or now.system.register != version.system.register:
            stale = tuple(one.key for one in commitments if not _holds(one, name, now))
            found.append(Changed(name, version.number, stale))
    return found


def _holds(commitment: Commitment, name: Id, now: Standing) -> bool:
    """Whether a plan would leave a promise as it is; of the register, each promise hangs on some fields only."""
    pinned = dict(instruments_of(commitment))
    if name in pinned and pinned[name] != now.fingerprint:
        return False
    if name != commitment.system:
        return True
    contexts = {digest(now.system.context(basis)) for basis in get_args(Basis)}
    return commitment.fingerprint == now.fingerprint and commitment.context in {None, *contexts}
