"""``shinrai verify``: check every record, run file and signature."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import put_json
from shinrai.errors import EXIT_TAMPERED
from shinrai.i18n import _


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(start: str, *, as_json: bool) -> int:
    """Check every link of the chain, every run file it names and every signature, and name the first bad record.

    Exit code 0 when everything matches, 4 when something does not.
    """
    from shinrai.ledger import Ledger  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.workspace import find_root, load_settings  # noqa: PLC0415 - loaded only when the verb runs

    root = find_root(Path(start).resolve())
    with Ledger.open(load_settings(root).store, root=root) as ledger:
        found = ledger.verify(root)
    if as_json:
        put_json({"version": 1, **found.to_json()})
    elif found.ok:
        click.echo(found.summary())
    else:
        click.secho(found.summary(), fg="red")
        click.echo(_("nothing after this record can be relied on"), err=True)
    return 0 if found.ok else EXIT_TAMPERED
