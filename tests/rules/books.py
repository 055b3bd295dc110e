"""Small rule books, claims and standings to test with."""

from __future__ import annotations

from typing import Any

from shinrai.ledger.projection import ClaimState, Promise
from shinrai.records import Commitment, Crosswalk, Framework, Ruling, Status
from shinrai.rules.crosswalks import Roads
from shinrai.rules.status import Standing

DIGEST = "sha256:" + "0" * 64


def framework(name: str, *entries: str | dict[str, Any], **more: Any) -> Framework:
    requirements = [{"id": one, "title": {"en": one}} if isinstance(one, str) else one for one in entries]
    return Framework.model_validate(
        {
            "id": name,
            "family": name,
            "version": "1",
            "title": {"en": name},
            "issuer": {"en": "us"},
            "published": "2026-01-01",
            "licence": {"name": {"en": "ours"}, "ships": "text"},
            "sources": [{"title": {"en": "here"}, "certainty": "official"}],
            "certainty": "official",
            "requirements": requirements,
            **more,
        }
    )


def crosswalk(source: str, target: str, *mappings: tuple[str, str, str], **more: Any) -> Crosswalk:
    return Crosswalk.model_validate(
        {
            "id": f"{source}-to-{target}",
            "title": {"en": "x"},
            "source": source,
            "target": target,
            "provenance": "derived",
            "mappings": [
                {"sources": a.split(), "relationship": relationship, "targets": b.split(), "confidence": 0.5}
                for a, relationship, b in mappings
            ],
            **more,
        }
    )


def claim(
    name: str, status: Status, *, system: str = "s", check: str = "c", answers: tuple[str, ...] = ()
) -> ClaimState:
    """Make a claim on a system as the ledger would tell of it."""
    ruling = Ruling.model_validate(
        {"claim": name, "system": system, "applies": True, "rule": "named", "reason": {"en": "r"}}
    )
    commitment = Commitment.model_validate(
        {
            "claim": name,
            "system": system,
            "fingerprint": DIGEST,
            "check": check,
            "check_version": "1",
            "title": {"en": name},
            "statement": {"en": name},
            "metric": "pass-rate",
            "comparator": "at-least",
            "threshold": 0.5,
            "alpha": 0.05,
            "budget": 10,
            "order_seed": 7,
            "answers": answers,
        }
    )
    promise = Promise(commitment, DIGEST, 1, "2026-01-01T00:00:00Z", None, DIGEST)
    return ClaimState(f"{name}@{system}", status, None, ruling, promise)


def standing(
    frameworks: list[Framework], crosswalks: list[Crosswalk], claims: list[ClaimState], *systems: str
) -> Standing:
    found = Standing({one.id: one for one in frameworks}, Roads(crosswalks), systems or ("s",))
    found.read(claims)
    return found
