"""The rule books of a workspace, put to its systems."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, TypeAlias

from shinrai.ledger.projection import State
from shinrai.records import Framework, Id, Requirement, System
from shinrai.rules.crosswalks import Roads
from shinrai.rules.status import Standing, answers_of
from shinrai.rules.tiers import Classification, Risk, classify, facts_of, risk_of
from shinrai.workspace import Workspace

RuledOut: TypeAlias = Literal["role", "tier", "over"]
"""
role   it speaks to roles that the organisation does not have in the system
tier   it speaks to classes of risk that the system is certainly not in
over   it is no longer to be kept
"""


class Scope:
    """Which requirements apply to which systems of a workspace.

    What is not stated rules nothing out: a system whose role or class of risk is not known is asked everything.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    today : date
        The day for which to tell.
    """

    def __init__(self, workspace: Workspace, today: date) -> None:
        self._workspace = workspace
        self._today = today
        self._classes: dict[tuple[Id, Id], Classification] = {}

    def __call__(self, framework: Framework, requirement: Requirement, system: Id) -> bool:  # noqa: ARG002 - an `InScope`
        """Tell whether a requirement applies to a system."""
        return self.why_not(requirement, system) is None

    def why_not(self, requirement: Requirement, system: Id) -> RuledOut | None:
        """Say why a requirement does not apply to a system; None where it does, or nobody can tell.

        Raises
        ------
        KeyError
            If the workspace has no such system.
        """
        roles = self._workspace.systems[system].operator
        if requirement.valid_until is not None and requirement.valid_until < self._today:
            return "over"
        if requirement.roles and roles and not set(requirement.roles) & set(roles):
            return "role"
        if requirement.tiers and not any(self._possible(name, system) for name in requirement.tiers):
            return "tier"
        return None

    def _possible(self, name: str, system: Id) -> bool:
        """Whether a system is, will be or may be in a class ``scheme/tier``."""
        scheme, _slash, tier = name.partition("/")
        if scheme not in self._workspace.rules.schemes:
            return True
        found = self._class(scheme, system)
        named = {
            found.tier.id,
            *(one.rule.tier for one in (*found.fired, *found.coming)),
            *(one.tier for one in found.open),
        }
        return tier in named or not found.settled

    def _class(self, scheme: Id, system: Id) -> Classification:
        if (scheme, system) not in self._classes:
            facts = facts_of(self._workspace.systems[system])
            self._classes[scheme, system] = classify(self._workspace.rules.schemes[scheme], facts, self._today)
        return self._classes[scheme, system]


def standing(workspace: Workspace, state: State, today: date, frameworks: Iterable[Id] | None = None) -> Standing:
    """Compute where each requirement stands for each system of a workspace.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        The day for which to say so.
    frameworks : iterable of Id, optional
        Those to look at; the ones that the workspace answers when left out.

    Returns
    -------
    Standing
    """
    books = workspace.rules
    wanted = books.answered if frameworks is None else {name: books.frameworks[name] for name in frameworks}
    roads = Roads(books.crosswalks.values())
    found = Standing(wanted, roads, list(workspace.systems), Scope(workspace, today))
    depths = {one.id: risk(workspace, one, today).depth for one in workspace.systems.values()}
    alone = {name for name, depth in depths.items() if depth is not None and not depth.second_reader}
    found.read(state.claims(today), answers_of(state), today, alone)
    return found


def risk(workspace: Workspace, system: System, today: date) -> Risk:
    """Tell how risky a system of a workspace is, by the schemes that ``shinrai.yaml`` names.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    system : System
        One of its own; what actions change in its stack does not matter here.
    today : date
        The day for which to tell.

    Returns
    -------
    Risk
    """
    schemes = [workspace.rules.schemes[name] for name in workspace.settings.risk]
    return risk_of(system, schemes, workspace.rules.depths, today)
