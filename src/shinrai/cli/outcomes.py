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
    from shinrai.records import IndicatorState, Plan
    from shinrai.report.outcomes import PlanView


def print_plan(view: PlanView) -> None:
    """Print one line for each indicator of a plan: state, value, path, target; what moves the wrong way first.

    Parameters
    ----------
    view : PlanView
        As `shinrai.report.outcomes.plan_views` gives it.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs

    plan = view.plan
    click.secho(plan.title.read(current_language()), bold=True)
    if plan.edition is not None and not view.in_force:
        click.secho(_("no longer in force"), dim=True)
    click.echo(_counts(view))
    value, path, pace, target = _("observed"), _("path"), _("pace"), _("target")
    table = columns(_("state"), _("indicator"), value, path, pace, target, "", right=(value, path, pace, target))
    for status in sorted(view.statuses, key=lambda one: one.state != "reversing"):
        table.add_row(*_row(status))
    Console().print(table)
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


def _row(status: IndicatorStatus) -> tuple[Any, ...]:
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.outcomes import REASON_WORDS, STANDINGS, UNIT_WORDS  # noqa: PLC0415 - as above
    from shinrai.report.plan_figures import plain, rough  # noqa: PLC0415 - loaded only when the verb runs

    observed, target = status.observed, status.use.target
    unit = status.definition.unit
    shown = f"{plain(observed.value)} {_(UNIT_WORDS.get(unit, unit))} ({observed.period})" if observed else "–"
    promised = "–" if target is None else f"{plain(target.value)} ({target.period or _('no date')})"
    about = [_(REASON_WORDS[status.reason])] if status.reason else []
    if target is not None and target.standing != "final":
        about.append(_(STANDINGS[target.standing]))
    return (
        _badge(status.state, certain=status.certain),
        Text.assemble(status.definition.title.read(current_language()), "\n", (status.use.name, "dim")),
        shown,
        "–" if status.path is None else f"{rough(status.path)}{'*' if status.path_assumed else ''}",
        "–" if status.pace is None else f"{status.pace:.2f}",
        promised,
        Text("; ".join(about), style="dim"),
    )


def _badge(state: IndicatorState, *, certain: bool | None) -> Any:  # noqa: ANN401 - rich is loaded late
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.outcomes import STATE_SHAPES, STATE_STYLES, STATE_WORDS  # noqa: PLC0415 - as above

    unsure = f" {_('(uncertain)')}" if certain is False else ""
    return Text(f"{STATE_SHAPES[state]} {_(STATE_WORDS[state])}{unsure}", style=STATE_STYLES[state])


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
        "targets": dict(Counter(one.use.target.standing for one in view.statuses if one.use.target)),
        "without_owner": [measure.id for measure in view.plan.measures() if measure.owner is None],
        "without_observation": [one.use.name for one in view.statuses if one.observed is None],
        "open_questions": [one.to_json() for one in view.plan.open_questions],
    }


def _certainties(plan: Plan) -> list[str]:
    return [entry.certainty or "unverified" for entry in plan.entries()]


def _print_coverage(view: PlanView) -> None:
    from shinrai.report.outcomes import STANDINGS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import CERTAINTIES  # noqa: PLC0415 - loaded only when the verb runs

    found = _coverage(view)
    language = current_language()
    click.secho(view.plan.title.read(language), bold=True)
    told = Counter(_certainties(view.plan))
    sure = " · ".join(f"{told[name]} {_(word)}" for name, word in CERTAINTIES.items() if told[name])
    click.echo(_("entries: {told}").format(told=sure))
    targets = found["targets"]
    standing = " · ".join(f"{targets[name]} {_(word)}" for name, word in STANDINGS.items() if name in targets)
    click.echo(_("targets: {told}").format(told=standing or "–"))
    measures = sum(1 for _measure in view.plan.measures())
    click.echo(_("measures without a named owner: {n} of {all}").format(n=len(found["without_owner"]), all=measures))
    click.echo(
        _("indicators without an observation: {names}").format(names=", ".join(found["without_observation"]) or "–")
    )
    for one in view.plan.open_questions:
        click.echo(f"? {one.title.read(language)}")
        for address in one.look_at:
            click.secho(f"  {address}", dim=True)
    click.echo()
