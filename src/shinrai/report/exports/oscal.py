"""OSCAL 1.2.1 in JSON: assessment results, plan of action and milestones, component definition, mapping collection.

OSCAL knows ``satisfied`` and ``not-satisfied`` alone. What was not measured, or is stale, therefore gets no finding but
an observation that says why; what does not apply is not among the reviewed controls; what was accepted is a risk with
the status ``deviation-approved``. The status in full stands in a property of our own beside each.

A result is about one system and one framework, so a claim that answers several frameworks is observed in several
results. Identifiers must not repeat within a document: there they carry the framework (``scope``), and the property
``commitment`` tells that it is the same claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger.projection import ClaimState, Finding
from shinrai.records import Crosswalk, Framework, Id, Json, Mapping, Source, System, Text
from shinrai.report.exports.dossier import Dossier, figures, promise_words
from shinrai.report.requirements import REQUIREMENT_WORDS
from shinrai.rules.status import RequirementStatus

VERSION: Final = "1.2.1"
NAMESPACE: Final = "https://shinrai.invalid/ns/oscal"
"""Of our own properties. The domain ``invalid`` belongs to nobody, so that nothing is looked up there."""

_STATE: Final[dict[RequirementStatus, str]] = {
    "met": "satisfied",
    "partly": "not-satisfied",
    "violated": "not-satisfied",
    "undecided": "not-satisfied",
    "accepted": "not-satisfied",
}
_METHODS: Final = {"attested": "EXAMINE", "observed": "EXAMINE"}
_NOT_IN_TOKEN: Final = re.compile(r"[^\w.-]")


def token(name: str) -> str:
    """Write an id as OSCAL's tokens are: what begins with a digit gets ``_`` in front."""
    plain = _NOT_IN_TOKEN.sub("-", name)
    return plain if plain[:1].isalpha() or plain.startswith("_") else f"_{plain}"


def assessment_results(dossier: Dossier) -> dict[str, Json]:
    """Write the assessment results of every framework for every system.

    Raises
    ------
    UsageError
        If no requirement applies to any system.
    """
    results = [_result(dossier, system, framework) for system in dossier.systems for framework in dossier.frameworks]
    results = [one for one in results if one is not None]
    if not results:
        raise UsageError("export.nothing", _("No requirement of these frameworks applies to these systems"))
    plan = dossier.uuid("commitments")
    back = {"uuid": plan, "title": dossier.t("Commitments in the ledger"), "description": dossier.head.hash}
    body = {
        "uuid": dossier.uuid("assessment-results", dossier.head.hash),
        "metadata": _metadata(dossier, dossier.t("Assessment results")),
        "import-ap": {"href": f"#{plan}", "remarks": dossier.t("Every threshold was committed before measuring.")},
        "results": results,
        "back-matter": {"resources": [back]},
    }
    return {"assessment-results": body}


def _result(dossier: Dossier, system: System, framework: Framework) -> dict[str, Json] | None:
    found = dossier.standing
    entries = found.requirements(framework.id)
    statuses = {one.id: found.status(f"{framework.id}/{one.id}", system.id) for one in entries}
    reviewed = [one for one in entries if statuses[one.id] != "not_applicable"]
    if not reviewed:
        return None
    claims = {claim.ruling.claim: claim for claim in dossier.claims_on(system.id)}
    needed: dict[str, ClaimState] = {}
    findings, blanks = [], []
    for entry in reviewed:
        ref, status = f"{framework.id}/{entry.id}", statuses[entry.id]
        known = {
            one.evidence: claims[one.evidence] for one in found.contributions(ref, system.id) if one.evidence in claims
        }
        title = f"{entry.id} {dossier.read(entry.title)}"
        if status in _STATE:
            needed |= known
            findings.append(_finding(dossier, system, (framework.id, entry.id, title, status), known))
        else:
            blanks.append(_blank(dossier, system, (framework.id, entry.id, title, status)))
    days = [claim.judgement.at for claim in needed.values() if claim.judgement]
    result: dict[str, Json] = {
        "uuid": dossier.uuid("result", system.id, framework.id),
        "title": f"{dossier.read(framework.title)} — {dossier.read(system.title)}",
        "description": dossier.t("Requirements by where they stand") + ": " + _counts(dossier, statuses.values()),
        "start": min(days, default=dossier.head.at),
        "end": max(days, default=dossier.head.at),
        "local-definitions": {"components": [_component(dossier, system, framework.id)]},
        "reviewed-controls": {
            "control-selections": [{"include-controls": [{"control-id": token(one.id)} for one in reviewed]}]
        },
        "observations": [*(_observation(dossier, claim, framework.id) for claim in needed.values()), *blanks],
    }
    risks = [
        _risk(dossier, claim, framework.id) for claim in needed.values() if claim.status in {"violated", "accepted"}
    ]
    return {**result, **({"risks": risks} if risks else {}), **({"findings": findings} if findings else {})}


def _counts(dossier: Dossier, statuses: Iterable[RequirementStatus]) -> str:
    listed = list(statuses)
    total = len(listed)
    return ", ".join(
        f"{dossier.t(REQUIREMENT_WORDS[one])} {listed.count(one)}/{total}" for one in dict.fromkeys(listed)
    )


def _metadata(dossier: Dossier, title: str) -> dict[str, Json]:
    return {
        "title": f"{title} — {dossier.read(dossier.workspace.settings.name)}",
        "last-modified": dossier.head.at,
        "version": str(dossier.head.seq),
        "oscal-version": VERSION,
        "props": [_prop("ledger-head", dossier.head.hash)],
    }


def _prop(name: str, value: object) -> dict[str, Json]:
    """Make a property of our own; OSCAL wants one line that is not empty and has no blanks at its ends."""
    return {"name": name, "ns": NAMESPACE, "value": " ".join(str(value).split()) or "-"}


def _component(dossier: Dossier, system: System, *scope: Id) -> dict[str, Json]:
    return {
        "uuid": dossier.uuid("system", system.id, *scope),
        "type": "service",
        "title": dossier.read(system.title),
        "description": dossier.read(system.purpose),
        "status": {"state": "disposition" if system.stage == "retirement" else "operational"},
    }


def _finding(
    dossier: Dossier, system: System, entry: tuple[str, str, str, RequirementStatus], claims: dict[str, ClaimState]
) -> dict[str, Json]:
    framework, name, title, status = entry
    related = [{"observation-uuid": dossier.uuid("observation", claim.key, framework)} for claim in claims.values()]
    risks = [
        {"risk-uuid": dossier.uuid("risk", claim.key, framework)}
        for claim in claims.values()
        if claim.status in {"violated", "accepted"}
    ]
    return {
        "uuid": dossier.uuid("finding", system.id, framework, name),
        "title": title,
        "description": dossier.t(REQUIREMENT_WORDS[status]),
        "props": [_prop("status", status)],
        "target": {"type": "objective-id", "target-id": token(name), "status": _target(status)},
        **({"related-observations": related} if related else {}),
        **({"related-risks": risks} if risks else {}),
    }


def _target(status: RequirementStatus) -> dict[str, Json]:
    state = _STATE[status]
    reason = {"met": "pass", "violated": "fail"}.get(status, "other")
    return {"state": state, "reason": reason}


def _blank(dossier: Dossier, system: System, entry: tuple[str, str, str, RequirementStatus]) -> dict[str, Json]:
    framework, name, title, status = entry
    return {
        "uuid": dossier.uuid("blank", system.id, framework, name),
        "title": title,
        "description": dossier.t(REQUIREMENT_WORDS[status]),
        "props": [_prop("status-reason", status), _prop("control-id", token(name))],
        "methods": ["UNKNOWN"],
        "collected": dossier.head.at,
    }


def _observation(dossier: Dossier, claim: ClaimState, *scope: Id) -> dict[str, Json]:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    commitment = claim.promise.commitment
    props = [_prop("status", claim.status), _prop("commitment", claim.promise.digest)]
    props.append(_prop("threshold", promise_words(commitment)))
    collected, evidence = dossier.head.at, [claim.promise.digest]
    if claim.judgement is not None:
        verdict = claim.judgement.verdict
        collected = claim.judgement.at
        evidence += list(verdict.evidence)
        props.append(_prop("n", verdict.counts.total))
        numbers = (("estimate", verdict.estimate), ("lower", verdict.lower), ("upper", verdict.upper))
        props += [_prop(name, value) for name, value in numbers if value is not None]
    expires = dossier.expires(claim)
    return {
        "uuid": dossier.uuid("observation", claim.key, *scope),
        "title": dossier.read(commitment.title),
        "description": dossier.read(commitment.statement),
        "props": props,
        "methods": [_METHODS.get(commitment.metric, "TEST")],
        "subjects": [{"subject-uuid": dossier.uuid("system", claim.ruling.system, *scope), "type": "component"}],
        "relevant-evidence": [{"description": one} for one in evidence],
        "collected": collected,
        **({"expires": expires} if expires else {}),
    }


def _risk(dossier: Dossier, claim: ClaimState, *scope: Id) -> dict[str, Json]:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    commitment = claim.promise.commitment
    accept = claim.action.accept if claim.action and claim.status == "accepted" else None
    told: dict[str, Json] = {
        "uuid": dossier.uuid("risk", claim.key, *scope),
        "title": dossier.read(commitment.title),
        "description": dossier.read(commitment.statement),
        "statement": figures(commitment, claim.judgement.verdict) if claim.judgement else claim.status,
        "status": "deviation-approved" if accept else "open",
        "related-observations": [{"observation-uuid": dossier.uuid("observation", claim.key, *scope)}],
    }
    if accept:
        told["props"] = [_prop("accepted-by", accept.role), _prop("accepted-because", dossier.read(accept.reason))]
        told["deadline"] = f"{accept.until}T23:59:59Z"
    return told


# ---- plan of action and milestones


def poam(dossier: Dossier) -> dict[str, Json]:
    """Write the open findings, what was decided about them, and by when.

    Raises
    ------
    UsageError
        If none is open.
    """
    by_key = {claim.key: claim for claim in dossier.claims}
    findings = [one for one in dossier.state.open_findings() if one.key in by_key]
    if not findings:
        raise UsageError("export.no-findings", _("No finding is open: there is nothing to plan"))
    systems = [one for one in dossier.systems if any(found.system == one.id for found in findings)]
    claims = [by_key[one.key] for one in findings]
    body = {
        "uuid": dossier.uuid("poam", dossier.head.hash),
        "metadata": _metadata(dossier, dossier.t("Plan of action and milestones")),
        "system-id": {"identifier-type": "http://ietf.org/rfc/rfc4122", "id": dossier.uuid("workspace")},
        "local-definitions": {"components": [_component(dossier, one) for one in systems]},
        "observations": [_observation(dossier, claim) for claim in claims],
        "risks": [_planned_risk(dossier, by_key[one.key], one) for one in findings],
        "poam-items": [
            {
                "uuid": dossier.uuid("poam-item", one.id),
                "title": f"{one.id} {dossier.read(_title(by_key[one.key]))}",
                "description": f"{one.owner}: {dossier.status_word(by_key[one.key])}",
                "props": [_prop("opened", one.opened_at), _prop("owner", one.owner)],
                "related-observations": [{"observation-uuid": dossier.uuid("observation", one.key)}],
                "related-risks": [{"risk-uuid": dossier.uuid("risk", one.key)}],
            }
            for one in findings
        ],
    }
    return {"plan-of-action-and-milestones": body}


def _title(claim: ClaimState) -> Text | None:
    return claim.promise.commitment.title if claim.promise else None


def _planned_risk(dossier: Dossier, claim: ClaimState, finding: Finding) -> dict[str, Json]:
    told = _risk(dossier, claim)
    actions = [
        action
        for action in dossier.workspace.actions.values()
        if finding.key in action.addresses and action.change is not None
    ]
    if actions and told["status"] == "open":
        told["status"] = "remediating"
        told["remediations"] = [
            {
                "uuid": dossier.uuid("remediation", action.id, finding.id),
                "lifecycle": "completed" if action.id in finding.actions else "planned",
                "title": dossier.read(action.title),
                "description": dossier.read(action.why) or dossier.read(action.title),
                "props": [_prop("owner", action.owner)],
            }
            for action in actions
        ]
        due = [action.due for action in actions if action.due]
        if due:
            told["deadline"] = f"{max(due)}T23:59:59Z"
    return told


# ---- component definition


def component_definition(dossier: Dossier) -> dict[str, Json]:
    """Write each system as a component, with what is known of each requirement that it has evidence on."""
    body = {
        "uuid": dossier.uuid("component-definition", dossier.head.hash),
        "metadata": _metadata(dossier, dossier.t("AI systems and what is known of them")),
        "components": [_defined(dossier, system) for system in dossier.systems],
    }
    return {"component-definition": body}


def _defined(dossier: Dossier, system: System) -> dict[str, Json]:
    implementations = [
        one for one in (_implementation(dossier, system, book) for book in dossier.frameworks) if one is not None
    ]
    version = dossier.state.version(system.id)
    props = [_prop("kind", system.kind)]
    if version is not None:
        props += [_prop("version", version.number), _prop("fingerprint", version.fingerprint)]
    return {
        "uuid": dossier.uuid("system", system.id),
        "type": "service",
        "title": dossier.read(system.title),
        "description": dossier.read(system.purpose),
        "props": props,
        **({"control-implementations": implementations} if implementations else {}),
    }


def _implementation(dossier: Dossier, system: System, book: Framework) -> dict[str, Json] | None:
    requirements = [
        {
            "uuid": dossier.uuid("implemented", system.id, book.id, entry.id),
            "control-id": token(entry.id),
            "description": "; ".join(f"{one.evidence}: {one.status}" for one in evidence),
            "props": [_prop("status", dossier.standing.status(f"{book.id}/{entry.id}", system.id))],
        }
        for entry in dossier.standing.requirements(book.id)
        if (evidence := dossier.standing.contributions(f"{book.id}/{entry.id}", system.id))
    ]
    if not requirements:
        return None
    return {
        "uuid": dossier.uuid("implementation", system.id, book.id),
        "source": _address(book.sources),
        "description": dossier.read(book.title),
        "implemented-requirements": requirements,
    }


def _address(sources: tuple[Source, ...]) -> str:
    return next((one.url for one in sources if one.url), f"{NAMESPACE}/no-address")


# ---- mapping collection


def mapping_collection(dossier: Dossier) -> dict[str, Json]:
    """Write the crosswalks between frameworks; those from checks are ours alone and are left out.

    Raises
    ------
    UsageError
        If there is none.
    """
    books = dossier.workspace.rules.frameworks
    walks = [one for one in dossier.workspace.rules.crosswalks.values() if one.source in books]
    if not walks:
        raise UsageError("export.no-crosswalks", _("There is no crosswalk between frameworks"))
    body = {
        "uuid": dossier.uuid("mapping-collection", dossier.head.hash),
        "metadata": _metadata(dossier, dossier.t("Crosswalks between rule books")),
        "provenance": {
            "method": "human",
            "matching-rationale": "semantic",
            "status": "draft",
            "mapping-description": dossier.t("What entries of one rule book are to entries of another."),
        },
        "mappings": [_mapping(dossier, walk, books) for walk in walks],
    }
    return {"mapping-collection": body}


def _mapping(dossier: Dossier, walk: Crosswalk, books: dict[str, Framework]) -> dict[str, Json]:
    ends = [
        {"type": "catalog", "href": _address(books[name].sources), "props": [_prop("framework", name)]}
        for name in (walk.source, walk.target)
    ]
    return {
        "uuid": dossier.uuid("mapping", walk.id),
        "method": walk.method,
        "matching-rationale": "semantic",
        "status": walk.status,
        "source-resource": ends[0],
        "target-resource": ends[1],
        "mapping-description": dossier.read(walk.title),
        "props": [_prop("provenance", walk.provenance), _prop("reviewer", walk.reviewer or "-")],
        "maps": list(_maps(dossier, walk)),
    }


def _maps(dossier: Dossier, walk: Crosswalk) -> Iterator[dict[str, Json]]:
    for position, one in enumerate(walk.mappings):
        yield {
            "uuid": dossier.uuid("map", walk.id, position),
            "matching-rationale": one.matching_rationale,
            "relationship": one.relationship,
            "sources": [{"type": "control", "id-ref": name} for name in one.sources],
            "targets": [{"type": "control", "id-ref": name} for name in one.targets],
            **_sureness(one),
        }


def _sureness(one: Mapping) -> dict[str, Json]:
    told: dict[str, Json] = {}
    if one.confidence is not None:
        told["confidence-score"] = {"percentage": one.confidence}
    if one.coverage is not None:
        told["coverage"] = {"target-coverage": one.coverage}
    return told
