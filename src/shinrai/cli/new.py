"""``shinrai new``: begin something of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.session import json_option, note, put_json
from shinrai.i18n import _

_EPILOG = """\b
Examples:
  shinrai new scorer polite-tone            write checks/polite_tone.py, its test and its pages
  python -m unittest checks/test_polite_tone.py
"""


@click.group("new", epilog=_EPILOG)
def command() -> None:
    """Begin a check's rule of your own.

    Targets, trial sources, importers and sections of the report can be your own, too. They are written by hand, each a
    function in checks/NAME.py or in a package: docs/extending.md has a complete example of every kind.
    """


@command.command("scorer", short_help="A rule with its test and its page in both languages.", epilog=_EPILOG)
@click.argument("name")
@json_option()
@click.pass_obj
def scorer(start: str, name: str, *, as_json: bool) -> None:
    """Write a scorer of your own into checks/: a rule that works, its test, and its page in English and Japanese.

    Nothing that is already there is overwritten.
    """
    from shinrai.workspace import find_root, new_scorer  # noqa: PLC0415 - loaded only when the verb runs

    root = find_root(Path(start).resolve())
    written = [path.relative_to(root).as_posix() for path in new_scorer(root, name)]
    if as_json:
        put_json({"version": 1, "files": written})
        return
    for path in written:
        click.echo(path)
    note(_("next      python -m unittest {test}").format(test=written[1]))
    note(_("          name it in checks/*.yaml: scorer: {{id: plugin, name: {name}}}").format(name=name))
