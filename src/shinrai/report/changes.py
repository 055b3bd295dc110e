"""What ended differently in two runs: the same claims on the same items, usually before and after a change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from shinrai.ledger.projection import Promise, Run, State
from shinrai.records import Digest, Trial
from shinrai.report.evidence import trials_of

Kind: TypeAlias = Literal["fixed", "broken", "other"]
"""
fixed   it passes now and did not before
broken  it passed before and does not now
other   it passes in neither, and ends in another way
"""


@dataclass(frozen=True, slots=True)
class Change:
    """An item that ended differently.

    Parameters
    ----------
    claim : str
        Path of the claim.
    kind : Kind
    before, after : Trial
        Of the earlier and the later run.
    """

    claim: str
    kind: Kind
    before: Trial
    after: Trial


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    Parameters
    ----------
    changes : tuple of Change
        In the order of the later run.
    same : int
        Items that ended alike.
    only_before, only_after : int
        Trials of claims or items that the other run did not get to.
    """

    changes: tuple[Change, ...]
    same: int
    only_before: int
    only_after: int

    def count(self, kind: Kind) -> int:
        """Count the changes of one kind."""
        return sum(change.kind == kind for change in self.changes)


def promises_of(state: State, run: Run) -> dict[Digest, Promise]:
    """Give the promises that a run set out to measure, by their digests."""
    known = {promise.digest: promise for history in state.history.values() for promise in history}
    return {digest: known[digest] for digest in run.started.commitments}


def compare(root: Path, state: State, before: Run, after: Run, claims: Collection[str]) -> Comparison:
    """Match the trials of two runs by claim and item.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    before, after : Run
        On the same system or on two; what counts is that the claims have the same paths.
    claims : collection of str
        Paths of the claims to look at.

    Raises
    ------
    TamperedError
        If a run file is gone.
    """
    earlier = _by_item(root, state, before, claims)
    later = _by_item(root, state, after, claims)
    both = [place for place in later if place in earlier]
    changes = tuple(
        Change(place[0], _kind(earlier[place], later[place]), earlier[place], later[place])
        for place in both
        if earlier[place].outcome != later[place].outcome
    )
    return Comparison(changes, len(both) - len(changes), len(earlier) - len(both), len(later) - len(both))


def _by_item(root: Path, state: State, run: Run, claims: Collection[str]) -> dict[tuple[str, str], Trial]:
    paths = {digest: promise.commitment.claim for digest, promise in promises_of(state, run).items()}
    found = ((paths[trial.commitment], trial) for trial in trials_of(root, run))
    return {(claim, trial.item): trial for claim, trial in found if claim in claims}


def _kind(before: Trial, after: Trial) -> Kind:
    if after.outcome == "pass":
        return "fixed"
    return "broken" if before.outcome == "pass" else "other"
