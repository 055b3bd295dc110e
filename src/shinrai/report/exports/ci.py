"""For CI: SARIF 2.1.0, which code hosts show beside the code, and JUnit XML, which build servers count."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from shinrai.ledger.projection import ClaimState
from shinrai.records import Json, Status
from shinrai.report.exports.dossier import Dossier, figures, promise_words

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_KINDS: Final[dict[Status, tuple[str, str]]] = {
    "met": ("pass", "none"),
    "violated": ("fail", "error"),
    "accepted": ("fail", "error"),
    "undecided": ("review", "none"),
    "not_measured": ("open", "none"),
    "stale": ("open", "none"),
    "not_applicable": ("notApplicable", "none"),
}
"""Status → kind and level of SARIF; only what fails has a level."""

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sarif(dossier: Dossier) -> dict[str, Json]:
    """Write every claim as a SARIF result; an accepted risk is a suppressed one."""
    rules = {claim.promise.commitment.check: claim.promise.commitment for claim in dossier.claims if claim.promise}
    order = {name: position for position, name in enumerate(rules)}
    driver = {
        "name": "Shinrai",
        "version": version("shinrai"),
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": dossier.read(one.title)},
                "defaultConfiguration": {"level": "error"},
            }
            for name, one in rules.items()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_result(dossier, claim, order) for claim in dossier.claims],
        "properties": {"ledgerHead": dossier.head.hash},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(dossier: Dossier, claim: ClaimState, order: dict[str, int]) -> dict[str, Json]:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    commitment = claim.promise.commitment
    kind, level = _KINDS[claim.status]
    place = {
        "physicalLocation": {"artifactLocation": {"uri": "shinrai.yaml"}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": claim.key, "kind": "member"}],
    }
    told: dict[str, Json] = {
        "ruleId": commitment.check,
        "ruleIndex": order[commitment.check],
        "kind": kind,
        "level": level,
        "message": {"text": _message(dossier, claim)},
        "locations": [place],
        "partialFingerprints": {"claim/v1": claim.key, "commitment/v1": claim.promise.digest},
        "properties": {"status": claim.status},
    }
    accept = claim.action.accept if claim.action and claim.status == "accepted" else None
    if accept is not None:
        reason = f"{accept.role} ≤ {accept.until}: {dossier.read(accept.reason)}"
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return told


def _message(dossier: Dossier, claim: ClaimState) -> str:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    commitment = claim.promise.commitment
    found = figures(commitment, claim.judgement.verdict) if claim.judgement else ""
    parts = [dossier.read(commitment.statement), dossier.status_word(claim), found, dossier.reason(claim)]
    return " — ".join(part for part in parts if part)


def junit(dossier: Dossier) -> bytes:
    """Write one test suite for each system: violated and undecided fail, what could not be measured is an error."""
    suites = [
        _suite(
            dossier.read(system.title), [(claim, _message(dossier, claim)) for claim in dossier.claims_on(system.id)]
        )
        for system in dossier.systems
    ]
    body = "\n".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="shinrai">\n{body}\n</testsuites>\n'.encode()


def _suite(name: str, cases: list[tuple[ClaimState, str]]) -> str:
    found = [claim.status for claim, _message in cases]
    failures = sum(status in {"violated", "undecided"} for status in found)
    errors = sum(status in {"not_measured", "stale"} for status in found)
    head = f'  <testsuite name={_quoted(name)} tests="{len(cases)}" failures="{failures}" errors="{errors}">'
    return "\n".join([head, *(_case(claim, message) for claim, message in cases), "  </testsuite>"])


def _case(claim: ClaimState, message: str) -> str:
    assert claim.promise is not None  # noqa: S101 - a dossier holds promised claims alone
    path, _slash, name = claim.ruling.claim.rpartition("/")
    head = f"    <testcase classname={_quoted(f'{claim.ruling.system}.{path}')} name={_quoted(name)}"
    kind = {"violated": "failure", "undecided": "failure", "not_measured": "error", "stale": "error"}.get(claim.status)
    if kind is not None:
        told = f"<{kind} type={_quoted(claim.status)} message={_quoted(message)}>{_plain(message)}</{kind}>"
        return f"{head}>{told}</testcase>"
    return (
        f"{head}><system-out>{_plain(f'{message} [{promise_words(claim.promise.commitment)}]')}</system-out></testcase>"
    )


def _plain(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))


def _quoted(text: str) -> str:
    return quoteattr(_UNPRINTABLE.sub("\ufffd", text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
