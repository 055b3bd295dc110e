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
from shinrai.records import Commitment, Json, System, Text, digest
from shinrai.workspace import Workspace

Alignment: TypeAlias = Literal["direct", "partial", "approximate", "unmapped"]

MAPPING_VERSION: Final = "2"
MANDATORY: Final = frozenset({1, 2, 3, 4, 7, 10, 11})

CRITERIA: Final[dict[int, Text]] = {
    1: Text(en="Title", ja="題名"),
    2: Text(en="Description", ja="説明"),
    3: Text(en="How the AI system relates to the incident", ja="AI システムと事案との関係"),
    4: Text(en="Submitter", ja="報告者"),
    5: Text(en="Date of first known occurrence", ja="最初に確認された発生日"),
    6: Text(en="Countries where it occurred", ja="発生した国"),
    7: Text(en="Supporting materials", ja="裏付けとなる資料"),
    8: Text(en="AI system or product, name and version", ja="AI システムまたは製品の名称と版"),
    9: Text(en="Organisations that developed and deployed the system", ja="システムを開発した組織と導入した組織"),
    10: Text(en="Severity", ja="深刻さ"),
    11: Text(en="Harm type", ja="害の種類"),
    12: Text(en="Quantification of harm", ja="害の数量"),
    13: Text(en="Unintended or wrongful use", ja="意図しない使い方または不正な使い方"),
    14: Text(en="Affected stakeholders", ja="影響を受ける関係者"),
    15: Text(en="Impact on human and fundamental rights", ja="人権・基本的権利への影響"),
    16: Text(en="Associated AI principles", ja="関連する AI 原則"),
    17: Text(en="Industries", ja="産業分野"),
    18: Text(en="Business functions", ja="業務の機能"),
    19: Text(en="Critical functions or infrastructure", ja="重要な機能または重要インフラ"),
    20: Text(en="Breadth of deployment", ja="導入の広がり"),
    21: Text(en="Link to training data", ja="訓練データとの関係"),
    22: Text(en="Link to the AI model", ja="AI モデルとの関係"),
    23: Text(en="Usage rights", ja="利用の権利"),
    24: Text(en="Interaction of several AI systems", ja="複数の AI システムの相互作用"),
    25: Text(en="Tasks of the AI system", ja="AI システムの作業"),
    26: Text(en="Level of autonomy", ja="自律の度合い"),
    27: Text(en="Actions taken", ja="講じた措置"),
    28: Text(en="Steps to reproduce", ja="再現の手順"),
    29: Text(en="Additional information", ja="その他の情報"),
}

_RELATION: Final = {
    "en": "behaviour of the system itself, observed in a test",
    "ja": "試験で観察された、システム自身の振る舞い",
}
_EMPTY: Final = {
    "en": "Nothing that is recorded here answers it. Somebody who knows what happened has to fill it in.",
    "ja": "ここに記録されているものからは答えられません。何が起きたかを知る人が記入してください。",
}
_NOTHING: Final = {
    "en": "There are no findings: nothing is to be reported, and no criterion was looked at.",
    "ja": "指摘がありません。報告することはなく、どの項目も調べていません。",
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
        and no value; how many are filled; and the digest of all of it. No clock: equal ledgers give equal bytes. In
        both languages: each criterion, and a ``note`` on what cannot be filled, or on there being no findings: of
        nothing nothing can be said to be unfillable.
    """
    findings = [_finding(one, workspace, state) for one in state.findings.values()]
    body: dict[str, Json] = {
        "framework": "OECD AI Papers No. 34 (2025), doi:10.1787/f326d4ac-en",
        "mapping_version": MAPPING_VERSION,
        "cannot_be_filled": [
            {"number": number, "criterion": CRITERIA[number].to_json(), "mandatory": number in MANDATORY}
            for number in CRITERIA
            if findings and all(one["criteria"][number - 1]["alignment"] == "unmapped" for one in findings)
        ],
        "findings": findings,
    }
    if not findings:
        body["note"] = _NOTHING
    elif body["cannot_be_filled"]:
        body["note"] = _EMPTY
    return {**body, "digest": digest(body)}


def _finding(finding: Finding, workspace: Workspace, state: State) -> dict[str, Json]:
    filled = {one.number: one for one in _fill(finding, workspace, state) if one.value not in (None, "", [], {})}
    criteria = [
        {
            "number": number,
            "criterion": title.to_json(),
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
    yield _Filled(
        3,
        {"en": "behaviour of the system itself, observed in a test", "ja": "試験で観察された、システム自身の振る舞い"},
        "partial",
    )
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
