"""``shinrai status``: where every claim stands, from the goal down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import click

from shinrai.cli.outcomes import print_plan, show_coverage
from shinrai.cli.session import Session, json_option, put_json, session, today
from shinrai.i18n import _, current_language
from shinrai.records import Id, Json, Text

if TYPE_CHECKING:
    from shinrai.check.indicators import IndicatorStatus
    from shinrai.report.deciding import Waiting
    from shinrai.report.outcomes import PlanView
    from shinrai.rules.gates import StageGate
    from shinrai.rules.tiers import Risk


_EPILOG = """\b
Examples:
  shinrai status              goal, measure, system, claim; risk and hours beside
  shinrai status --coverage   what could not be verified, and what has no data
  shinrai status --from jp-ai-basic-plan-2025/3.1
                              from an entry of a plan down to single replies
  shinrai status --json       every status with all its inputs
"""


@click.command("status", epilog=_EPILOG)
@click.option(
    "--coverage", is_flag=True, help="Say instead what of the plans could not be verified, and what has no data."
)
@click.option("--from", "entry", metavar="PLAN/ENTRY", help="Walk down from an entry of a plan to single replies.")
@json_option("Print the tree as JSON.")
@click.pass_obj
def command(start: str, *, coverage: bool, entry: str | None, as_json: bool) -> None:
    """Show where every claim stands: goal, measure, system, claim; and every indicator. Counts, never means."""
    if entry is not None:
        from shinrai.cli.threads import walk_down  # noqa: PLC0415 - loaded only when it is asked for

        walk_down(start, entry, as_json=as_json)
        return
    from shinrai.check.changed import changed_since_plan  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.outcomes import plan_views  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.tree import tree  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.rules.gates import stage_gates  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        state = opened.ledger.state()
        titles = {system.id: system.title for system in opened.workspace.systems.values()}
        nodes = tree(opened.workspace.plans.values(), titles, state, today())
        views = plan_views(opened.workspace, state, today())
        if coverage:
            show_coverage(views, as_json=as_json)
            return
        changed = changed_since_plan(opened.workspace, state, state.promises.values())
        gates = {one.system: one for one in stage_gates(opened.workspace, state, today())}
        if as_json:
            put_json(
                {
                    "version": 1,
                    "head": state.head.hash if state.head else None,
                    "plans": [n.to_json() for n in nodes],
                    "changed": [one.to_json() for one in changed],
                    "systems": [one.to_json() | {"gate": _gate_json(one, gates)} for one in _waiting(opened)],
                    "indicators": [_indicator_json(view, one) for view in views for one in view.statuses],
                    "effects": [one.to_json() for view in views for one in view.effects],
                    "open_runs": [
                        {"run": run, "system": system, "state": progress}
                        for run, system, progress in _open_runs(opened)
                    ],
                }
            )
            return
        if changed:
            said = _(
                "The files of these systems have changed since the last plan, and nothing here takes that into account:"
                " {systems}. Next: {command}"
            )
            click.echo("! " + said.format(systems=", ".join(one.system for one in changed), command="shinrai plan"))
        for view in views:
            print_plan(view)
        if not state.rulings and not views:
            click.echo(_("Nothing is committed yet. Next: {command}").format(command="shinrai plan"))
            return
        from shinrai.cli.words import print_tree  # noqa: PLC0415 - loaded only when the verb runs

        for node in nodes if state.rulings else ():
            print_tree(node)
        _print_waiting(opened, titles, gates)
        words = {
            "running": _("{run} on {system} is going on"),
            "interrupted": _("{run} on {system} was interrupted; `shinrai check` goes on with it"),
            "unknown": _("{run} on {system} has not ended; whether it is going on cannot be seen from here"),
        }
        for run, system, progress in _open_runs(opened):
            click.echo(words[progress].format(run=run, system=system))


def _indicator_json(view: PlanView, status: IndicatorStatus) -> Json:
    """Give a status with all its inputs, and how the groups stand that it is broken down by."""
    from shinrai.report.groups import groups_json  # noqa: PLC0415 - loaded only when it is asked for

    return status.to_json() | {"groups": [groups_json(one) for one in view.groups[status.use.name]]}


def _waiting(opened: Session) -> list[Waiting]:
    """Give each system's risk and the hours from intake to decision."""
    from shinrai.report.deciding import waiting  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.rules.applying import risk  # noqa: PLC0415 - loaded only when the verb runs

    state, day, now = opened.ledger.state(), today(), datetime.now(UTC)
    claims = state.claims(day)
    return [
        waiting(risk(opened.workspace, system, day), state, claims, now) for system in opened.workspace.systems.values()
    ]


def _gate_json(one: Waiting, gates: Mapping[Id, StageGate]) -> Json:
    gate = gates.get(one.system)
    return None if gate is None else gate.to_json()


def _print_waiting(opened: Session, titles: Mapping[Id, Text], gates: Mapping[Id, StageGate]) -> None:
    """Show hours beside risk, so that slowness is visible as a cost."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.gates import gate_cell  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs

    table = columns(_("system"), _("risk"), *([_("gate")] if gates else []), _("from intake to decision"))
    for one in _waiting(opened):
        if one.hours is None:
            continue
        hours = _("{hours:.1f} h").format(hours=one.hours)
        if one.is_open:
            hours = _("{hours:.1f} h so far; {decided} of {claims} claims decided").format(
                hours=one.hours, decided=one.decided, claims=one.claims
            )
        cells = [gate_cell(gates.get(one.system))] if gates else []
        table.add_row(titles[one.system].read(current_language()), risk_words(one.risk), *cells, hours)
    if table.row_count:
        Console(highlight=False).print(table)


def risk_words(risk: Risk) -> str:
    """Write the classes that a system is in, and how deep it is therefore tested."""
    from shinrai.report.deciding import tier_said  # noqa: PLC0415 - loaded only when it is asked for

    if risk.depth is None:
        return _("no risk scheme in use")
    language = current_language()
    tiers = ", ".join(dict.fromkeys(tier_said(one).read(language) for one in risk.deciding()))
    words = f"{tiers} → {risk.depth.title.read(language)}"
    return words if risk.settled else _("{words} (some facts are not stated)").format(words=words)


def _open_runs(opened: Session) -> list[tuple[str, str, Literal["running", "interrupted", "unknown"]]]:
    """Give the runs that have not ended: name, system, and whether somebody is at work on it or it was interrupted."""
    from shinrai.workspace import locked  # noqa: PLC0415 - loaded only when the verb runs

    progress: dict[bool | None, Literal["running", "interrupted", "unknown"]]
    progress = {True: "running", False: "interrupted", None: "unknown"}
    now = progress[locked(opened.root)]
    return [
        (run.started.run, run.started.system, now)
        for run in opened.ledger.state().runs.values()
        if run.finished is None
    ]
