"""Each system as it is now: what its file says, with the changes of the actions that were applied."""

from __future__ import annotations

from dataclasses import dataclass

from shinrai.ledger.projection import State
from shinrai.records import Change, Id, System, SystemVersion
from shinrai.rules.standing import standing
from shinrai.workspace import Workspace, asking_plugin


def current_version(system: System, workspace: Workspace, state: State) -> SystemVersion:
    """Give the version of a system that promises are about from now on.

    Parameters
    ----------
    system : System
        As the workspace's file says.
    workspace : Workspace
        As loaded.
    state : State
        Of the ledger.

    Returns
    -------
    SystemVersion
        The newest recorded one while nothing has changed that can change an answer or that the register says of it;
        otherwise a new one with the next number, naming the newest action that brought it about, if one did.

    Raises
    ------
    UsageError
        If the change of an applied action no longer fits the file of the system.
    """
    now, mark, files, supply = standing(system, workspace, state)
    newest = state.version(system.id)
    if newest is not None and newest.fingerprint == mark and newest.system.register == now.register:
        return newest
    before = newest.system if newest else system
    return SystemVersion(
        system=now,
        number=newest.number + 1 if newest else 1,
        fingerprint=mark,
        files=files,
        action=_made_by(before, now, state),
        supply=supply,
        plugin=asking_plugin(now, workspace.root),
    )


def _made_by(before: System, now: System, state: State) -> Id | None:
    """Name the newest action whose change is made in one version and was not yet made in the version before."""
    for applied in sorted(_changes(now.id, state), key=lambda applied: -applied.seq):
        if _is_made(applied.change, now) and not _is_made(applied.change, before):
            return applied.action
    return None


def _is_made(change: Change, system: System) -> bool:
    there = all(system.component(part.id) == part for part in (*change.add, *change.replace))
    return there and not any(system.component(component) for component in change.remove)


@dataclass(frozen=True, slots=True)
class _Applied:
    seq: int
    action: Id
    change: Change


def _changes(system: Id, state: State) -> list[_Applied]:
    """Give the changes of a system in the order in which their actions were first applied."""
    return [
        _Applied(entry.seq, action.id, action.change)
        for entry, action in state.applied.values()
        if action.change and action.change.system == system
    ]
