"""Plans as people name them: an id of the workspace or of the catalog, or a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from shinrai.errors import SourceError, UsageError
from shinrai.i18n import _
from shinrai.records import Id, Observation, Plan

if TYPE_CHECKING:
    from shinrai.cli.session import Session
    from shinrai.source import Document
    from shinrai.workspace import Workspace


def named_plan(name: str, workspace: Workspace) -> Plan:
    """Find a plan.

    Parameters
    ----------
    name : str
        Its id, or the path of a YAML file.
    workspace : Workspace
        Whose plans come before those of the catalog.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If there is none; with the nearest name.
    SourceError
        If the file holds none.
    """
    from shinrai.source import attempt, did_you_mean, examine_yaml  # noqa: PLC0415 - loaded only when a verb runs

    known = workspace.all_plans
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} and path.is_file():
        plan, problems = attempt(examine_yaml(path, shown_as=name), Plan)
        if plan is None:
            raise SourceError(problems)
        return plan
    raise UsageError("plan.unknown", _("There is no plan {name}").format(name=name), hint=did_you_mean(name, known))


def documents(workspace: Workspace, plans: Iterable[Id]) -> dict[Id, Document]:
    """Read the files of plans once more, to say where in them something stands.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    plans : iterable of Id
        Plans that are wanted; one that came from elsewhere is left out.
    """
    from shinrai.source import examine_yaml  # noqa: PLC0415 - loaded only when a verb runs

    wanted = set(plans)
    found: dict[Id, Document] = {}
    for path in sorted((workspace.root / "plans").glob("*.yaml")):
        document = examine_yaml(path, shown_as=f"plans/{path.name}")
        name = document.data.get("id") if isinstance(document.data, dict) else None
        if name in wanted:
            found[name] = document
    return found


def observed(opened: Session) -> dict[Id, list[Observation]]:
    """Give every observation that the ledger holds, by indicator."""
    from shinrai.check.series import observations  # noqa: PLC0415 - loaded only when a verb runs

    found: dict[Id, list[Observation]] = {}
    for one in observations(opened.ledger.state(), opened.root):
        found.setdefault(one.subject, []).append(one)
    return found
