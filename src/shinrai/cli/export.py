"""``shinrai export``: the same records in the formats that others read."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from shinrai.cli.session import note, session
from shinrai.errors import UsageError
from shinrai.i18n import _, current_language

_EPILOG = """\b
Examples:
  shinrai export                                          which formats there are
  shinrai export sarif -o shinrai.sarif
  shinrai export oscal-assessment-results --framework nist-ai-rmf-1.0
  shinrai --lang ja export business-guidelines            the checklist in Japanese
  shinrai export data-package --plan jp-ai-basic-plan-2025
"""


@click.command("export", epilog=_EPILOG)
@click.argument("form", metavar="[FORMAT]", required=False)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; - for standard output. FORMAT with its suffix in the workspace by default.",
)
@click.option("--system", "systems", metavar="ID", multiple=True, help="Only this system; may be given again.")
@click.option("--plan", metavar="PLAN", help="Plan to write, for the formats that hold plans.")
@click.option("--framework", "frameworks", metavar="ID", multiple=True, help="Only this one; may be given again.")
@click.pass_obj
def command(  # noqa: PLR0917 - one argument for each option
    start: str,
    form: str | None,
    out: Path | None,
    systems: tuple[str, ...],
    plan: str | None,
    frameworks: tuple[str, ...],
) -> None:
    """Write the records in a format that others read: OSCAL, in-toto, SARIF, JUnit, papers, a checklist.

    The same ledger gives the same bytes. Texts are written in the language in use.
    """  # noqa: DOC501 - this is the help of the command
    from shinrai.report import exports  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.exchange import PLAN_FORMATS  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.source import did_you_mean  # noqa: PLC0415 - loaded only when the verb runs

    if form is None:
        for name, one in exports.FORMATS.items():
            click.echo(f"{name:28}{one.suffix:11}{_(one.about)}")
        for name, (suffix, about) in PLAN_FORMATS.items():
            click.echo(f"{name:28}.{suffix.rpartition('.')[2]:10}{_(about)}")
        return
    if form in PLAN_FORMATS:
        from shinrai.cli.export_plan import export_plan  # noqa: PLC0415 - loaded only when it is asked for

        with session(start, write=False) as opened:
            export_plan(opened, form, plan, out)
        return
    if form not in exports.FORMATS:
        message = _("There is no format {name}").format(name=form)
        known = [*exports.FORMATS, *PLAN_FORMATS]
        raise UsageError("export.unknown-format", message, hint=did_you_mean(form, known))
    with session(start, write=False) as opened:
        content = exports.export(
            form,
            opened.workspace,
            opened.ledger.state(),
            current_language(),
            systems=systems,
            frameworks=frameworks,
        )
        target = out or opened.root / f"{form}{exports.FORMATS[form].suffix}"
    if str(target) == "-":
        sys.stdout.buffer.write(content)
        return
    _write(target, content)
    note(_("written:"))
    click.echo(str(target))


def _write(target: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(target)
