"""Which claim applies to which system, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shinrai.records import Check, ClaimUse, Measure, Plan, Ruling, System, Text
from shinrai.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PlannedClaim:
    """A claim where it stands in the plans.

    Parameters
    ----------
    path : str
        ``plan/goal/measure/claim``.
    """

    path: str
    plan: Plan
    measure: Measure
    use: ClaimUse
    check: Check


def planned_claims(workspace: Workspace) -> Iterator[PlannedClaim]:
    """Go through every claim of every plan, in the order in which the plans are written.

    Parameters
    ----------
    workspace : Workspace
        As loaded.

    Yields
    ------
    PlannedClaim
    """
    for plan in workspace.plans.values():
        for goal in plan.goals:
            for measure in goal.measures:
                for use in measure.claims:
                    path = f"{plan.id}/{goal.id}/{measure.id}/{use.name}"
                    check = workspace.checks[use.check]
                    check = check.drawn_from(use.languages) if use.languages else check
                    yield PlannedClaim(path, plan, measure, use, check)


def rule(claim: PlannedClaim, system: System) -> Ruling:
    """Decide whether a claim applies to a system.

    The measure decides first (the systems it names, or all), then the claim (it may narrow them), then the check (it
    may be made for one kind of system only). The last rule that had something to say is the one recorded.

    Parameters
    ----------
    claim : PlannedClaim
        To be looked at.
    system : System
        One of the workspace.

    Returns
    -------
    Ruling
        With its reason in both languages.
    """
    named = claim.measure.systems
    narrowed = claim.use.systems
    kind = claim.check.applies_to
    if named is not None and system.id not in named:
        return _ruling(claim, system, "named", _NOT_NAMED)
    if narrowed is not None and system.id not in narrowed:
        return _ruling(claim, system, "narrowed", _NARROWED_AWAY)
    if kind is not None and kind != system.kind:
        return _ruling(claim, system, "kind", _OTHER_KIND[kind])
    if narrowed is not None:
        return _ruling(claim, system, "narrowed", _NARROWED_TO, applies=True)
    if named is not None:
        return _ruling(claim, system, "named", _NAMED, applies=True)
    return _ruling(claim, system, "every-system", _EVERY_SYSTEM, applies=True)


def no_longer_planned(ruling: Ruling) -> Ruling:
    """Rule out a claim that the plan has dropped before it was ever committed."""
    return ruling.model_copy(update={"applies": False, "rule": "named", "reason": _DROPPED})


def _ruling(claim: PlannedClaim, system: System, by: str, reason: Text, *, applies: bool = False) -> Ruling:
    return Ruling.model_validate(
        {
            "claim": claim.path,
            "system": system.id,
            "applies": applies,
            "rule": by,
            "reason": reason,
        }
    )


# Written into the ledger, in both languages: they must not change with the language or the version of a translation.
_NAMED = Text(ja="施策がこのシステムを名指ししています。", en="The measure names this system.")
_NOT_NAMED = Text(
    ja="施策は対象のシステムを名指ししており、このシステムは含まれていません。",
    en="The measure names the systems it is about, and this is not one of them.",
)
_EVERY_SYSTEM = Text(
    ja="施策はワークスペースのすべてのシステムを対象としています。",
    en="The measure is about every system of the workspace.",
)
_NARROWED_TO = Text(
    ja="主張が施策の対象をこのシステムに絞っています。",
    en="The claim narrows the measure’s systems, and this is one of those that remain.",
)
_NARROWED_AWAY = Text(
    ja="主張が施策の対象を絞っており、このシステムは含まれていません。",
    en="The claim narrows the measure’s systems, and this is not one of those that remain.",
)
_OTHER_KIND = {
    "chat": Text(
        ja="このチェックは対話システム用で、このシステムは予測システムです。",
        en="The check is for chat systems, and this is a predictor.",
    ),
    "predictor": Text(
        ja="このチェックは予測システム用で、このシステムは対話システムです。",
        en="The check is for predictors, and this is a chat system.",
    ),
}
_DROPPED = Text(ja="計画はこの主張をもう含んでいません。", en="The plan no longer makes this claim.")
