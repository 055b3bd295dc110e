"""``shinrai plan``: resolve what is promised for which system, and commit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, note, put_json, session, today
from shinrai.i18n import _, current_language

if TYPE_CHECKING:
    from shinrai.plan import ClaimPlan, Effort, Outcome, Resolution

_EPILOG = """\b
Examples:
  shinrai plan            show and commit what the plans promise
  shinrai plan --dry-run  show it, commit nothing
"""


@click.command("plan", epilog=_EPILOG)
@click.option("--dry-run", is_flag=True, help="Show what would be committed, and commit nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_obj
def command(start: str, *, dry_run: bool, as_json: bool) -> None:
    """Resolve what is promised for which system, and commit it before anything is measured.

    Shows which claim applies to which system and why, what is inherited from the catalog, and how many calls to
    expect and at worst. What has not changed is not committed twice; a changed threshold is a new commitment that
    names the one it replaces.
    """
    with session(start, write=not dry_run) as opened:
        resolution, outcome = promise(opened, commit=not dry_run)
    if as_json:
        put_json({"version": 1, **resolution.to_json(), "committed": outcome.to_json() if outcome else None})
        return
    _show(resolution)
    if outcome is None:
        note(_("nothing was committed (--dry-run)"))
    else:
        say(outcome)
        note(_("next      shinrai check"))


def promise(opened: Session, *, commit: bool) -> tuple[Resolution, Outcome | None]:
    """Resolve the plans of a workspace and, if wanted, commit them."""
    from shinrai import plan  # noqa: PLC0415 - loaded only when the verb runs

    resolution = plan.resolve(opened.workspace, opened.ledger.state(), today())
    return resolution, plan.commit(resolution, opened.ledger) if commit else None


def say(outcome: Outcome) -> None:
    """Tell in one line what committing changed."""
    click.echo(
        _("committed {new} new, {replaced} replaced; {unchanged} unchanged, {withdrawn} withdrawn").format(
            new=len(outcome.new),
            replaced=len(outcome.replaced),
            unchanged=len(outcome.unchanged),
            withdrawn=len(outcome.withdrawn),
        )
    )


def _show(resolution: Resolution) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs
    from rich.table import Table  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.report.words import threshold_words  # noqa: PLC0415 - loaded only when the verb runs

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in (_("claim"), _("system"), _("promise"), _("from"), _("calls: expected / in 95 % / worst"), ""):
        table.add_column(title)
    for claim in resolution.claims:
        commitment = claim.commitment
        if commitment is None:
            continue
        effort = claim.effort
        calls = _calls(effort) if effort else "–"
        origin = _ORIGINS[claim.origins["threshold"]] if claim.origins and "threshold" in claim.origins else ""
        title = commitment.title.read(current_language())
        table.add_row(title, commitment.system, threshold_words(commitment), _(origin), calls, _change(claim))
    Console().print(table)
    for claim in resolution.claims:
        if claim.commitment is None:
            name = claim.ruling.claim.rpartition("/")[2]
            click.echo(f"  – {name} @ {claim.ruling.system}: {claim.ruling.reason.read(current_language())}")
    for found in resolution.notes:
        click.secho(f"  ! {found.message}", fg="yellow")
    click.echo(
        _("calls in all, each counted once: {expected} expected, {worst} at worst").format(
            expected=resolution.expected_calls, worst=resolution.calls
        )
    )


_ORIGINS = {
    "claim": "the plan",
    "measure": "the plan",
    "catalog": "the catalog",
    "workspace": "own check",
    "settings": "settings",
    "data": "the data",
    "system": "the system",
    "shinrai": "Shinrai",
}


def _calls(effort: Effort) -> str:
    """Give the mean, what is enough in 95 % of runs, and the worst case."""
    return f"{_number(effort.expected_calls)} / {_number(effort.p95_calls)} / {effort.calls}"


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _change(claim: ClaimPlan) -> str:
    if claim.change == "replaced":
        return _("replaces {digest} ({fields} changed)").format(
            digest=claim.in_force.digest[7:19] if claim.in_force else "", fields=", ".join(claim.changed)
        )
    return _("new") if claim.change == "new" else _("unchanged")
