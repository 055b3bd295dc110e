"""``shinrai check``: measure what is committed, and reach verdicts."""

from __future__ import annotations

from typing import Any

import click

from shinrai.cli.session import Session, note, put_json, session, today
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records import Verdict

_EPILOG = """\b
Examples:
  shinrai check                              measure everything that has no verdict yet
  shinrai check --system resident-assistant  only this system
  shinrai check --gate                       for CI: 0 met · 1 measured and not met · 3 could not measure
"""


@click.command("check", epilog=_EPILOG)
@click.option("--system", "systems", multiple=True, metavar="ID", help="Only this system; may be given again.")
@click.option("--claim", "claims", multiple=True, metavar="ID", help="Only claims of this name; may be given again.")
@click.option("--gate", is_flag=True, help="Exit with 0 met, 1 measured and not met, 3 could not measure.")
@click.option("--json", "as_json", is_flag=True, help="Print verdicts as JSON.")
@click.pass_obj
def command(start: str, systems: tuple[str, ...], claims: tuple[str, ...], *, gate: bool, as_json: bool) -> int:
    """Measure what is committed, and reach verdicts.

    Claims that have a verdict on what is committed now are not measured again. Findings are opened and closed by what
    comes out. A run that was interrupted goes on where it was: no finished call is sent again.
    """
    from shinrai import act  # noqa: PLC0415 - loaded only when the verb runs

    with session(start, write=True) as opened:
        verdicts = measure(opened, systems=systems, claims=claims)
        known = opened.ledger.state()

        def guarded(claim: str, system: str) -> bool:
            return (not systems or system in systems) and (not claims or named(claim, claims))

        states = [one for one in known.claims(today()) if guarded(one.ruling.claim, one.ruling.system)]
        abandoned = [
            one
            for one in known.abandoned_findings()
            if one.system in opened.workspace.systems and guarded(one.claim, one.system)
        ]
        if as_json:
            from shinrai.report.tree import claim_json  # noqa: PLC0415 - loaded only when asked for

            put_json({"version": 1, "measured": len(verdicts), "claims": [claim_json(state) for state in states]})
        else:
            _summary(states, verdicts)
        for finding in abandoned:
            note(
                _("{finding} is still open, though the plan no longer makes {claim}").format(
                    finding=finding.id, claim=finding.key
                )
            )
        return act.gate(states, abandoned) if gate else 0


def named(claim: str, names: tuple[str, ...]) -> bool:
    """Whether a claim's path or its last part is among the names given."""
    return claim in names or claim.rpartition("/")[2] in names


def measure(opened: Session, *, systems: tuple[str, ...] = (), claims: tuple[str, ...] = ()) -> list[Verdict]:
    """Run the engine under the live view, then open and close findings.

    Parameters
    ----------
    opened : Session
        Opened for writing.
    systems, claims : tuple of str
        Only these; all when empty.

    Returns
    -------
    list of Verdict
        The new ones.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai import act, check  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.cli.live import watching  # noqa: PLC0415 - loaded only when the verb runs

    wanted = _paths(opened, claims) if claims else None
    with watching(Console(stderr=True), lambda verdict: note(line(verdict))) as tell:
        verdicts = check.check(
            opened.root,
            opened.ledger,
            systems=systems or None,
            claims=wanted,
            budget=opened.workspace.settings.budget,
            tell=tell,
        )
    act.sync(opened.ledger, opened.workspace)
    return verdicts


def _paths(opened: Session, names: tuple[str, ...]) -> list[str]:
    """Find the paths of the claims named, each by its path or its last part.

    Raises
    ------
    UsageError
        If a name is not that of a committed claim.
    """
    paths = {promise.commitment.claim for promise in opened.ledger.state().promises.values()}
    known = paths | {path.rpartition("/")[2] for path in paths}
    for name in names:
        if name not in known:
            meant = nearest(name, known)
            raise UsageError(
                "check.unknown-name",
                _("no committed claim is called {name}").format(name=name),
                hint=_("did you mean {name}?").format(name=meant) if meant else None,
            )
    return sorted(path for path in paths if named(path, names))


def line(verdict: Verdict) -> str:
    """Tell a verdict in one line: name, estimate, interval, n, word."""
    from shinrai.report.words import SHAPES, STATUS_WORDS  # noqa: PLC0415 - loaded only when the verb runs

    name = verdict.claim.rpartition("/")[2]
    estimate = "–" if verdict.estimate is None else f"{verdict.estimate:.3f}"
    bounds = "" if verdict.lower is None else f" [{verdict.lower:.3f}, {verdict.upper:.3f}]"
    word = f"{SHAPES[verdict.status]} {_(STATUS_WORDS[verdict.status])}"
    return f"  {word:<16} {name:<28} {estimate}{bounds}  n={verdict.counts.total}  {_('calls')}={verdict.calls}"


def _summary(states: list[Any], verdicts: list[Verdict]) -> None:
    from shinrai.cli.words import counts_line, state_table  # noqa: PLC0415 - loaded only when the verb runs

    state_table(states)
    click.echo(counts_line(states))
    if not verdicts:
        note(_("Nothing new to measure: every commitment has its verdict."))
    note(_("next      shinrai act      shinrai report"))
