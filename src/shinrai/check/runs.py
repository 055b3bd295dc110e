"""Runs: what is measured together, what is taken up again, and what the ledger hears of it.

A run begins in the ledger before its first call and ends there with its verdicts and the digests of its files, in one
transaction. A run that was interrupted (``kill -9``, Ctrl-C, a full disk) stays open; the next ``check`` goes on with
it. A run that ended without an answer for some claims (the target failed, the budget was spent) is closed; the next
run takes its finished calls over, and asks again what had failed.

Replies that were seen count for the promises they were made for, and for no others: a promise is measured in the
run that began with it, or one that continues it. Giving up a run to draw better replies is therefore not possible,
and a new promise never sees an old reply.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from shinrai.check.choosing import Group, chosen, groups_of, settled, version_of
from shinrai.check.correcting import judge_labels
from shinrai.check.crew import Crew, Plan
from shinrai.check.ending import RunEnd, clear_away, end_run
from shinrai.check.events import ClaimDecided, Tell
from shinrai.check.files import RUNS
from shinrai.check.imported_runs import judge_and_archive
from shinrai.check.instruments import Instruments
from shinrai.check.measuring import DataSets, Given, Opened, measure_run, open_journal
from shinrai.check.outcomes import is_imported, judge_outcome, needs_no_calls
from shinrai.check.patience import Access, Patience
from shinrai.check.pinned import Pinned
from shinrai.check.purse import Purse
from shinrai.check.scorers import Context, scorer
from shinrai.check.sources import Wanted, source_of, target_from
from shinrai.check.targets.protocol import Target
from shinrai.check.targets.stack import target_of
from shinrai.check.tokens import token_bound
from shinrai.errors import PluginError, ShinraiError, TargetError
from shinrai.i18n import current_language
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import Budget, Digest, Id, Judged, PluginScorer, Reason, SystemVersion, Text, Verdict

__all__ = ["run"]


async def run(  # noqa: PLR0913 - the contract of the room
    root: Path,
    ledger: Ledger,
    *,
    systems: Collection[str] | None = None,
    claims: Collection[str] | None = None,
    budget: Budget,
    allowed_hosts: Collection[str] = (),
    tell: Tell | None = None,
    patience: Patience | None = None,
    spread: Plan | None = None,
) -> list[Verdict]:
    """Measure every promise in force that has no verdict yet.

    Parameters
    ----------
    root : Path
        Of the workspace. Whoever calls holds its lock (`shinrai.workspace.lock`).
    ledger : Ledger
        Open for writing. Only what it holds counts: promises, system versions, and the files that they pin.
    systems : collection of str, optional
        Only these systems.
    claims : collection of str, optional
        Only these claims, as path or as ``path@system``.
    budget : Budget
        Calls, tokens and money that may be spent now.
    allowed_hosts : collection of str
        Where systems may be asked, as in ``shinrai.yaml``; nowhere when left out.
    tell : callable, optional
        Told what happens.
    patience : Patience, optional
        How failed attempts are tried again.
    spread : Plan, optional
        Over how many workers; this process alone where it is not given.

    Returns
    -------
    list of Verdict
        The new ones, as they were written to the ledger.

    Raises
    ------
    UsageError
        If a name is unknown, or a file is no longer what was promised: plan first.
    StoreError
        If a reply or a verdict could not be kept. The run goes on where it was, next time.
    TamperedError
        If the files of a run are not what the run wrote.
    asyncio.CancelledError
        When interrupted. The run stays open, and goes on where it was, next time.
    """
    given = Given(root, ledger, Purse(budget), patience or Patience(), tell, DataSets(root))
    try:
        return await _Check(given, allowed_hosts, spread).measure(systems, claims)
    finally:
        given.data.close()


class _Check:
    """One ``shinrai check``."""

    def __init__(self, given: Given, allowed_hosts: Collection[str], spread: Plan | None) -> None:
        self._given = given
        self._root = given.root
        self._ledger = given.ledger
        self._tell = given.say
        self._allowed_hosts = allowed_hosts
        self._spread = spread
        self._pinned = Pinned(given.root)

    async def measure(self, systems: Collection[str] | None, claims: Collection[str] | None) -> list[Verdict]:
        state = self._ledger.state()
        promises_in_force = chosen(state, systems, claims)
        by_system: dict[tuple[Id, str], list[Promise]] = {}
        for promise in promises_in_force:
            if not needs_no_calls(promise.commitment) and not settled(state, promise):
                name = promise.commitment.system, source_of(promise.commitment)
                by_system.setdefault(name, []).append(promise)
        for (system, _source), promises in by_system.items():
            self._pinned.require_unchanged(state, system, promises)
        verdicts = self._judge_outcomes(state, [one for one in promises_in_force if needs_no_calls(one.commitment)])
        verdicts += self._judge_labels(promises_in_force)
        clear_away(self._root, state)
        self._close_overtaken(state, systems)
        for (system, source), promises in by_system.items():
            groups = groups_of(state, promises)
            verdicts += await self._measure_system(version_of(state, system), groups, source)
        return verdicts

    def _judge_outcomes(self, state: State, promises: Sequence[Promise]) -> list[Verdict]:
        today, new = _today(state), []
        for promise in promises:
            if is_imported(promise.commitment):
                continue
            verdict = judge_outcome(promise, state, self._root, today)
            last = state.judgement(promise.commitment.key)
            if last is None or last.verdict != verdict:
                new.append(verdict)
        self._record(new)
        for promise in promises:
            if is_imported(promise.commitment):
                try:
                    found = judge_and_archive(promise, self._ledger, self._root, RUNS)
                except PluginError as error:
                    new += self._unreachable([promise], error, "plugin-failed")
                    continue
                if found is not None:
                    self._tell(ClaimDecided(found))
                    new.append(found)
        return new

    def _judge_labels(self, promises: Sequence[Promise]) -> list[Verdict]:
        """Judge anew what people have labelled since."""
        new = judge_labels(self._root, self._ledger, promises)
        for verdict in new:
            self._tell(ClaimDecided(verdict))
        return new

    def _record(self, verdicts: Sequence[Verdict]) -> None:
        self._ledger.append(*(Judged(verdict=verdict) for verdict in verdicts))
        for verdict in verdicts:
            self._tell(ClaimDecided(verdict))

    # ---- runs

    def _close_overtaken(self, state: State, systems: Collection[str] | None) -> None:
        """Close open runs of which no promise is waiting for its verdict any more."""
        waiting = {promise.digest for promise in state.promises.values() if not settled(state, promise)}
        for one in state.runs.values():
            started = one.started
            if (
                one.finished is None
                and not waiting & set(started.commitments)
                and (not systems or started.system in systems)
            ):
                journal = open_journal(self._root, started)
                journal.close()
                end_run(self._root, self._ledger, RunEnd(started, "superseded", len(journal)))

    async def _measure_system(self, version: SystemVersion, groups: Sequence[Group], source: str) -> list[Verdict]:
        instruments = Instruments(self._ledger.state(), [promise for group in groups for promise in group.promises])
        self._given.purse.take_up(version.system, instruments.systems)
        target = self._target_of(version, groups, source)
        try:
            try:
                await target.open()
            except (TargetError, PluginError) as error:
                promises = [one for group in groups for one in group.promises]
                reason: Reason = "plugin-failed" if isinstance(error, PluginError) else "target-unreachable"
                return self._unreachable(promises, error, reason)
            await instruments.open(self._root, self._allowed_hosts, self._given.patience.clock)
            opened = Opened(
                version, Access(target, self._given.patience.clock, token_bound(version.system)), instruments
            )
            verdicts = []
            for group in groups:
                verdicts += await self._measure_group(opened, group)
            return verdicts
        finally:
            await instruments.close()
            await target.close()

    def _target_of(self, version: SystemVersion, groups: Sequence[Group], source: str) -> Target:
        """Build what is asked: the system, several workers that ask it, or another source of trials."""
        if source:
            commitments = [promise.commitment for group in groups for promise in group.promises]
            wanted = Wanted(
                version.system,
                self._root,
                self._allowed_hosts,
                commitments,
                self._given.data.items_of,
                self._given.patience,
            )
            return target_from(source, wanted)
        target = target_of(version.system, self._root, self._allowed_hosts)
        if self._spread is None:
            return target
        return Crew(version.system, self._root, target, self._spread, allowed_hosts=self._allowed_hosts)

    def _unreachable(
        self, promises: Sequence[Promise], error: ShinraiError, reason: Reason = "target-unreachable"
    ) -> list[Verdict]:
        """Say of every claim that the target, or what helps to test it, could not even be opened. No run is begun."""
        note = Text(**{current_language(): error.message})
        verdicts = [
            Verdict(
                commitment=promise.digest,
                claim=promise.commitment.claim,
                system=promise.commitment.system,
                status="not_measured",
                reason=reason,
                note=note,
            )
            for promise in promises
        ]
        self._record(verdicts)
        return verdicts

    async def _measure_group(self, opened: Opened, group: Group) -> list[Verdict]:
        verdicts, lost = [], set[Digest]()
        for one in group.promises:
            error = opened.instruments.lacking(one) or self._broken_rule(one)
            if error is not None:
                reason: Reason = "plugin-failed" if isinstance(error, PluginError) else "helper-failed"
                verdicts += self._unreachable([one], error, reason)
                lost.add(one.digest)
        kept = replace(group, promises=[one for one in group.promises if one.digest not in lost])
        return verdicts + (await measure_run(self._given, opened, kept) if kept.promises else [])

    def _broken_rule(self, promise: Promise) -> PluginError | None:
        """Say why a promise cannot be scored, if its scorer is a plug-in that fails to load."""
        use = promise.commitment.scorer.use if promise.commitment.scorer else None
        if isinstance(use, PluginScorer):
            try:
                scorer(use, Context(root=self._root))
            except PluginError as error:
                return error
        return None


def _today(state: State) -> date:
    """Give the day, by the later of the wall clock and the newest entry: a clock set back revives no document."""
    now = datetime.now(UTC)
    if state.head is not None:
        now = max(now, datetime.fromisoformat(state.head.at))
    return now.astimezone().date()
