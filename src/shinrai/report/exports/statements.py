"""in-toto Statements in DSSE envelopes, one for each verdict, signed with the ledger's key.

A verdict that nothing could be measured for gets no statement: in-toto reads the absence of a statement as no claim.
"""

from __future__ import annotations

import base64
from typing import Final

from shinrai.ledger.keys import PRIVATE_KEY, private_key, public_hex
from shinrai.ledger.projection import ClaimState
from shinrai.records import Json, Measured, canonical
from shinrai.report.exports.dossier import Dossier, promise_words

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"

_RESULTS: Final[dict[Measured, tuple[str, str]]] = {
    "met": ("PASSED", "passedTests"),
    "violated": ("FAILED", "failedTests"),
    "undecided": ("WARNED", "warnedTests"),
}


def statement(claim: ClaimState) -> dict[str, Json] | None:
    """Write the last verdict on a claim as an in-toto Statement with the predicate ``test-result/v0.1``.

    Parameters
    ----------
    claim : ClaimState
        The subject is the version of the system that the verdict is about; configuration names commitment and data.

    Returns
    -------
    dict or None
        None where there is no verdict, where nothing could be measured, or where the promise has changed since.
    """
    if claim.promise is None or claim.judgement is None or claim.stale_because == "commitment":
        return None
    commitment, verdict = claim.promise.commitment, claim.judgement.verdict
    if verdict.status not in _RESULTS:
        return None
    result, listed = _RESULTS[verdict.status]
    return {
        "_type": STATEMENT,
        "subject": [{"name": commitment.system, "digest": {"sha256": commitment.fingerprint.removeprefix("sha256:")}}],
        "predicateType": PREDICATE,
        "predicate": {"result": result, "configuration": _configuration(claim), listed: [commitment.claim]},
    }


def _configuration(claim: ClaimState) -> list[Json]:
    if claim.promise is None or claim.judgement is None:
        return []
    commitment, verdict = claim.promise.commitment, claim.judgement.verdict
    told = {
        "statement": commitment.statement.read("en"),
        "threshold": promise_words(commitment),
        "alpha": commitment.alpha,
        "estimate": verdict.estimate,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "n": verdict.counts.total,
        "committed": claim.promise.at,
        "judged": claim.judgement.at,
        "retrospective": verdict.retrospective,
    }
    notes = {name: value for name, value in told.items() if value is not None}
    found = [_resource("commitment", claim.promise.digest, notes), _resource("verdict", claim.judgement.digest, {})]
    if commitment.data is not None:
        name = commitment.data.use.file or f"imported:{commitment.data.use.imported}"
        found.append(_resource(name, commitment.data.digest, {}))
    return list(found)


def _resource(name: str, digest: str, notes: dict[str, Json]) -> dict[str, Json]:
    described: dict[str, Json] = {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
    return {**described, "annotations": notes} if notes else described


def encoding(payload: bytes) -> bytes:
    """Give what DSSE signs: the pre-authentication encoding of a payload."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelopes(dossier: Dossier) -> bytes:
    """Write one DSSE envelope a line (JSON Lines), in the order of the plans.

    Parameters
    ----------
    dossier : Dossier
        Its workspace holds the private key.

    Returns
    -------
    bytes
        Ed25519 signatures are deterministic, so equal ledgers give equal bytes.

    Raises
    ------
    UsageError
        If the private key is not here.
    """
    key = private_key(dossier.workspace.root / PRIVATE_KEY)
    name = public_hex(key.public_key())
    lines = []
    for claim in dossier.claims:
        told = statement(claim)
        if told is None:
            continue
        payload = canonical(told)
        signature = base64.b64encode(key.sign(encoding(payload))).decode()
        envelope = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": name, "sig": signature}],
        }
        lines.append(canonical(envelope) + b"\n")
    return b"".join(lines)
