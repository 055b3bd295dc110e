"""One number that tells a pipeline whether it may go on."""

from __future__ import annotations

from collections.abc import Iterable

from shinrai.errors import EXIT_MET, EXIT_NOT_MEASURED, EXIT_NOT_MET, EXIT_USAGE
from shinrai.ledger.projection import ClaimState, Finding
from shinrai.records import Pairing
from shinrai.rules.gates import StageGate


def gate_of_pairings(pairings: Iterable[Pairing]) -> int:
    """Turn what was found out about "no worse than" into an exit code.

    Parameters
    ----------
    pairings : iterable of Pairing
        Those without a committed margin promise nothing, and are left out.

    Returns
    -------
    int
        2  no margin was committed at all: a gate that guards nothing does not open
        1  one is not shown to be no worse (violated or undecided)
        3  one could not be measured
        0  all are shown to be no worse
    """
    found = {one.status for one in pairings if one.margin is not None}
    if not found:
        return EXIT_USAGE
    if found & {"violated", "undecided"}:
        return EXIT_NOT_MET
    return EXIT_MET if found == {"met"} else EXIT_NOT_MEASURED


def gate_of_stages(gates: Iterable[StageGate]) -> int:
    """Turn gates of the life cycle into an exit code.

    Parameters
    ----------
    gates : iterable of StageGate
        Those that systems have passed or are to pass.

    Returns
    -------
    int
        1  one is closed by a prohibited use, by what is measured and not met, or by an acceptance that is not allowed
        3  one is closed by what was not measured, is stale, or is promised by no plan
        0  all are open
    """
    code = EXIT_MET
    for one in gates:
        bars = {due.bar for due in one.barred}
        if one.forbidden or bars & {"violated", "undecided", "acceptance"}:
            return EXIT_NOT_MET
        if bars:
            code = EXIT_NOT_MEASURED
    return code


def worst(*codes: int) -> int:
    """Give the exit code that weighs most: 2 before 1 before 3 before 0."""
    return max(codes, key=(EXIT_MET, EXIT_NOT_MEASURED, EXIT_NOT_MET, EXIT_USAGE).index)


def gate(states: Iterable[ClaimState], abandoned: Iterable[Finding] = ()) -> int:
    """Turn the states of claims into an exit code.

    Parameters
    ----------
    states : iterable of ClaimState
        Of the claims that the gate guards.
    abandoned : iterable of Finding
        Open findings on claims that the plan has dropped: a broken promise does not leave the gate by being dropped.

    Returns
    -------
    int
        The first that is true of these:

        2  no claim applies at all: a gate that guards nothing does not open
        1  a claim was measured and is not met (violated or undecided), or was dropped while it was broken; this
           outweighs what was not measured
        3  a claim was not measured, or its verdict is stale
        0  every claim that applies is met, or its risk is accepted today
    """
    found = {state.status for state in states} - {"not_applicable"}
    if not found:
        return EXIT_USAGE
    if found & {"violated", "undecided"} or any(True for _finding in abandoned):
        return EXIT_NOT_MET
    if found <= {"met", "accepted"}:
        return EXIT_MET
    return EXIT_NOT_MEASURED
