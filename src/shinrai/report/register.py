"""The register of AI systems: what each is good for, beside what can go wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shinrai.ledger.projection import ClaimState, State
from shinrai.records import Benefit, Id, Observation, Stage, Status, System
from shinrai.rules.gates import StageGate
from shinrai.rules.tiers import Risk


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
    risk : Risk or None
        By the schemes in use.
    gate : StageGate or None
        The one into the stage that it is in; None where its risk or its stage asks for none.
    """

    system: System
    observed: Observation | None
    reached: bool | None
    counts: dict[Status, int]
    missing: tuple[Stage, ...]
    risk: Risk | None = None
    gate: StageGate | None = None


def register(
    systems: Iterable[System],
    state: State,
    claims: Iterable[ClaimState],
    risks: Mapping[Id, Risk] | None = None,
    gates: Iterable[StageGate] = (),
) -> list[Row]:
    """Put value beside risk.

    Parameters
    ----------
    systems : iterable of System
        As they are now.
    state : State
        Of the ledger: what was observed.
    claims : iterable of ClaimState
        Where every claim stands.
    risks : mapping, optional
        System → how risky it is.
    gates : iterable of StageGate, optional
        The gates that its risk puts before it.

    Returns
    -------
    list of Row
        In the order of the systems.
    """
    counts: dict[str, Counter[Status]] = {}
    for claim in claims:
        if claim.status != "not_applicable":
            counts.setdefault(claim.ruling.system, Counter())[claim.status] += 1
    guarded = {gate.system: gate for gate in gates}
    rows = []
    for system in systems:
        observed = _newest(system, state)
        found = dict(counts.get(system.id, Counter()))
        reached = _reached(system.benefit, observed)
        known = (risks or {}).get(system.id)
        rows.append(Row(system, observed, reached, found, system.missing_gates, known, guarded.get(system.id)))
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
