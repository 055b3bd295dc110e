"""``shinrai check``: measure what is committed, and reach verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.compare import beside, compare, pairings_table
from shinrai.cli.label import label
from shinrai.cli.lines import line
from shinrai.cli.session import Session, json_option, note, put_json, session, today
from shinrai.errors import EXIT_MET, EXIT_NOT_MEASURED, UsageError, nearest
from shinrai.i18n import _, current_language
from shinrai.records import Stage, Verdict

if TYPE_CHECKING:
    from shinrai.check.changed import Changed
    from shinrai.check.events import Event, RunEnded
    from shinrai.ledger import State
    from shinrai.rules.gates import StageGate

_EPILOG = """\b
Examples:
  shinrai check                            measure what has no verdict yet
  shinrai check --system assistant         only this system
  shinrai check --dry-run                  what would be sent and what it costs
  shinrai check --against before           is it no worse than the version before?
  shinrai check compare                    candidates side by side
  shinrai check label --by office          label the replies a judge needs
  shinrai check --gate                     for CI: 0 met · 1 not met · 3 not measured
  shinrai check --gate --into operation    may it go into operation? which claim says no?
"""


@click.group("check", epilog=_EPILOG, invoke_without_command=True)
@click.option("--system", "systems", multiple=True, metavar="ID", help="Only this system; may be given again.")
@click.option("--claim", "claims", multiple=True, metavar="ID", help="Only claims of this name; may be given again.")
@click.option("--against", metavar="VERSION", help="Then compare, prompt by prompt, with this version.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent and what it would cost; send and write nothing.")
@click.option("--gate", is_flag=True, help="Exit with 0 met, 1 measured and not met, 3 could not measure.")
@click.option(
    "--into",
    type=click.Choice(["before-release", "operation", "change"]),
    help="With --gate: the stage that systems are to move into; what is due by it has to be kept.",
)
@click.option(
    "--engine", default="one", show_default=True, metavar="E", help="one, processes:N, or ray:N (extra shinrai[ray])."
)
@json_option("Print verdicts as JSON.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    ctx: click.Context,
    systems: tuple[str, ...],
    claims: tuple[str, ...],
    against: str | None,
    engine: str,
    into: Stage | None,
    *,
    dry_run: bool,
    gate: bool,
    as_json: bool,
) -> int:
    """Measure what is committed, and reach verdicts.

    Claims that have a verdict on what is committed now are not measured again. Findings are opened and closed by what
    comes out. A run that was interrupted goes on where it was: no finished call is sent again.

    A system whose file has changed since the plan is named: measured is what was planned, and --gate takes what hangs
    on the change for stale (3).

    Where a risk scheme is in use, --gate also looks at the gates of the life cycle: a system that is before release or
    in operation, or is to move there (--into), needs every check kept that its risk makes due by that stage.
    """  # noqa: DOC501 - this is the help of the command
    if ctx.invoked_subcommand is not None:
        return 0
    from shinrai import act  # noqa: PLC0415 - loaded only when the verb runs

    start = ctx.obj
    if into is not None and not gate:
        raise UsageError("check.into-without-gate", _("--into goes with --gate"))
    if dry_run:
        from shinrai.cli.dry_run import show  # noqa: PLC0415 - loaded only when asked for

        with session(start, write=False) as opened:
            changed = _changed(opened, opened.ledger.state(), systems, claims)
            show(opened, systems, claims and tuple(paths(opened, claims)), changed=changed, as_json=as_json)
            _say_changed(changed)
        return 0
    with session(start, write=True) as opened:
        changed = _changed(opened, opened.ledger.state(), systems, claims)
        _say_changed(changed)  # before anything is sent
        verdicts = measure(opened, systems=systems, claims=claims, engine=engine)
        pairings = beside(opened, against, systems=systems, claims=claims) if against else []
        known = opened.ledger.state()

        def guarded(claim: str, system: str) -> bool:
            return (not systems or system in systems) and (not claims or named(claim, claims))

        states = [one for one in known.claims(today()) if guarded(one.ruling.claim, one.ruling.system)]
        abandoned = [
            one
            for one in known.abandoned_findings()
            if one.system in opened.workspace.systems and guarded(one.claim, one.system)
        ]
        gates = _stage_gates(opened, known, systems, into) if gate and not claims else []
        if as_json:
            from shinrai.report.tree import claim_json  # noqa: PLC0415 - loaded only when asked for

            told = {"version": 1, "measured": len(verdicts), "claims": [claim_json(state) for state in states]}
            told["changed"] = [one.to_json() for one in changed]
            told |= {"gates": [one.to_json() for one in gates]} if gate else {}
            put_json(told | ({"pairings": [one.to_json() for one in pairings]} if against else {}))
        else:
            _summary(states, verdicts, changed)
            _show_gates(opened, gates)
            if pairings:
                pairings_table(pairings, known)
        for finding in abandoned:
            note(
                _("{finding} is still open, though the plan no longer makes {claim}").format(
                    finding=finding.id, claim=finding.key
                )
            )
        if not gate:
            return 0
        code = act.worst(act.gate(states, abandoned), act.gate_of_stages(gates), _gate_of_changed(changed))
        return act.worst(code, act.gate_of_pairings(pairings)) if against else code


command.add_command(label)
command.add_command(compare)


def _stage_gates(opened: Session, state: State, systems: tuple[str, ...], into: Stage | None) -> list[StageGate]:
    from shinrai.rules.gates import stage_gates  # noqa: PLC0415 - loaded only when it is asked for

    return stage_gates(opened.workspace, state, today(), systems, into)


def _show_gates(opened: Session, gates: list[StageGate]) -> None:
    from shinrai.cli.gates import print_gates  # noqa: PLC0415 - loaded only when it is asked for

    print_gates(gates, {one.id: one.title for one in opened.workspace.systems.values()})


def _changed(opened: Session, state: State, systems: tuple[str, ...], claims: tuple[str, ...]) -> list[Changed]:
    from shinrai.check.changed import changed_since_plan  # noqa: PLC0415 - loaded only when the verb runs

    commitments = ((one, one.commitment) for one in state.promises.values())
    asked = (
        one
        for one, made in commitments
        if (not systems or made.system in systems) and (not claims or named(made.claim, claims))
    )
    return changed_since_plan(opened.workspace, state, asked)


def _say_changed(changed: list[Changed]) -> None:
    for one in changed:
        note(
            _(
                "! the file of the system {system}, or what it names, has changed since the plan; this is about version"
                " {number}. `shinrai plan` makes a new version"
            ).format(system=one.system, number=one.version)
        )


def _gate_of_changed(changed: list[Changed]) -> int:
    """Take a verdict on what is no longer there for stale, even while no plan has said so."""
    return EXIT_NOT_MEASURED if any(one.stale for one in changed) else EXIT_MET


def named(claim: str, names: tuple[str, ...]) -> bool:
    """Whether a claim's path or its last part is among the names given."""
    return claim in names or claim.rpartition("/")[2] in names


def measure(
    opened: Session, *, systems: tuple[str, ...] = (), claims: tuple[str, ...] = (), engine: str = "one"
) -> list[Verdict]:
    """Run the engine under the live view, then open and close findings.

    Parameters
    ----------
    opened : Session
        Opened for writing.
    systems, claims : tuple of str
        Only these; all when empty.
    engine : str
        As `shinrai.check.check`.

    Returns
    -------
    list of Verdict
        The new ones.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded only when the verb runs

    from shinrai import act, check  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.check.events import RunEnded  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.cli.live import watching  # noqa: PLC0415 - loaded only when the verb runs

    wanted = paths(opened, claims) if claims else None
    ended: list[RunEnded] = []
    promised = {one.digest: one.commitment for one in opened.ledger.state().promises.values()}
    with watching(Console(stderr=True), lambda verdict: note(line(verdict, promised[verdict.commitment]))) as watch:

        def tell(event: Event) -> None:
            watch(event)
            if isinstance(event, RunEnded):
                ended.append(event)

        verdicts = check.check(
            opened.root,
            opened.ledger,
            systems=systems or None,
            claims=wanted,
            budget=opened.workspace.settings.budget,
            allowed_hosts=opened.workspace.settings.allowed_hosts,
            tell=tell,
            engine=engine,
        )
    for one in ended:
        _say_spending(one)
    act.sync(opened.ledger, opened.workspace)
    return verdicts


def _say_spending(ended: RunEnded) -> None:
    """Tell what a run cost, and what of that nobody has counted."""
    spending, price = ended.spending, ended.price
    if price is not None:
        tokens = spending.tokens_in + spending.tokens_out
        money = f"{spending.money:.4f} {price.currency}"
        note(_("{run}: {tokens} tokens, {money}").format(run=ended.run, tokens=tokens, money=money))
    if spending.uncounted and price is not None:
        note(
            _("the endpoint did not count the tokens of {calls} calls; each byte was taken for one").format(
                calls=spending.uncounted
            )
        )


def paths(opened: Session, names: tuple[str, ...]) -> list[str]:
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


def _causes(states: list[Any]) -> Iterator[str]:
    """Tell what stood in the way of claims that were not measured; one cause can stand in the way of many."""
    from shinrai.report.evidence import visible  # noqa: PLC0415 - loaded only when the verb runs

    for state in states:
        verdict = state.judgement.verdict if state.judgement else None
        if state.status == "not_measured" and verdict is not None and verdict.note is not None:
            yield visible(verdict.note.read(current_language()))


def _parrots(states: list[Any]) -> Iterator[str]:
    """Tell whose dialogues were led by a system that said what it was told to do, or what it had just heard."""
    for state in states:
        heard = state.judgement.verdict.details.get("driver") if state.judgement else None
        claim = f"{state.ruling.claim.rpartition('/')[2]} @ {state.ruling.system}"
        if heard and heard["repeated"]:
            yield _("{claim}: {repeated} of {messages} messages of the driver are its own instruction").format(
                claim=claim, **heard
            )
        if heard and heard.get("echoed"):
            yield _("{claim}: the driver only repeated the system in {echoing} of {dialogues} dialogues").format(
                claim=claim, **heard
            )


def _summary(states: list[Any], verdicts: list[Verdict], changed: list[Changed]) -> None:
    from shinrai.cli.words import counts_line, state_table  # noqa: PLC0415 - loaded only when the verb runs

    state_table(states)
    for why in dict.fromkeys((*_causes(states), *_parrots(states))):
        note(f"  ! {why}")
    click.echo(counts_line(states))
    if changed:
        note(_("next      {command}").format(command="shinrai plan"))
        return
    if not verdicts:
        note(_("Nothing new to measure: every commitment has its verdict."))
    note(_("next      shinrai act      shinrai report"))
