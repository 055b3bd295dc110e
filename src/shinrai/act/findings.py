"""Findings: opened by a broken promise, closed by a re-check that passes, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from shinrai.ledger import Ledger
from shinrai.ledger.projection import State
from shinrai.records import FindingClosed, FindingOpened, Id, Payload, Role
from shinrai.workspace import Workspace


def owners(workspace: Workspace) -> dict[str, Role]:
    """Tell who answers for each claim.

    Parameters
    ----------
    workspace : Workspace
        As loaded.

    Returns
    -------
    dict
        Claim path ``plan/goal/measure/claim`` → owner of its measure.
    """
    return {
        f"{plan.id}/{goal.id}/{measure.id}/{use.name}": measure.owner or plan.owner
        for plan in workspace.plans.values()
        for goal in plan.goals
        for measure in goal.measures
        for use in measure.claims
    }


def sync(ledger: Ledger, workspace: Workspace) -> list[Payload]:
    """Open and close findings as the newest verdicts say.

    A finding opens when the newest verdict of a claim is *violated* and about the promise in force, and none on it is
    open. It closes when that verdict is *met*. Undecided, unmeasured and outdated verdicts change nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        Says who answers for each claim: the owner of its measure. Where a claim has just left the plans, the owner of
        its system does.

    Returns
    -------
    list of Payload
        What was appended; empty when findings and verdicts agree already.
    """
    payloads = _due(ledger.state(), owners(workspace))
    if payloads:
        ledger.append(*payloads)
    return payloads


def _due(state: State, answering: Mapping[str, Role]) -> list[Payload]:
    open_findings = {finding.key: finding for finding in state.open_findings()}
    number = len(state.findings)
    payloads: list[Payload] = []
    for key, promise in state.promises.items():
        judgement = state.judgement(key)
        if judgement is None or judgement.verdict.commitment != promise.digest:
            continue
        finding = open_findings.get(key)
        if judgement.verdict.status == "violated" and finding is None:
            number += 1
            payloads.append(
                FindingOpened(
                    finding=f"f-{number:04d}",
                    claim=promise.commitment.claim,
                    system=promise.commitment.system,
                    owner=_owner(promise.commitment.claim, promise.commitment.system, state, answering),
                    verdict=judgement.digest,
                )
            )
        if judgement.verdict.status == "met" and finding is not None:
            payloads.append(FindingClosed(finding=finding.id, verdict=judgement.digest))
    return payloads


def _owner(claim: str, system: Id, state: State, answering: Mapping[str, Role]) -> Role:
    if claim in answering:
        return answering[claim]
    version = state.version(system)
    if version is None:
        raise KeyError(f"no version of {system} was recorded, and no measure makes the claim {claim}")
    return version.system.owner
