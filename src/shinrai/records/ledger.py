"""What the ledger holds: the kinds of entry and their contents."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from shinrai.records.action import Action
from shinrai.records.base import Digest, Id, Json, Record, Role
from shinrai.records.commitment import Commitment, Ruling
from shinrai.records.design import EvaluationDesign
from shinrai.records.evidence import Evidence
from shinrai.records.pairing import Pairing
from shinrai.records.system import SystemVersion
from shinrai.records.verdict import Verdict


class LedgerOpened(Record):
    """The first entry: whose ledger it is and with which key its checkpoints are signed (Ed25519, hexadecimal)."""

    kind: Literal["ledger-opened"] = "ledger-opened"
    workspace: Id
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SystemRecorded(Record):
    """A new version of a system."""

    kind: Literal["system-recorded"] = "system-recorded"
    version: SystemVersion


class Ruled(Record):
    """Whether a claim applies to a system."""

    kind: Literal["ruled"] = "ruled"
    ruling: Ruling


class Committed(Record):
    """A promise. ``replaces`` names the one it takes the place of."""

    kind: Literal["committed"] = "committed"
    commitment: Commitment
    replaces: Digest | None = None


class Withdrawn(Record):
    """A promise that the plan no longer makes. It stays readable; it no longer counts."""

    kind: Literal["withdrawn"] = "withdrawn"
    commitment: Digest
    claim: str
    system: Id


class DesignRegistered(Record):
    """How an effect is to be told, before the data. A later one of the same plan and id takes its place."""

    kind: Literal["design-registered"] = "design-registered"
    plan: Id
    design: EvaluationDesign


class EvidenceBrought(Record):
    """A document, a value or a log."""

    kind: Literal["evidence-brought"] = "evidence-brought"
    evidence: Evidence


class RunStarted(Record):
    """Measuring began. Its calls go to ``file`` (relative to the workspace)."""

    kind: Literal["run-started"] = "run-started"
    run: str
    system: Id
    fingerprint: Digest
    commitments: tuple[Digest, ...]
    directory: str


class RunFinished(Record):
    """Measuring ended. From here on the digests of its files are fixed."""

    kind: Literal["run-finished"] = "run-finished"
    run: str
    end: Literal["complete", "target-failed", "superseded"]
    files: dict[str, Digest]
    calls: int
    details: dict[str, Json] = Field(default_factory=dict)


class Judged(Record):
    """A verdict."""

    kind: Literal["judged"] = "judged"
    verdict: Verdict


class Compared(Record):
    """Two versions were set beside each other on the same items."""

    kind: Literal["compared"] = "compared"
    pairing: Pairing


class FindingOpened(Record):
    """A broken promise that somebody has to do something about."""

    kind: Literal["finding-opened"] = "finding-opened"
    finding: Id
    claim: str
    system: Id
    owner: Role
    verdict: Digest


class FindingClosed(Record):
    """A finding that a re-check closed."""

    kind: Literal["finding-closed"] = "finding-closed"
    finding: Id
    verdict: Digest


class ActionApplied(Record):
    """A decision carried out."""

    kind: Literal["action-applied"] = "action-applied"
    action: Action
    findings: tuple[Id, ...]


Payload: TypeAlias = Annotated[
    LedgerOpened
    | SystemRecorded
    | Ruled
    | Committed
    | Withdrawn
    | DesignRegistered
    | EvidenceBrought
    | RunStarted
    | RunFinished
    | Judged
    | Compared
    | FindingOpened
    | FindingClosed
    | ActionApplied,
    Field(discriminator="kind"),
]
