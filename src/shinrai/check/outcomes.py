"""Claims that need no trials: documents and observed values. For imported trials see `imported`.

What is read here is in the ledger before; evidence is named in a verdict by the hash of its ledger entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeAlias

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Entry, Promise, State
from shinrai.records import (
    Attestation,
    Commitment,
    Evidence,
    Measured,
    Observation,
    Reason,
    Text,
    Verdict,
)
from shinrai.stats import binomial_interval
from shinrai.workspace import kept_copy

__all__ = ["is_imported", "judge_outcome", "needs_no_calls"]

Brought: TypeAlias = Sequence[tuple[Entry, Evidence]]


def needs_no_calls(commitment: Commitment) -> bool:
    """Whether a claim is judged from evidence in the ledger alone."""
    return commitment.metric in {"attested", "observed"} or is_imported(commitment)


def is_imported(commitment: Commitment) -> bool:
    """Whether a claim is about trials that happened elsewhere."""
    return commitment.data is not None and commitment.data.use.imported is not None


def judge_outcome(promise: Promise, state: State, root: Path, today: date) -> Verdict:
    """Judge a claim that needs no calls.

    Parameters
    ----------
    promise : Promise
        Attested or observed.
    state : State
        Holds the evidence.
    root : Path
        Of the workspace, for the kept copies.
    today : date
        Documents are looked at as of this day.

    Returns
    -------
    Verdict
        The same for the same evidence and day.

    Raises
    ------
    TamperedError
        If the kept copy of a document is gone or changed.
    ValueError
        If the claim is measured by trials.
    """
    commitment = promise.commitment
    match commitment.metric:
        case "attested":
            return _attested(promise, state.evidence, root, today)
        case "observed":
            return _observed(promise, state.evidence)
        case _:
            raise ValueError(f"{commitment.metric} is measured by trials")


def _verdict(promise: Promise, status: Measured, reason: Reason) -> Verdict:
    commitment = promise.commitment
    return Verdict(
        commitment=promise.digest, claim=commitment.claim, system=commitment.system, status=status, reason=reason
    )


def _about(commitment: Commitment, found: Attestation | Observation) -> bool:
    return found.subject == commitment.subject and found.system in {None, commitment.system}


# ---- documents


def _attested(promise: Promise, evidence: Brought, root: Path, today: date) -> Verdict:
    """Met while a document in force says so; of several, the one that is valid longest counts."""
    found = [
        (entry, one)
        for entry, one in evidence
        if isinstance(one, Attestation) and _about(promise.commitment, one) and one.effective <= today
    ]
    if not found:
        return _verdict(promise, "not_measured", "no-evidence")
    entry, best = max(found, key=lambda pair: (pair[1].valid_until or date.max, pair[0].seq))
    kept_copy(root, best)
    details = {"valid_until": best.valid_until.isoformat()} if best.valid_until else {}
    in_force = best.valid_until is None or today <= best.valid_until
    verdict = _verdict(promise, *(("met", "decided") if in_force else ("not_measured", "expired")))
    return verdict.model_copy(update={"evidence": (entry.hash,), "details": details})


# ---- observed values


class _Reading(NamedTuple):
    status: Measured
    reason: Reason
    lower: float | None = None
    upper: float | None = None
    level: float | None = None


def _observed(promise: Promise, evidence: Brought) -> Verdict:
    """Compare the newest observation with the threshold.

    A share with a stated sample is compared by its exact binomial interval, each side at level alpha, so that a small
    sample decides nothing it cannot decide. Any other value is compared as it stands, and the verdict says so.
    """
    commitment = promise.commitment
    found = [(entry, one) for entry, one in evidence if isinstance(one, Observation) and _about(commitment, one)]
    if not found:
        return _verdict(promise, "not_measured", "no-evidence")
    entry, newest = max(found, key=lambda pair: (pair[1].as_of, pair[0].seq))
    sampled = newest.sample is not None and newest.unit == "share" and 0.0 <= newest.value <= 1.0
    reading = _by_interval(commitment, newest) if sampled else _as_it_stands(commitment, newest.value)
    note = None
    if not sampled:
        note = Text(
            en="Compared as it was published, without an interval: the size of the sample is not known.",
            ja="標本の大きさが不明なため、区間を付けず、公表された値をそのまま比べています。",
        )
    details = {"as_of": newest.as_of.isoformat(), "unit": newest.unit, "source": newest.source}
    return _verdict(promise, reading.status, reading.reason).model_copy(
        update={
            "estimate": newest.value,
            "lower": reading.lower,
            "upper": reading.upper,
            "level": reading.level,
            "retrospective": newest.as_of.isoformat() < promise.at[:10] or entry.seq < promise.seq,
            "evidence": (entry.hash,),
            "note": note,
            "details": details,
        }
    )


def _limits(commitment: Commitment) -> tuple[float, float]:
    """Give the range in which the value keeps the promise, both ends included.

    Raises
    ------
    UsageError
        If there is no threshold.
    """
    threshold = commitment.threshold
    if isinstance(threshold, tuple):
        return threshold
    if threshold is None:
        raise UsageError("check.no-threshold", _("{claim} has no threshold").format(claim=commitment.claim))
    return (float("-inf"), threshold) if commitment.comparator == "at-most" else (threshold, float("inf"))


def _as_it_stands(commitment: Commitment, value: float) -> _Reading:
    low, high = _limits(commitment)
    return _Reading("met" if low <= value <= high else "violated", "decided")


def _by_interval(commitment: Commitment, found: Observation) -> _Reading:
    sample = found.sample or 1
    interval = binomial_interval(round(found.value * sample), sample, 1.0 - 2.0 * commitment.alpha)
    low, high = _limits(commitment)
    bounds = (interval.lower, interval.upper, interval.level)
    if low <= interval.lower and interval.upper <= high:
        return _Reading("met", "decided", *bounds)
    if interval.upper < low or high < interval.lower:
        return _Reading("violated", "decided", *bounds)
    return _Reading("undecided", "data-spent", *bounds)
