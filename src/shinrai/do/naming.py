"""The names that evidence carries have to be names that somebody asks for: a slip of the pen would never be found."""

from __future__ import annotations

from collections.abc import Iterable

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Id, IndicatorDefinition, Metric, Role, definitions
from shinrai.source import did_you_mean
from shinrai.workspace import Workspace


def require_system(system: Id | None, workspace: Workspace) -> None:
    """Refuse a system that the workspace does not have.

    Parameters
    ----------
    system : Id or None
        None is evidence about the organisation as a whole.
    workspace : Workspace
        As loaded.

    Raises
    ------
    UsageError
        With the nearest name as a hint.
    """
    if system is not None:
        _require("do.unknown-system", system, workspace.systems, _("There is no system {name} in systems/"))


def indicators_of(workspace: Workspace) -> dict[Id, IndicatorDefinition]:
    """Give every indicator that a plan of the workspace or of the catalog defines; of several versions the last."""
    plans = {**workspace.higher_plans, **workspace.plans}
    found: dict[Id, IndicatorDefinition] = {}
    for plan in plans.values():
        found |= definitions(plan, plans)
    return found


def require_subject(subject: str, metric: Metric, workspace: Workspace) -> None:
    """Refuse a subject that no check asks for and, of observed values, no system's benefit and no plan either.

    Parameters
    ----------
    subject : str
        As it was given.
    metric : Metric
        Of the checks that may ask for it.
    workspace : Workspace
        As loaded.

    Raises
    ------
    UsageError
        With the nearest name as a hint.
    """
    known = {check.subject for check in workspace.checks.values() if check.metric == metric and check.subject}
    if metric == "observed":
        benefits = (system.benefit for system in workspace.systems.values())
        known |= {benefit.indicator for benefit in benefits if benefit is not None and benefit.indicator}
        known |= indicators_of(workspace).keys()
    _require("do.unknown-subject", subject, sorted(known), _("No check asks for the subject {name}"))


def require_role(role: Role, workspace: Workspace) -> None:
    """Refuse a role that ``shinrai.yaml`` does not define, where it defines roles.

    Parameters
    ----------
    role : Role
        As it was given.
    workspace : Workspace
        As loaded.

    Raises
    ------
    UsageError
        With the nearest name as a hint.
    """
    known = [definition.id for definition in workspace.settings.roles]
    if known:
        _require("do.unknown-role", role, known, _("There is no role {name} in shinrai.yaml"))


def _require(code: str, name: str, known: Iterable[str], message: str) -> None:
    if name not in known:
        raise UsageError(code, message.format(name=name), hint=did_you_mean(name, known))
