"""The view of a run while it goes on: every claim's interval closing in on its threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shinrai.check.events import (
    CallFinished,
    ClaimBegan,
    ClaimDecided,
    ClaimMoved,
    Event,
    RunBegan,
    RunEnded,
    Waiting,
)
from shinrai.i18n import _
from shinrai.records import Verdict
from shinrai.report.words import SHAPES, STATUS_WORDS, STYLES

_CELLS = 30


@dataclass(slots=True)
class _Row:
    """What is known of one claim so far."""

    began: ClaimBegan
    moved: ClaimMoved | None = None
    verdict: Verdict | None = None


class Board:
    """Gathers events and draws them.

    Parameters
    ----------
    decided : callable, optional
        Told each verdict as it falls.
    """

    def __init__(self, decided: Callable[[Verdict], None] | None = None) -> None:
        self._rows: dict[str, _Row] = {}
        self._calls: CallFinished | None = None
        self._run: RunBegan | None = None
        self._decided = decided
        self.ended: list[RunEnded] = []

    def tell(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case RunBegan():
                self._run, self._calls = event, None
                self._rows = {claim.key: _Row(claim) for claim in event.claims}
            case CallFinished():
                self._calls = event
            case ClaimMoved() if event.key in self._rows:
                self._rows[event.key].moved = event
            case ClaimDecided(verdict=verdict):
                if verdict.key in self._rows:
                    self._rows[verdict.key].verdict = verdict
                if self._decided:
                    self._decided(verdict)
            case RunEnded():
                self.ended.append(event)
            case Waiting() | ClaimMoved():
                pass

    def __rich__(self) -> Group:
        """Draw the board."""
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for row in self._rows.values():
            table.add_row(*_cells(row))
        return Group(Text(self._headline(), style="bold"), table)

    def _headline(self) -> str:
        if self._run is None:
            return ""
        if self._calls is None:
            return _("{system}: starting ...").format(system=self._run.system)
        calls = self._calls
        rate = calls.sent / calls.seconds if calls.seconds > 0 else 0.0
        worst = sum(row.began.calls for row in self._rows.values() if row.verdict is None)
        planned = sum(row.began.calls for row in self._rows.values())
        left = _("at most {time} left").format(time=_span(worst / rate)) if rate > 0 else ""
        return _(
            "{system}: {calls} calls, {rate:.1f}/s, {flight} in flight, {failed} failed · {share} of the worst · {left}"
        ).format(
            system=calls.system,
            calls=calls.calls,
            rate=rate,
            flight=calls.in_flight,
            failed=calls.failed,
            share=f"{calls.calls / planned:.0%}" if planned else "–",
            left=left,
        )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _cells(row: _Row) -> tuple[Text, ...]:
    name = Text(row.began.key.split("@")[0].rpartition("/")[2])
    if row.verdict is not None:
        status = row.verdict.status
        state = Text(f"{SHAPES[status]} {_(STATUS_WORDS[status])}", style=STYLES[status])
        return name, Text(f"n={row.verdict.counts.total}"), _bar(row), state
    seen = row.moved.n if row.moved else 0
    return name, Text(f"n={seen}/{row.began.budget}", style="dim"), _bar(row), Text("…", style="dim")


def _bar(row: _Row) -> Text:
    """Draw an interval (━), its estimate (●) and the threshold (│) on a line of characters."""
    source = row.verdict or row.moved
    limits = _limits(row)
    cells = Text("·" * _CELLS, style="bright_black")
    if source is None or source.lower is None or source.upper is None:
        return cells
    top = max(1.0, *limits, 1.05 * (source.estimate or 0.0)) if max(limits, default=0.0) > 1.0 else 1.0
    top = min(top, max(0.2, *(2.5 * limit for limit in limits), source.upper)) if limits else top

    def place(value: float) -> int:
        return min(_CELLS - 1, max(0, int(value / top * _CELLS)))

    line = ["·"] * _CELLS
    line[place(source.lower) : place(source.upper) + 1] = "━" * (place(source.upper) - place(source.lower) + 1)
    if source.estimate is not None:
        line[place(source.estimate)] = "●"
    for limit in limits:
        line[place(limit)] = "│"
    return Text("".join(line))


def _limits(row: _Row) -> tuple[float, ...]:
    threshold = row.began.threshold
    if threshold is None:
        return ()
    return threshold if isinstance(threshold, tuple) else (threshold,)


@contextmanager
def watching(console: Console, decided: Callable[[Verdict], None]) -> Iterator[Callable[[Event], None]]:
    """Show a run: as a moving board on a terminal, as one line for each verdict elsewhere.

    Parameters
    ----------
    console : Console
        Where to show it; standard error, so that standard output stays for data.
    decided : callable
        Told each verdict where there is no board.

    Yields
    ------
    callable
        To be told every event.
    """
    if not console.is_terminal:
        board = Board(decided)
        yield board.tell
    else:
        board = Board()
        with Live(board, console=console, refresh_per_second=8, transient=True):
            yield board.tell
    for run in board.ended:
        console.print(
            _("{system}: {calls} calls, {saved} saved by stopping early, {wasted} sent in vain").format(
                system=run.system, calls=run.calls, saved=run.saved, wasted=run.wasted
            ),
            highlight=False,
        )
