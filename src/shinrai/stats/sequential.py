"""What every sequential test has in common: its observations, its answers and the contract between them.

An observation is an *interval* ``low <= score <= high`` inside the range of the score. A clean result has
``low == high``; a missing outcome is the whole range. A verdict is reached only when it would be reached with
every possible value of everything that is not known exactly, so a missing outcome can never prove a claim and
never prove its violation.

How that is kept: each test runs a classical sequential test twice, on the worst and on the best reading of the
observations, and each of the two stops at its first verdict. `MET` is what the worst reading decided, `VIOLATED` what
the best reading decided. Where nothing is missing, the two are the same test.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

__all__ = [
    "LARGEST_LOG",
    "Decision",
    "GroupedTest",
    "Interval",
    "ScoreTest",
    "SequentialTest",
    "Side",
    "TracePoint",
    "evidence_from_log",
    "require_alpha",
    "require_within",
]

LARGEST_LOG = 690.0  # exp(690) is near 1e299: still a finite double, so that it can be written as JSON


class Decision(StrEnum):
    """What the evidence proves about the claim, at the error level of the test."""

    MET = "met"
    VIOLATED = "violated"


class Side(StrEnum):
    """On which side of a threshold the true value is proven to lie."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Interval:
    """The values that a test has not excluded: the open interval from `lower` to `upper`.

    Attributes
    ----------
    lower, upper
        The bounds. A threshold equal to a bound is excluded. Where nothing is excluded on a side, the bound is the
        end of the range of the value (infinity for the upper bound of a ratio).
    level
        Probability, in [0, 1), that both bounds hold together, at all sample sizes at once. Each bound alone holds
        with probability ``(1 + level) / 2``.
    """

    lower: float
    upper: float
    level: float

    def excludes(self, threshold: float) -> bool:
        """Whether `threshold` is ruled out, that is, does not lie strictly between the bounds."""
        return not self.lower < threshold < self.upper


class TracePoint(NamedTuple):
    """The state of a test after `n` observations, for a picture of its path.

    `lower` and `upper` move on a grid of thresholds, outward from the exact bound (never narrower than it), except
    in the last point, which is exact. The evidence is the decimal logarithm of its largest value so far.
    """

    n: int
    estimate: float | None
    lower: float
    upper: float
    log10_evidence_met: float
    log10_evidence_violated: float


class SequentialTest(Protocol):
    """A claim under test. Looking at it after every observation costs no error."""

    @property
    def decision(self) -> Decision | None:
        """The verdict, which stays once it is reached; None while there is none."""

    @property
    def evidence_met(self) -> float:
        """The largest e-value for "met" so far, at least 1; `MET` is decided when it reaches 1/alpha."""

    @property
    def evidence_violated(self) -> float:
        """The largest e-value for "violated" so far; `VIOLATED` is decided when it reaches 1/alpha.

        At least 1, or 1/m where m statements could be refuted by mistake.
        """

    @property
    def n(self) -> int:
        """How many observations came in, missing ones included."""

    def estimate(self) -> float | None:
        """Plain estimate from what was observed, without a guess for what is missing; None where undefined.

        At a stopped time it leans towards the verdict: show the interval beside it.
        """

    def interval(self) -> Interval:
        """Anytime-valid interval: it excludes the tested threshold exactly when the test has decided."""

    def trace(self) -> list[TracePoint]:
        """At most about 200 points of the path so far, computed when asked for."""


class ScoreTest(SequentialTest, Protocol):
    """A sequential test that is fed one stream of scores."""

    def update(self, low: float, high: float) -> None:
        """Take in the next observation: its score is at least `low` and at most `high`."""


class GroupedTest(SequentialTest, Protocol):
    """A sequential test that compares groups."""

    def update(self, group: Literal["a", "b"], low: float, high: float) -> None:
        """Take in the next observation of a group: its score is at least `low` and at most `high`."""


def evidence_from_log(log_evidence: float) -> float:
    """Turn a natural logarithm into an e-value, held at about 1e299 so that it stays a finite number."""
    return math.exp(min(log_evidence, LARGEST_LOG))


def require_alpha(alpha: float) -> None:
    """Refuse an error level outside (0, 0.5].

    Raises
    ------
    ValueError
        If `alpha` is not in (0, 0.5].
    """
    if not 0.0 < alpha <= 0.5:
        raise ValueError(f"alpha is {alpha!r}; it must be above 0 and at most 0.5")


def require_within(name: str, value: float, lower: float, upper: float) -> None:
    """Refuse a value that does not lie strictly between two ends.

    Raises
    ------
    ValueError
        If `value` is not strictly between `lower` and `upper` (not-a-number is not).
    """
    if not lower < value < upper:
        raise ValueError(f"{name} is {value!r}; it must lie strictly between {lower:g} and {upper:g}")
