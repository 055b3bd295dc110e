"""``shinrai plan``: resolve what is promised for which system, and commit it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from shinrai.cli.plan_lint import command as lint
from shinrai.cli.session import Session, json_option, note, put_json, session, today
from shinrai.i18n import _, current_language
from shinrai.report.words import N_

if TYPE_CHECKING:
    from shinrai.plan import ClaimPlan, Effort, Outcome, Resolution
    from shinrai.records import Commitment, SystemVersion

_EPILOG = """\b
Examples:
  shinrai plan            show and commit what the plans promise
  shinrai plan --dry-run  show it, commit nothing
  shinrai plan --explain loan-screening
                          why this system is tested as deep as it is
  shinrai plan lint       ask of every plan whether it promises outcomes
"""


@click.group("plan", epilog=_EPILOG, invoke_without_command=True)
@click.option("--explain", metavar="SYSTEM", help="Show how a system's risk decides what is promised of it.")
@click.option("--dry-run", is_flag=True, help="Show what would be committed, and commit nothing.")
@json_option("Print everything as JSON.")
@click.pass_context
def command(ctx: click.Context, explain: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Resolve what is promised for which system, and commit it before anything is measured.

    Shows which claim applies to which system and why, what is inherited from the catalog, and how many calls to
    expect and at worst. What has not changed is not committed twice; a changed threshold is a new commitment that
    names the one it replaces.
    """
    if ctx.invoked_subcommand is not None:
        return
    if explain is not None:
        from shinrai.cli.explain import explain_system  # noqa: PLC0415 - loaded only when it is asked for

        with session(ctx.obj, write=False) as opened:
            explain_system(opened, explain, as_json=as_json)
        return
    with session(ctx.obj, write=not dry_run) as opened:
        before = {name: opened.ledger.state().version(name) for name in opened.workspace.systems}
        resolution, outcome = promise(opened, commit=not dry_run)
        designs = [] if dry_run else _register(opened)
    if as_json:
        put_json({"version": 1, **resolution.to_json(), "committed": outcome.to_json() if outcome else None})
        return
    _show(resolution, {one.id: one.title.read(current_language()) for one in opened.workspace.systems.values()})
    _versions(resolution.new_versions, before)
    if outcome is None:
        note(_("nothing was committed (--dry-run)"))
    else:
        say(outcome)
        for title in designs:
            click.echo(_("registered the design “{title}”, before the data it will judge").format(title=title))
        note(_("next      shinrai check"))


command.add_command(lint)


def promise(opened: Session, *, commit: bool) -> tuple[Resolution, Outcome | None]:
    """Resolve the plans of a workspace and, if wanted, commit them."""
    from shinrai import plan  # noqa: PLC0415 - loaded only when the verb runs

    resolution = plan.resolve(opened.workspace, opened.ledger.state(), today())
    return resolution, plan.commit(resolution, opened.ledger) if commit else None


def _register(opened: Session) -> list[str]:
    """Register the designs of evaluations; give the titles of those that are new."""
    from shinrai.plan import register_designs  # noqa: PLC0415 - loaded only when the verb runs

    language = current_language()
    return [one.title.read(language) for one in register_designs(opened.workspace.plans, opened.ledger)]


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


def _show(resolution: Resolution, titles: Mapping[str, str]) -> None:
    by_system: dict[str, list[ClaimPlan]] = {}
    apart: dict[tuple[str, str], list[str]] = {}
    for claim in resolution.claims:
        if claim.commitment is not None:
            by_system.setdefault(claim.commitment.system, []).append(claim)
        else:
            place = claim.ruling.system, claim.ruling.reason.read(current_language())
            apart.setdefault(place, []).append(claim.ruling.claim.rpartition("/")[2])
    for system, claims in by_system.items():
        click.secho(f"{titles.get(system, system)} ({system})", bold=True)
        _table(claims)
        click.echo()
    for (system, reason), names in apart.items():
        _apart(titles.get(system, system), reason, names)
    for found in resolution.notes:
        click.secho(f"! {found.message}", fg="yellow")
    click.echo(
        _("calls in all, each counted once: {expected} expected, {worst} at worst").format(
            expected=resolution.expected_calls, worst=resolution.calls
        )
    )


def _versions(new: Iterable[SystemVersion], before: Mapping[str, SystemVersion | None]) -> None:
    """Say which systems have a new version, and what has changed in them since the one before."""
    for version in new:
        old = before.get(version.system.id)
        if old is None:
            continue
        was, now = old.system.register, version.system.register
        changed = [name for name in now if now[name] != was[name]]
        if old.fingerprint != version.fingerprint:
            changed.append(_("what it is built on"))
        words = _("{system}: version {number}; changed: {what}")
        click.echo(words.format(system=version.system.id, number=version.number, what=", ".join(changed)))


def _table(claims: list[ClaimPlan]) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when the verb runs

    calls = (_("calls expected"), _("in 95 %"), _("at worst"))
    table = columns(_("claim"), _("promise"), _("from"), *calls, "", right=calls)
    for claim in claims:
        if claim.commitment is None:
            continue
        source = (claim.origins or {}).get("threshold")
        origin = _(_ORIGINS[source]) if source else ""
        title = claim.commitment.title.read(current_language())
        table.add_row(title, _promised(claim.commitment), origin, *_calls(claim.effort), _change(claim))
    Console().print(table)


def _promised(commitment: Commitment) -> str:
    """Write the threshold, and what it is about where that is not the traffic behind the data."""
    from shinrai.report.words import threshold_words  # noqa: PLC0415 - loaded only when the verb runs

    if commitment.finite_population is None:
        return threshold_words(commitment)
    about = _("of these {n} items").format(n=commitment.finite_population)
    return f"{threshold_words(commitment)} {about}"


def _apart(system: str, reason: str, names: list[str]) -> None:
    """Say once which claims do not apply to a system, and why."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs
    from rich.padding import Padding  # noqa: PLC0415 - loaded only when the verb runs
    from rich.text import Text  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai.cli.words import do_not_apply  # noqa: PLC0415 - loaded only when the verb runs

    console = Console(highlight=False)
    console.print(Text(do_not_apply(len(names), system)))
    console.print(Padding(Text(reason), (0, 0, 0, 2)))
    console.print(Padding(Text(", ".join(names), style="dim"), (0, 0, 0, 2)))


_ORIGINS = {
    "claim": N_("the plan"),
    "measure": N_("the plan"),
    "catalog": N_("the catalog"),
    "workspace": N_("own check"),
    "settings": N_("settings"),
    "data": N_("the data"),
    "system": N_("the system"),
    "shinrai": N_("Shinrai"),
    "risk": N_("its risk"),
}


def _calls(effort: Effort | None) -> tuple[str, str, str]:
    """Give the mean, what is enough in 95 % of runs, and the worst case."""
    if effort is None:
        return "–", "–", "–"
    return _number(effort.expected_calls), _number(effort.p95_calls), str(effort.calls)


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)


def _change(claim: ClaimPlan) -> str:
    if claim.change == "replaced":
        return _("replaces {digest} ({fields} changed)").format(
            digest=claim.in_force.digest[7:19] if claim.in_force else "", fields=", ".join(claim.changed)
        )
    return _("new") if claim.change == "new" else _("unchanged")
