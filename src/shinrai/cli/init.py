"""``shinrai init``: begin a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import json_option, note, put_json, session, today
from shinrai.i18n import _

_EPILOG = """\b
Examples:
  shinrai init town-hall
  shinrai init . --name "AI at Kasumi Town Hall"
  shinrai init national-plan --plan jp-ai-basic-plan
  shinrai init . --store postgresql://shinrai@db.example/town
"""


@click.command("init", epilog=_EPILOG)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--name", help="Name of the workspace; the folder's name by default.")
@click.option("--store", metavar="URL", help="Where the ledger is kept; a file in the workspace by default.")
@click.option(
    "--plan", metavar="ID", help="Plan of the catalog to watch, such as jp-ai-basic-plan, with its observations."
)
@json_option()
def command(directory: Path, name: str | None, store: str | None, plan: str | None, *, as_json: bool) -> None:
    """Begin a workspace: a small plan, one system, JSON Schemas for your editor, a ledger and its signing key.

    Nothing that exists is overwritten.
    """
    from shinrai.workspace import SETTINGS_FILE, load_settings, scaffold  # noqa: PLC0415 - loaded only when the verb runs

    root = directory.resolve()
    scaffold(root, name=name or root.name, store=store, follows=plan)
    try:
        begin_ledger(root)
        observed = _observe(root) if plan is not None else 0
    except BaseException:
        (root / SETTINGS_FILE).unlink(missing_ok=True)  # without a ledger it is no workspace: let init be run again
        raise
    if as_json:
        put_json({"version": 1, "root": str(root), "workspace": load_settings(root).id})
        return
    click.echo(str(root))
    if plan is not None:
        note(_("{count} observations brought in, each with its source").format(count=observed))
        note(_("next      cd {directory}      shinrai status      shinrai report").format(directory=directory))
        return
    note(_("a plan, a system and a ledger with its own signing key (.shinrai/keys, never in git)"))
    note(_("next      cd {directory}      shinrai plan").format(directory=directory))


def _observe(root: Path) -> int:
    """Bring in the observations that a plan of the catalog comes with."""
    from shinrai import do  # noqa: PLC0415 - loaded only when a plan is followed

    with session(str(root), write=True) as opened:
        files = sorted((root / "observations").glob("*.csv"))
        tables = [do.observe_table(opened.ledger, opened.workspace, file, today=today())[0] for file in files]
    return sum(table.rows for table in tables if table is not None)


def begin_ledger(root: Path) -> None:
    """Make the key pair and the first entry of a workspace's ledger."""
    from shinrai.ledger import Ledger  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.workspace import load_settings  # noqa: PLC0415 - loaded only when the verb runs

    settings = load_settings(root)
    Ledger.create(settings.store, root, settings.id).close()
