"""``shinrai status``: where every claim stands, from the goal down."""

from __future__ import annotations

import click

from shinrai.cli.session import Session, put_json, session, today
from shinrai.i18n import _, current_language


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the tree as JSON.")
@click.pass_obj
def command(start: str, *, as_json: bool) -> None:
    """Show where every claim stands: goal, measure, system, claim; counts, never means."""
    from shinrai.report.tree import tree  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        state = opened.ledger.state()
        titles = {system.id: system.title for system in opened.workspace.systems.values()}
        nodes = tree(opened.workspace.plans.values(), titles, state, today())
        if as_json:
            put_json(
                {
                    "version": 1,
                    "head": state.head.hash if state.head else None,
                    "plans": [n.to_json() for n in nodes],
                    "open_runs": [
                        {"run": run, "system": system, "state": "running" if running else "interrupted"}
                        for run, system, running in _open_runs(opened)
                    ],
                }
            )
            return
        if not state.rulings:
            click.echo(_("Nothing is committed yet. Next: {command}").format(command="shinrai plan"))
            return
        _print(nodes)
        for run, system, running in _open_runs(opened):
            words = (
                _("{run} on {system} is going on")
                if running
                else _("{run} on {system} was interrupted; `shinrai check` goes on with it")
            )
            click.echo(words.format(run=run, system=system))


def _open_runs(opened: Session) -> list[tuple[str, str, bool]]:
    """Give the runs that have not ended: name, system, and whether somebody is at work on it or it was interrupted."""
    from shinrai.workspace import locked  # noqa: PLC0415 - loaded only when the verb runs

    running = locked(opened.root)
    return [
        (run.started.run, run.started.system, running)
        for run in opened.ledger.state().runs.values()
        if run.finished is None
    ]


def _print(nodes: list) -> None:  # type: ignore[type-arg]  # Node is loaded with the report
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs
    from rich.tree import Tree  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import badge, measured, title_of  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.records import STATUSES  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import SHAPES, STYLES  # noqa: PLC0415 - loaded only when the verb runs

    def label(node) -> Text:  # type: ignore[no-untyped-def]  # noqa: ANN001 - Node is loaded with the report
        text = Text(node.title.read(current_language()), style="bold" if node.kind == "plan" else "")
        for status in STATUSES:
            if node.counts.get(status):
                text.append(f"  {SHAPES[status]}{node.counts[status]}", style=STYLES[status])
        return text

    def grow(branch: Tree, node) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - Node is loaded with the report
        for child in node.children:
            grow(branch.add(label(child)), child)
        for claim in node.claims:
            promise, value, n = measured(claim)
            leaf = Text.assemble(badge(claim), "  ", title_of(claim), "  ", (f"{promise}  {value}", "dim"))
            branch.add(leaf.append(f"  n={n}" if n else "", style="dim"))

    for node in nodes:
        top = Tree(label(node))
        grow(top, node)
        Console().print(top)
