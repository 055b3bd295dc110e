"""The story of the turns: what was promised, what came out, what was changed, what came out then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from shinrai.ledger.projection import Finding, Judgement, Promise, State
from shinrai.records import Action, Measured


@dataclass(slots=True)
class Turn:
    """One turn of the cycle: what was found out, and what was then decided.

    A turn ends with the actions that follow its verdicts; the next verdict after an action begins the next turn.

    Parameters
    ----------
    number : int
        1, 2, 3 …
    verdicts : dict
        ``claim@system`` → the last verdict on it within the turn.
    calls : int
        Calls made by the runs behind these verdicts, each call counted once.
    opened, closed : list of Finding
        By these verdicts.
    actions : list of Action
        Carried out after them.
    """

    number: int
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    calls: int = 0
    opened: list[Finding] = field(default_factory=list)
    closed: list[Finding] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def counts(self) -> dict[Measured, int]:
        """Count the verdicts by kind."""
        return dict(Counter(judgement.verdict.status for judgement in self.verdicts.values()))


def turns(state: State) -> list[Turn]:
    """Tell the turns that a ledger records, oldest first."""
    events: list[tuple[int, Judgement | Action]] = [
        (judgement.seq, judgement) for found in state.judgements.values() for judgement in found
    ]
    events += [(entry.seq, action) for entry, action in state.applied.values()]
    told: list[Turn] = []
    for _, event in sorted(events, key=lambda pair: pair[0]):
        if isinstance(event, Judgement):
            if not told or told[-1].actions:
                told.append(Turn(len(told) + 1))
            told[-1].verdicts[event.verdict.key] = event
        elif told:
            told[-1].actions.append(event)
    for turn in told:
        _complete(turn, state)
    return told


def _complete(turn: Turn, state: State) -> None:
    digests = {judgement.digest for judgement in turn.verdicts.values()}
    runs = {judgement.verdict.run for judgement in turn.verdicts.values()}
    turn.calls = sum(run.finished.calls for name, run in state.runs.items() if name in runs and run.finished)
    turn.opened = [finding for finding in state.findings.values() if finding.opened_by in digests]
    turn.closed = [finding for finding in state.findings.values() if finding.closed_by in digests]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One claim on one system through all its verdicts."""

    key: str
    promises: list[Promise]
    judgements: list[Judgement]


def chapter(state: State, key: str) -> Chapter:
    """Gather the promises and verdicts of ``claim@system``, oldest first."""
    return Chapter(key, state.history.get(key, []), state.judgements.get(key, []))


def promise_of(state: State, judgement: Judgement) -> Promise:
    """Find the promise that a verdict is about."""
    history = state.history[judgement.verdict.key]
    return next(promise for promise in history if promise.digest == judgement.verdict.commitment)


def last_day(state: State) -> date:
    """Give the day of the newest entry: the day for which a rebuilt report speaks."""
    return date.fromisoformat(state.head.at[:10]) if state.head else date.min
