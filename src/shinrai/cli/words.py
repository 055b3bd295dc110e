"""How states of claims are printed in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shinrai.i18n import _, current_language
from shinrai.ledger.projection import ClaimState
from shinrai.records import STATUSES
from shinrai.report import figures
from shinrai.report.words import REASONS, SHAPES, STATUS_WORDS, STYLES, threshold_words


def badge(state: ClaimState) -> Text:
    """Give shape and word of a state, coloured where the terminal has colour."""
    return Text(f"{SHAPES[state.status]} {_(STATUS_WORDS[state.status])}", style=STYLES[state.status])


def state_table(states: Sequence[ClaimState]) -> None:
    """Print one line for each claim: state, promise, estimate with interval, n."""
    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in (_("state"), _("claim"), _("system"), _("promise"), _("measured"), "n"):
        table.add_column(title)
    for state in states:
        if state.status != "not_applicable":
            table.add_row(badge(state), title_of(state), state.ruling.system, *measured(state))
    console.print(table)


def title_of(state: ClaimState) -> str:
    """Give the title of a claim in the language in use."""
    if state.promise:
        return state.promise.commitment.title.read(current_language())
    return state.ruling.claim.rpartition("/")[2]


def measured(state: ClaimState) -> tuple[str, str, str]:
    """Give promise, measured value with interval (or the reason for none), and n."""
    if state.promise is None:
        return "", _(REASONS[state.reason]) if state.reason else "", ""
    commitment = state.promise.commitment
    promise = threshold_words(commitment)
    verdict = state.judgement.verdict if state.judgement else None
    if verdict is None or verdict.estimate is None:
        return promise, _(REASONS[state.reason]) if state.reason else "", ""
    return promise, figures.measured(commitment, verdict), str(verdict.counts.total)


def counts_line(states: Sequence[ClaimState]) -> str:
    """Count the claims by state, in words; together they are all claims given."""
    counts = Counter(state.status for state in states)
    words = [f"{counts[status]} {_(STATUS_WORDS[status])}" for status in STATUSES if counts[status]]
    return click.style(" · ".join(words), bold=True)
