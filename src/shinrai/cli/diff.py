"""``shinrai diff``: what changed between two versions of a plan, and what that does to the promise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shinrai.cli.session import json_option, note, put_json, session, today
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shinrai.plan.versions import Change, Effect
    from shinrai.records import Plan
    from shinrai.report.plan_diff import PlanDiff, Score

_EPILOG = """\b
Examples:
  shinrai diff jp-ai-basic-plan-2025 jp-ai-basic-plan-2026
  shinrai diff jp-ai-basic-plan-2025 jp-ai-basic-plan-2026 --out diff.html
  shinrai diff plans/old.yaml plans/new.yaml --patch
"""


@click.command("diff", epilog=_EPILOG)
@click.argument("old")
@click.argument("new")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write one self-contained page here.")
@json_option("Print everything as JSON.")
@click.option(
    "--patch", "as_patch", is_flag=True, help="Print a JSON Patch (RFC 6902) from the old to the new version."
)
@click.pass_obj
def command(start: str, old: str, new: str, *, out: Path | None, as_json: bool, as_patch: bool) -> None:
    """Compare two versions of a plan by the ids of what is in them, not by their lines.

    Says of each change whether the promise becomes stronger or weaker, and by which rule; scores today's data under
    both promises; names what was missed and then dropped, changes that state no evidence, and red findings about which
    nothing has changed. OLD and NEW are ids of plans, or YAML files.
    """
    from shinrai.catalog import status_methods  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.check.series import gather, observations  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.cli.named_plans import named_plan  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.plan_diff import findings_about, plan_diff, render_plan_diff  # noqa: PLC0415 - as above

    with session(start, write=False) as opened:
        workspace, state = opened.workspace, opened.ledger.state()
        versions = named_plan(old, workspace), named_plan(new, workspace)
        corrections = [one for file in workspace.corrections.values() for one in file.corrections]
        diff = plan_diff(
            versions,
            workspace.all_plans,
            gather(observations(state, opened.root), corrections),
            next(iter(status_methods().values())),
            today(),
            findings_about(versions[0], workspace, state),
        )
    if as_patch:
        put_json(diff.to_json()["patch"])
    elif as_json:
        put_json(diff.to_json())
    elif out is not None:
        out.write_text(render_plan_diff(diff), encoding="utf-8", newline="\n")
        note(_("written to {file}").format(file=out))
    else:
        _say(diff)


def _say(diff: PlanDiff) -> None:
    from shinrai.plan.versions import EFFECTS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.plan_diff import DEBT_WORDS, EFFECT_SHAPES, EFFECT_WORDS  # noqa: PLC0415 - as above

    language = current_language()
    comparison = diff.comparison
    click.secho(f"{comparison.old.title.read(language)} → {comparison.new.title.read(language)}", bold=True)
    counts = comparison.effects()
    shown = [
        f"{EFFECT_SHAPES[effect]} {counts[effect]} {_(EFFECT_WORDS[effect])}" for effect in EFFECTS if counts[effect]
    ]
    click.echo(" · ".join(shown) or _("Nothing has changed."))
    for effect in EFFECTS:
        for rule in dict.fromkeys(change.rule for change in comparison.changes if change.effect == effect):
            _say_rule(effect, [one for one in comparison.changes if (one.effect, one.rule) == (effect, rule)])
    if diff.scores:
        click.secho(_("Today’s data under both promises"), bold=True)
        for score in diff.scores:
            _say_score(score, (comparison.old, comparison.new))
    for debt in diff.debts:
        moved = f" → {debt.moved_to}" if debt.moved_to and debt.moved_to != debt.due else ""
        click.secho(f"! {_(DEBT_WORDS[debt.now])}: {debt.id} ({debt.due}{moved})", fg="red")
    if diff.without_evidence:
        message = _("{count} changes touch the promise and state no evidence.")
        click.secho("! " + message.format(count=len(diff.without_evidence)), fg="yellow")
    for name in diff.unanswered:
        click.secho("! " + _("red, and nothing has changed about it: {name}").format(name=name), fg="yellow")


def _say_rule(effect: Effect, changes: Sequence[Change]) -> None:
    """Print changes of which one rule says the same: the rule once, then what it is about."""
    from shinrai.plan.versions import RULES  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.plan_diff import EFFECT_SHAPES, EFFECT_WORDS, KIND_WORDS, PART_WORDS  # noqa: PLC0415 - as above

    colours = {"weaker": "red", "stronger": "green", "unclear": "yellow"}
    rule = changes[0].rule
    shape = click.style(f"{EFFECT_SHAPES[effect]} {_(EFFECT_WORDS[effect])}", fg=colours.get(effect))
    click.echo(f"{shape}: {_(RULES[rule])} ({rule.partition('-')[0]})")
    for change in changes:
        about = " ".join(filter(None, (_(PART_WORDS[change.part]), change.id, change.field)))
        click.echo(f"  {_(KIND_WORDS[change.kind])}: {about}")
        if change.before is not None or change.after is not None:
            click.echo(click.style(f"      {_short(change.before)} → {_short(change.after)}", dim=True))


def _short(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict) and ("ja" in value or "en" in value):
        language = current_language()
        return str(value.get(language) or value.get("en") or value.get("ja"))
    if isinstance(value, dict):
        told = {key: below for key, below in value.items() if below not in ([], {}, None) and key != "sources"}
        return ", ".join(f"{key}: {_short(below)}" for key, below in told.items())
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _say_score(score: Score, versions: tuple[Plan, Plan]) -> None:
    from shinrai.plan.versions import unread  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.outcomes import STATE_WORDS  # noqa: PLC0415 - loaded only when the verb runs

    gone = [_("not known") if unread(version) else _("not promised") for version in versions]
    words = [_(STATE_WORDS[one.state]) if one else gone[at] for at, one in enumerate((score.old, score.new))]
    one = score.new or score.old
    title = one.definition.title.read(current_language()) if one else score.name
    click.echo(f"  {title} ({score.name}): {words[0]} → {words[1]}")
