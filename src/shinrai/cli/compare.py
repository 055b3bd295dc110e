"""Versions and candidates side by side, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from shinrai.cli.session import Session, json_option, put_json, session
from shinrai.i18n import _, current_language
from shinrai.records import Pairing

if TYPE_CHECKING:
    from shinrai.ledger import State
    from shinrai.report.versions import Candidate, Contest

_EPILOG = """\b
Examples:
  shinrai check compare                    who keeps which promise; what was repaired
  shinrai check --against 1                ask both versions until it is decided
  shinrai check --against other-system     two systems on the same claims
"""


def beside(
    opened: Session, against: str, *, systems: tuple[str, ...] = (), claims: tuple[str, ...] = ()
) -> list[Pairing]:
    """Compare the promises in force with another version, with as many further calls as it takes.

    Parameters
    ----------
    opened : Session
        Opened for writing.
    against : str
        A version.
    systems, claims : tuple of str
        Only these; all when empty.

    Returns
    -------
    list of Pairing
    """
    from shinrai import check  # noqa: PLC0415 - loaded only when the verb runs

    state = opened.ledger.state()
    chosen = [
        promise.commitment.claim
        for promise in state.promises.values()
        if not claims or promise.commitment.claim in claims or promise.commitment.claim.rpartition("/")[2] in claims
    ]
    return check.compare(
        opened.root,
        opened.ledger,
        against,
        systems=systems or None,
        claims=chosen,
        budget=opened.workspace.settings.budget,
        allowed_hosts=opened.workspace.settings.allowed_hosts,
    )


@click.command("compare", epilog=_EPILOG, short_help="Candidates side by side, claim by claim.")
@json_option("Print everything as JSON.")
@click.pass_obj
def compare(start: str, *, as_json: bool) -> None:
    """Show candidates side by side, claim by claim, and what the newest version changed. Asks nothing, writes nothing.

    There is no total score: which promise weighs how much is for people to decide.
    """
    from shinrai.report.versions import contests, pairings  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=False) as opened:
        state = opened.ledger.state()
        found, pairs = contests(state), pairings(opened.root, state)
    if as_json:
        put_json(
            {
                "version": 1,
                "claims": [_contest_json(one) for one in found],
                "pairings": [one.to_json() for one in pairs],
            }
        )
        return
    if not found and not pairs:
        click.echo(_("There is nothing to compare yet: every claim was put to one version of one system."))
        return
    for one in found:
        _contest(one)
    if pairs:
        pairings_table(pairs, state)


def _contest(found: Contest) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only when printed

    from shinrai.cli.words import columns, status_badge  # noqa: PLC0415 - loaded only when printed
    from shinrai.report.figures import measured  # noqa: PLC0415 - loaded only when printed
    from shinrai.report.words import REASONS, threshold_words  # noqa: PLC0415 - loaded only when printed

    click.secho(found.title.read(current_language()), bold=True)
    table = columns(_("state"), _("candidate"), _("promise"), _("measured"), "n", right="n")
    for one in found.candidates:
        commitment, verdict = one.promise.commitment, one.verdict
        value = measured(commitment, verdict) or _(REASONS[verdict.reason])
        name = f"{one.system} v{one.number}"
        table.add_row(status_badge(verdict.status), name, threshold_words(commitment), value, str(verdict.counts.total))
    Console().print(table)


def _contest_json(found: Contest) -> dict[str, object]:
    return {"claim": found.claim, "candidates": [_candidate_json(one) for one in found.candidates]}


def _candidate_json(one: Candidate) -> dict[str, object]:
    return {"system": one.system, "number": one.number, "verdict": one.verdict.to_json()}


def pairings_table(found: Sequence[Pairing], state: State) -> None:
    """Print what two versions did on the same items: difference with interval, fixed, broken."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when printed

    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when printed
    from shinrai.report.versions import difference  # noqa: PLC0415 - loaded only when printed

    click.secho(_("The same items, version beside version (difference of pass rates in points)"), bold=True)
    numbers = (_("pairs"), _("now pass"), _("no longer"))
    table = columns(_("claim"), _("versions"), _("difference"), *numbers, "", right=numbers)
    for one in found:
        promise = state.promises.get(one.key)
        title = promise.commitment.title.read(current_language()) if promise else one.claim
        table.add_row(title, versions(one), difference(one), str(one.pairs), str(one.fixed), str(one.broken), said(one))
    Console().print(table)


def versions(one: Pairing) -> str:
    """Name the two, such as ``helper v2 : v1``."""
    other = f"v{one.against_number}" if one.against == one.system else f"{one.against} v{one.against_number}"
    return f"{one.system} v{one.number} : {other}"


def said(one: Pairing) -> str:
    """Say in words what is proven: of the margin where one was committed, and of the direction."""
    from shinrai.report.words import DIRECTIONS, NOT_WORSE  # noqa: PLC0415 - loaded only when printed

    direction = _(DIRECTIONS[one.direction])
    if one.margin is None:
        return direction
    margin = _("{what} (margin {points} points)").format(what=_(NOT_WORSE[one.status]), points=f"{100 * one.margin:g}")
    return margin if one.direction == "undecided" else f"{margin}; {direction}"
