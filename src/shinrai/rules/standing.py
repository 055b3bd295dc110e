"""A system as it stands: what its file says, with the changes of the actions that were applied, and its fingerprint."""

from __future__ import annotations

from typing import NamedTuple

from shinrai.ledger.projection import State
from shinrai.records import Digest, Id, Supplied, System
from shinrai.workspace import Workspace, delivered, fingerprint


class Standing(NamedTuple):
    """What can change an answer of a system, now.

    Parameters
    ----------
    system : System
        With the applied changes made.
    fingerprint : Digest
        Of everything that can change an answer.
    files : dict
        Path as the stack names it → digest of its bytes.
    supply : dict
        Component of ``components/*.yaml`` that it needs → what it was delivered as.
    """

    system: System
    fingerprint: Digest
    files: dict[str, Digest]
    supply: dict[Id, Supplied]


def standing(system: System, workspace: Workspace, state: State) -> Standing:
    """Tell how a system stands.

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
    Standing

    Raises
    ------
    UsageError
        If the change of an applied action no longer fits the file of the system, or a file that it names is missing.
    """
    now = state.effective(system)
    supply = delivered(now, workspace.components)
    mark, files = fingerprint(now, workspace.root, supply)
    return Standing(now, mark, files, supply)
