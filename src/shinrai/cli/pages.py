"""How trials are printed in the terminal: question, reply, what the scorer found, how the call went."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shinrai.check.journal import Line
from shinrai.check.scorers.details import explain
from shinrai.check.trials import said
from shinrai.i18n import _, current_language
from shinrai.records import Commitment, Trial
from shinrai.report.changes import Change, Kind
from shinrai.report.dialogues import Spoken, spoken
from shinrai.report.evidence import shown, visible
from shinrai.report.words import N_, OUTCOME_SHAPES, OUTCOME_STYLES, OUTCOMES

_CHANGES: dict[Kind, tuple[str, str]] = {
    "fixed": (N_("now passes"), "green"),
    "broken": (N_("no longer passes"), "red"),
    "other": (N_("ends otherwise"), "yellow"),
}


def trial_page(trial: Trial, commitment: Commitment, calls: Sequence[Line]) -> str:
    """Write one trial.

    Parameters
    ----------
    trial : Trial
        As the run file has it.
    commitment : Commitment
        Whose trial it is.
    calls : sequence of Line
        In the order of the trial.

    Returns
    -------
    str
        Lines as wide as the terminal; nothing is cut off, and nothing in them controls the terminal.
    """
    head = Text.assemble(_ending(trial), "  ", (visible(trial.item), "bold"))
    head.append("  " + commitment.title.read(current_language()))
    head.append("  " + _("trial {number}").format(number=trial.position + 1), style="dim")
    if trial.group is not None:
        head.append("  " + _("group {name}").format(name=visible(trial.group)), style="dim")
    rows = []
    if trial.detail:
        rows.append((_("found"), Text(_detail(trial))))
    for one in spoken(commitment, trial, calls):
        rows += _said_in(one, trial)
    return _write(head, rows)


def _said_in(one: Spoken, trial: Trial) -> Iterator[tuple[str, Text]]:
    asked = Text(_text(one.asked))
    if one.turn is None:
        yield _("question") if one.to is None else one.to, asked
    else:
        head = Text(_("turn {number}").format(number=one.turn), style="bold")
        if one.decides:
            head.append(f"  {OUTCOME_SHAPES[trial.outcome]} " + _("decides"), style=OUTCOME_STYLES[trial.outcome])
        if one.repeats:
            words = _("repeats its instruction") if one.repeats == "instruction" else _("only repeats the system")
            head.append("  " + words, style="yellow")
        yield "", head
        yield one.speaker or _("user"), asked if one.asked is not None else Text(_silence(one.call))
    if one.sent:
        yield _("reply"), Text(_reply(one.call))
    elif one.asked is not None:
        yield "", Text("(" + _("not sent: the dialogue ended here") + ")", style="dim")
    yield "", Text(_facts(one.call), style="dim")


def _silence(call: Line) -> str:
    return "(" + _("said nothing") + ")" if call.end == "ok" else _reply(call)


def change_page(
    change: Change, commitment: Commitment, before: Sequence[Line], after: Sequence[Line], runs: tuple[str, str]
) -> str:
    """Write how one item ended in two runs, one reply below the other.

    Parameters
    ----------
    change : Change
        From the earlier run to the later one.
    commitment : Commitment
        Whose trial it is in the later run.
    before, after : sequence of Line
        Calls of both trials.
    runs : tuple of str
        Names of the earlier and the later run.

    Returns
    -------
    str
        As `trial_page`.
    """
    word, style = _CHANGES[change.kind]
    head = Text.assemble((_(word), style), "  ", (visible(change.after.item), "bold"), "  ")
    head.append(commitment.title.read(current_language()))
    rows = []
    sides = (change.before, change.after)
    for run, trial in zip(runs, sides, strict=True):
        rows.append((run, Text.assemble(_ending(trial), "  ", _detail(trial))))
    if commitment.dialogue is not None:  # two dialogues take two ways: each is told as a whole
        for run, trial, calls in zip(runs, sides, (before, after), strict=True):
            rows.append(("", Text(run, style="bold underline")))
            rows += [row for one in spoken(commitment, trial, calls) for row in _said_in(one, trial)]
        return _write(head, rows)
    for first, second in zip_longest(before, after):
        asked = second or first
        rows.append((_("question"), Text(_text(said(asked.request)))))
        for run, call in zip(runs, (first, second), strict=True):
            if call is not None:
                rows.append((run, Text(_reply(call))))
    return _write(head, rows)


def _write(head: Text, rows: Sequence[tuple[str, Text]]) -> str:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row("", label, text)
    screen = Console()
    file = io.StringIO()
    console = Console(file=file, width=screen.width, force_terminal=screen.is_terminal, highlight=False)
    console.print(head, overflow="fold")
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines()) + "\n"


def _ending(trial: Trial) -> Text:
    word = f"{OUTCOME_SHAPES[trial.outcome]} {_(OUTCOMES[trial.outcome])}"
    return Text(word, style=OUTCOME_STYLES[trial.outcome])


def _detail(trial: Trial) -> str:
    return visible(explain(trial.detail, current_language()))


def _text(value: Any, length: int = 0) -> str:  # noqa: ANN401 - a question or a reply is any JSON value
    return shown(value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False), length)


def _reply(call: Line) -> str:
    if call.end == "blocked":
        return "(" + _("blocked by the provider") + ")"
    if call.end == "error":
        return "(" + _("no reply: {kind}").format(kind=visible(call.error or "")) + ")"
    return _text(call.reply, call.cut)


def _facts(call: Line) -> str:
    return " · ".join(_said(call))


def _said(call: Line) -> Iterator[str]:
    yield _("{seconds:.2f} s").format(seconds=call.seconds)
    if call.attempts > 1:
        yield _("{count} attempts").format(count=call.attempts)
    if call.tokens_in or call.tokens_out:
        yield _("tokens: {sent} in, {received} out").format(sent=call.tokens_in, received=call.tokens_out)
    if call.guard is not None:
        yield _("answered by the guard {name}").format(name=visible(call.guard))
    if call.run is not None:
        yield _("taken over from {run}").format(run=call.run)
