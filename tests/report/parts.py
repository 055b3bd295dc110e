"""Promises and verdicts with nothing but what a picture shows."""

from __future__ import annotations

from typing import Any

from shinrai.records import Commitment, Verdict

DIGEST = "sha256:" + "0" * 64
COMPARATORS = {
    "failure-rate": "at-most",
    "pass-rate": "at-least",
    "rate-ratio": "at-least",
    "rate-difference": "at-most",
    "rate-band": "within",
    "attested": "exists",
    "observed": "at-least",
}


def promise(metric: str, threshold: float | tuple[float, float] | None, **changed: Any) -> Commitment:
    return Commitment.model_validate(
        {
            "claim": "p/g/m/c",
            "system": "s",
            "fingerprint": DIGEST,
            "check": "c",
            "check_version": "1",
            "title": {"en": "c"},
            "statement": {"en": "c"},
            "metric": metric,
            "comparator": COMPARATORS[metric],
            "threshold": threshold,
            "alpha": 0.05,
            "budget": 10,
            "order_seed": 7,
            **changed,
        }
    )


def verdict(
    estimate: float | None = None, lower: float | None = None, upper: float | None = None, **changed: Any
) -> Verdict:
    return Verdict.model_validate(
        {
            "commitment": DIGEST,
            "claim": "p/g/m/c",
            "system": "s",
            "status": "undecided",
            "reason": "data-spent",
            "estimate": estimate,
            "lower": lower,
            "upper": upper,
            **changed,
        }
    )
