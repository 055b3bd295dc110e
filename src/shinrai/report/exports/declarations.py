"""Declarations in CycloneDX: who says what of which system, with the evidence for it and the evidence against it.

A claim is what was promised; its evidence is the verdict on it. What speaks for a claim stands under ``evidence``, what
speaks against it under ``counterEvidence``: a promise that is kept keeps its failed trials beside it. A claim of which
nothing is known has neither, and a requirement of which nothing is known has no score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from shinrai.ledger.projection import ClaimState, Entry
from shinrai.records import Action, Answer, Framework, Id, Json, Requirement, System
from shinrai.report.cyclonedx import schema_of, serial_of, systems_bom
from shinrai.report.exports.dossier import Dossier, figures, promise_words
from shinrai.report.requirements import REQUIREMENT_WORDS
from shinrai.rules.status import Contribution, RequirementStatus
from shinrai.workspace import PROPERTY

Object = dict[str, Any]

_ASSESSOR: Final = "assessor"
_SCORES: Final[dict[RequirementStatus, float]] = {"met": 1.0, "violated": 0.0}
"""A requirement that is met or violated has a score; no other one has, least of all one that nobody has looked at."""

_AGAINST: Final = frozenset({"violated", "accepted"})
_TRIALS: Final = frozenset({"at-most", "at-least"})
"""Promises of which a trial that passes speaks for them, and one that fails against them."""


def declarations(dossier: Dossier) -> Object:
    """Write a CycloneDX 1.6 document with declarations about systems, and the rule books that they answer.

    Parameters
    ----------
    dossier : Dossier
        Equal ledgers and files give equal documents, serial number included.

    Returns
    -------
    dict
    """
    settings = dossier.workspace.settings
    about: Object = {
        "type": "application",
        "bom-ref": f"workspace:{settings.id}",
        "name": dossier.read(settings.name),
    }
    document: Object = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": dossier.head.at,
            "component": about,
            "properties": [_property("ledger-head", dossier.head.hash)],
        },
        "declarations": {
            "assessors": [
                {"bom-ref": _ASSESSOR, "thirdParty": False, "organization": {"name": dossier.read(settings.name)}}
            ],
            "attestations": [
                _attestation(dossier, system, book) for system in dossier.systems for book in dossier.frameworks
            ],
            "claims": [*(_claim(dossier, one) for one in dossier.claims), *_stated(dossier)],
            "evidence": list(_evidence(dossier)),
            "targets": {"components": [_target(dossier, system) for system in dossier.systems]},
        },
        "definitions": {"standards": [_standard(dossier, book) for book in dossier.frameworks]},
    }
    return {"$schema": schema_of(document), "serialNumber": serial_of(document), **document}


def _property(name: str, value: object) -> Object:
    return {"name": f"{PROPERTY}{name}", "value": str(value)}


# ---- what it is about


def _target(dossier: Dossier, system: System) -> Object:
    """Name a system in the version that is promised about; its bill of materials is what `shinrai stack` writes."""
    bill = systems_bom(dossier.workspace, [system.id])
    link = f"urn:cdx:{bill['serialNumber'].removeprefix('urn:uuid:')}/{bill['version']}"
    version = dossier.state.version(system.id)
    stated = [_property("kind", system.kind)]
    if version is not None:
        stated.append(_property("fingerprint", version.fingerprint))
    return {
        "type": "application",
        "bom-ref": _system(system.id),
        "name": dossier.read(system.title),
        **({"version": str(version.number)} if version is not None else {}),
        "description": dossier.read(system.purpose),
        "externalReferences": [{"type": "bom", "url": link}],
        "properties": stated,
    }


def _system(name: Id) -> str:
    return f"system:{name}"


def _standard(dossier: Dossier, book: Framework) -> Object:
    return {
        "bom-ref": f"standard:{book.id}",
        "name": dossier.read(book.title),
        "version": book.version,
        "owner": dossier.read(book.issuer),
        "requirements": [_requirement(dossier, book, one) for one in book.requirements],
        "externalReferences": [{"type": "documentation", "url": one.url} for one in book.sources if one.url],
    }


def _requirement(dossier: Dossier, book: Framework, entry: Requirement) -> Object:
    told: Object = {
        "bom-ref": f"{book.id}/{entry.id}",
        "identifier": entry.id,
        "text": dossier.read(entry.text or entry.title),
    }
    if entry.note is not None:
        told["descriptions"] = [dossier.read(entry.note)]
    if entry.parent is not None:
        told["parent"] = f"{book.id}/{entry.parent}"
    return told


# ---- requirement by requirement


def _attestation(dossier: Dossier, system: System, book: Framework) -> Object:
    counts = dossier.standing.counts(book.id, system.id)
    total = sum(counts.values())
    words = ", ".join(f"{dossier.t(REQUIREMENT_WORDS[one])} {count}/{total}" for one, count in counts.items())
    return {
        "summary": f"{dossier.read(system.title)} — {dossier.read(book.title)}: {words}",
        "assessor": _ASSESSOR,
        "map": [_mapped(dossier, system.id, f"{book.id}/{one.id}") for one in dossier.standing.requirements(book.id)],
    }


def _mapped(dossier: Dossier, system: Id, ref: str) -> Object:
    status = dossier.standing.status(ref, system)
    known = [one for one in dossier.standing.contributions(ref, system) if _claim_ref(dossier, one, system)]
    for_it = [_claim_ref(dossier, one, system) for one in known if one.status not in _AGAINST]
    against = [_claim_ref(dossier, one, system) for one in known if one.status in _AGAINST]
    conformance: Object = {"rationale": dossier.t(REQUIREMENT_WORDS[status])}
    if status in _SCORES:
        conformance = {"score": _SCORES[status], **conformance}
    told: Object = {"requirement": ref}
    if for_it:
        told["claims"] = list(dict.fromkeys(for_it))
    if against:
        told["counterClaims"] = list(dict.fromkeys(against))
    told["conformance"] = conformance
    return told | _confidence(dossier, known)


def _claim_ref(dossier: Dossier, one: Contribution, system: Id) -> str | None:
    """Give the reference of the claim that evidence on a requirement comes from; "not assessed" claims nothing."""
    if f"{one.evidence}@{system}" in dossier.state.promises:
        return f"claim:{one.evidence}@{system}"
    found = _newest(dossier, one.evidence, system)
    return None if found is None else f"claim:{one.evidence}@{system}"


def _confidence(dossier: Dossier, known: list[Contribution]) -> Object:
    """Say by which way the nearest evidence comes, and how sure its weakest link is."""
    weakest = known[0].way.weakest if known else None
    if weakest is None:
        return {}
    source = dossier.t("official") if weakest.official else dossier.t("derived")
    read = dossier.t("reviewed") if weakest.reviewed else dossier.t("not reviewed")
    told: Object = {"rationale": f"{weakest.crosswalk}: {known[0].way.relationship} ({source}, {read})"}
    return {"confidence": told if weakest.confidence is None else {"score": weakest.confidence, **told}}


# ---- claims


def _claim(dossier: Dossier, claim: ClaimState) -> Object:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    commitment = claim.promise.commitment
    found = figures(commitment, claim.judgement.verdict) if claim.judgement else ""
    words = [dossier.status_word(claim), found, dossier.reason(claim)]
    for_it, against = _sides(claim)
    mitigations = [f"action:{one.id}:{claim.key}" for one in _actions(dossier, claim)]
    return {
        "bom-ref": f"claim:{claim.key}",
        "target": _system(commitment.system),
        "predicate": f"{dossier.read(commitment.statement)} [{promise_words(commitment)}]",
        **({"mitigationStrategies": mitigations} if mitigations else {}),
        "reasoning": " — ".join(word for word in words if word),
        **({"evidence": for_it} if for_it else {}),
        **({"counterEvidence": against} if against else {}),
    }


def _sides(claim: ClaimState) -> tuple[list[str], list[str]]:
    """Name what speaks for a claim and what speaks against it; a verdict that excludes neither stands on both sides."""
    if claim.judgement is None or claim.judgement.verdict.status == "not_measured":
        return [], []
    status = claim.judgement.verdict.status
    verdict, trials = f"verdict:{claim.key}", dict(_trials(claim))
    for_it = [verdict] if status != "violated" else []
    against = [verdict] if status != "met" else []
    for_it += [ref for ref in trials if ref.startswith("passed:")]
    against += [ref for ref in trials if ref.startswith("failed:")]
    return for_it, against


def _trials(claim: ClaimState) -> Iterator[tuple[str, int]]:
    """Give the trials of each side, where one trial speaks for or against the claim."""
    if claim.judgement is None or claim.promise is None or claim.promise.commitment.comparator not in _TRIALS:
        return
    counts = claim.judgement.verdict.counts
    for name, count in (("passed", counts.passed), ("failed", counts.failed)):
        if count:
            yield f"{name}:{claim.key}", count


def _actions(dossier: Dossier, claim: ClaimState) -> list[Action]:
    """Give what was decided about a claim that is not met: what repairs it, and the acceptance in force."""
    if claim.status in {"met", "not_applicable"}:
        return []
    decided = [one for _entry, one in dossier.state.applied.values() if claim.key in one.addresses]
    return [one for one in decided if one.change is not None or one == claim.action]


def _stated(dossier: Dossier) -> Iterator[Object]:
    """Write the newest answer to each requirement as a claim; "not assessed" and "not applicable" claim nothing."""
    for requirement, system, entry, answer in _answers(dossier):
        side = "evidence" if answer.answer == "in-place" else "counterEvidence"
        yield {
            "bom-ref": f"claim:{requirement}@{system}",
            "target": _system(system),
            "predicate": answer.question,
            "reasoning": answer.statement or answer.answer,
            side: [f"answer:{entry.seq}"],
        }


def _answers(dossier: Dossier) -> Iterator[tuple[str, Id, Entry, Answer]]:
    known = dict.fromkeys(one.requirement for _entry, one in dossier.state.evidence if isinstance(one, Answer))
    for system in dossier.systems:
        for requirement in known:
            found = _newest(dossier, requirement, system.id)
            if found is not None:
                yield requirement, system.id, *found


def _newest(dossier: Dossier, requirement: str, system: Id) -> tuple[Entry, Answer] | None:
    """Give the answer that counts, as `Standing` has it: one of its own before one about every system."""
    every = dossier.answers(requirement, system)
    own = [(entry, one) for entry, one in every if one.system == system]
    found = (own or every)[-1:]
    return found[0] if found and found[0][1].answer in {"in-place", "not-in-place"} else None


# ---- evidence


def _evidence(dossier: Dossier) -> Iterator[Object]:
    for claim in dossier.claims:
        yield from _of_claim(dossier, claim)
        for one in _actions(dossier, claim):
            yield _of_action(dossier, claim, one)
    seen = {entry.seq: (entry, answer) for _name, _system_id, entry, answer in _answers(dossier)}
    for entry, answer in seen.values():
        yield _of_answer(entry, answer)


def _of_claim(dossier: Dossier, claim: ClaimState) -> Iterator[Object]:
    if claim.judgement is None or claim.judgement.verdict.status == "not_measured":
        return
    verdict = claim.judgement.verdict
    times: Object = {"created": claim.judgement.at}
    if claim.status == "stale":
        times["expires"] = dossier.expires(claim) if claim.stale_because == "expired" else dossier.head.at
    elif ends := dossier.expires(claim):
        times["expires"] = ends
    told = {
        "commitment": verdict.commitment,
        "digest": claim.judgement.digest,
        "status": verdict.status,
        "estimate": verdict.estimate,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "level": verdict.level,
        "trials": verdict.counts.to_json(),
        "retrospective": verdict.retrospective,
        "evidence": list(verdict.evidence),
    }
    about = dossier.status_word(claim) if claim.status == "stale" else ""
    yield _item(f"verdict:{claim.key}", "verdict", about, told) | times
    for ref, count in _trials(claim):
        kept = {"trials": count, "of": verdict.counts.total, "run": verdict.run}
        yield _item(ref, ref.partition(":")[0], "", kept) | times


def _of_action(dossier: Dossier, claim: ClaimState, action: Action) -> Object:
    told: dict[str, Json] = {"action": action.id, "owner": action.owner}
    if action.accept is not None:
        told |= {"accepted-by": action.accept.role, "until": action.accept.until.isoformat()}
    why = action.accept.reason if action.accept else action.why
    words = " — ".join(word for word in (dossier.read(action.title), dossier.read(why)) if word)
    entry, _action = dossier.state.applied[action.id]
    times = {"created": entry.at}
    if action.accept is not None:
        times["expires"] = f"{action.accept.until}T23:59:59Z"
    return _item(f"action:{action.id}:{claim.key}", "action", words, told) | times


def _of_answer(entry: Entry, answer: Answer) -> Object:
    told = {
        "requirement": answer.requirement,
        "answer": answer.answer,
        "effective": answer.effective.isoformat(),
        "document": answer.name,
        "digest": answer.file_digest,
    }
    found = _item(f"answer:{entry.seq}", "answer", answer.statement, told) | {"created": entry.at}
    if answer.valid_until is not None:
        found["expires"] = f"{answer.valid_until}T23:59:59Z"
    found["author"] = {"name": answer.by}
    if answer.second_reader is not None:
        found["reviewer"] = {"name": answer.second_reader}
    return found


def _item(ref: str, kind: str, about: str, told: dict[str, Json]) -> Object:
    content = json.dumps({name: one for name, one in told.items() if one is not None}, ensure_ascii=False)
    return {
        "bom-ref": ref,
        "propertyName": f"{PROPERTY}{kind}",
        **({"description": about} if about else {}),
        "data": [
            {"name": kind, "contents": {"attachment": {"contentType": "application/json", "content": content}}},
        ],
    }
