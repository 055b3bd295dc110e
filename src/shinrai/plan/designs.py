"""Designs of evaluations, written into the ledger before the data that they will judge."""

from __future__ import annotations

from collections.abc import Mapping

from shinrai.ledger import Ledger, State
from shinrai.records import DesignRegistered, EvaluationDesign, Id, Plan

__all__ = ["is_registered", "register_designs"]


def is_registered(state: State, plan: Id, design: EvaluationDesign) -> bool:
    """Tell whether a design stands in the ledger as the plan has it now."""
    found = state.designs.get((plan, design.id), [])
    return bool(found) and found[-1][1] == design


def register_designs(plans: Mapping[Id, Plan], ledger: Ledger) -> list[EvaluationDesign]:
    """Register every design that the ledger does not hold yet, or holds otherwise.

    Parameters
    ----------
    plans : mapping
        The workspace's own plans.
    ledger : Ledger
        Opened for writing.

    Returns
    -------
    list of EvaluationDesign
        Those that were registered now. A changed design is registered anew, with the day on which it was changed; the
        one before stays readable.
    """
    state = ledger.state()
    fresh = [
        (plan.id, design)
        for plan in plans.values()
        for design in plan.designs
        if not is_registered(state, plan.id, design)
    ]
    for plan, design in fresh:
        ledger.append(DesignRegistered(plan=plan, design=design))
    return [design for _plan, design in fresh]
