"""What a run tells about itself while it goes on. For eyes only: nothing is computed from these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from shinrai.records import Id, Price, Verdict

if TYPE_CHECKING:
    from shinrai.check.purse import Spending

__all__ = [
    "CallFinished",
    "ClaimBegan",
    "ClaimDecided",
    "ClaimMoved",
    "Event",
    "RunBegan",
    "RunEnded",
    "Tell",
    "Waiting",
]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another command works in this workspace; this one goes on when it has finished."""


@dataclass(frozen=True, slots=True)
class ClaimBegan:
    """A claim that a run sets out to measure.

    Parameters
    ----------
    key : str
        ``claim@system``.
    threshold : float or tuple of float, optional
        In the unit of the metric.
    budget : int
        Trials at most (those that the data and the commitment allow).
    calls : int
        Calls that all of them would need.
    """

    key: str
    threshold: float | tuple[float, float] | None
    budget: int
    calls: int


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A run starts, or goes on after an interruption.

    Parameters
    ----------
    kept : int
        Finished calls of earlier that are not sent again.
    """

    run: str
    system: Id
    claims: tuple[ClaimBegan, ...]
    kept: int = 0


@dataclass(frozen=True, slots=True)
class CallFinished:
    """Calls finished since the last time this was told (several at once when they are many).

    Parameters
    ----------
    calls : int
        Finished calls of this run so far, those kept from earlier included.
    failed : int
        Of these, without a reply.
    sent : int
        Calls sent since the command started.
    in_flight, limit : int
        Calls on their way, and the number that may be.
    seconds : float
        Since the run began.
    last : str, optional
        Kind of the last failed attempt, such as ``http-429``.
    kinds : mapping
        Kind of failure → failed attempts since the command started, those that were tried again included.
    money : Decimal
        What the calls of this command have cost, in `currency`; None where there is no price.
    saved, wasted : int, optional
        As in `RunEnded`, once no claim needs a further call; None before.
    """

    run: str
    system: Id
    calls: int
    failed: int
    sent: int
    in_flight: int
    limit: int
    seconds: float
    last: str | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    money: Decimal = Decimal(0)
    currency: str | None = None
    saved: int | None = None
    wasted: int | None = None


@dataclass(frozen=True, slots=True)
class ClaimMoved:
    """New trials of a claim were counted. Rates and bounds are in the unit of the metric."""

    key: str
    n: int
    estimate: float | None
    lower: float | None
    upper: float | None
    threshold: float | tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ClaimDecided:
    """A claim has its verdict. It is in the ledger when the run has ended."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run is over and its verdicts are in the ledger.

    Parameters
    ----------
    calls : int
        Finished calls, those taken over from an earlier run included.
    wasted : int
        Calls that were sent and that no verdict used.
    saved : int
        Calls that the whole budgets would have needed further.
    spending : Spending
        What its calls cost in this command.
    price : Price, optional
        What they were charged at.
    """

    run: str
    system: Id
    end: str
    calls: int
    wasted: int
    saved: int
    spending: Spending
    price: Price | None = None


Event: TypeAlias = Waiting | RunBegan | CallFinished | ClaimMoved | ClaimDecided | RunEnded
Tell: TypeAlias = Callable[[Event], None]
