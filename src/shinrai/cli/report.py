"""``shinrai report``: one self-contained page."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import json_option, note, put_json, session
from shinrai.errors import EXIT_NOT_MEASURED
from shinrai.i18n import _


@click.command("report")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; report.html of the workspace by default.",
)
@json_option()
@click.pass_obj
def command(start: str, out: Path | None, *, as_json: bool) -> int:
    """Write one self-contained HTML page, Japanese and English, that needs no network and no script.

    The same ledger gives the same bytes. Every failing reply is two clicks from the top.

    Exit code 3 when a section of your own could not be made; the page says so in its place.
    """
    from shinrai.report.html import write  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        target = out or opened.root / "report.html"
        state = opened.ledger.state()
        failed = write(opened.workspace, state, target)
    if as_json:
        head = state.head.hash if state.head else None
        problems = [{"section": one.name, "problem": one.failure} for one in failed]
        put_json({"version": 1, "file": str(target), "head": head, "failed": problems})
        return EXIT_NOT_MEASURED if failed else 0
    note(_("written:"))
    click.echo(str(target))
    for one in failed:
        note(_("the section {name} could not be made: {problem}").format(name=one.name, problem=one.failure))
    return EXIT_NOT_MEASURED if failed else 0
