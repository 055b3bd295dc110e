"""What the rules found in plans, for programs: JSON in both languages, and SARIF for code review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

from shinrai.i18n import current_language, translate
from shinrai.plan.lint import RULES, Linted, LintFinding, Rule
from shinrai.records import Id, Json, digest
from shinrai.source import Document

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def lint_json(linted: Linted, document: Document | None) -> dict[str, Json]:
    """Give what the rules found in a plan as JSON values, with every sentence in both languages.

    Parameters
    ----------
    linted : Linted
        Of one plan.
    document : Document or None
        The plan's file, for the places; None where there is none.
    """
    return {
        "plan": linted.plan.id,
        "open": len(linted.open),
        "findings": [_finding_json(one, document) for one in linted.findings],
        "coverage": [row.to_json() for row in linted.coverage],
        "idle_decisions": [one.to_json() for one in linted.idle],
    }


def _finding_json(finding: LintFinding, document: Document | None) -> dict[str, Json]:
    found: dict[str, Json] = {
        "rule": finding.rule,
        "name": RULES[finding.rule].name,
        "of": finding.of,
        "severity": finding.severity,
        "message": finding.said.text().to_json(),
        "decision": finding.decision.to_json() if finding.decision else None,
    }
    if document is not None:
        line, column = document.mark(finding.place)
        found |= {"file": document.shown_as, "line": line, "column": column}
    return found


def sarif(plans: Sequence[Linted], documents: Mapping[Id, Document]) -> dict[str, Json]:
    """Give what the rules found as a SARIF 2.1.0 log.

    Messages are in the language in use; both languages stand in the property bags. A finding that a person decided may
    stay is a suppressed result with its reason.

    Parameters
    ----------
    plans : sequence of Linted
        Each with its findings.
    documents : mapping
        Plan → its file; results of a plan without one have no location.

    Returns
    -------
    dict
        JSON values.
    """
    names = list(RULES)
    driver = {
        "name": "shinrai plan lint",
        "version": version("shinrai"),
        "rules": [_rule(rule) for rule in RULES.values()],
    }
    results = [
        _result(finding, names.index(finding.rule), linted.plan.id, documents.get(linted.plan.id))
        for linted in plans
        for finding in linted.findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Json]:
    language = current_language()
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": translate(rule.title, language)},
        "fullDescription": {"text": translate(rule.why, language)},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "title": {"ja": translate(rule.title, "ja"), "en": rule.title},
            "why": {"ja": translate(rule.why, "ja"), "en": rule.why},
        },
    }


def _result(finding: LintFinding, index: int, plan: Id, document: Document | None) -> dict[str, Json]:
    said = finding.said
    result: dict[str, Json] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": said.read(current_language())},
        "partialFingerprints": {"shinrai/v1": digest([plan, finding.rule, finding.of, said.message])},
        "properties": {"plan": plan, "of": finding.of, "message": said.text().to_json()},
    }
    if document is not None:
        line, column = document.mark(finding.place)
        region = {"startLine": line, "startColumn": column}
        logical = {"fullyQualifiedName": f"{plan}/{finding.of}"}
        physical = {"artifactLocation": {"uri": document.shown_as.removeprefix("catalog:")}, "region": region}
        result["locations"] = [{"physicalLocation": physical, "logicalLocations": [logical]}]
    if finding.decision is not None:
        why = finding.decision.reason.read(current_language())
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": why}]
    return result
