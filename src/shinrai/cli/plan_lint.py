"""``shinrai plan lint``: ask of plans whether what they promise is an outcome, and whether targets were made to fit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from shinrai.cli.session import json_option, put_json, session
from shinrai.errors import EXIT_MET, EXIT_NOT_MET
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from shinrai.ledger import State
    from shinrai.plan.lint import Linted
    from shinrai.records import Id, Plan
    from shinrai.source import Document

_EPILOG = """\b
Examples:
  shinrai plan lint                        every plan of the workspace
  shinrai plan lint jp-ai-basic-plan-2025  a plan of the catalog
  shinrai plan lint --sarif > lint.sarif   for code review
"""


@click.command("lint", epilog=_EPILOG, short_help="Ask of plans whether they promise outcomes.")
@click.argument("plans", nargs=-1, metavar="[PLAN]...")
@click.option("--against", metavar="PLAN", help="Version to compare with; the one it supersedes when left out.")
@json_option("Print everything as JSON, in both languages.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Print a SARIF 2.1.0 log.")
@click.pass_obj
def command(start: str, /, plans: tuple[str, ...], against: str | None, *, as_json: bool, as_sarif: bool) -> int:
    """Ask of plans whether what they promise is an outcome, and look for targets that were made to fit.

    Rules R1 to R9 read the chain from measure to outcome, R10 the words of cause and effect; rules G1 to G5 look for
    signs of gaming. They say where to look; a person decides, and writes the decision into the plan (decisions:). Exit
    code 1 while warnings are open.
    """
    from shinrai.cli.named_plans import documents, named_plan, observed  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.plan.lint import lint  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.linted import lint_json, sarif  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        workspace = opened.workspace
        known = workspace.all_plans
        chosen = [named_plan(name, workspace) for name in plans] or list(workspace.plans.values())
        before = named_plan(against, workspace) if against else None
        values = observed(opened)
        state = opened.ledger.state()
        linted = [lint(one, known, values, before, _registered(state, one)) for one in chosen]
    files = documents(workspace, [one.plan.id for one in linted])
    if as_sarif:
        put_json(sarif(linted, files))
    elif as_json:
        put_json({"version": 1, "plans": [lint_json(one, files.get(one.plan.id)) for one in linted]})
    else:
        for one in linted:
            _say(one, files.get(one.plan.id))
    return EXIT_NOT_MET if any(one.open for one in linted) else EXIT_MET


def _registered(state: State, plan: Plan) -> set[Id]:
    from shinrai.plan import is_registered  # noqa: PLC0415 - loaded only when the verb runs

    return {one.id for one in plan.designs if is_registered(state, plan.id, one)}


def _say(linted: Linted, document: Document | None) -> None:
    from shinrai.plan.lint import RULES  # noqa: PLC0415 - loaded only when the verb runs

    language = current_language()
    click.secho(f"{linted.plan.title.read(language)} ({linted.plan.id})", bold=True)
    shown = Counter(one.rule for one in linted.findings)
    for rule in (RULES[name] for name in RULES if shown[name]):
        click.secho(f"{rule.id}  {_(rule.title)}", fg="yellow" if rule.severity == "warning" else None)
        for one in linted.findings:
            if one.rule == rule.id:
                place = (
                    "" if document is None else ":".join(map(str, (document.shown_as, *document.mark(one.place)[:1])))
                )
                mark = "✓" if one.decision else "!" if one.severity == "warning" else "·"
                click.echo(f"  {mark} {one.said.read(language)}{f'  {place}' if place else ''}")
                if one.decision:
                    words = _("may stay, decided by {role}: {reason}")
                    click.echo("    " + words.format(role=one.decision.by, reason=one.decision.reason.read(language)))
    for decision in linted.idle:
        click.echo(
            _("the decision on {rule} for {of} is about nothing that is found any more").format(
                rule=decision.rule, of=decision.of
            )
        )
    decided = sum(one.decision is not None for one in linted.findings)
    notes = len(linted.findings) - decided - len(linted.open)
    click.echo(
        _("{open} warnings open, {decided} decided, {notes} notes").format(
            open=len(linted.open), decided=decided, notes=notes
        )
    )
