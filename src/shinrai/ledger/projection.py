"""What the ledger's entries add up to: the state that everybody reads.

A pure fold over the entries, in order. Nothing here is stored anywhere else: throw it away and fold again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import (
    Action,
    ActionApplied,
    Commitment,
    Committed,
    Compared,
    DesignRegistered,
    Digest,
    EvaluationDesign,
    Evidence,
    EvidenceBrought,
    FindingClosed,
    FindingOpened,
    Id,
    Judged,
    LedgerOpened,
    Pairing,
    Payload,
    Reason,
    Ruled,
    Ruling,
    RunFinished,
    RunStarted,
    Status,
    System,
    SystemRecorded,
    SystemVersion,
    Verdict,
    Withdrawn,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the ledger, as it stands in the chain.

    Parameters
    ----------
    seq : int
        1, 2, 3 …
    at : str
        UTC time of writing, ISO 8601 with ``Z``; never earlier than that of the entry before.
    previous : Digest
        Hash of the entry before; 64 zeros for the first.
    hash : Digest
        Of the canonical JSON of seq, at, previous and payload (and clock, where there is one).
    payload : Payload
    clock : str, optional
        What the wall clock said at the time of writing, where it had been set back and so stood before `at`; hashed
        like the rest.
    """

    seq: int
    at: str
    previous: str
    hash: Digest
    payload: Payload
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment and where it stands in the ledger."""

    commitment: Commitment
    digest: Digest
    seq: int
    at: str
    replaces: Digest | None
    hash: Digest


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and where it stands in the ledger."""

    verdict: Verdict
    digest: Digest
    seq: int
    at: str
    hash: Digest


@dataclass(slots=True)
class Finding:
    """A broken promise, from the verdict that opened it to the verdict or acceptance that ended it."""

    id: Id
    claim: str
    system: Id
    owner: str
    opened_by: Digest
    opened_at: str
    closed_by: Digest | None = None
    closed_at: str | None = None
    actions: list[Id] = field(default_factory=list)

    @property
    def key(self) -> str:
        """``claim@system``."""
        return f"{self.claim}@{self.system}"


@dataclass(frozen=True, slots=True)
class ClaimState:
    """Where a claim on a system stands today.

    Parameters
    ----------
    status : Status
    promise : Promise, optional
        The commitment in force; None for a claim that does not apply.
    judgement : Judgement, optional
        The last verdict on this claim and system, of whatever commitment.
    ruling : Ruling
    stale_because : str, optional
        ``"commitment"`` when the promise, the system or the data have moved on since the verdict; ``"expired"`` when
        the clock has.
    action : Action, optional
        The acceptance in force.
    """

    key: str
    status: Status
    reason: Reason | None
    ruling: Ruling
    promise: Promise | None = None
    judgement: Judgement | None = None
    stale_because: str | None = None
    action: Action | None = None


@dataclass(slots=True)
class Run:
    """A run: started, and perhaps finished."""

    started: RunStarted
    at: str
    seq: int
    finished: RunFinished | None = None
    finished_at: str | None = None


@dataclass(slots=True)
class State:
    """Everything the entries say, gathered by what people ask for.

    Dictionaries are in the order in which their keys first appeared in the ledger.
    """

    opened: LedgerOpened | None = None
    head: Entry | None = None
    versions: dict[Id, list[SystemVersion]] = field(default_factory=dict)
    version_at: dict[tuple[Id, int], str] = field(default_factory=dict)
    rulings: dict[str, Ruling] = field(default_factory=dict)
    promises: dict[str, Promise] = field(default_factory=dict)
    history: dict[str, list[Promise]] = field(default_factory=dict)
    judgements: dict[str, list[Judgement]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    evidence: list[tuple[Entry, Evidence]] = field(default_factory=list)
    findings: dict[Id, Finding] = field(default_factory=dict)
    applied: dict[Id, tuple[Entry, Action]] = field(default_factory=dict)
    pairings: list[tuple[Entry, Pairing]] = field(default_factory=list)
    designs: dict[tuple[Id, Id], list[tuple[Entry, EvaluationDesign]]] = field(default_factory=dict)
    """Plan and design → every registration, the one in force last."""

    def copy(self) -> State:
        """Give a state of its own that later entries can be folded into without changing this one."""
        return State(
            opened=self.opened,
            head=self.head,
            versions={system: list(versions) for system, versions in self.versions.items()},
            version_at=dict(self.version_at),
            rulings=dict(self.rulings),
            promises=dict(self.promises),
            history={key: list(promises) for key, promises in self.history.items()},
            judgements={key: list(judgements) for key, judgements in self.judgements.items()},
            runs={name: replace(run) for name, run in self.runs.items()},
            evidence=list(self.evidence),
            findings={name: replace(found, actions=list(found.actions)) for name, found in self.findings.items()},
            applied=dict(self.applied),
            pairings=list(self.pairings),
            designs={key: list(found) for key, found in self.designs.items()},
        )

    def version(self, system: Id) -> SystemVersion | None:
        """Give the newest recorded version of a system."""
        versions = self.versions.get(system)
        return versions[-1] if versions else None

    def effective(self, system: System, also: Action | None = None) -> System:
        """Give a system as it is with the changes of all applied actions made, in the order of the ledger.

        Parameters
        ----------
        system : System
            As the workspace's file says.
        also : Action, optional
            One to be applied, too. An action applied again stands where it first stood.

        Raises
        ------
        UsageError
            If a change does not fit: the file of the system says something that contradicts it.
        """
        actions = {action.id: action for _entry, action in self.applied.values()}
        if also is not None:
            actions[also.id] = also
        for action in actions.values():
            if action.change is None or action.change.system != system.id:
                continue
            try:
                system = system.changed(action.change)
            except ValueError as error:
                raise UsageError(
                    "system.change-impossible",
                    _("The action {action} does not fit the system {system}: {problem}").format(
                        action=action.id, system=system.id, problem=error
                    ),
                    hint=_("Make the file of the system and the action agree."),
                ) from error
        return system

    def judgement(self, key: str) -> Judgement | None:
        """Give the last verdict on ``claim@system``, whichever commitment it is about."""
        judgements = self.judgements.get(key)
        return judgements[-1] if judgements else None

    def open_findings(self) -> list[Finding]:
        """Give the findings that no re-check has closed, oldest first. Accepted ones are among them."""
        return [finding for finding in self.findings.values() if finding.closed_by is None]

    def abandoned_findings(self) -> list[Finding]:
        """Give the open findings on claims that the plans no longer make about their system."""
        return [
            finding
            for finding in self.open_findings()
            if finding.key not in self.rulings or not self.rulings[finding.key].applies
        ]

    def open_run(self, system: Id) -> Run | None:
        """Give the run on a system that was started and neither finished nor given up, if there is one."""
        return next((run for run in self.runs.values() if run.started.system == system and run.finished is None), None)

    def acceptance(self, key: str, today: date) -> Action | None:
        """Give the acceptance in force for ``claim@system`` on a day.

        A risk is accepted of one version of a system against one threshold: where either has changed since, the
        acceptance no longer holds.
        """
        for entry, action in reversed(self.applied.values()):
            accepts = action.accept is not None and key in action.addresses and today <= action.accept.until
            if accepts and self._same_risk(key, entry.seq):
                return action
        return None

    def _same_risk(self, key: str, since: int) -> bool:
        now = self.promises.get(key)
        before = [promise for promise in self.history.get(key, []) if promise.seq < since]
        return now is not None and bool(before) and before[-1].commitment.risk == now.commitment.risk

    def claim(self, key: str, today: date) -> ClaimState:
        """Say where ``claim@system`` stands on a day.

        Raises
        ------
        KeyError
            If no plan ever ruled on it.
        """
        ruling = self.rulings[key]
        promise, judgement = self.promises.get(key), self.judgement(key)
        if not ruling.applies:
            return ClaimState(key, "not_applicable", None, ruling)
        if judgement is None:
            return ClaimState(key, "not_measured", "never-run", ruling, promise)
        verdict = judgement.verdict
        accepted = self.acceptance(key, today)
        # Without a promise, the plan waits for evidence about the system as it is now.
        stale = self._stale(promise, judgement, today) if promise else "commitment"
        status: Status = verdict.status
        if accepted and verdict.status in {"violated", "undecided"}:
            status = "accepted"
        elif stale:
            status = "stale"
        return ClaimState(key, status, verdict.reason, ruling, promise, judgement, stale, accepted)

    def claims(self, today: date) -> list[ClaimState]:
        """Give every claim on every system that the plans in force rule on."""
        return [self.claim(key, today) for key in self.rulings]

    def _stale(self, promise: Promise, judgement: Judgement, today: date) -> str | None:
        verdict, days = judgement.verdict, promise.commitment.repeat_days
        if verdict.commitment != promise.digest:
            return "commitment"
        until = verdict.details.get("valid_until")
        if until is not None and today > date.fromisoformat(until):
            return "expired"
        if days is not None and today > date.fromisoformat(judgement.at[:10]) + timedelta(days=days):
            return "expired"
        return None


def project(entries: Iterable[Entry]) -> State:
    """Fold entries, in order, into the state they add up to.

    Raises
    ------
    KeyError
        If an entry names a run or a finding that no entry before it began. The store lets no such entry in.
    """
    return fold(State(), entries)


def fold(state: State, entries: Iterable[Entry]) -> State:
    """Carry a state on by the entries that follow it: ``fold(project(a), b)`` is ``project(a + b)``.

    Parameters
    ----------
    state : State
        Changed in place.
    entries : iterable of Entry
        In order, from the one after ``state.head``.

    Returns
    -------
    State
        The one that was handed in.

    Raises
    ------
    KeyError
        As `project`; the state is then of no further use.
    """
    for entry in entries:
        _apply(state, entry)
        state.head = entry
    return state


def _apply(state: State, entry: Entry) -> None:  # noqa: C901, PLR0912 - one case per kind of entry, flat
    match entry.payload:
        case LedgerOpened() as opened:
            state.opened = opened
        case SystemRecorded(version=version):
            state.versions.setdefault(version.system.id, []).append(version)
            state.version_at[version.system.id, version.number] = entry.at
        case Ruled(ruling=ruling):
            state.rulings[ruling.key] = ruling
        case Committed(commitment=commitment, replaces=replaces):
            promise = Promise(commitment, commitment.content_digest, entry.seq, entry.at, replaces, entry.hash)
            state.promises[commitment.key] = promise
            state.history.setdefault(commitment.key, []).append(promise)
        case Withdrawn(claim=claim, system=system):
            state.promises.pop(f"{claim}@{system}", None)
            state.rulings.pop(f"{claim}@{system}", None)
        case DesignRegistered(plan=plan, design=design):
            state.designs.setdefault((plan, design.id), []).append((entry, design))
        case EvidenceBrought(evidence=evidence):
            state.evidence.append((entry, evidence))
        case RunStarted(run=run) as started:
            state.runs[run] = Run(started, entry.at, entry.seq)
        case RunFinished(run=run) as finished:
            state.runs[run].finished = finished
            state.runs[run].finished_at = entry.at
        case Judged(verdict=verdict):
            judgement = Judgement(verdict, verdict.content_digest, entry.seq, entry.at, entry.hash)
            state.judgements.setdefault(verdict.key, []).append(judgement)
        case Compared(pairing=pairing):
            state.pairings.append((entry, pairing))
        case FindingOpened() as found:
            state.findings[found.finding] = Finding(
                found.finding, found.claim, found.system, found.owner, found.verdict, entry.at
            )
        case FindingClosed(finding=finding, verdict=verdict_digest):
            state.findings[finding].closed_by = verdict_digest
            state.findings[finding].closed_at = entry.at
        case ActionApplied(action=action, findings=findings):
            state.applied[action.id] = (entry, action)
            for finding in findings:
                state.findings[finding].actions.append(action.id)
