"""``shinrai plan --explain SYSTEM``: from the facts of a system to the depth of its tests, step by step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.session import Session, put_json, today
from shinrai.errors import UsageError
from shinrai.i18n import _, current_language
from shinrai.report.words import N_
from shinrai.source import did_you_mean

if TYPE_CHECKING:
    from shinrai.plan import ClaimPlan
    from shinrai.records import DepthRule, Json
    from shinrai.rules.tiers import Classification, Fired, Risk


def explain_system(opened: Session, name: str, *, as_json: bool) -> None:
    """Print how a system's risk is derived, and what follows from it.

    Parameters
    ----------
    opened : Session
        Reading is enough.
    name : str
        Of the system.
    as_json : bool
        For programs.

    Raises
    ------
    UsageError
        If there is no such system.
    """
    from shinrai import plan  # noqa: PLC0415 - loaded only when it is asked for
    from shinrai.cli.gates import print_gates  # noqa: PLC0415 - loaded only when it is asked for
    from shinrai.rules.gates import stage_gates  # noqa: PLC0415 - loaded only when it is asked for

    systems = opened.workspace.systems
    if name not in systems:
        message = _("There is no system {name} in systems/").format(name=name)
        raise UsageError("plan.unknown-system", message, hint=did_you_mean(name, systems))
    resolution = plan.resolve(opened.workspace, opened.ledger.state(), today())
    found = resolution.risks[name]
    claims = [claim for claim in resolution.claims if claim.ruling.system == name and claim.commitment is not None]
    missing = plan.missing_claims(opened.workspace, resolution.claims, found)
    gates = stage_gates(opened.workspace, opened.ledger.state(), today(), [name])
    if as_json:
        put_json({"version": 1, **_json(found, claims, missing), "gates": [one.to_json() for one in gates]})
        return
    click.secho(f"{systems[name].title.read(current_language())} ({name})", bold=True)
    if not found.classes:
        click.echo(_("No risk scheme is in use: `risk` in shinrai.yaml names none."))
    for one in found.classes:
        _class(one)
    if found.depth is not None:
        _depth(found, found.depth)
        _claims(claims, missing)
        click.echo()
        print_gates(gates, {name: systems[name].title})


def _class(one: Classification) -> None:
    from shinrai.report.deciding import tier_said  # noqa: PLC0415 - loaded only when it is asked for

    language = current_language()
    click.echo()
    click.secho(f"{one.scheme.title.read(language)} → {tier_said(one).read(language)}", bold=True)
    if not one.in_force:
        click.echo("  " + _("not in force on this day; it decides nothing"))
    for fired in one.fired:
        click.echo(f"  ● {_rule(fired)}")
    for fired in one.coming:
        since = _("from {day}").format(day=fired.rule.valid_from)
        click.echo(f"  ◌ {since}: {_rule(fired)}")
    for rule in one.open:
        click.echo("  ? " + _("cannot be told: {rule}").format(rule=rule.why.read(language)))
    if one.missing:
        click.echo("  " + _("not stated: {facts}").format(facts=", ".join(one.missing)))
    if not one.fired and one.settled:
        click.echo("  " + _("no rule puts it higher"))
    click.echo("  " + _("source: {title} ({certainty})").format(title=_source(one), certainty=_certainty(one)))


def _rule(fired: Fired) -> str:
    facts = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fired.facts.items())
    where = f" [{fired.rule.locator}]" if fired.rule.locator else ""
    return f"{fired.rule.why.read(current_language())}{where} ({facts})"


def _source(one: Classification) -> str:
    source = one.scheme.sources[0]
    return " ".join(filter(None, (source.title.read(current_language()), source.url)))


def _certainty(one: Classification) -> str:
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when it is asked for

    return _(CERTAINTIES[one.scheme.certainty])


def _depth(found: Risk, depth: DepthRule) -> None:
    language = current_language()
    click.echo()
    click.secho(_("depth: {title}").format(title=depth.title.read(language)), bold=True)
    click.echo("  " + depth.why.read(language))
    deciding = ", ".join(one.scheme.id for one in found.deciding())
    click.echo("  " + _("decided by: {schemes}").format(schemes=deciding))
    told = [
        (_("error level"), depth.alpha),
        (_("trials at least"), depth.trials),
        (_("trials at most"), depth.most_trials),
        (_("measured again after days"), depth.repeat_days),
        (_("risk accepted by"), ", ".join(depth.accepts) or _("roles with accepts_risk")),
        (_("risk accepted for days at most"), depth.accept_days),
        (_("second reader of statements"), _("needed") if depth.second_reader else _("not needed")),
    ]
    for name, value in told:
        if value is not None:
            click.echo(f"  {name}: {value}")


_SET: dict[str, str] = {
    "alpha": N_("error level"),
    "budget": N_("trials"),
    "threshold": N_("threshold"),
    "repeat_days": N_("measured again after days"),
}


def _claims(claims: list[ClaimPlan], missing: list[tuple[str, Any]]) -> None:
    """Say what its risk sets, once for all claims of which it sets the same."""
    from shinrai.report.stack_words import STAGES  # noqa: PLC0415 - loaded only when it is asked for

    click.echo()
    alike: dict[str, list[str]] = {}
    for claim in claims:
        by_risk = [name for name, origin in (claim.origins or {}).items() if origin == "risk"]
        told = ", ".join(f"{_(_SET[name])} = {getattr(claim.commitment, name)}" for name in by_risk)
        words = _("set by its risk: {values}").format(values=told) if told else _("as the plan and the check have it")
        alike.setdefault(words, []).append(claim.ruling.claim.rpartition("/")[2])
    for words, names in alike.items():
        click.echo(f"  {', '.join(names)}: {words}")
    for check, stage in missing:
        words = _("due by the stage {stage}, and no plan promises it").format(stage=_(STAGES[stage]))
        click.secho(f"  ! {check}: {words}", fg="yellow")


def _json(found: Risk, claims: list[ClaimPlan], missing: list[tuple[str, Any]]) -> dict[str, Json]:
    return {
        "system": found.system,
        "settled": found.settled,
        "depth": found.depth.to_json() if found.depth else None,
        "classes": [
            {
                "scheme": one.scheme.id,
                "tier": one.tier.id,
                "in_force": one.in_force,
                "fired": [_fired_json(fired) for fired in one.fired],
                "coming": [_fired_json(fired) for fired in one.coming],
                "open": [rule.id for rule in one.open],
                "missing": list(one.missing),
            }
            for one in found.classes
        ],
        "claims": {
            claim.ruling.claim: [name for name, origin in (claim.origins or {}).items() if origin == "risk"]
            for claim in claims
        },
        "due_not_planned": [{"check": check, "stage": stage} for check, stage in missing],
    }


def _fired_json(fired: Fired) -> dict[str, Json]:
    since = fired.rule.valid_from
    facts = {"rule": fired.rule.id, "why": fired.rule.why.to_json(), "facts": dict(fired.facts)}
    return {**facts, "valid_from": since.isoformat() if since else None, "amended_by": list(fired.rule.amended_by)}
