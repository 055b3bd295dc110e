"""Carrying out a decision: a change to a system, or the acceptance of a risk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypeAlias

from shinrai.act.findings import owners
from shinrai.errors import Problem, SourceError, UsageError, nearest
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.ledger.projection import Finding, State
from shinrai.records import Acceptance, Action, ActionApplied, Change, DepthRule, Id
from shinrai.rules.applying import risk
from shinrai.rules.gates import Excess, excess
from shinrai.source import Place, examine_yaml
from shinrai.workspace import Workspace


def apply(ledger: Ledger, workspace: Workspace, action_id: Id, today: date) -> ActionApplied:
    """Carry out an action of the workspace and write it down with the open findings it addresses.

    A change takes effect with the next `shinrai plan`, which records the new version of the system. An acceptance takes
    effect at once and ends by itself; it closes no finding.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    action_id : Id
        Of an action in ``actions/``.
    today : date
        The day on which this is asked.

    Returns
    -------
    ActionApplied
        As it was appended.

    Raises
    ------
    UsageError
        If there is no such action, it was applied before exactly as it stands, nothing it addresses is broken or
        undecided, its change cannot be made or changes nothing, or its acceptance is not for that role to give or has
        ended already. Nothing is written then.
    SourceError
        If the risk of a system does not let it be accepted at all, by that role, or for so long.
    """
    state = ledger.state()
    action = _known(action_id, workspace)
    _require_not_applied(action, state, today)
    addressed = _addressed(action, state, today)
    if action.change is not None:
        _require_possible(action, action.change, workspace, state)
    if action.accept is not None:
        answering = [finding.owner for finding in addressed] + _owners_of(action, workspace)
        _require_acceptable(action, action.accept, workspace, answering, today)
    payload = ActionApplied(action=action, findings=tuple(finding.id for finding in addressed))
    ledger.append(payload)
    return payload


def _known(action_id: Id, workspace: Workspace) -> Action:
    if action_id in workspace.actions:
        return workspace.actions[action_id]
    close = nearest(action_id, workspace.actions)
    raise UsageError(
        "act.unknown-action",
        _("There is no action {action} in actions/").format(action=action_id),
        hint=_("Did you mean {name}?").format(name=close) if close else None,
    )


def _require_not_applied(action: Action, state: State, today: date) -> None:
    """Refuse what would change nothing. An acceptance that has lapsed because the system changed can be given again.

    Raises
    ------
    UsageError
        If the action was applied before exactly as it stands, and still holds.
    """
    lapsed = action.accept and not any(state.acceptance(key, today) for key in action.addresses)
    if not lapsed and action.id in state.applied and state.applied[action.id][1] == action:
        raise UsageError(
            "act.applied-before",
            _("The action {action} was applied before, exactly as it stands").format(action=action.id),
            hint=_("Run shinrai plan and shinrai check to see its effect, or edit the action and apply it again"),
        )


def _addressed(action: Action, state: State, today: date) -> list[Finding]:
    """Find the open findings that an action addresses.

    Raises
    ------
    UsageError
        If it addresses claims that nobody ruled on, or none that is broken or undecided.
    """
    unknown = [key for key in action.addresses if key not in state.rulings]
    if unknown:
        close = nearest(unknown[0], state.rulings)
        raise UsageError(
            "act.unknown-claim",
            _("The action {action} addresses {claim}, which no plan in the ledger makes").format(
                action=action.id, claim=unknown[0]
            ),
            hint=_("Did you mean {name}?").format(name=close) if close else _("Run shinrai plan first"),
        )
    findings = [finding for finding in state.open_findings() if finding.key in action.addresses]
    undecided = [key for key in action.addresses if state.claim(key, today).status == "undecided"]
    if not findings and not undecided:
        raise UsageError(
            "act.nothing-to-address",
            _("Nothing that the action {action} addresses is broken or undecided").format(action=action.id),
            hint=_("Run shinrai status to see where its claims stand"),
        )
    return findings


def _require_possible(action: Action, change: Change, workspace: Workspace, state: State) -> None:
    system = workspace.systems.get(change.system)
    if system is None:
        close = nearest(change.system, workspace.systems)
        raise UsageError(
            "act.unknown-system",
            _("The action {action} changes {system}, which is no system of this workspace").format(
                action=action.id, system=change.system
            ),
            hint=_("Did you mean {name}?").format(name=close) if close else None,
        )
    if not any(key.endswith(f"@{change.system}") for key in action.addresses):
        raise UsageError(
            "act.other-system",
            _("The action {action} changes {system}, but addresses no claim on it").format(
                action=action.id, system=change.system
            ),
        )
    now, after = state.effective(system), state.effective(system, also=action)
    if after == now:
        raise UsageError(
            "act.changes-nothing",
            _("The system {system} is already as the action {action} wants it").format(
                system=change.system, action=action.id
            ),
        )


def _require_acceptable(
    action: Action, accept: Acceptance, workspace: Workspace, answering: Iterable[str], today: date
) -> None:
    accepting = [role.id for role in workspace.settings.roles if role.accepts_risk]
    if accept.role not in accepting:
        raise UsageError(
            "act.role-may-not-accept",
            _("The role {role} may not accept risk").format(role=accept.role),
            hint=_("Roles that may (accepts_risk in shinrai.yaml): {roles}").format(
                roles=", ".join(accepting) or _("none")
            ),
        )
    if accept.role in answering:
        raise UsageError(
            "act.owner-accepts",
            _("The role {role} answers for what the action {action} addresses and cannot accept its risk").format(
                role=accept.role, action=action.id
            ),
            hint=_("Somebody else has to accept it, or the finding has to be repaired"),
        )
    _require_by_risk(action, accept, workspace, today)
    if accept.until < today:
        raise UsageError(
            "act.acceptance-over",
            _("The acceptance in the action {action} ended on {day}").format(action=action.id, day=accept.until),
            hint=_("Give a day that is still to come"),
        )


def _require_by_risk(action: Action, accept: Acceptance, workspace: Workspace, today: date) -> None:
    """Refuse what the risk of a system does not let anybody, or this role, accept for so long.

    Raises
    ------
    SourceError
        Located in the file of the action; with the roles that may, or the last day possible, as what was expected.
    """
    names = dict.fromkeys(key.partition("@")[2] for key in action.addresses)
    problems = []
    for system in (workspace.systems[name] for name in names if name in workspace.systems):
        depth = risk(workspace, system, today).depth
        found = excess(accept, depth, today) if depth is not None else None
        if depth is not None and found is not None:
            problems.append(_located(action, workspace, *_too_much(found, accept, system.id, depth, today)))
    if problems:
        raise SourceError(problems)


_Refusal: TypeAlias = tuple[str, Place, str, str | None, str | None]
"""Code, place in the action's file, message, what was expected, hint."""


def _too_much(found: Excess, accept: Acceptance, system: Id, depth: DepthRule, today: date) -> _Refusal:
    why = _("shinrai plan --explain {system} says why").format(system=system)
    match found:
        case "never":
            message = _("No risk of the system {system} can be accepted: its use is prohibited").format(system=system)
            return "act.not-acceptable", ("accept",), message, None, why
        case "role":
            message = _("The role {role} may not accept a risk of the system {system}").format(
                role=accept.role, system=system
            )
            expected = _("by its risk one of: {roles}").format(roles=", ".join(depth.accepts))
            return "act.role-may-not-accept-this", ("accept", "role"), message, expected, why
        case "days":
            days = depth.accept_days or 0
            message = _("A risk of the system {system} can be accepted for {days} days at most").format(
                system=system, days=days
            )
            expected = _("{day} or earlier").format(day=today + timedelta(days=days))
            return "act.accepted-for-too-long", ("accept", "until"), message, expected, why


def _located(  # noqa: PLR0913, PLR0917 - a Problem with its action
    action: Action, workspace: Workspace, code: str, place: Place, message: str, expected: str | None, hint: str | None
) -> Problem:
    """Point into the file that an action was read from."""
    for path in sorted((workspace.root / "actions").glob("*.yaml")):
        document = examine_yaml(path, shown_as=f"actions/{path.name}")
        if isinstance(document.data, dict) and document.data.get("id") == action.id:
            return document.problem(code, place, message, expected, hint)
    return Problem(code, f"actions/{action.id}.yaml", 1, 1, message, expected, hint)


def _owners_of(action: Action, workspace: Workspace) -> list[str]:
    known = owners(workspace)
    paths = (key.partition("@")[0] for key in action.addresses)
    return [known[path] for path in paths if path in known]
