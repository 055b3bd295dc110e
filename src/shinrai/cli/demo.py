"""``shinrai demo``: turn the whole cycle once on two real AI systems."""

from __future__ import annotations

import time
from pathlib import Path

import click

from shinrai.cli.act import carry_out
from shinrai.cli.check import measure
from shinrai.cli.init import begin_ledger
from shinrai.cli.plan import promise, say
from shinrai.cli.session import note, session, today
from shinrai.errors import UsageError
from shinrai.i18n import _, current_language


@click.command("demo")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    default=Path("kasumi-town"),
    show_default=True,
    help="Folder to make; with a number behind it where it exists already.",
)
def command(into: Path) -> None:
    """Turn the whole cycle once: promise, measure, repair, measure again.

    A town hall with a residents' assistant (a small language model, run here) and a loan-screening model, trained here.
    No result is scripted: what is repaired closes, what is not stays open and says so. Takes two to three minutes.
    """
    from shinrai import demo  # noqa: PLC0415 - loaded only when the verb runs

    began = time.monotonic()
    root = demo.free_directory(into.resolve())
    _step(_("a town with two AI systems"), root)
    demo.build_town(root)
    begin_ledger(root)
    _step(_("plan: promises are committed before anything is measured"))
    _plan(root)
    _step(_("check: the first turn"))
    _check(root)
    _step(_("act: the town decides what to change"))
    _decide(root)
    _step(_("check: the second turn"))
    _check(root)
    page = _report(root)
    _step(_("done in {seconds:.0f} s").format(seconds=time.monotonic() - began))
    click.echo(str(page))
    note(_("look around:  cd {root} && shinrai status").format(root=root))


def _step(title: str, *details: object) -> None:
    note("\n" + click.style(f"── {title} ", bold=True) + " ".join(map(str, details)))


def _plan(root: Path) -> None:
    with session(str(root), write=True) as opened:
        resolution, outcome = promise(opened, commit=True)
        if outcome:
            say(outcome)
        note(
            _("{expected} calls expected, {worst} at worst").format(
                expected=resolution.expected_calls, worst=resolution.calls
            )
        )


def _check(root: Path) -> None:
    from shinrai.cli.words import counts_line, state_table  # noqa: PLC0415 - loaded only when the verb runs

    with session(str(root), write=True) as opened:
        measure(opened)
        states = opened.ledger.state().claims(today())
        state_table(states)
        click.echo(counts_line(states))


def _decide(root: Path) -> None:
    from shinrai import demo  # noqa: PLC0415 - loaded only when the verb runs

    names = demo.decide(root)
    with session(str(root), write=True) as opened:
        for name in names:
            try:
                applied = carry_out(opened, name)
            except UsageError as error:
                # An action whose findings never came up has nothing to do; the demo says so and goes on.
                note(f"  {name}: {error.message}")
                continue
            click.echo(f"  {applied.action.title.read(current_language())} → {', '.join(applied.findings)}")
        _resolution, outcome = promise(opened, commit=True)
        if outcome:
            say(outcome)


def _report(root: Path) -> Path:
    from shinrai.report.html import write  # noqa: PLC0415 - loaded only when the verb runs

    page = root / "report.html"
    with session(str(root), write=False) as opened:
        write(opened.workspace, opened.ledger.state(), page)
    return page
