"""What was worked out of the plans: each claim on each system, and what a person should know before measuring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from shinrai.ledger.projection import Promise
from shinrai.plan.calls import Effort, TrialSource
from shinrai.plan.promise import Origin
from shinrai.records import Commitment, Id, Json, Ruling, SystemVersion
from shinrai.rules.tiers import Risk

Change: TypeAlias = Literal["new", "replaced", "unchanged", "waiting", "not-applicable"]
Waiting: TypeAlias = Literal["import", "rows"]
"""``import``: nothing was imported for the system. ``rows``: the data have no row that the check keeps."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know before measuring.

    Parameters
    ----------
    code : str
        Stable name.
    key : str or None
        ``claim@system`` it is about; None for the whole plan.
    message : str
        In the language in use.
    """

    code: str
    key: str | None
    message: str

    def to_json(self) -> dict[str, Json]:
        """Give the note as JSON values."""
        return {"code": self.code, "key": self.key, "message": self.message}


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """One claim on one system.

    Parameters
    ----------
    ruling : Ruling
        Whether it applies, and why.
    change : {"new", "replaced", "unchanged", "waiting", "not-applicable"}
        What committing will do about it. A waiting claim applies, but its data are not there, so nothing can be
        promised about them yet.
    commitment : Commitment or None
        The promise wanted.
    origins : mapping
        Field of the commitment → where its value was decided.
    in_force : Promise or None
        The promise that the ledger holds.
    changed : tuple of str
        Fields in which the wanted promise differs from the one in force.
    waiting : {"import", "rows"} or None
    effort : Effort or None
        None for claims that are not measured by trials.
    """

    ruling: Ruling
    change: Change
    commitment: Commitment | None = None
    origins: Mapping[str, Origin] | None = None
    in_force: Promise | None = None
    changed: tuple[str, ...] = ()
    waiting: Waiting | None = None
    effort: Effort | None = None

    @property
    def key(self) -> str:
        """``claim@system``."""
        return self.ruling.key

    def to_json(self) -> dict[str, Json]:
        """Give the claim as JSON values; what does not exist is null."""
        return {
            "key": self.key,
            "ruling": self.ruling.to_json(),
            "change": self.change,
            "commitment": self.commitment.to_json() if self.commitment else None,
            "digest": self.commitment.content_digest if self.commitment else None,
            "origins": dict(self.origins) if self.origins else None,
            "replaces": self.in_force.digest if self.in_force and self.change == "replaced" else None,
            "changed": list(self.changed),
            "waiting": self.waiting,
            "effort": self.effort.to_json() if self.effort else None,
        }


@dataclass(frozen=True, slots=True)
class Resolution:
    """All that the plans ask for.

    Parameters
    ----------
    claims : tuple of ClaimPlan
        Every claim on every system, in the order of the plans.
    versions : tuple of SystemVersion
        The version of each system that promises are about from now on.
    new_versions : tuple of SystemVersion
        Those that the ledger does not hold yet.
    withdrawn : tuple of Promise
        Promises in force that the plans no longer make.
    dropped : tuple of Ruling
        Claims that were ruled on, never committed, and are no longer planned; ruled out from now on.
    sources : tuple of TrialSource
    notes : tuple of Note
    risks : mapping
        System → how risky it is, by the schemes in use.
    """

    claims: tuple[ClaimPlan, ...]
    versions: tuple[SystemVersion, ...]
    new_versions: tuple[SystemVersion, ...]
    withdrawn: tuple[Promise, ...]
    dropped: tuple[Ruling, ...]
    sources: tuple[TrialSource, ...]
    notes: tuple[Note, ...]
    risks: Mapping[Id, Risk] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Calls in the worst case, each counted once however many claims it serves."""
        return sum(source.calls for source in self.sources)

    @property
    def expected_calls(self) -> int:
        """Calls to expect; claims without an expectation enter with their worst case."""
        return sum(source.expected_calls for source in self.sources)

    def to_json(self) -> dict[str, Json]:
        """Give the resolution as JSON values."""
        return {
            "claims": [claim.to_json() for claim in self.claims],
            "versions": [version.to_json() for version in self.versions],
            "new_versions": [{"system": one.system.id, "number": one.number} for one in self.new_versions],
            "withdrawn": [{"key": one.commitment.key, "commitment": one.digest} for one in self.withdrawn],
            "dropped": [ruling.key for ruling in self.dropped],
            "sources": [source.to_json() for source in self.sources],
            "calls": self.calls,
            "expected_calls": self.expected_calls,
            "notes": [note.to_json() for note in self.notes],
        }
