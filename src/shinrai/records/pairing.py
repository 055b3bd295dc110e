"""Two versions on the same items: what one of them does better or worse than the other."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.base import Digest, Id, Record, Share
from shinrai.records.verdict import Measured

Superiority: TypeAlias = Literal["better", "worse", "undecided"]
"""What is proven of the difference: above 0, below 0, or neither."""


class Pairing(Record):
    """A promise on one version of a system, item by item beside another version, or another system.

    The difference is the pass rate of the first less that of the second, in [-1, 1]; above 0, the first is better.

    Parameters
    ----------
    commitment : Digest
        The promise on the first.
    number, against_number : int
        Of the versions.
    margin : float, optional
        The largest loss that was committed as no loss; without it there is no verdict on "not worse".
    status : Measured
        Of "not worse by more than the margin"; ``not_measured`` without a margin or without a usable pair.
    direction : Superiority
        Whether it is proven to be better, or worse, at the same error level.
    pairs : int
        Items that both were asked, in committed order.
    fixed, broken : int
        Items that only the first passes, only the second passes.
    missing : int
        Pairs of which one side or both have no usable outcome; each may have been anything.
    lower, upper : float, optional
        Anytime-valid interval of the difference, each side at the committed error level.
    runs : tuple of str
        Where its trials come from.
    """

    commitment: Digest
    claim: str
    system: Id
    number: Annotated[int, Field(ge=1)]
    fingerprint: Digest
    against: Id
    against_number: Annotated[int, Field(ge=1)]
    against_fingerprint: Digest
    margin: Share | None = None
    status: Measured
    direction: Superiority
    pairs: Annotated[int, Field(ge=0)]
    fixed: Annotated[int, Field(ge=0)] = 0
    broken: Annotated[int, Field(ge=0)] = 0
    missing: Annotated[int, Field(ge=0)] = 0
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: Share | None = None
    runs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """``claim@system``."""
        return f"{self.claim}@{self.system}"
