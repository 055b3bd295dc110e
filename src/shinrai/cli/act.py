"""``shinrai act``: see what is open, and carry out what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, note, put_json, session, today
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from shinrai.records import ActionApplied

_EPILOG = """\b
Examples:
  shinrai act                          what is open, whose move it is, what to run next
  shinrai act apply guard-the-assistant  carry out actions/guard-the-assistant.yaml
"""


@click.group("act", epilog=_EPILOG, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """See what is open, and carry out what was decided."""
    if ctx.invoked_subcommand is None:
        _agenda(ctx.obj, as_json=as_json)


@command.command("apply", short_help="Carry out an action of the workspace.")
@click.argument("action")
@click.pass_obj
def apply(start: str, action: str) -> None:
    """Carry out an action of the workspace: change a system, or accept a risk until a date.

    A change makes a new version of the system; verdicts on the old one become stale, and its claims are committed anew.
    """
    from shinrai.cli.plan import promise, say  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        applied = carry_out(opened, action)
        click.echo(_("applied {action}").format(action=applied.action.title.read(current_language())))
        for finding in applied.findings:
            click.echo(f"  {finding}")
        if applied.action.change:
            _resolution, outcome = promise(opened, commit=True)
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
        moves = act.agenda(opened.ledger.state(), opened.workspace, today())
    if as_json:
        put_json({"version": 1, "moves": [move.to_json() for move in moves]})
        return
    if not moves:
        click.echo(_("Nothing is open: every claim that applies is met."))
        return
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs
    from rich.table import Table  # noqa: PLC0415 - loaded only when the verb runs
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.words import SHAPES, STATUS_WORDS, STYLES  # noqa: PLC0415 - loaded only when the verb runs

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in (_("state"), _("finding"), _("claim"), _("whose move"), _("what"), _("run")):
        table.add_column(title)
    for move in moves:
        word = Text(f"{SHAPES[move.status]} {_(STATUS_WORDS[move.status])}", style=STYLES[move.status])
        claim, _at, system = move.key.partition("@")
        table.add_row(
            word,
            move.finding or "",
            f"{claim.rpartition('/')[2]} @ {system}",
            move.role,
            move.message,
            move.command or "",
        )
    Console().print(table)
