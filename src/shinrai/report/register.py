"""The register of AI systems: what each is good for, beside what can go wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shinrai.ledger.projection import ClaimState, State
from shinrai.records import Benefit, Observation, Stage, Status, System


@dataclass(frozen=True, slots=True)
class Row:
    """A system in the register.

    Parameters
    ----------
    system : System
        As it is now.
    observed : Observation or None
        The newest value of its benefit's indicator.
    reached : bool or None
        Whether that value is the target or better; None where either is missing.
    counts : dict
        Status → claims on the system that apply.
    missing : tuple of Stage
        Stages that it has reached without a recorded gate.
    """

    system: System
    observed: Observation | None
    reached: bool | None
    counts: dict[Status, int]
    missing: tuple[Stage, ...]


def register(systems: Iterable[System], state: State, claims: Iterable[ClaimState]) -> list[Row]:
    """Put value beside risk.

    Parameters
    ----------
    systems : iterable of System
        As they are now.
    state : State
        Of the ledger: what was observed.
    claims : iterable of ClaimState
        Where every claim stands.

    Returns
    -------
    list of Row
        In the order of the systems.
    """
    counts: dict[str, Counter[Status]] = {}
    for claim in claims:
        if claim.status != "not_applicable":
            counts.setdefault(claim.ruling.system, Counter())[claim.status] += 1
    rows = []
    for system in systems:
        observed = _newest(system, state)
        found = dict(counts.get(system.id, Counter()))
        rows.append(Row(system, observed, _reached(system.benefit, observed), found, system.missing_gates))
    return rows


def _newest(system: System, state: State) -> Observation | None:
    """Find the newest value of a benefit's indicator: of the day it is about, then of the day it was brought in."""
    if system.benefit is None or system.benefit.indicator is None:
        return None
    found = [
        (one.as_of, entry.seq, one)
        for entry, one in state.evidence
        if isinstance(one, Observation) and one.subject == system.benefit.indicator and one.system in {None, system.id}
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None


def _reached(benefit: Benefit | None, observed: Observation | None) -> bool | None:
    if benefit is None or benefit.target is None or observed is None:
        return None
    return observed.value >= benefit.target if benefit.better == "higher" else observed.value <= benefit.target
