"""``shinrai stack``: what systems are built on, and what hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, json_option, put_json, session, today
from shinrai.cli.stack_files import export, import_file

if TYPE_CHECKING:
    from shinrai.workspace import StackGraph

_EPILOG = """\b
Examples:
  shinrai stack                      single points of failure, concentration, what is known against components
  shinrai stack --days 10            what could be replaced within ten working days
  shinrai stack show base-model      every system that a component reaches, with the way to it
  shinrai stack import bom.cdx.json  keep what a supplier says of its components
  shinrai stack export --system ID   write the stack under a system as CycloneDX
"""


@click.group("stack", epilog=_EPILOG, invoke_without_command=True)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    help="Working days allowed for replacing a component.",
)
@json_option()
@click.pass_context
def command(ctx: click.Context, days: int, *, as_json: bool) -> None:
    """Show what systems are built on, and what hangs on it.

    Single points of failure, concentration on suppliers and countries, what is open and what is closed, what could be
    replaced in time, and what is known against components.
    """
    if ctx.invoked_subcommand is None:
        _overview(ctx.obj, days, as_json=as_json)


_SHOW = """\b
Examples:
  shinrai stack show base-model               one of components/
  shinrai stack show assistant/model          one of a system’s own stack
  shinrai stack show base-model --json
"""


@command.command("show", epilog=_SHOW, short_help="Every system that a component reaches.")
@click.argument("component")
@json_option()
@click.pass_obj
def show(start: str, component: str, *, as_json: bool) -> None:
    """Show what is known of a component, and every system that it reaches, with the way to it."""
    from shinrai.cli.stack_words import print_component  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.stack import one_component  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        found = one_component(graph_of(opened), opened.ledger.state(), today(), component)
    if as_json:
        put_json({"version": 1, **found.to_json()})
        return
    print_component(found)


command.add_command(import_file)
command.add_command(export)


def _overview(start: str, days: int, *, as_json: bool) -> None:
    from shinrai.cli.stack_words import print_overview  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.stack import overview  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        found = overview(graph_of(opened), opened.ledger.state(), today(), days)
    if as_json:
        put_json({"version": 1, **found.to_json()})
        return
    print_overview(found)


def graph_of(opened: Session) -> StackGraph:
    """Build the graph of the systems as they are now, with the changes of applied actions made."""
    from shinrai.workspace import stack_graph  # noqa: PLC0415 - loaded only when the verb runs

    state = opened.ledger.state()
    systems = (state.effective(system) for system in opened.workspace.systems.values())
    return stack_graph(systems, opened.workspace.components)
