"""``shinrai report``: one self-contained page."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import note, session
from shinrai.i18n import _


@click.command("report")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; report.html of the workspace by default.",
)
@click.pass_obj
def command(start: str, out: Path | None) -> None:
    """Write one self-contained HTML page, Japanese and English, that needs no network and no script.

    The same ledger gives the same bytes. Every failing reply is two clicks from the top.
    """
    from shinrai.report.html import write  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        target = out or opened.root / "report.html"
        write(opened.workspace, opened.ledger.state(), target)
    note(_("written:"))
    click.echo(str(target))
