"""What the plans ask for, beside what the ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger.projection import Promise, State
from shinrai.plan.calls import Measurable, effort, trial_sources
from shinrai.plan.data import PinnedData, Shelf
from shinrai.plan.deepening import deepen
from shinrai.plan.inspect_tasks import refused_task
from shinrai.plan.judges import refused_driver, refused_judge
from shinrai.plan.notes import notes_on_plans, notes_on_risk
from shinrai.plan.promise import Helping, Origin, changed_fields, draft, untestable
from shinrai.plan.resolved import Change, ClaimPlan, Resolution, Waiting
from shinrai.plan.rulings import PlannedClaim, planned_claims, rule
from shinrai.plan.systems import current_version
from shinrai.records import Commitment, DepthRule, Id, Judge, Ruling, SystemVersion
from shinrai.rules.applying import risk
from shinrai.workspace import Workspace


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
        notes=(*notes_on_plans(workspace, claims, today), *notes_on_risk(workspace, claims, risks)),
        risks=risks,
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
