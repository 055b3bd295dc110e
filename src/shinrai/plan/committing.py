"""The writing down of what the plans ask for, as far as the ledger does not hold it yet."""

from __future__ import annotations

from dataclasses import dataclass

from shinrai.ledger import Ledger
from shinrai.ledger.projection import State
from shinrai.plan.resolved import Resolution
from shinrai.plan.rulings import no_longer_planned
from shinrai.records import Committed, Digest, Json, Payload, Ruled, SystemRecorded, SystemVersion, Withdrawn


@dataclass(frozen=True, slots=True)
class Outcome:
    """What committing changed in the ledger.

    Parameters
    ----------
    new, replaced, withdrawn, unchanged : tuple of str
        Keys ``claim@system``.
    versions : tuple of SystemVersion
        Recorded now.
    """

    new: tuple[str, ...]
    replaced: tuple[str, ...]
    withdrawn: tuple[str, ...]
    unchanged: tuple[str, ...]
    versions: tuple[SystemVersion, ...]

    def to_json(self) -> dict[str, Json]:
        """Give the outcome as JSON values."""
        return {
            "new": list(self.new),
            "replaced": list(self.replaced),
            "withdrawn": list(self.withdrawn),
            "unchanged": list(self.unchanged),
            "versions": [{"system": one.system.id, "number": one.number} for one in self.versions],
        }


def commit(resolution: Resolution, ledger: Ledger) -> Outcome:
    """Write what the plans ask for into the ledger, in one go: only what it does not hold yet.

    Parameters
    ----------
    resolution : Resolution
        Made from the state of this very ledger, under the lock of the workspace.
    ledger : Ledger
        Opened for writing.

    Returns
    -------
    Outcome
        Committing the same resolution again changes nothing.
    """
    state = ledger.state()
    versions = tuple(one for one in resolution.new_versions if not _is_recorded(one, state))
    withdrawn = tuple(one for one in resolution.withdrawn if _in_force(one.commitment.key, state) == one.digest)
    gone = {one.commitment.key for one in withdrawn}
    payloads: list[Payload] = [SystemRecorded(version=one) for one in versions]
    payloads += [
        Withdrawn(commitment=one.digest, claim=one.commitment.claim, system=one.commitment.system) for one in withdrawn
    ]
    payloads += [
        Ruled(ruling=one)
        for one in (*(claim.ruling for claim in resolution.claims), *map(no_longer_planned, resolution.dropped))
        if one.key in gone or state.rulings.get(one.key) != one
    ]
    done: dict[str, list[str]] = {"new": [], "replaced": [], "unchanged": []}
    for claim in resolution.claims:
        if claim.commitment is None:
            continue
        before = _in_force(claim.key, state)
        if before == claim.commitment.content_digest:
            done["unchanged"].append(claim.key)
            continue
        payloads.append(Committed(commitment=claim.commitment, replaces=before))
        done["replaced" if before else "new"].append(claim.key)
    if payloads:
        ledger.append(*payloads)
    return Outcome(
        new=tuple(done["new"]),
        replaced=tuple(done["replaced"]),
        withdrawn=tuple(one.commitment.key for one in withdrawn),
        unchanged=tuple(done["unchanged"]),
        versions=versions,
    )


def _is_recorded(version: SystemVersion, state: State) -> bool:
    newest: SystemVersion | None = state.version(version.system.id)
    return newest == version


def _in_force(key: str, state: State) -> Digest | None:
    promise = state.promises.get(key)
    return promise.digest if promise else None
