"""A run that was asked for by name, with those of its promises that were: what ``shinrai show`` reads from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from shinrai.cli.session import Session
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records import Commitment, Digest, Outcome, Trial

if TYPE_CHECKING:
    from shinrai.check.journal import Line
    from shinrai.ledger import Promise, Run, State

_AT_ONCE = 1_000
"""Trials whose replies are read together."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trials were asked for."""

    outcomes: frozenset[Outcome]
    item: str | None

    def __call__(self, trial: Trial) -> bool:
        """Tell whether a trial is one of them."""
        return (not self.outcomes or trial.outcome in self.outcomes) and self.item in {None, trial.item}


@dataclass(frozen=True, slots=True)
class Shelf:
    """A run, and those of its promises that were asked for."""

    opened: Session
    state: State
    run: Run
    promises: dict[Digest, Promise]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.started.run

    def commitment(self, trial: Trial) -> Commitment:
        """Give the promise of a trial."""
        return self.promises[trial.commitment].commitment

    def claim(self, trial: Trial) -> str:
        """Give the path of a trial's claim."""
        return self.commitment(trial).claim

    def trials(self) -> Iterator[Trial]:
        """Read the trials of these promises, in committed order."""
        from shinrai.report.evidence import trials_of  # noqa: PLC0415 - loaded only when the verb runs

        only = next(iter(self.promises)) if len(self.promises) == 1 else None
        found = trials_of(self.opened.root, self.run, commitment=only)
        return (trial for trial in found if trial.commitment in self.promises)

    def calls(self, trials: Iterable[Trial]) -> dict[str, Line]:
        """Read the calls of trials, by their keys."""
        from shinrai.report.evidence import calls_of  # noqa: PLC0415 - loaded only when the verb runs

        return calls_of(self.opened.root, self.run, {key for trial in trials for key in trial.calls})

    def with_calls(self, trials: Iterator[Trial]) -> Iterator[tuple[Trial, list[Line]]]:
        """Give each trial with its calls, some trials at a time."""
        while some := list(islice(trials, _AT_ONCE)):
            calls = self.calls(some)
            for trial in some:
                yield trial, lines_of(trial, calls)


def lines_of(trial: Trial, calls: dict[str, Line]) -> list[Line]:
    """Pick the calls of a trial, in its order."""
    return [calls[key] for key in trial.calls if key in calls]


def find_shelf(opened: Session, name: str, claims: tuple[str, ...]) -> Shelf:
    """Find a run and the promises asked for; all of them when no claim was named.

    Raises
    ------
    UsageError
        If the run or a claim is unknown.
    """
    from shinrai.cli.check import named  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.changes import promises_of  # noqa: PLC0415 - loaded only when the verb runs

    state = opened.ledger.state()
    if name not in state.runs:
        message = _("there is no run called {name}").format(name=name)
        raise UsageError("show.unknown-run", message, hint=_meant(name, state.runs))
    run = state.runs[name]
    promises = promises_of(state, run)
    paths = [promise.commitment.claim for promise in promises.values()]
    known = {*paths, *(path.rpartition("/")[2] for path in paths)}
    for claim in claims:
        if claim not in known:
            message = _("the run {run} measured no claim called {name}").format(run=name, name=claim)
            raise UsageError("show.unknown-claim", message, hint=_meant(claim, known))
    if claims:
        promises = {digest: one for digest, one in promises.items() if named(one.commitment.claim, claims)}
    return Shelf(opened, state, run, promises)


def _meant(name: str, known: Iterable[str]) -> str | None:
    meant = nearest(name, known)
    return _("did you mean {name}?").format(name=meant) if meant else None


def trial_json(trial: Trial, calls: list[Line]) -> dict[str, Any]:
    """Give a trial with its calls as JSON values."""
    import msgspec  # noqa: PLC0415 - loaded only when the verb runs

    return {**msgspec.to_builtins(trial), "calls": [msgspec.to_builtins(call) for call in calls]}


def print_pages(pages: Iterator[str]) -> bool:
    """Print: through the person's pager where a terminal is to show several pages, plainly elsewhere.

    Returns
    -------
    bool
        Whether there was anything.
    """
    beginning = list(islice(pages, 2))
    if len(beginning) > 1 and sys.stdout.isatty():
        click.echo_via_pager(chain(beginning, pages))
        return True
    for page in chain(beginning, pages):
        click.echo(page, nl=False)
    return bool(beginning)
