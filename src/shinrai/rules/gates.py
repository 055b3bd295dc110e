"""Gates of the life cycle: which promises the risk of a system makes due by a stage, and which of them keep it out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from shinrai.ledger.projection import ClaimState, State
from shinrai.records import STAGES, Acceptance, Check, DepthRule, DueClaim, Id, Json, Stage, Status, System
from shinrai.rules.applying import risk
from shinrai.workspace import Workspace

GATED: Final[tuple[Stage, ...]] = ("before-release", "operation", "change")
"""Stages that a system may be in only with what is due by them; before these it is still being made."""

Excess: TypeAlias = Literal["never", "role", "days"]
"""Why a depth does not let a risk be accepted: not at all, not by this role, not for so long."""

Bar: TypeAlias = Status | Literal["not-promised", "acceptance"]
"""What keeps a gate closed: a status that is not met, a promise that no plan makes, an acceptance not allowed."""

_OPENS: Final = frozenset({"met", "accepted"})


def due_by(system: System, depth: DepthRule, checks: Mapping[Id, Check], stage: Stage | None) -> Iterator[DueClaim]:
    """Give the checks that have to be promised of a system by a stage.

    Parameters
    ----------
    system : System
        Checks that are not made for its kind are left out.
    depth : DepthRule
        Of this system.
    checks : mapping
        Those that there are.
    stage : Stage or None
        A system whose stage is not stated is taken to have reached every stage; a retired one owes nothing.

    Yields
    ------
    DueClaim
    """
    reached = len(STAGES) if stage is None else STAGES.index(stage)
    if stage == "retirement":
        return
    for due in depth.claims:
        check = checks.get(due.check)
        if STAGES.index(due.stage) <= reached and check is not None and check.applies_to in {None, system.kind}:
            yield due


def excess(accept: Acceptance, depth: DepthRule, since: date) -> Excess | None:
    """Tell whether a depth lets a risk be accepted.

    Parameters
    ----------
    accept : Acceptance
        As its action has it.
    depth : DepthRule
        Of the system that it is about.
    since : date
        From when it is to hold.

    Returns
    -------
    Excess or None
        None where it does.
    """
    if depth.accept_days == 0:
        return "never"
    if depth.accepts and accept.role not in depth.accepts:
        return "role"
    if depth.accept_days is not None and (accept.until - since).days > depth.accept_days:
        return "days"
    return None


@dataclass(frozen=True, slots=True)
class Due:
    """A check that is due, the claims that promise it, and what keeps it from being kept.

    Parameters
    ----------
    claim : DueClaim
    states : tuple of ClaimState
        Of the claims that apply; none where no plan promises it.
    bar : Bar or None
        None where every one is met, or its risk accepted as far as the depth allows.
    """

    claim: DueClaim
    states: tuple[ClaimState, ...]
    bar: Bar | None

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "check": self.claim.check,
            "stage": self.claim.stage,
            "bar": self.bar,
            "claims": [{"claim": one.ruling.claim, "status": one.status} for one in self.states],
        }


@dataclass(frozen=True, slots=True)
class StageGate:
    """A gate that a system has passed, or stands before.

    Parameters
    ----------
    system : Id
    into : Stage
        Where it leads.
    depth : DepthRule
        What its risk asks for.
    due : tuple of Due
        In the order of the depth.
    """

    system: Id
    into: Stage
    depth: DepthRule
    due: tuple[Due, ...]

    @property
    def forbidden(self) -> bool:
        """Whether nothing opens it: the use is prohibited."""
        return self.depth.depth == "forbidden"

    @property
    def barred(self) -> tuple[Due, ...]:
        """What keeps it closed."""
        return tuple(one for one in self.due if one.bar is not None)

    @property
    def closed(self) -> bool:
        """Whether the system may not be there."""
        return self.forbidden or bool(self.barred)

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "system": self.system,
            "into": self.into,
            "depth": self.depth.depth,
            "closed": self.closed,
            "due": [one.to_json() for one in self.due],
        }


def stage_gates(
    workspace: Workspace,
    state: State,
    today: date,
    systems: Collection[Id] = (),
    into: Stage | None = None,
) -> list[StageGate]:
    """Look at the gates into the stages that systems are in, or are to move into.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        The day for which to tell.
    systems : collection of Id, optional
        Those to look at; all of them when empty.
    into : Stage, optional
        One that they are to move into; each its own where that is the later one.

    Returns
    -------
    list of StageGate
        In the order of the systems; none where no scheme tells a risk, and at stages that have no gate.
    """
    claims: dict[Id, list[ClaimState]] = {}
    for one in state.claims(today):
        if one.promise is not None:
            claims.setdefault(one.ruling.system, []).append(one)
    found = []
    for system in workspace.systems.values():
        depth = risk(workspace, system, today).depth if not systems or system.id in systems else None
        stage = _later(system.stage, into)
        if depth is None or stage not in GATED:
            continue
        owed = due_by(system, depth, workspace.checks, stage)
        due = tuple(_due(claim, claims.get(system.id, []), depth, state) for claim in owed)
        found.append(StageGate(system.id, stage, depth, due))
    return found


def _due(claim: DueClaim, own: Iterable[ClaimState], depth: DepthRule, state: State) -> Due:
    states = tuple(one for one in own if one.promise is not None and one.promise.commitment.check == claim.check)
    return Due(claim, states, _bar(states, depth, state))


def _later(now: Stage | None, into: Stage | None) -> Stage:
    """Give the later of two stages. One whose stage is not stated may be in operation; retirement needs no gate."""
    stated = now or "operation"
    if into is None or stated == "retirement":
        return stated
    return max(stated, into, key=STAGES.index)


def _bar(states: tuple[ClaimState, ...], depth: DepthRule, state: State) -> Bar | None:
    if not states:
        return "not-promised"
    for one in states:
        if one.status not in _OPENS:
            return one.status
        if one.status == "accepted" and _beyond(one, depth, state):
            return "acceptance"
    return None


def _beyond(claim: ClaimState, depth: DepthRule, state: State) -> bool:
    """Tell whether a risk was accepted under a depth that was less strict than the one of today."""
    if claim.action is None or claim.action.accept is None:
        return False
    entry, _action = state.applied[claim.action.id]
    # The ledger keeps UTC: where the risk was accepted, it may have been the next day already.
    latest = date.fromisoformat(entry.at[:10]) + timedelta(days=1)
    return excess(claim.action.accept, depth, latest) is not None
