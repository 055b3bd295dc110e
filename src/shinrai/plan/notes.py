"""What a person should know before measuring: what waits, what is late, what cannot be kept, what risk asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from shinrai.i18n import _
from shinrai.plan.calls import Effort
from shinrai.plan.resolved import ClaimPlan, Note
from shinrai.records import Id, Metric, Stage
from shinrai.rules.gates import due_by
from shinrai.rules.tiers import Risk
from shinrai.workspace import Workspace


def notes_on_plans(workspace: Workspace, claims: list[ClaimPlan], today: date) -> Iterator[Note]:
    """Give what is to be known of the plans and of each claim.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    claims : list of ClaimPlan
        Every claim on every system.
    today : date
        Decides what is late.

    Yields
    ------
    Note
    """
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


def notes_on_risk(workspace: Workspace, claims: list[ClaimPlan], risks: Mapping[Id, Risk]) -> Iterator[Note]:
    """Give what is to be known of how risky the systems are.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    claims : list of ClaimPlan
        Every claim on every system.
    risks : mapping
        System → how risky it is.

    Yields
    ------
    Note
    """
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
