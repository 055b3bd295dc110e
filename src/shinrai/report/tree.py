"""The tree goal → measure → system → claim, with counts and never means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shinrai.ledger.projection import ClaimState, State
from shinrai.records import STATUSES, Goal, Id, Measure, Plan, Status, Text


@dataclass(frozen=True, slots=True)
class Node:
    """One branch: how many claims below it stand where.

    Parameters
    ----------
    kind : str
        ``plan``, ``goal``, ``measure`` or ``system``.
    counts : dict
        Status → number of claims; together they are all claims below, the inapplicable ones included.
    implements : tuple of str
        Entries of higher plans.
    """

    kind: str
    id: str
    title: Text
    counts: dict[Status, int]
    children: list[Node] = field(default_factory=list)
    claims: list[ClaimState] = field(default_factory=list)
    implements: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the branch as JSON values."""
        return {
            "kind": self.kind,
            "id": self.id,
            "title": self.title.to_json(),
            "counts": {status: self.counts[status] for status in STATUSES if status in self.counts},
            "implements": list(self.implements),
            "children": [child.to_json() for child in self.children],
            "claims": [claim_json(claim) for claim in self.claims],
        }


def claim_json(claim: ClaimState) -> dict[str, Any]:
    """Give a claim's state as JSON values, with the numbers of its last verdict where there is one."""
    verdict = claim.judgement.verdict.to_json() if claim.judgement else None
    if verdict is not None:
        verdict.pop("trace", None)
    return {
        "key": claim.key,
        "status": claim.status,
        "reason": claim.reason,
        "stale_because": claim.stale_because,
        "accepted_until": claim.action.accept.until.isoformat() if claim.action and claim.action.accept else None,
        "commitment": claim.promise.digest if claim.promise else None,
        "ruling": claim.ruling.to_json(),
        "verdict": verdict,
    }


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Claims that do not apply to a system, all for the same reason."""

    system: Id
    reason: Text
    claims: list[ClaimState]


def ruled_out(claims: Iterable[ClaimState]) -> list[RuledOut]:
    """Gather the inapplicable among some claims by system and reason, so that a page can say it once.

    Parameters
    ----------
    claims : iterable of ClaimState
        Applicable ones are passed over.

    Returns
    -------
    list of RuledOut
        In the order in which system and reason first appear; together they are all inapplicable claims given.
    """
    gathered: dict[tuple[Id, str | None, str | None], RuledOut] = {}
    for claim in claims:
        if claim.status == "not_applicable":
            ruling = claim.ruling
            key = (ruling.system, ruling.reason.ja, ruling.reason.en)
            gathered.setdefault(key, RuledOut(ruling.system, ruling.reason, [])).claims.append(claim)
    return list(gathered.values())


def tree(plans: Iterable[Plan], systems: Mapping[Id, Text], state: State, today: date) -> list[Node]:
    """Hang every claim that was ruled on under its plan, goal, measure and system.

    Parameters
    ----------
    plans : iterable of Plan
        Of the workspace.
    systems : mapping
        System id → title.
    state : State
        Of its ledger.
    today : date
        The day for which to say where claims stand.

    Returns
    -------
    list of Node
        One for each plan.
    """
    by_measure: dict[str, list[ClaimState]] = {}
    for claim in state.claims(today):
        by_measure.setdefault(claim.ruling.claim.rpartition("/")[0], []).append(claim)
    return [_plan(plan, systems, by_measure) for plan in plans]


def _plan(plan: Plan, systems: Mapping[Id, Text], claims: Mapping[str, list[ClaimState]]) -> Node:
    goals = [_goal(goal, plan.id, systems, claims) for goal in plan.goals]
    return Node("plan", plan.id, plan.title, _sum(goals), goals, implements=plan.implements)


def _goal(goal: Goal, above: str, systems: Mapping[Id, Text], claims: Mapping[str, list[ClaimState]]) -> Node:
    path = f"{above}/{goal.id}"
    measures = [_measure(measure, systems, claims.get(f"{path}/{measure.id}", [])) for measure in goal.measures]
    return Node("goal", goal.id, goal.title, _sum(measures), measures)


def _measure(measure: Measure, systems: Mapping[Id, Text], claims: list[ClaimState]) -> Node:
    names = dict.fromkeys(claim.ruling.system for claim in claims)
    branches = []
    for name in names:
        own = [claim for claim in claims if claim.ruling.system == name]
        counts = Counter(claim.status for claim in own)
        branches.append(Node("system", name, systems.get(name, Text(en=name)), dict(counts), claims=own))
    return Node("measure", measure.id, measure.title, _sum(branches), branches, implements=measure.implements)


def _sum(children: Iterable[Node]) -> dict[Status, int]:
    total: Counter[Status] = Counter()
    for child in children:
        total.update(child.counts)
    return dict(total)
