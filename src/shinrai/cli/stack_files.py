"""``shinrai stack import`` and ``shinrai stack export``: what suppliers say, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.session import Session, json_option, note, put_json, session
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


_IMPORT = """\b
Examples:
  shinrai stack import bom.cdx.json                    a bill of materials
  shinrai stack import README.md --name base-model     a model card of Hugging Face
  shinrai stack import croissant.json --name letters   a data card
"""


@click.command("import", epilog=_IMPORT, short_help="Bring in a bill of materials, a model card or a data card.")
@click.argument("file", type=_FILE)
@click.option("--name", help="What to call it; by default the name of the file.")
@click.option("--replace", is_flag=True, help="Put it in the place of the one of that name.")
@json_option()
@click.pass_obj
def import_file(start: str, file: Path, name: str | None, *, replace: bool, as_json: bool) -> None:
    """Bring in a bill of materials (CycloneDX 1.6 or 1.7), a model card of Hugging Face, or a data card in Croissant.

    It is kept in boms/, whole or not at all, and its components can be named in the needs of systems and components.
    """
    from shinrai.do.bom import import_stack  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        brought = import_stack(opened.workspace, file, name=name, replace=replace)
    if as_json:
        put_json({"version": 1, **brought.to_json()})
        return
    words = _("kept as {file}") if brought.changed else _("{file} is there already, exactly like this")
    click.echo(words.format(file=brought.file))
    for component in brought.components:
        click.echo(f"  {component}")


_EXPORT = """\b
Examples:
  shinrai stack export -o stack.cdx.json               every system, as CycloneDX
  shinrai stack export --system assistant --format spdx -o stack.spdx.json
  shinrai stack export --bom base-model                what came in, with what was added here
"""


@click.command("export", epilog=_EXPORT, short_help="Write the stack as CycloneDX or SPDX.")
@click.option("--system", "systems", multiple=True, metavar="ID", help="Only this system; may be given again.")
@click.option("--bom", metavar="NAME", help="A bill of materials that was brought in, with what was added to it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["cyclonedx", "spdx"]),
    default="cyclonedx",
    show_default=True,
    help="Format to write.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; the terminal by default.",
)
@click.pass_obj
def export(start: str, systems: tuple[str, ...], bom: str | None, form: str, out: Path | None) -> None:
    """Write the stack under systems as CycloneDX or SPDX 3: the same workspace gives the same bytes.

    What was brought in from a bill of materials goes out as its author wrote it, with the facts that were added here.
    """
    with session(start, write=False) as opened:
        text = _written(opened, systems, bom, form)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    note(_("written:"))
    click.echo(str(out))


def _written(opened: Session, systems: tuple[str, ...], bom: str | None, form: str) -> str:
    from shinrai.report.cyclonedx import kept_bom, systems_bom, written  # noqa: PLC0415 - loaded only when the verb runs

    workspace = opened.workspace
    if bom is not None and (systems or form != "cyclonedx"):
        raise UsageError("stack.bom-alone", _("--bom goes with no other choice"))
    if bom is not None:
        _require(bom, workspace.boms, _("there is no bill of materials {name} in boms/"))
        return written(kept_bom(workspace.boms[bom], workspace.own_components))
    for name in systems:
        _require(name, workspace.systems, _("There is no system {name} in systems/"))
    chosen = systems or tuple(workspace.systems)
    if not chosen:
        raise UsageError("stack.no-system", _("there is no system to write about"))
    if form == "spdx":
        return _spdx(opened, chosen)
    return written(systems_bom(workspace, chosen))


def _spdx(opened: Session, systems: tuple[str, ...]) -> str:
    from shinrai.report.cyclonedx import written  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.spdx import spdx_document  # noqa: PLC0415 - loaded only when the verb runs

    head = opened.ledger.state().head
    document, gaps = spdx_document(opened.workspace, systems, head.at if head else None)
    for gap in gaps:
        note(_("not stated: {what}").format(what=gap))
    return written(document)


def _require(name: str, known: Iterable[Any], message: str) -> None:
    names = list(known)
    if name not in names:
        close = nearest(name, names)
        hint = _("did you mean {name}?").format(name=close) if close else None
        raise UsageError("stack.unknown-name", message.format(name=name), hint=hint)
