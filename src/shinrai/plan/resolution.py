"""What the plans ask for, beside what the ledger holds; and the writing down of the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.ledger.projection import Promise, State
from shinrai.plan.calls import Effort, Measurable, TrialSource, effort, trial_sources
from shinrai.plan.data import PinnedData, Shelf
from shinrai.plan.deepening import deepen
from shinrai.plan.inspect_tasks import refused_task
from shinrai.plan.judges import refused_driver, refused_judge
from shinrai.plan.promise import Helping, Origin, changed_fields, draft, untestable
from shinrai.plan.rulings import PlannedClaim, no_longer_planned, planned_claims, rule
from shinrai.plan.systems import current_version
from shinrai.records import (
    Commitment,
    Committed,
    DepthRule,
    Digest,
    Id,
    Json,
    Judge,
    Metric,
    Payload,
    Ruled,
    Ruling,
    Stage,
    SystemRecorded,
    SystemVersion,
    Withdrawn,
)
from shinrai.rules.applying import risk
from shinrai.rules.gates import due_by
from shinrai.rules.tiers import Risk
from shinrai.workspace import Workspace

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


def resolve(workspace: Workspace, state: State, today: date) -> Resolution:
    """Work out what the plans ask for. Nothing is written.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        Decides which notes are due, and which rules of a risk scheme are in force.

    Returns
    -------
    Resolution

    Raises
    ------
    UsageError
        If promises cannot be tested at all (all of them are named), or an applied change no longer fits its system.
    SourceError
        If data cannot be read.
    TamperedError
        If imported data are no longer what was imported.
    """
    planned = list(planned_claims(workspace))
    _require_testable(planned)
    versions = {one.id: current_version(one, workspace, state) for one in workspace.systems.values()}
    shelf = Shelf(workspace, state)
    risks = {one.id: risk(workspace, one, today) for one in workspace.systems.values()}
    _require_judges(planned, versions)
    _require_tasks(planned, versions)
    claims, efforts = [], []
    for claim in planned:
        for version in versions.values():
            ruling = rule(claim, version.system)
            data = shelf.pin(claim.check, version) if ruling.applies else None
            depth = risks[version.system.id].depth
            ground = _Ground(workspace, state, version, data, depth, _helping(claim, versions))
            one = _claim_plan(claim, ruling, ground)
            claims.append(one)
            if one.commitment and one.effort and data:
                efforts.append(
                    Measurable(one.commitment, data, one.commitment.trial_kind(version.system.kind), one.effort)
                )
    wanted = {one.key for one in claims if one.commitment}
    ruled = {one.key for one in claims}
    return Resolution(
        claims=tuple(claims),
        versions=tuple(versions.values()),
        new_versions=tuple(one for one in versions.values() if state.version(one.system.id) is not one),
        withdrawn=tuple(one for key, one in state.promises.items() if key not in wanted),
        dropped=tuple(
            one for key, one in state.rulings.items() if key not in ruled and key not in state.promises and one.applies
        ),
        sources=trial_sources(efforts),
        notes=(*_notes(workspace, claims, today), *_notes_on_risk(workspace, claims, risks)),
        risks=risks,
    )


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


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a promise stands on."""

    workspace: Workspace
    state: State
    version: SystemVersion
    data: PinnedData | None
    depth: DepthRule | None = None
    helping: Helping | None = None


def _helping(claim: PlannedClaim, versions: Mapping[Id, SystemVersion]) -> Helping:
    use, dialogue = claim.check.scorer, claim.check.dialogue
    driver = dialogue.driver if dialogue else None
    return Helping(
        judge=versions[use.system] if isinstance(use, Judge) else None,
        driver=versions[driver.system] if driver else None,
    )


def _require_judges(planned: list[PlannedClaim], versions: Mapping[Id, SystemVersion]) -> None:
    pairs = [
        (claim, version) for claim in planned for version in versions.values() if rule(claim, version.system).applies
    ]
    idle = [text for claim, one in pairs if (text := refused_driver(claim, one, _helping(claim, versions).driver))]
    if idle:
        hint = _("let another system speak for the user, or narrow the claim to other systems")
        raise UsageError("plan.driver-refused", "\n".join(idle), hint=hint)
    problems = [text for claim, one in pairs if (text := refused_judge(claim, one, _helping(claim, versions).judge))]
    if problems:
        raise UsageError(
            "plan.judge-refused",
            "\n".join(problems),
            hint=_("Let people label a few replies (`labels`), take another judge, or `accept` it in words"),
        )


def _require_tasks(planned: list[PlannedClaim], versions: Mapping[Id, SystemVersion]) -> None:
    problems = [
        problem
        for claim in planned
        for version in versions.values()
        if rule(claim, version.system).applies and (problem := refused_task(claim, version))
    ]
    if problems:
        raise UsageError(
            "plan.task-refused",
            "\n".join(problems),
            hint=_("Run the task yourself and import its log: shinrai do import"),
        )


def _claim_plan(claim: PlannedClaim, ruling: Ruling, ground: _Ground) -> ClaimPlan:
    in_force = ground.state.promises.get(ruling.key)
    if not ruling.applies:
        return ClaimPlan(ruling, "not-applicable", in_force=in_force)
    data = ground.data
    if claim.check.data is not None and (data is None or not data.drawn):
        waiting: Waiting = "import" if data is None else "rows"
        return ClaimPlan(ruling, "waiting", in_force=in_force, waiting=waiting)
    deeper = deepen(claim, ground.depth)
    _require_testable([deeper.claim])
    drafted = draft(deeper.claim, ground.version, data, ground.workspace, ground.helping)
    promised = drafted.commitment.model_copy(update={"repeat_days": deeper.repeat_days})
    commitment = _as_pinned(promised, claim, in_force, ground)
    origins: dict[str, Origin] = {**drafted.origins, **dict.fromkeys(deeper.by_risk, "risk")}
    change: Change = "new"
    changed: tuple[str, ...] = ()
    if in_force is not None:
        change = "unchanged" if in_force.digest == commitment.content_digest else "replaced"
        changed = changed_fields(in_force.commitment, commitment)
    return ClaimPlan(
        ruling=ruling,
        change=change,
        commitment=commitment,
        origins={name: one for name, one in origins.items() if getattr(commitment, name) is not None},
        in_force=in_force,
        changed=changed,
        effort=effort(commitment, data, commitment.trial_kind(ground.version.system.kind)) if data else None,
    )


def _as_pinned(commitment: Commitment, claim: PlannedClaim, in_force: Promise | None, ground: _Ground) -> Commitment:
    """Leave a promise that was made before the register was pinned as it is while nothing that it hangs on changes."""
    if in_force is None or in_force.commitment.context is not None:
        return commitment
    basis, before = claim.check.basis, in_force.commitment.fingerprint
    versions = (one for one in ground.state.versions.get(commitment.system, []) if one.fingerprint == before)
    wanted = ground.version.system.context(basis)
    if any(one.system.context(basis) == wanted for one in versions):
        return commitment.model_copy(update={"context": None})
    return commitment


def _require_testable(planned: list[PlannedClaim]) -> None:
    problems = [problem for claim in planned if (problem := untestable(claim))]
    if problems:
        raise UsageError(
            "plan.untestable",
            "\n".join(problems),
            hint=_("A rate needs a threshold strictly between 0 and 1, a band two of them in order"),
        )


def _notes(workspace: Workspace, claims: list[ClaimPlan], today: date) -> Iterator[Note]:
    if not claims:
        yield Note("plan.no-claims", None, _("No plan makes a claim about any system of this workspace."))
    for plan in workspace.plans.values():
        if plan.period and plan.period.end and plan.period.end < today:
            yield Note(
                "plan.period-over",
                None,
                _("The period of the plan {plan} ended on {day}.").format(plan=plan.id, day=plan.period.end),
            )
    for claim in claims:
        yield from _notes_on(claim, today)


def _notes_on(claim: ClaimPlan, today: date) -> Iterator[Note]:
    if claim.waiting == "import":
        yield Note(
            "plan.waiting-for-import",
            claim.key,
            _named(
                _(
                    "{claim}: nothing is promised yet; "
                    "nothing was imported for the system as it is now (shinrai do import)."
                ),
                claim,
            ),
        )
    if claim.waiting == "rows":
        message = _named(_("{claim}: nothing is promised yet; the data have no row that the check keeps."), claim)
        yield Note("plan.no-rows", claim.key, message)
    if claim.commitment and claim.commitment.due and claim.commitment.due < today and claim.change == "new":
        yield Note(
            "plan.overdue",
            claim.key,
            _named(_("{claim}: promised only now, after its due date {day}."), claim, day=claim.commitment.due),
        )
    if claim.change in {"new", "replaced"}:
        yield from _notes_on_labels(claim)
    if claim.commitment and claim.effort and not claim.effort.can_be_met:
        yield Note("plan.cannot-be-met", claim.key, _too_few(claim, claim.commitment.metric, claim.effort))


def _notes_on_labels(claim: ClaimPlan) -> Iterator[Note]:
    plan = claim.commitment.label_plan if claim.commitment else None
    if plan is None or claim.effort is None or claim.effort.enough is None or not claim.effort.can_be_met:
        return
    message = _(
        "{claim}: people label one reply of {every}; to keep it takes {least} labels or more, of {most} at most."
    )
    numbers = {"least": claim.effort.enough // plan.every, "most": claim.effort.trials // plan.every}
    yield Note("plan.labels", claim.key, _named(message, claim, every=plan.every, **numbers))


def _notes_on_risk(workspace: Workspace, claims: list[ClaimPlan], risks: Mapping[Id, Risk]) -> Iterator[Note]:
    for name, found in risks.items():
        if not found.settled:
            facts = ", ".join(dict.fromkeys(one for each in found.classes for one in each.missing))
            message = _("{system}: its risk cannot be told while these are not stated: {facts}")
            yield Note("plan.risk-not-settled", None, message.format(system=name, facts=facts))
        if found.depth is None:
            continue
        if found.depth.depth == "forbidden":
            message = _("{system}: its use is prohibited; no test and no acceptance makes it lawful.")
            yield Note("plan.forbidden-use", None, message.format(system=name))
        for check, stage in missing_claims(workspace, claims, found):
            message = _("{system}: by its risk the check {check} is due by the stage {stage}, and no plan promises it.")
            yield Note("plan.due-not-planned", None, message.format(system=name, check=check, stage=stage))


def missing_claims(workspace: Workspace, claims: Iterable[ClaimPlan], found: Risk) -> list[tuple[Id, Stage]]:
    """Name the checks that a system's risk asks for by now and that no plan promises of it.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    claims : iterable of ClaimPlan
        Every claim on every system.
    found : Risk
        Of the system.

    Returns
    -------
    list of tuple
        Check and the stage by which it is due; checks that are not made for this kind of system are left out.
    """
    system = workspace.systems[found.system]
    planned = {
        f"{plan.id}/{goal.id}/{measure.id}/{use.name}": use.check
        for plan in workspace.plans.values()
        for goal in plan.goals
        for measure in goal.measures
        for use in measure.claims
    }
    promised = {
        planned.get(claim.ruling.claim) for claim in claims if claim.ruling.applies and claim.ruling.system == system.id
    }
    owed = due_by(system, found.depth, workspace.checks, system.stage) if found.depth else ()
    return [(due.check, due.stage) for due in owed if due.check not in promised]


def _too_few(claim: ClaimPlan, metric: Metric, needed: Effort) -> str:
    if metric == "rate-band":
        text = _("{claim}: {trials} trials cannot prove this, however many of them pass.")
    elif needed.enough is None:
        text = _("{claim}: {trials} trials cannot prove this, even if every one passes.")
    else:
        text = _("{claim}: {trials} trials cannot prove this, even if every one passes; it takes {enough}.")
    return _named(text, claim, trials=needed.trials, enough=needed.enough)


def _named(text: str, claim: ClaimPlan, **values: object) -> str:
    """Fill in a sentence, with the claim's short name."""
    return text.format(claim=f"{claim.ruling.claim.rpartition('/')[2]} @ {claim.ruling.system}", **values)


def _is_recorded(version: SystemVersion, state: State) -> bool:
    newest: SystemVersion | None = state.version(version.system.id)
    return newest == version


def _in_force(key: str, state: State) -> Digest | None:
    promise = state.promises.get(key)
    return promise.digest if promise else None
