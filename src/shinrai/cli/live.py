"""The view of a run while it goes on: every claim's interval closing in on its threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
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

_BAR = (12, 40)
"""Cells of a bar, at least and at most."""


@dataclass(slots=True)
class _Row:
    """What is known of one claim so far."""

    began: ClaimBegan
    moved: ClaimMoved | None = None
    verdict: Verdict | None = None

    @property
    def left(self) -> int:
        """Calls that it may still need, at most."""
        if self.verdict is not None:
            return 0
        seen = self.moved.n if self.moved else 0
        return round(self.began.calls * (1 - seen / self.began.budget)) if self.began.budget else 0


class Board:
    """Gathers events and draws them.

    Parameters
    ----------
    decided : callable, optional
        Told each verdict as it falls.
    ended : callable, optional
        Told in one line what each run has come to.
    """

    def __init__(
        self, decided: Callable[[Verdict], None] | None = None, ended: Callable[[str], None] | None = None
    ) -> None:
        self._rows: dict[str, _Row] = {}
        self._calls: CallFinished | None = None
        self._run: RunBegan | None = None
        self._decided = decided
        self._ended = ended

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
                if self._ended:
                    self._ended(self._ending(event))
            case Waiting() | ClaimMoved():
                pass

    @staticmethod
    def _ending(event: RunEnded) -> str:
        return _("{system}: {calls} calls, {saved} saved by stopping early, {wasted} sent in vain").format(
            system=event.system, calls=event.calls, saved=event.saved, wasted=event.wasted
        )

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the board, as wide and as high as the terminal is."""
        if self._run is None:
            return
        yield Text(f"{self._run.run}  {self._run.system}", style="bold")
        yield Text(" · ".join(self._figures()))
        failures = self._failures()
        if failures:
            yield Text(failures, style="yellow")
        yield from self._claims(options.max_width, (options.height or 40) - 7)

    def _figures(self) -> Iterator[str]:
        calls = self._calls
        if calls is None:
            yield _("starting ...")
            return
        yield _("{count} calls").format(count=calls.calls)
        if self._run is not None and self._run.kept:
            yield _("{count} of them kept from before").format(count=self._run.kept)
        saved = sum(row.verdict.calls_saved for row in self._rows.values() if row.verdict)
        yield _("{count} saved").format(count=saved if calls.saved is None else calls.saved)
        if calls.wasted:
            yield _("{count} in vain").format(count=calls.wasted)
        yield _("{count} of {limit} in flight").format(count=calls.in_flight, limit=calls.limit)
        rate = calls.sent / calls.seconds if calls.seconds > 0 else 0.0
        if rate > 0:
            yield _("{rate:.1f}/s").format(rate=rate)
            left = sum(row.left for row in self._rows.values())
            yield _("at most {time} left").format(time=_span(left / rate))
        if calls.currency is not None:
            yield f"{calls.money:.4f} {calls.currency}"

    def _failures(self) -> str:
        """Name the failed attempts by kind, and the calls that stayed without a reply."""
        if self._calls is None or not (self._calls.kinds or self._calls.failed):
            return ""
        kinds = sorted(self._calls.kinds.items(), key=lambda one: (-one[1], one[0]))
        named = ", ".join(f"{kind} ×{count}" for kind, count in kinds)
        return _("failed attempts: {kinds}; calls without a reply: {failed}").format(
            kinds=named or "–", failed=self._calls.failed
        )

    def _claims(self, width: int, height: int) -> Iterator[RenderableType]:
        """Draw the claims: those still open first where not all of them fit."""
        rows = list(self._rows.values())
        if len(rows) > height:
            rows.sort(key=lambda row: row.verdict is not None)
        shown = rows[: max(1, height)]
        names = max((cell_len(_name(row)) for row in shown), default=0)
        cells = min(_BAR[1], max(_BAR[0], width - names - 46))
        table = Table.grid(padding=(0, 2, 0, 0))
        for row in shown:
            table.add_row(*_cells(row, cells))
        yield table
        if len(rows) > len(shown):
            yield Text(_("and {count} more").format(count=len(rows) - len(shown)), style="dim")


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _name(row: _Row) -> str:
    return row.began.key.split("@")[0].rpartition("/")[2]


def _cells(row: _Row, width: int) -> tuple[Text, ...]:
    source = row.verdict or row.moved
    value = Text("", style="dim")
    if source is not None and source.estimate is not None and source.lower is not None and source.upper is not None:
        value.append(f"{source.estimate:.2f} [{source.lower:.2f}, {source.upper:.2f}]")
    if row.verdict is not None:
        status = row.verdict.status
        state = Text(f"{SHAPES[status]} {_(STATUS_WORDS[status])}", style=STYLES[status])
        return Text(_name(row)), Text(f"n={row.verdict.counts.total}"), _bar(row, width), value, state
    seen = row.moved.n if row.moved else 0
    return Text(_name(row)), Text(f"n={seen}/{row.began.budget}", style="dim"), _bar(row, width), value, Text("")


def _bar(row: _Row, width: int) -> Text:
    """Draw an interval (━), its estimate (●) and the threshold (│) on a line of characters."""
    source = row.verdict or row.moved
    limits = _limits(row)
    cells = Text("·" * width, style="bright_black")
    if source is None or source.lower is None or source.upper is None:
        return cells
    top = max(1.0, *limits, 1.05 * (source.estimate or 0.0)) if max(limits, default=0.0) > 1.0 else 1.0
    top = min(top, max(0.2, *(2.5 * limit for limit in limits), source.upper)) if limits else top

    def place(value: float) -> int:
        return min(width - 1, max(0, int(value / top * width)))

    line = ["·"] * width
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

    def ended(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True, style="dim")

    if not console.is_terminal:
        yield Board(decided, ended).tell
        return
    board = Board(ended=ended)
    with Live(board, console=console, refresh_per_second=8, transient=True):
        yield board.tell
