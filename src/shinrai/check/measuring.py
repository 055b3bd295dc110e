"""One run: begun or taken up again, measured, concluded.

What is held of each trial while it is measured (its place in the order, the key of its call, when its test would stop)
is let go before the run is archived, which needs memory of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from shinrai.check.choosing import Group
from shinrai.check.claims import Claim
from shinrai.check.ending import RunEnd, end_run, note_of, reason_of
from shinrai.check.engine import End, Engine
from shinrai.check.events import ClaimBegan, ClaimDecided, Event, RunBegan, RunEnded, Tell
from shinrai.check.files import CALLS, RUNS, TrialFiles, carried_calls, journals_of
from shinrai.check.instruments import Instruments
from shinrai.check.journal import Journal, not_written
from shinrai.check.patience import Access, Patience
from shinrai.check.purse import Purse
from shinrai.check.scorers import Context, score_of
from shinrai.check.sources import OfARun
from shinrai.check.targets.protocol import Target
from shinrai.ledger import Ledger
from shinrai.records import Commitment, Item, RunStarted, SystemVersion, Verdict
from shinrai.source import SpooledItems, spool_items
from shinrai.workspace import committed_file

__all__ = ["DataSets", "Given", "Opened", "measure_run", "open_journal"]


class DataSets:
    """The data sets that promises draw from, each read once.

    Parameters
    ----------
    root : Path
        Of the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._items: dict[Path, SpooledItems] = {}

    def items_of(self, commitment: Commitment) -> Sequence[Item]:
        """Give the items of a promise's data set, in the order of the file.

        Raises
        ------
        StoreError
            If there is no room for a copy of them.
        """
        if commitment.data is None:
            return []
        path, use = committed_file(self._root, commitment.data), commitment.data.use
        if path not in self._items:
            folder = self._root / RUNS
            try:
                self._items[path] = spool_items(path, shown_as=use.file or path.name, folder=folder)
            except OSError as error:
                failure = not_written(path.name, error)
                raise failure from error
        return self._items[path]

    def close(self) -> None:
        """Let go of all."""
        for items in self._items.values():
            items.close()


@dataclass(frozen=True, slots=True)
class Given:
    """What all runs of one command share.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Open for writing.
    purse : Purse
    patience : Patience
    tell : callable or None
        Told what happens; None where nobody looks on.
    data : DataSets
        Closed by whoever made it.
    """

    root: Path
    ledger: Ledger
    purse: Purse
    patience: Patience
    tell: Tell | None
    data: DataSets

    def say(self, event: Event) -> None:
        """Tell it to whoever looks on."""
        if self.tell is not None:
            self.tell(event)


@dataclass(frozen=True, slots=True)
class Opened:
    """A system that is being measured, the way to its target, which is open, and its instruments, which are too."""

    version: SystemVersion
    access: Access
    instruments: Instruments


async def measure_run(given: Given, opened: Opened, group: Group) -> list[Verdict]:
    """Measure promises together, and write what came out to the ledger.

    Parameters
    ----------
    given : Given
        What the command shares among its runs.
    opened : Opened
        The system.
    group : Group
        The promises, and the run that they began with, if there is one.

    Returns
    -------
    list of Verdict

    Raises
    ------
    StoreError
        If a reply or a verdict could not be kept.
    TamperedError
        If the files of an earlier run are not what it wrote.
    """
    started = _begin(given, opened.version, group)
    with TrialFiles(given.root / started.directory) as trials:
        end, told = await _measured(given, opened, group, started, trials)
        end_run(given.root, given.ledger, replace(end, trials=trials.files))
    for event in told:
        given.say(event)
    return list(end.verdicts)


def open_journal(root: Path, started: RunStarted) -> Journal:
    """Open the journal of a run that has not ended, with those of its workers.

    Raises
    ------
    TamperedError
        If it is not what the run wrote.
    """
    journal, *shards = journals_of(root / started.directory)
    return Journal(journal, shown_as=f"{started.directory}/{CALLS}", shards=shards)


def _begin(given: Given, version: SystemVersion, group: Group) -> RunStarted:
    """Go on with an open run, or begin a new one."""
    before = group.before
    if before is not None and before.finished is None:
        return before.started
    name = f"run-{len(given.ledger.state().runs) + 1:04d}"
    started = RunStarted(
        run=name,
        system=version.system.id,
        fingerprint=version.fingerprint,
        commitments=tuple(promise.digest for promise in group.promises),
        directory=f"{RUNS}/{name}",
    )
    Journal.create(given.root / started.directory / CALLS)
    given.ledger.append(started)
    return started


def _take_over(root: Path, group: Group, journal: Journal) -> None:
    """Write down what an earlier run of these promises already has."""
    if len(journal) == journal.carried:  # a crash can come while calls are being taken over
        for line in carried_calls(root, group.ended):
            if journal.number(line.key) is None:
                journal.write(line)


async def _measured(
    given: Given, opened: Opened, group: Group, started: RunStarted, trials: TrialFiles
) -> tuple[RunEnd, list[Event]]:
    """Give what the run has come to, and what is told when the ledger has it."""
    journal = open_journal(given.root, started)
    try:
        _take_over(given.root, group, journal)
        engine, claims = _set_up(given, opened, group, started, journal, trials)
        end = await _to_its_end(engine, opened.access.target, journal, given.root / started.directory)
    finally:
        journal.close()
    return _conclude(given, started, claims, engine, end, group)


def _set_up(  # noqa: PLR0917 - what a run is made of
    given: Given, opened: Opened, group: Group, started: RunStarted, journal: Journal, trials: TrialFiles
) -> tuple[Engine, list[Claim]]:
    system = opened.version.system
    context = Context(secrets=system.secrets, root=given.root)
    claims = []
    for promise in group.promises:
        commitment = promise.commitment
        claims.append(
            Claim(
                commitment,
                promise.digest,
                commitment.draw(given.data.items_of(commitment)),
                kind=commitment.trial_kind(system.kind),
                score=score_of(commitment, context),
                run=started.run,
                keep=trials.of_the_next_claim(),
            )
        )
    began = tuple(
        ClaimBegan(claim.key, claim.commitment.threshold, len(claim.order), claim.calls_at_most) for claim in claims
    )
    given.say(RunBegan(started.run, system.id, began, kept=len(journal)))
    engine = Engine(
        run=started.run,
        system=system.id,
        access=opened.access,
        claims=claims,
        journal=journal,
        purse=given.purse,
        patience=given.patience,
        tell=given.tell,
        instruments=opened.instruments.ways,
    )
    return engine, claims


async def _to_its_end(engine: Engine, target: Target, journal: Journal, directory: Path) -> End:
    if not isinstance(target, OfARun):
        return await engine.measure()
    await target.begin(journal, directory)
    try:
        return await engine.measure()
    finally:
        await target.end()


def _conclude(  # noqa: PLR0917 - what a run has come to
    given: Given,
    started: RunStarted,
    claims: Sequence[Claim],
    engine: Engine,
    end: End,
    group: Group,
) -> tuple[RunEnd, list[Event]]:
    already = {claim.key for claim in claims if claim.verdict is not None}
    verdicts = [claim.conclude(reason_of(end), note_of(end, engine.last_failure)) for claim in claims]
    purse, spending = given.purse, given.purse.settle_run()
    details = {**engine.figures(), **purse.in_words(spending)}
    if end not in {"complete", "target-failed"}:
        details["why"] = end
    if group.ended is not None:
        details["continues"] = group.ended.started.run
    how: Literal["complete", "target-failed"] = "target-failed" if end.startswith("target-") else "complete"
    wasted, saved = details["wasted"], details["saved"]
    told: list[Event] = [ClaimDecided(verdict) for verdict in verdicts if verdict.key not in already]
    told.append(RunEnded(started.run, started.system, end, engine.calls, wasted, saved, spending, purse.price))
    return RunEnd(started, how, engine.calls, details, verdicts), told
