"""``shinrai do turn``: turn tables that others write into ours."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import json_option, note, put_json
from shinrai.errors import UsageError
from shinrai.i18n import _

_EPILOG = """\b
Examples:
  shinrai do turn oecd.csv --name oecd              SDMX-CSV
  shinrai do turn observations.csv-metadata.json    the description of a CSVW table
  shinrai do turn datapackage.json                  a Data Package
"""


@click.command("turn", epilog=_EPILOG, short_help="Turn SDMX-CSV, CSVW or a Data Package into a table of observations.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the table; that of the file when left out.")
@json_option()
@click.pass_obj
def command(start: str, file: Path, name: str | None, *, as_json: bool) -> None:
    """Turn a table that others wrote into observations/NAME.csv, to be looked at and then brought in.

    Reads SDMX-CSV 1.0 and 2.x, and the description (JSON) of a CSVW table or a Data Package. Baselines, paths and
    targets belong into a plan: such rows are left out and counted.
    """
    from shinrai.do.exchange import turn  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.workspace import find_root, lock  # noqa: PLC0415 - loaded only when the verb runs

    root = find_root(Path(start).resolve())
    turned = turn(file, root)
    relative = f"observations/{name or file.name.partition('.')[0]}.csv"
    with lock(root, waiting=lambda: None):
        _write(root, relative, turned.text)
    if as_json:
        found = {"rows": turned.rows, "promises": turned.promises, "missing": turned.missing}
        put_json({"version": 1, "file": relative, **found})
        return
    click.echo(_("{rows} observations written to {file}").format(rows=turned.rows, file=relative))
    if turned.promises:
        click.echo(_("{count} baselines, paths and targets were left out").format(count=turned.promises))
    if turned.missing:
        click.echo(_("{count} rows without a value were left out").format(count=turned.missing))
    note(_("next      shinrai do observe {file}").format(file=relative))


def _write(root: Path, relative: str, text: str) -> None:
    # What is there and says something else is not written over.
    path = root / relative
    if path.exists() and path.read_text(encoding="utf-8") != text:
        message = _("{file} is there already and says something else").format(file=relative)
        raise UsageError("do.exchange-there", message, hint=_("give another name with --name"))
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
