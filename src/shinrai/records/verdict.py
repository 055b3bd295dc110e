"""Verdicts, and what they were made from."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Json, Record, Share, Text

Measured: TypeAlias = Literal["met", "violated", "undecided", "not_measured"]
"""What a check can end in."""

Status: TypeAlias = Literal["met", "violated", "undecided", "not_measured", "stale", "not_applicable", "accepted"]
"""What a claim's state can be (``DESIGN.md`` §2). There is no default; missing is never green."""

STATUSES: tuple[Status, ...] = (
    "violated",
    "not_measured",
    "undecided",
    "stale",
    "accepted",
    "met",
    "not_applicable",
)
"""In the order in which they ask for attention."""

Reason: TypeAlias = Literal[
    "decided",
    "budget-spent",
    "data-spent",
    "futile",
    "never-run",
    "target-unreachable",
    "target-failed",
    "nothing-usable",
    "no-data",
    "no-evidence",
    "expired",
    "interrupted",
    "money-spent",
    "tokens-spent",
    "labels-needed",
    "helper-failed",
    "plugin-failed",
]
"""Why a verdict is what it is."""


class Counts(Record):
    """How the trials ended; each trial is counted exactly once.

    ``invalid``: a reply that the scorer could not read. ``blocked``: stopped by the provider's filter. ``error``: no
    reply after all attempts.
    """

    passed: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0
    invalid: Annotated[int, Field(ge=0)] = 0
    blocked: Annotated[int, Field(ge=0)] = 0
    error: Annotated[int, Field(ge=0)] = 0

    @property
    def total(self) -> int:
        """All trials, the missing ones included."""
        return self.passed + self.failed + self.invalid + self.blocked + self.error


class TracePoint(Record):
    """One point of a sequential test's path."""

    n: int
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    evidence_met: float
    evidence_violated: float


class Verdict(Record):
    """What a check found out about a commitment.

    Parameters
    ----------
    commitment : Digest
        What had been promised.
    estimate, lower, upper : float, optional
        In the unit of the metric. The interval is valid at any stopping time; each side at level alpha.
        The estimate of a stopped test leans towards its verdict: show it only beside the interval.
    evidence_met, evidence_violated : float
        Largest e-value seen for either side; 1 / alpha decides. For verdicts without a test, 0.
    calls, calls_shared : int
        Calls this claim needed; of these, calls that other claims needed too.
    calls_saved : int
        Calls that its whole budget would have needed, less `calls`.
    retrospective : bool
        The data are older than the commitment.
    """

    commitment: Digest
    claim: str
    system: Id
    status: Measured
    reason: Reason
    borderline: bool = False
    counts: Counts = Counts()
    groups: dict[str, Counts] | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: Share | None = None
    evidence_met: float = 0.0
    evidence_violated: float = 0.0
    calls: Annotated[int, Field(ge=0)] = 0
    calls_saved: Annotated[int, Field(ge=0)] = 0
    retrospective: bool = False
    run: str | None = None
    evidence: tuple[Digest, ...] = ()
    trace: tuple[TracePoint, ...] = ()
    note: Text | None = None
    details: dict[str, Json] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """``claim@system``."""
        return f"{self.claim}@{self.system}"
