"""How plans and their indicators are printed in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.session import put_json
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from shinrai.check.effects import Effect
    from shinrai.check.indicators import IndicatorStatus
    from shinrai.records import Observation, Plan
    from shinrai.report.outcomes import PlanView


def print_plan(view: PlanView) -> None:
    """Print one line for each indicator of a plan: state, value, path, target; what moves the wrong way first.

    Parameters
    ----------
    view : PlanView
        As `shinrai.report.outcomes.plan_views` gives it.
    """
    plan = view.plan
    click.secho(plan.title.read(current_language()), bold=True)
    if plan.edition is not None and not view.in_force:
        click.secho(_("not yet in force") if view.ahead else _("no longer in force"), dim=True)
    click.echo(_counts(view))
    for status in sorted(view.statuses, key=lambda one: one.state != "reversing"):
        _print_status(status)
    if any(status.path_assumed and status.path is not None for status in view.statuses):
        click.secho(_("* a straight line from baseline to target, assumed"), dim=True)
    for one in view.statuses:
        if one.by_method and not one.agree:
            click.echo(_methods(one))
    for effect in view.effects:
        click.echo(_effect(effect))
    click.echo()


def _effect(effect: Effect) -> str:
    """Say in one line what a design says, its level of evidence, and whether it was there before the data."""
    from shinrai.report.outcomes import EFFECT_WORDS, WHY_NOT_WORDS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.plan_figures import rough  # noqa: PLC0415 - loaded only when the verb runs

    design = effect.design
    told = [_(EFFECT_WORDS[effect.state])]
    if effect.why_not:
        told.append(_(WHY_NOT_WORDS[effect.why_not]))
    for name, one in (
        (_("jump at the start"), effect.level),
        (_("change of slope, a period"), effect.slope),
        (_("change beyond that of the comparison"), effect.difference),
    ):
        if one is not None:
            told.append(f"{name} {rough(one.value)} [{rough(one.lower)}, {rough(one.upper)}]")
    if effect.p is not None:
        told.append(_("{n} placebos, {strong} as strong").format(n=len(effect.placebos), strong=effect.as_strong))
    if effect.retrospective:
        told.append(_("retrospective: values were known before"))
    return _("{design} (evidence {level} of 5): {told}").format(
        design=design.title.read(current_language()), level=design.evidence_level, told="; ".join(told)
    )


def _counts(view: PlanView) -> str:
    from shinrai.report.outcomes import STATE_SHAPES, STATE_WORDS  # noqa: PLC0415 - loaded only when the verb runs

    words = [f"{STATE_SHAPES[state]} {n} {_(STATE_WORDS[state])}" for state, n in view.counts.items()]
    data = _("{known} of {n} indicators have an observation").format(known=view.with_data, n=len(view.statuses))
    return " · ".join([*words, data])


def _print_status(status: IndicatorStatus) -> None:
    """Print the state with the title, and below it everything that it rests on: no column is too narrow for it."""
    from shinrai.report.outcomes import NOTE_WORDS, STATE_SHAPES, STATE_STYLES, STATE_WORDS  # noqa: PLC0415 - as above

    unsure = f" {_('(uncertain)')}" if status.certain is False else ""
    badge = f"{STATE_SHAPES[status.state]} {_(STATE_WORDS[status.state])}{unsure}"
    title = status.definition.title.read(current_language())
    colour = STATE_STYLES[status.state]
    click.echo(f"{click.style(badge, fg=colour)}  {title}  {click.style(status.use.name, dim=True)}")
    click.echo(f"    {' · '.join(_facts(status))}")
    notes = [_(NOTE_WORDS[one]) for one in status.notes if one not in {"target-draft", "target-unverified"}]
    if notes:
        click.secho(f"    {'; '.join(notes)}", dim=True)


def _facts(status: IndicatorStatus) -> list[str]:
    from shinrai.report.outcomes import REASON_WORDS, STANDINGS, UNIT_WORDS  # noqa: PLC0415 - as above
    from shinrai.report.plan_figures import plain, rough  # noqa: PLC0415 - loaded only when the verb runs

    observed, target, baseline = status.observed, status.use.target, status.use.baseline
    unit = _(UNIT_WORDS.get(status.definition.unit, status.definition.unit))
    facts = [f"{plain(observed.value)} {unit} ({observed.period}){observed_marks(observed)}"] if observed else []
    if baseline is not None:
        sure = "" if baseline.standing == "final" else f" [{_(STANDINGS[baseline.standing])}]"
        facts.append(f"{_('baseline')} {plain(baseline.value)} ({baseline.period}){sure}")
    if status.path is not None:
        facts.append(f"{_('path')} {rough(status.path)}{'*' if status.path_assumed else ''}")
    if status.pace is not None:
        facts.append(f"{_('pace')} {status.pace:.2f}")
    if target is not None:
        sure = "" if target.standing == "final" else f" [{_(STANDINGS[target.standing])}]"
        facts.append(f"{_('target')} {plain(target.value)} ({target.period or _('no date')}){sure}")
    return [*facts, _(REASON_WORDS[status.reason])] if status.reason else facts


def observed_marks(observed: Observation) -> str:
    """Say in brackets what makes a value less than final: provisional or estimated, or not from an official text."""
    from shinrai.report.outcomes import OBSERVATION_WORDS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when the verb runs

    status = OBSERVATION_WORDS.get(observed.status or "normal", "")
    unsure = observed.certainty not in {None, "official"}
    words = [
        *([status] if status else []),
        *([CERTAINTIES[observed.certainty]] if unsure and observed.certainty else []),
    ]
    return f" [{', '.join(_(word) for word in words)}]" if words else ""


def _methods(status: IndicatorStatus) -> str:
    from shinrai.report.outcomes import METHOD_WORDS, STATE_WORDS  # noqa: PLC0415 - loaded only when the verb runs

    told = [f"{_(METHOD_WORDS[name])}: {_(STATE_WORDS[state])}" for name, state in (status.by_method or {}).items()]
    return "⚠ " + _("{indicator}: methods disagree: {told}").format(indicator=status.use.name, told="; ".join(told))


def show_coverage(views: Sequence[PlanView], *, as_json: bool) -> None:
    """Say what of each plan could not be verified, how sure its entries are, and what has no data.

    Parameters
    ----------
    views : sequence of PlanView
        The watched plans.
    as_json : bool
        For programs.
    """
    if as_json:
        put_json({"version": 1, "plans": [_coverage(view) for view in views]})
        return
    for view in views:
        _print_coverage(view)
    if not views:
        click.echo(_("no plan is watched here; begin with: shinrai init --plan jp-ai-basic-plan"))


def _coverage(view: PlanView) -> dict[str, Any]:
    return {
        "plan": view.plan.id,
        "certainty": dict(Counter(_certainties(view.plan))),
        "values": dict(Counter(one.observed.certainty or "unverified" for one in view.statuses if one.observed)),
        "targets": dict(Counter(one.use.target.standing for one in view.statuses if one.use.target)),
        "without_owner": [measure.id for measure in view.plan.measures() if measure.owner is None],
        "without_observation": [one.use.name for one in view.statuses if one.observed is None],
        "open_questions": [one.to_json() for one in view.plan.open_questions],
    }


def _certainties(plan: Plan) -> list[str]:
    return [entry.certainty or "unverified" for entry in plan.entries()]


def _print_coverage(view: PlanView) -> None:
    from shinrai.report.outcomes import STANDINGS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.plan_figures import plain  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when the verb runs

    found = _coverage(view)
    language = current_language()
    click.secho(view.plan.title.read(language), bold=True)
    told = Counter(_certainties(view.plan))
    sure = " · ".join(f"{told[name]} {_(word)}" for name, word in CERTAINTIES.items() if told[name])
    click.echo(_("entries: {told}").format(told=sure))
    targets = found["targets"]
    standing = " · ".join(f"{targets[name]} {_(word)}" for name, word in STANDINGS.items() if name in targets)
    for entry in view.plan.entries():
        sure = entry.certainty or "unverified"
        if sure in {"secondary", "unverified"}:
            click.echo(f"  · {entry.title.read(language)} [{_(CERTAINTIES[sure])}]")
    click.echo(_("targets: {told}").format(told=standing or "–"))
    for one in view.statuses:
        target = one.use.target
        if target is not None and target.standing != "final":
            period = target.period or _("no date")
            title = one.definition.title.read(language)
            click.echo(f"  · {title}: {plain(target.value)} ({period}) [{_(STANDINGS[target.standing])}]")
    values = Counter(one.observed.certainty or "unverified" for one in view.statuses if one.observed)
    told_values = " · ".join(f"{values[name]} {_(word)}" for name, word in CERTAINTIES.items() if values[name])
    click.echo(_("newest values: {told}").format(told=told_values or "–"))
    measures = sum(1 for _measure in view.plan.measures())
    click.echo(_("measures without a named owner: {n} of {all}").format(n=len(found["without_owner"]), all=measures))
    click.echo(
        _("indicators without an observation: {names}").format(names=", ".join(found["without_observation"]) or "–")
    )
    for question in view.plan.open_questions:
        click.echo(f"? {question.title.read(language)}")
        for address in question.look_at:
            click.secho(f"  {address}", dim=True)
    click.echo()
