"""``shinrai act``: see what is open, and carry out what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, json_option, note, put_json, session, today
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from shinrai.act import Move
    from shinrai.ledger import State
    from shinrai.records import ActionApplied, Pairing, Status

_EPILOG = """\b
Examples:
  shinrai act                          what is open, whose move it is, what to run next
  shinrai act apply guard-the-assistant  carry out actions/guard-the-assistant.yaml
"""


@click.group("act", epilog=_EPILOG, invoke_without_command=True)
@json_option("Print the list as JSON.")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """See what is open, and carry out what was decided."""
    if ctx.invoked_subcommand is None:
        _agenda(ctx.obj, as_json=as_json)


@command.command("apply", short_help="Carry out an action of the workspace.")
@click.argument("action")
@json_option()
@click.pass_obj
def apply(start: str, action: str, *, as_json: bool) -> None:
    """Carry out an action of the workspace: change a system, or accept a risk until a date.

    A change makes a new version of the system; verdicts on the old one become stale, and its claims are committed anew.
    """
    from shinrai.cli.plan import promise, say  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        applied = carry_out(opened, action)
        outcome = promise(opened, commit=True)[1] if applied.action.change else None
    if as_json:
        committed = outcome.to_json() if outcome else None
        put_json({"version": 1, **applied.to_json(), "committed": committed})
        return
    click.echo(_("applied {action}").format(action=applied.action.title.read(current_language())))
    for finding in applied.findings:
        click.echo(f"  {finding}")
    if outcome:
        say(outcome)
        note(_("next      shinrai check"))


def carry_out(opened: Session, action: str) -> ActionApplied:
    """Apply an action and write it down."""
    from shinrai import act  # noqa: PLC0415 - loaded only when the verb runs

    return act.apply(opened.ledger, opened.workspace, action, today())


def _agenda(start: str, *, as_json: bool) -> None:
    from shinrai import act  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        state = opened.ledger.state()
        moves = act.agenda(state, opened.workspace, today())
        repaired = [] if as_json else _repaired(opened, state)
    if as_json:
        put_json({"version": 1, "moves": [move.to_json() for move in moves]})
        return
    if not moves:
        click.echo(_("Nothing is open: every claim that applies is met."))
    titles = {key: promise.commitment.title.read(current_language()) for key, promise in state.promises.items()}
    groups: dict[tuple[Status, str, str | None], list[Move]] = {}
    for move in moves:
        groups.setdefault((move.status, move.message, move.command), []).append(move)
    for (status, message, command), group in groups.items():
        _group(status, message, command, [(move, titles.get(move.key)) for move in group])
    if repaired:
        from shinrai.cli.compare import pairings_table  # noqa: PLC0415 - loaded only when the verb runs

        pairings_table(repaired, state)


def _repaired(opened: Session, state: State) -> list[Pairing]:
    """Gather what the actions that were applied changed, from trials that there are."""
    from shinrai.report.versions import pairings  # noqa: PLC0415 - loaded only when the verb runs

    made = {one.fingerprint for versions in state.versions.values() for one in versions if one.action is not None}
    return [one for one in pairings(opened.root, state) if one.fingerprint in made]


def _group(status: Status, message: str, command: str | None, moves: list[tuple[Move, str | None]]) -> None:
    """Print what to do once, and below it for which claims, and whose move it is."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs
    from rich.padding import Padding  # noqa: PLC0415 - loaded only when the verb runs
    from rich.table import Table  # noqa: PLC0415 - loaded only when the verb runs
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import status_badge  # noqa: PLC0415 - loaded only when the verb runs

    console = Console(highlight=False)
    console.print(status_badge(status))
    console.print(Padding(Text(message, style="bold"), (0, 0, 0, 2)))
    if command:
        console.print(Padding(Text(f"$ {command}", style="cyan"), (0, 0, 0, 2)))
    table = Table.grid(padding=(0, 2, 0, 0))
    for whole in (True, False, True, True, True):
        table.add_column(no_wrap=whole, overflow="fold")
    for move, title in moves:
        claim, _at, system = move.key.partition("@")
        name = title or claim.rpartition("/")[2]
        due = _("by {day}").format(day=move.by) if move.by else ""
        table.add_row(move.finding or "–", name, Text(system, style="dim"), move.role, due)
    console.print(Padding(table, (0, 0, 0, 2)))
    console.print()
