"""How the thread from plan to reply is printed."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from shinrai.cli.session import json_option, note, put_json, session, today
from shinrai.i18n import N_, _, current_language
from shinrai.report.outcomes import STATE_SHAPES, STATE_STYLES, STATE_WORDS
from shinrai.report.thread import Gaps, Kind, Knot, Thread
from shinrai.report.words import OUTCOMES, SHAPES, STATUS_WORDS, STYLES

KINDS: dict[Kind, str] = {
    "decision": N_("decision"),
    "plan": N_("plan"),
    "principle": N_("principle"),
    "goal": N_("goal"),
    "measure": N_("measure"),
    "indicator": N_("indicator"),
    "system": N_("system"),
    "claim": N_("claim"),
    "verdict": N_("verdict"),
    "finding": N_("finding"),
    "action": N_("action"),
    "reply": N_("reply"),
}


def walk_down(start: str, name: str, *, as_json: bool) -> None:
    """Print the thread from a plan or an entry down to single replies, and where it is torn.

    Parameters
    ----------
    start : str
        Folder of the workspace, or one below it.
    name : str
        ``PLAN`` or ``PLAN/ENTRY``.
    as_json : bool
        For programs.
    """
    with session(start, write=False) as opened:
        thread = Thread(opened.workspace, opened.ledger.state(), today())
        knot = thread.down(name)
        gaps = thread.gaps(thread.plans[name.partition("/")[0]], knot)
        titles = _titles(thread)
    if as_json:
        put_json({"version": 1, "thread": knot.to_json(), "gaps": gaps.to_json()})
        return
    _print(knot)
    _say_gaps(gaps, titles)


_EPILOG = """\b
Examples:
  shinrai why no-harm@assistant   claim@system, as shinrai status prints it
  shinrai why 4f1c2a9b            the beginning of a verdict's digest
"""


@click.command("why", epilog=_EPILOG)
@click.argument("verdict")
@json_option("Print everything as JSON.")
@click.pass_obj
def command(start: str, verdict: str, *, as_json: bool) -> None:
    """Walk up from a verdict: which claim, which measure, which plan, which decision it serves.

    VERDICT is the beginning of its digest, claim@system, or the id of a finding.
    """
    with session(start, write=False) as opened:
        thread = Thread(opened.workspace, opened.ledger.state(), today())
        knots = thread.up(verdict)
    if as_json:
        put_json({"version": 1, "thread": [knot.to_json() for knot in knots]})
        return
    for knot in knots:
        _print(knot)
    if not any(one.kind == "decision" for knot in knots for one in _all(knot)):
        note(_("the measure implements no entry of a plan above it: the thread ends here"))


def _all(knot: Knot) -> list[Knot]:
    return [knot, *(one for below in knot.below for one in _all(below))]


def _print(knot: Knot) -> None:
    tree = Tree(_label(knot))
    _grow(tree, knot)
    Console(highlight=False).print(tree)


def _grow(branch: Tree, knot: Knot) -> None:
    for below in knot.below:
        _grow(branch.add(_label(below)), below)


def _label(knot: Knot) -> Text:
    text = Text(f"{_(KINDS[knot.kind])}  ", style="dim")
    if knot.status in STATUS_WORDS:
        text.append(f"{SHAPES[knot.status]} {_(STATUS_WORDS[knot.status])}  ", style=STYLES[knot.status])
    elif knot.status in STATE_WORDS:
        text.append(f"{STATE_SHAPES[knot.status]} {_(STATE_WORDS[knot.status])}  ", style=STATE_STYLES[knot.status])
    if knot.reply is not None:
        return text.append_text(_reply(knot))
    text.append(knot.title.read(current_language()), style="bold" if knot.kind in {"plan", "decision"} else "default")
    shown = knot.id[:19] if knot.kind == "verdict" else knot.id
    return text.append(f"  {' '.join(filter(None, (shown, knot.told)))}", style="dim")


def _reply(knot: Knot) -> Text:
    """Show question and reply, shortened; invisible characters were made visible before."""
    assert knot.reply is not None  # noqa: S101 - the caller has looked
    text = Text(f"{_(OUTCOMES[knot.reply.outcome])}  {knot.id}", style="default")
    for exchange in knot.reply.exchanges[:2]:
        text.append(f"\n? {_short(exchange.asked)}\n→ {_short(exchange.reply or exchange.error or '')}", style="dim")
    if knot.reply.detail:
        text.append(f"\n{_short(knot.reply.detail)}", style="dim")
    return text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _titles(thread: Thread) -> dict[str, str]:
    language = current_language()
    found = {name: system.title.read(language) for name, system in thread.workspace.systems.items()}
    for plan in thread.plans.values():
        found.update((f"{plan.id}/{one.id}", one.title.read(language)) for one in plan.measures())
    return found


def _say_gaps(gaps: Gaps, titles: dict[str, str]) -> None:
    """Name what the thread does not reach, one a line."""
    for words, names in (
        (_("measures of your own that implement nothing above them"), gaps.unlinked),
        (_("measures of this plan that nothing implements"), gaps.unanswered),
        (_("systems that no claim applies to"), gaps.orphans),
    ):
        if names:
            click.secho(f"! {words}: {len(names)}", fg="yellow")
            for name in names:
                click.echo(f"  · {titles.get(name, name)}  {click.style(name, dim=True)}")
