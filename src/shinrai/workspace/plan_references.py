"""What a plan names that is not there, and what its measures and claims say that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shinrai.catalog import PREFIX
from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import Check, ClaimUse, Goal, Id, Measure, Plan
from shinrai.source import Place, listing
from shinrai.workspace.check_references import data_misfits, threshold_misfits
from shinrai.workspace.house import House, role_problems, system_problems, taken, twice, unknown
from shinrai.workspace.parts import Sourced
from shinrai.workspace.promised import of_promises

__all__ = ["of_plan"]

_LARGEST_ALPHA: Final = 0.5


def of_plan(sourced: Sourced[Plan], house: House) -> Iterator[Problem]:
    """Go through a plan: owners, what it implements, systems, checks, thresholds, promises about indicators."""
    plan = sourced.record
    if plan.edition is None:  # what others decided is owned by others, whose roles are not those of shinrai.yaml
        yield from role_problems(sourced, ("owner",), plan.owner, house)
    yield from _implements(sourced, ("implements",), plan.implements, house)
    for position, goal in twice(plan.goals, lambda goal: goal.id):
        yield taken(sourced, ("goals", position, "id"), goal.id)
    for position, goal in enumerate(plan.goals):
        yield from _of_goal(sourced, ("goals", position), goal, house)
    yield from of_promises(sourced, house.plans)


def _of_goal(sourced: Sourced[Plan], place: Place, goal: Goal, house: House) -> Iterator[Problem]:
    for position, measure in twice(goal.measures, lambda measure: measure.id):
        yield taken(sourced, (*place, "measures", position, "id"), measure.id)
    for position, measure in enumerate(goal.measures):
        here = (*place, "measures", position)
        if measure.owner is not None and (sourced.record.edition is None or measure.claims):
            yield from role_problems(sourced, (*here, "owner"), measure.owner, house)
        yield from _implements(sourced, (*here, "implements"), measure.implements, house)
        yield from _systems(sourced, (*here, "systems"), measure.systems, house)
        yield from _of_claims(sourced, here, measure, house)


def _of_claims(sourced: Sourced[Plan], place: Place, measure: Measure, house: House) -> Iterator[Problem]:
    for position, use in twice(measure.claims, lambda use: use.name):
        message = _('the measure already has a claim "{name}"').format(name=use.name)
        hint = _('give it a name of its own: "id: …"')
        where = (*place, "claims", position, "id" if use.id else "check")
        yield sourced.problem("workspace.duplicate-id", where, message, None, hint)
    for position, use in enumerate(measure.claims):
        here = (*place, "claims", position)
        yield from _systems(sourced, (*here, "systems"), use.systems, house)
        yield from _narrows(sourced, (*here, "systems"), use, measure)
        yield from _of_use(sourced, here, use, house)


def _narrows(sourced: Sourced[Plan], place: Place, use: ClaimUse, measure: Measure) -> Iterator[Problem]:
    if measure.systems is None:
        return
    for position, name in enumerate(use.systems or ()):
        if name not in measure.systems:
            message = _('the measure is not about the system "{name}"').format(name=name)
            expected = _("one of: {names}").format(names=listing(measure.systems))
            yield sourced.problem("workspace.not-narrower", (*place, position), message, expected)


def _of_use(sourced: Sourced[Plan], place: Place, use: ClaimUse, house: House) -> Iterator[Problem]:
    checks = house.parts.checks
    check = checks.get(use.check)
    if check is None:
        if use.check not in house.parts.own_checks:
            message = _('there is no check "{name}"')
            yield unknown(sourced, "workspace.unknown-check", (*place, "check"), message, use.check, checks)
        return
    for wrong in threshold_misfits(check.metric, check.comparator, use.threshold):
        yield sourced.problem("workspace.threshold", (*place, "threshold"), *wrong)
    if use.alpha is not None and not 0 < use.alpha <= _LARGEST_ALPHA:
        message = _("{value} is no error level").format(value=f"{use.alpha:g}")
        expected = _("a number above 0 and at most {limit}").format(limit=_LARGEST_ALPHA)
        yield sourced.problem("workspace.alpha", (*place, "alpha"), message, expected)
    if _is_shipped_for_own_data(check, house):
        for misfit in data_misfits(check, house):
            message = _("the check {check}: {problem}").format(check=check.id, problem=misfit.message)
            yield sourced.problem(misfit.code, (*place, "check"), message, misfit.expected, misfit.hint)


def _is_shipped_for_own_data(check: Check, house: House) -> bool:
    """Tell whether a check of the catalog reads a file of the workspace; the catalog's own data are tested with it."""
    shipped = check.id not in house.parts.own_checks.records
    return shipped and check.data is not None and not (check.data.file or PREFIX).startswith(PREFIX)


def _implements(sourced: Sourced[Plan], place: Place, names: tuple[str, ...], house: House) -> Iterator[Problem]:
    own = f"{sourced.record.id}/"
    entries = [name for name in house.entries if not name.startswith(own)]
    for position, name in enumerate(names):
        if name not in entries and not (name in house.plans and place == ("implements",)):
            message = _('no other plan has an entry "{name}"')
            plan = name.partition("/")[0]
            known = [entry for entry in entries if entry.startswith(f"{plan}/")] or entries
            yield unknown(sourced, "workspace.unknown-entry", (*place, position), message, name, known)


def _systems(sourced: Sourced[Plan], place: Place, names: tuple[Id, ...] | None, house: House) -> Iterator[Problem]:
    for position, name in enumerate(names or ()):
        yield from system_problems(sourced, (*place, position), name, house)
