"""``shinrai do reviews``: bring in the ministries' annual project reviews."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.session import json_option, note, put_json
from shinrai.errors import UsageError
from shinrai.i18n import N_, _

if TYPE_CHECKING:
    from shinrai.do.reviews import Kept, Kind, Notices, Reviews
    from shinrai.workspace import Workspace

WORDS: dict[Kind, str] = {
    "row-twice": N_("rows that stand there twice; counted once"),
    "row-conflict": N_("rows that contradict an earlier one; what they dispute is left out"),
    "revised": N_("values that were revised without a new day of publication; what was kept first stays"),
    "full-width": N_("numbers in full-width digits; taken as the same digits"),
    "not-a-number": N_("cells that hold no number; left out, not read as 0"),
    "unknown-word": N_("words that the files of earlier years do not use; left out"),
    "no-project-number": N_("rows without a project number; left out"),
    "no-direction": N_("indicators that do not say which way is better; nothing is promised with them"),
    "no-target-year": N_("indicators with targets and no target year"),
    "several-target-years": N_("indicators with several target years; none is taken"),
    "target-without-value": N_("indicators whose target year has no target"),
    "beyond-target-year": N_("indicators with targets after their target year; these are left out"),
    "several-statements": N_("numbers under which several goals stand; they share a node"),
    "rate-differs": N_("rates of achievement that are not what result and target give"),
    "unknown-node": N_("links to goals that are not there; left out"),
    "cycle": N_("links that lead in a circle; kept"),
    "no-total": N_("projects with accounts and no total for a year; no total is made up"),
    "several-totals": N_("projects with totals for a year that contradict each other; none is taken"),
}

_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)

_EPILOG = """\b
Examples:
  shinrai do reviews 3-1_RS_2025.zip 3-2_RS_2025.zip --published 2025-09-30 --project 884
  shinrai do reviews *_RS_2025*.zip --published 2025-09-30 --naming 人工知能基本計画
"""


@click.command("reviews", epilog=_EPILOG, short_help="Bring in project reviews of the ministries.")
@click.argument("files", type=_FILES, nargs=-1, required=True)
@click.option(
    "--published",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    required=True,
    help="Day on which the files were published: the vintage of their values.",
)
@click.option("--project", "numbers", multiple=True, metavar="N", help="This project; may be given again.")
@click.option("--naming", multiple=True, metavar="TEXT", help="Projects that name this plan; may be given again.")
@json_option()
@click.pass_obj
def command(
    start: str,
    /,
    files: tuple[Path, ...],
    published: datetime,
    **asked: Any,  # noqa: ANN401 - as click gives them
) -> None:
    """Bring in the annual project reviews (行政事業レビュー) as results, indicators and observations.

    Takes the published files 1-3, 2-1, 3-1, 3-2 and 4-1, as CSV or ZIP; which is which is told by their headers.
    Without --project or --naming, brings in the projects that measures name in budget_refs. Everything odd in the
    files is named and counted; nothing is mended by a guess.
    """
    from shinrai.do import reviews  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.workspace import find_root, load, lock  # noqa: PLC0415 - loaded only when the verb runs

    root = find_root(Path(start).resolve())
    with reviews.no_collection():
        read = reviews.read_reviews(files)
        with lock(root, waiting=lambda: None):
            only = _wanted(read, load(root), asked["numbers"], asked["naming"])
            brought = reviews.projects(read, published.date(), only)
            kept = reviews.keep_projects(root, brought, read.notices)
    if asked["as_json"]:
        put_json(_as_json(read, kept, only))
        return
    _say(read, kept, only)
    note(_("next      shinrai do observe observations/rs-*.csv      shinrai plan lint"))


def _wanted(read: Reviews, workspace: Workspace, numbers: tuple[str, ...], naming: tuple[str, ...]) -> set[str]:
    from shinrai.do.reviews.cells import project_number  # noqa: PLC0415 - loaded only when the verb runs

    asked = set(numbers)
    if not (numbers or naming):
        plans = (*workspace.plans.values(), *workspace.higher_plans.values())
        asked = {name for plan in plans for measure in plan.measures() for name in measure.budget_refs}
    wanted = {number for name in asked if (number := project_number(name)) is not None} | read.naming(naming)
    found = wanted & {one.project for one in read.series}
    if not found:
        raise UsageError(
            "do.no-project",
            _("None of the projects asked for is in these files"),
            hint=_("name projects with --project or --naming, or in budget_refs of a measure"),
        )
    return found


def _say(read: Reviews, kept: Kept, only: set[str]) -> None:
    rows = ", ".join(f"{subject}: {count:,}" for subject, count in sorted(read.rows.items()))
    click.echo(_("read {rows} rows of {year}").format(rows=rows, year=read.year))
    click.echo(
        _("brought in {projects} projects with {observations} new observations; {unchanged} files unchanged").format(
            projects=len(only), observations=kept.observations, unchanged=len(kept.unchanged)
        )
    )
    for name in kept.written:
        click.echo(f"  {name}")
    _say_notices(read.notices)


def _say_notices(notices: Notices) -> None:
    for kind, count in sorted(notices.counts.items()):
        click.secho(f"! {count:,} {_(WORDS[kind])}", fg="yellow")
        for one in notices.of(kind)[:3]:
            place = f"{one.file}:{one.line}"
            said = " ".join(filter(None, (one.project, one.column, one.found, one.other and f"({one.other})")))
            click.echo(f"    {place}  {said}")


def _as_json(read: Reviews, kept: Kept, only: set[str]) -> dict[str, Any]:
    return {
        "version": 1,
        "year": read.year,
        "rows": dict(read.rows),
        "projects": sorted(only),
        "written": kept.written,
        "unchanged": kept.unchanged,
        "observations": kept.observations,
        "notices": [
            {
                "kind": kind,
                "count": count,
                "places": [
                    {"file": n.file, "line": n.line, "column": n.column, "project": n.project, "found": n.found}
                    for n in read.notices.of(kind)
                ],
            }
            for kind, count in sorted(read.notices.counts.items())
        ],
    }
