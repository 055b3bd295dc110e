"""``shinrai export FORMAT --plan PLAN``: a plan with its observations."""

from __future__ import annotations

from pathlib import Path

import click

from shinrai.cli.named_plans import named_plan, observed
from shinrai.cli.session import Session, note
from shinrai.errors import UsageError
from shinrai.i18n import _, current_language
from shinrai.report.exchange import write_plan


def export_plan(opened: Session, form: str, plan: str | None, out: Path | None) -> None:
    """Write a plan, and what its main file describes beside it.

    Parameters
    ----------
    opened : Session
        With the plan and the observations.
    form : str
        One of `shinrai.report.exchange.PLAN_FORMATS`.
    plan : str or None
        Id of a plan, or a YAML file.
    out : Path or None
        Main file; in a folder of the workspace named after the format when left out.

    Raises
    ------
    UsageError
        If no plan was named, there is none of that name, or it lacks what the format cannot do without.
    """
    if plan is None:
        raise UsageError("export.which-plan", _("Which plan is to be written?"), hint=_("name it with --plan"))
    chosen = named_plan(plan, opened.workspace)
    files = write_plan(form, chosen, opened.workspace.all_plans, observed(opened), current_language())
    main = next(reversed(files))
    folder = out.parent if out else opened.root / form
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = out if out and name == main else folder / name
        path.write_text(text, encoding="utf-8", newline="")
        note(_("written:"))
        click.echo(str(path))
