"""Findings in the fields of the OECD's common reporting framework for AI incidents.

Source: OECD (2025), "Towards a common reporting framework for AI incidents", OECD AI Papers No. 34,
doi:10.1787/f326d4ac-en: 29 criteria, of which 1, 2, 3, 4, 7, 10 and 11 are mandatory. Titles are ours, after secondary
notes; check them against the paper before publishing under its name.

A finding is a broken promise, not an incident: whether anybody was harmed, and how severely, nobody has said by
opening it. These criteria stay empty, and are named, until a person fills them in; nothing becomes a severity by rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shinrai.ledger.projection import Finding, Judgement, State
from shinrai.records import Commitment, Json, System, digest
from shinrai.workspace import Workspace

Alignment: TypeAlias = Literal["direct", "partial", "approximate", "unmapped"]

MAPPING_VERSION: Final = "1"
MANDATORY: Final = frozenset({1, 2, 3, 4, 7, 10, 11})

CRITERIA: Final[dict[int, str]] = {
    1: "Title",
    2: "Description",
    3: "How the AI system relates to the incident",
    4: "Submitter",
    5: "Date of first known occurrence",
    6: "Countries where it occurred",
    7: "Supporting materials",
    8: "AI system or product, name and version",
    9: "Organisations that developed and deployed the system",
    10: "Severity",
    11: "Harm type",
    12: "Quantification of harm",
    13: "Unintended or wrongful use",
    14: "Affected stakeholders",
    15: "Impact on human and fundamental rights",
    16: "Associated AI principles",
    17: "Industries",
    18: "Business functions",
    19: "Critical functions or infrastructure",
    20: "Breadth of deployment",
    21: "Link to training data",
    22: "Link to the AI model",
    23: "Usage rights",
    24: "Interaction of several AI systems",
    25: "Tasks of the AI system",
    26: "Level of autonomy",
    27: "Actions taken",
    28: "Steps to reproduce",
    29: "Additional information",
}


@dataclass(frozen=True, slots=True)
class _Filled:
    """A criterion that can be filled, and how well our field fits it."""

    number: int
    value: Json
    alignment: Alignment


def oecd_report(workspace: Workspace, state: State) -> dict[str, Json]:
    """Give every finding of a ledger in the fields of the framework.

    Parameters
    ----------
    workspace : Workspace
        With the plans and systems that the findings are about.
    state : State
        Of its ledger.

    Returns
    -------
    dict
        JSON values: ``findings``, each with all 29 criteria, those that cannot be filled with ``alignment: unmapped``
        and no value; how many are filled; and the digest of all of it. No clock: equal ledgers give equal bytes. A
        ``note`` where there are no findings: of nothing nothing can be said to be unfillable.
    """
    findings = [_finding(one, workspace, state) for one in state.findings.values()]
    body: dict[str, Json] = {
        "framework": "OECD AI Papers No. 34 (2025), doi:10.1787/f326d4ac-en",
        "mapping_version": MAPPING_VERSION,
        "cannot_be_filled": [
            {"number": number, "criterion": CRITERIA[number], "mandatory": number in MANDATORY}
            for number in CRITERIA
            if findings and all(one["criteria"][number - 1]["alignment"] == "unmapped" for one in findings)
        ],
        "findings": findings,
    }
    if not findings:
        body["note"] = "There are no findings: nothing is to be reported, and no criterion was looked at."
    return {**body, "digest": digest(body)}


def _finding(finding: Finding, workspace: Workspace, state: State) -> dict[str, Json]:
    filled = {one.number: one for one in _fill(finding, workspace, state) if one.value not in (None, "", [], {})}
    criteria = [
        {
            "number": number,
            "criterion": title,
            "mandatory": number in MANDATORY,
            "alignment": filled[number].alignment if number in filled else "unmapped",
            "value": filled[number].value if number in filled else None,
        }
        for number, title in CRITERIA.items()
    ]
    return {
        "finding": finding.id,
        "kind": "finding",
        "filled": len(filled),
        "mandatory_filled": len(MANDATORY & filled.keys()),
        "mandatory_missing": sorted(MANDATORY - filled.keys()),
        "criteria": criteria,
    }


def _fill(finding: Finding, workspace: Workspace, state: State) -> Iterator[_Filled]:
    judgement = next((one for one in state.judgements.get(finding.key, []) if one.digest == finding.opened_by), None)
    commitment = _commitment(finding, judgement, state)
    if commitment is not None:
        yield _Filled(1, commitment.title.to_json(), "direct")
        yield _Filled(2, commitment.statement.to_json(), "partial")
        yield _Filled(28, _steps(commitment), "direct")
    yield _Filled(3, {"en": "behaviour of the system itself, observed in a test"}, "partial")
    yield _Filled(4, {"role": finding.owner}, "partial")
    yield _Filled(5, finding.opened_at[:10], "approximate")
    if judgement is not None:
        yield _Filled(7, _materials(judgement, state), "direct")
    version = state.version(finding.system)
    if version is not None:
        yield from _of_system(version.system, version.number, version.fingerprint)
    yield _Filled(16, _principles(finding, workspace), "partial")
    yield _Filled(27, _actions(finding, state), "direct")


def _commitment(finding: Finding, judgement: Judgement | None, state: State) -> Commitment | None:
    wanted = judgement.verdict.commitment if judgement else None
    history = state.history.get(finding.key, [])
    return next((one.commitment for one in history if one.digest == wanted), None)


def _steps(commitment: Commitment) -> Json:
    """Give what anybody needs to draw the same trials again in the same order."""
    return {
        "check": commitment.check,
        "check_version": commitment.check_version,
        "data": commitment.data.digest if commitment.data else None,
        "order_seed": commitment.order_seed,
        "scorer": commitment.scorer.version if commitment.scorer else None,
        "fingerprint": commitment.fingerprint,
    }


def _materials(judgement: Judgement, state: State) -> Json:
    run = state.runs.get(judgement.verdict.run) if judgement.verdict.run else None
    files = run.finished.files if run and run.finished else {}
    return {"verdict": judgement.digest, "ledger_entry": judgement.hash, "files": files}


def _of_system(system: System, number: int, fingerprint: str) -> Iterator[_Filled]:
    yield _Filled(8, {"name": system.title.to_json(), "version": number, "fingerprint": fingerprint}, "direct")
    yield _Filled(14, system.affected.to_json() if system.affected else None, "partial")
    yield _Filled(22, {"component": system.model.id, "type": system.model.type}, "partial")
    yield _Filled(25, system.purpose.to_json(), "partial")
    yield _Filled(26, {"human_review": system.human_review}, "partial")


def _principles(finding: Finding, workspace: Workspace) -> Json:
    """Give the entries of plans above that the broken promise serves."""
    plan_id, goal_id, measure_id = finding.claim.split("/")[:3]
    plan = workspace.plans.get(plan_id)
    goal = next((one for one in plan.goals if one.id == goal_id), None) if plan else None
    measure = next((one for one in goal.measures if one.id == measure_id), None) if goal else None
    return list(dict.fromkeys((*(measure.implements if measure else ()), *(plan.implements if plan else ()))))


def _actions(finding: Finding, state: State) -> Json:
    applied = [state.applied[name] for name in finding.actions if name in state.applied]
    return [{"id": action.id, "title": action.title.to_json(), "applied": entry.at} for entry, action in applied]
