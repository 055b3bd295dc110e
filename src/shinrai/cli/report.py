"""``shinrai report``: one self-contained page."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import note, put_json, session
from shinrai.i18n import _


@click.command("report")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; report.html of the workspace by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(start: str, out: Path | None, *, as_json: bool) -> None:
    """Write one self-contained HTML page, Japanese and English, that needs no network and no script.

    The same ledger gives the same bytes. Every failing reply is two clicks from the top.
    """
    from shinrai.report.html import write  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        target = out or opened.root / "report.html"
        state = opened.ledger.state()
        write(opened.workspace, state, target)
    if as_json:
        put_json({"version": 1, "file": str(target), "head": state.head.hash if state.head else None})
        return
    note(_("written:"))
    click.echo(str(target))
