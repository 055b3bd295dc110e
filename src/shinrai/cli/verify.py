"""``shinrai verify``: check every record, run file and signature."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shinrai.cli.session import json_option, put_json
from shinrai.errors import EXIT_TAMPERED
from shinrai.i18n import _

if TYPE_CHECKING:
    from shinrai.check.replay import Replay
    from shinrai.ledger import Ledger


@click.command("verify")
@click.option(
    "--replay",
    "again",
    is_flag=True,
    help="Also make every verdict and trial again from what was kept.",
)
@json_option()
@click.pass_obj
def command(start: str, *, again: bool, as_json: bool) -> int:
    """Check every link of the chain, every run file it names and every signature, and name the first bad record.

    With --replay, also name the first verdict that does not come out again as it was recorded.

    Exit code 0 when everything matches, 4 when something does not.
    """
    from shinrai.ledger import Ledger  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.workspace import find_root, load_settings  # noqa: PLC0415 - loaded only when the verb runs

    root = find_root(Path(start).resolve())
    with Ledger.open(load_settings(root).store, root=root) as ledger:
        found = ledger.verify(root)
        replayed = _replayed(root, ledger) if again and found.ok else None
    if as_json:
        more = {} if replayed is None else {"replay": replayed.to_json()}
        put_json({"version": 1, **found.to_json(), **more})
        return 0 if found.ok and (replayed is None or replayed.first is None) else EXIT_TAMPERED
    click.secho(found.summary(), fg=None if found.ok else "red")
    if not found.ok:
        click.echo(_("nothing after this record can be relied on"), err=True)
        return EXIT_TAMPERED
    if replayed is None:
        return 0
    click.secho(replayed.summary(), fg="red" if replayed.first else None)
    return EXIT_TAMPERED if replayed.first else 0


def _replayed(root: Path, ledger: Ledger) -> Replay:
    from shinrai.check.replay import replay  # noqa: PLC0415 - loaded only when it is asked for

    return replay(root, ledger)
