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

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal, Self

import msgspec

from shinrai.check.archive import read_calls, run_files, write_run
from shinrai.check.claims import Claim, Keep
from shinrai.check.crew import Crew, Plan
from shinrai.check.engine import End, Engine
from shinrai.check.events import ClaimBegan, ClaimDecided, Event, RunBegan, RunEnded, Tell
from shinrai.check.journal import Journal, Line, not_written, read_journal
from shinrai.check.outcomes import judge_outcome, needs_no_calls
from shinrai.check.patience import Access, Patience
from shinrai.check.purse import Purse
from shinrai.check.scorers import Context, scorer
from shinrai.check.targets.protocol import CallError, Target
from shinrai.check.targets.stack import target_of
from shinrai.check.tokens import token_bound
from shinrai.errors import TamperedError, TargetError, UsageError, nearest
from shinrai.i18n import _, current_language
from shinrai.ledger import Ledger, Promise, Run, State
from shinrai.records import (
    SCORER_VERSIONS,
    Budget,
    Commitment,
    Digest,
    Id,
    Item,
    Json,
    Judged,
    Payload,
    Reason,
    RunFinished,
    RunStarted,
    SystemVersion,
    Text,
    Trial,
    Verdict,
    digest_file,
)
from shinrai.source import SpooledItems, spool_items
from shinrai.workspace import data_file, fingerprint

__all__ = ["CALLS", "RUNS", "Group", "chosen", "groups_of", "lines_of", "run", "settled", "version_of"]

RUNS = ".shinrai/runs"
CALLS = "calls.jsonl"
"""The journal of a run that goes on. When it has ended, `shinrai.check.archive` has its contents."""

_REASONS: dict[End, Reason | None] = {
    "complete": None,
    "target-unreachable": "target-unreachable",
    "target-failed": "target-failed",
    "budget-spent": "budget-spent",
    "money-spent": "money-spent",
    "tokens-spent": "tokens-spent",
}


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
    check = _Check(
        root,
        ledger,
        Purse(budget),
        tell or _to_nobody,
        patience or Patience(),
        allowed_hosts=allowed_hosts,
        telling=tell is not None,
    )
    check.spread = spread
    try:
        return await check.measure(systems, claims)
    finally:
        check.close()


def _to_nobody(_event: Event) -> None:
    return


@dataclass(frozen=True, slots=True)
class Group:
    """Promises that are measured in one run.

    Parameters
    ----------
    before : Run, optional
        The run that they were last measured in: gone on with when it is open.
    ended : Run, optional
        The last one of theirs that has ended: its calls are taken over.
    """

    before: Run | None
    ended: Run | None = None
    promises: list[Promise] = field(default_factory=list)


@dataclass(slots=True)
class _Opened:
    """A system that is being measured, and the way to its target, which is open."""

    version: SystemVersion
    access: Access


class _Check:
    """One ``shinrai check``."""

    def __init__(  # noqa: PLR0913 - what a command is given
        self,
        root: Path,
        ledger: Ledger,
        purse: Purse,
        tell: Tell,
        patience: Patience,
        *,
        allowed_hosts: Collection[str],
        telling: bool,
    ) -> None:
        self._root = root
        self._ledger = ledger
        self._allowed_hosts = allowed_hosts
        self._purse = purse
        self._tell = tell
        self._engine_tell = tell if telling else None
        self._patience = patience
        self.spread: Plan | None = None
        self._items: dict[Path, SpooledItems] = {}
        self._digests: dict[Path, Digest] = {}

    def close(self) -> None:
        """Let go of the data sets."""
        for items in self._items.values():
            items.close()

    async def measure(self, systems: Collection[str] | None, claims: Collection[str] | None) -> list[Verdict]:
        state = self._ledger.state()
        promises_in_force = chosen(state, systems, claims)
        by_system: dict[Id, list[Promise]] = {}
        for promise in promises_in_force:
            if not needs_no_calls(promise.commitment) and not settled(state, promise):
                by_system.setdefault(promise.commitment.system, []).append(promise)
        for system, promises in by_system.items():
            self._require_unchanged(state, system, promises)
        verdicts = self._judge_outcomes(state, [one for one in promises_in_force if needs_no_calls(one.commitment)])
        self._clear_away(state)
        self._close_overtaken(state, systems)
        for system, promises in by_system.items():
            verdicts += await self._measure_system(version_of(state, system), groups_of(state, promises))
        return verdicts

    def _judge_outcomes(self, state: State, promises: Sequence[Promise]) -> list[Verdict]:
        today, new = _today(state), []
        for promise in promises:
            verdict = judge_outcome(promise, state, self._root, today)
            last = state.judgement(promise.commitment.key)
            if last is None or last.verdict != verdict:
                new.append(verdict)
        self._ledger.append(*(Judged(verdict=verdict) for verdict in new))
        for verdict in new:
            self._tell(ClaimDecided(verdict))
        return new

    # ---- what was promised is what is there

    def _require_unchanged(self, state: State, system: Id, promises: Sequence[Promise]) -> None:
        version = version_of(state, system)
        mark, _files = fingerprint(version.system, self._root)
        for promise in promises:
            commitment = promise.commitment
            if not commitment.fingerprint == version.fingerprint == mark:
                raise _plan_first(_("the system {name} has changed since the plan").format(name=system))
            data, use = commitment.data, commitment.scorer
            if data is None or use is None:
                raise UsageError("check.no-data", _("{claim} names no data").format(claim=commitment.claim))
            if self._digest(data_file(self._root, data.use)) != data.digest:
                raise _plan_first(_("the data {name} have changed since the plan").format(name=data.use.file))
            if SCORER_VERSIONS[use.use.id] != use.version:
                raise _plan_first(_("the scorer {name} has changed since the plan").format(name=use.use.id))

    def _digest(self, path: Path) -> Digest:
        if path not in self._digests:
            self._digests[path] = digest_file(path)
        return self._digests[path]

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
                journal = self._journal(started.directory)
                journal.close()
                self._end(started, "superseded", len(journal), {}, (), ())

    def _clear_away(self, state: State) -> None:
        """Remove journals whose run has ended: a crash can come between the end in the ledger and their removal."""
        for one in state.runs.values():
            if one.finished is not None:
                for journal in _journals(self._root / one.started.directory):
                    journal.unlink(missing_ok=True)

    async def _measure_system(self, version: SystemVersion, groups: Sequence[Group]) -> list[Verdict]:
        self._purse.take_up(version.system)
        target = target_of(version.system, self._root, self._allowed_hosts)
        if self.spread is not None:
            target = Crew(version.system, self._root, target, self.spread, allowed_hosts=self._allowed_hosts)
        try:
            try:
                await target.open()
            except TargetError as error:
                return self._unreachable(groups, error)
            opened = _Opened(version, Access(target, self._patience.clock, token_bound(version.system)))
            verdicts = []
            for group in groups:
                verdicts += await self._measure_group(opened, group)
            return verdicts
        finally:
            await target.close()

    def _unreachable(self, groups: Sequence[Group], error: TargetError) -> list[Verdict]:
        """Say of every claim that the target could not even be opened. No run is begun for that."""
        note = Text(**{current_language(): error.message})
        verdicts = [
            Verdict(
                commitment=promise.digest,
                claim=promise.commitment.claim,
                system=promise.commitment.system,
                status="not_measured",
                reason="target-unreachable",
                note=note,
            )
            for group in groups
            for promise in group.promises
        ]
        self._ledger.append(*(Judged(verdict=verdict) for verdict in verdicts))
        for verdict in verdicts:
            self._tell(ClaimDecided(verdict))
        return verdicts

    async def _measure_group(self, opened: _Opened, group: Group) -> list[Verdict]:
        started, journal = self._begin(opened.version, group)
        with _Trials(self._root / started.directory) as trials:
            try:
                engine, claims = self._set_up(opened, group, started, journal, trials)
                end = await _measured(engine, opened.access.target, journal, self._root / started.directory)
            finally:
                journal.close()
            return self._conclude(started, claims, engine, end, group, trials)

    def _begin(self, version: SystemVersion, group: Group) -> tuple[RunStarted, Journal]:
        """Go on with an open run, or begin a new one; with what an earlier one already has."""
        before = group.before
        if before is not None and before.finished is None:
            started = before.started
        else:
            name = f"run-{len(self._ledger.state().runs) + 1:04d}"
            started = RunStarted(
                run=name,
                system=version.system.id,
                fingerprint=version.fingerprint,
                commitments=tuple(promise.digest for promise in group.promises),
                directory=f"{RUNS}/{name}",
            )
            Journal.create(self._root / started.directory / CALLS)
            self._ledger.append(started)
        journal = self._journal(started.directory)
        try:
            if len(journal) == journal.carried:  # a crash can come while calls are being taken over
                for line in self._carried(group.ended):
                    if journal.number(line.key) is None:
                        journal.write(line)
        except BaseException:
            journal.close()
            raise
        return started, journal

    def _journal(self, directory: str) -> Journal:
        journal, *shards = _journals(self._root / directory)
        return Journal(journal, shown_as=f"{directory}/{CALLS}", shards=shards)

    def _carried(self, before: Run | None) -> Iterator[Line]:
        """Read the finished calls of a closed run.

        Raises
        ------
        TamperedError
            If a file is not what it was when the run was closed.
        """
        if before is None or before.finished is None:
            return
        paths = run_files(self._root, before.finished, "calls")
        for path in paths:
            name = path.relative_to(self._root).as_posix()
            if not path.is_file() or digest_file(path) != before.finished.files[name]:
                raise TamperedError(
                    "run.file-changed", _("the run file {file} is gone or was changed").format(file=name)
                )
        for line in read_calls(paths):
            if line.end != "error":
                yield msgspec.structs.replace(line, run=line.run or before.started.run)

    def _set_up(
        self, opened: _Opened, group: Group, started: RunStarted, journal: Journal, trials: _Trials
    ) -> tuple[Engine, list[Claim]]:
        system = opened.version.system
        context = Context(secrets=system.secrets)
        claims = []
        for promise in group.promises:
            commitment = promise.commitment
            claims.append(
                Claim(
                    commitment,
                    promise.digest,
                    commitment.draw(self._items_of(commitment)),
                    kind=system.kind,
                    score=scorer(_scorer(commitment), context),
                    run=started.run,
                    keep=trials.of_the_next_claim(),
                )
            )
        began = tuple(
            ClaimBegan(claim.key, claim.commitment.threshold, len(claim.order), claim.calls_at_most) for claim in claims
        )
        self._tell(RunBegan(started.run, system.id, began, kept=len(journal)))
        engine = Engine(
            run=started.run,
            system=system.id,
            access=opened.access,
            claims=claims,
            journal=journal,
            purse=self._purse,
            patience=self._patience,
            tell=self._engine_tell,
        )
        return engine, claims

    def _items_of(self, commitment: Commitment) -> Sequence[Item]:
        if commitment.data is None or commitment.data.use.file is None:
            return []
        path = data_file(self._root, commitment.data.use)
        if path not in self._items:
            folder = self._root / RUNS
            try:
                self._items[path] = spool_items(path, shown_as=commitment.data.use.file, folder=folder)
            except OSError as error:
                raise not_written(path.name, error) from error
        return self._items[path]

    def _conclude(  # noqa: PLR0917 - what a run has come to
        self,
        started: RunStarted,
        claims: Sequence[Claim],
        engine: Engine,
        end: End,
        group: Group,
        trials: _Trials,
    ) -> list[Verdict]:
        """Archive calls and trials, then write the verdicts and the end of the run in one transaction."""
        already = {claim.key for claim in claims if claim.verdict is not None}
        verdicts = [claim.conclude(_REASONS[end], _note(end, engine.last_failure)) for claim in claims]
        spending = self._purse.settle_run()
        details = {**engine.figures(), **self._purse.in_words(spending)}
        if end not in {"complete", "target-failed"}:
            details["why"] = end
        if group.ended is not None:
            details["continues"] = group.ended.started.run
        how: Literal["complete", "target-failed"] = "target-failed" if end.startswith("target-") else "complete"
        self._end(started, how, engine.calls, details, verdicts, trials.files)
        for verdict in verdicts:
            if verdict.key not in already:
                self._tell(ClaimDecided(verdict))
        self._tell(
            RunEnded(
                started.run,
                started.system,
                end,
                engine.calls,
                details["wasted"],
                details["saved"],
                spending,
                self._purse.price,
            )
        )
        return verdicts

    def _end(  # noqa: PLR0917 - what the ledger hears of the end of a run
        self,
        started: RunStarted,
        end: Literal["complete", "target-failed", "superseded"],
        calls: int,
        details: dict[str, Json],
        verdicts: Sequence[Verdict],
        trials: Sequence[IO[bytes]],
    ) -> None:
        """Archive, write the end to the ledger, then remove the journal: a crash in between loses nothing."""
        directory = self._root / started.directory
        paths = write_run(directory, _journals(directory), trials)
        files = {f"{started.directory}/{path.name}": digest_file(path) for path in paths}
        finished = RunFinished(run=started.run, end=end, files=files, calls=calls, details=details)
        payloads: list[Payload] = [Judged(verdict=verdict) for verdict in verdicts]
        self._ledger.append(*payloads, finished)
        for journal in _journals(directory):
            journal.unlink()


def lines_of(root: Path, run: Run) -> Iterator[Line]:
    """Read the finished calls of a run, whether it has ended or not.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if run.finished is not None:
        yield from read_calls(run_files(root, run.finished, "calls"))
        return
    for path in _journals(root / run.started.directory):
        yield from read_journal(path, shown_as=f"{run.started.directory}/{path.name}")


def _journals(directory: Path) -> list[Path]:
    """Give the journal of a run and those of its workers, in order."""
    return [directory / CALLS, *sorted(directory.glob("calls-*.jsonl"))]


async def _measured(engine: Engine, target: Target, journal: Journal, directory: Path) -> End:
    if not isinstance(target, Crew):
        return await engine.measure()
    await target.begin(journal, directory)
    try:
        return await engine.measure()
    finally:
        await target.end()


class _Trials:
    """The trials of a run while they are counted: on disk, in files that have no name and outlive no crash.

    They can be made again from the journal, which is what happens after a crash.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self.files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with suppress(OSError):  # a full disk: what is lost can be made again from the journal
            self._stack.close()

    def of_the_next_claim(self) -> Keep:
        """Give the function that keeps the trials of another claim."""
        file = self._stack.enter_context(TemporaryFile(dir=self._directory))  # noqa: SIM115 - it is
        self.files.append(file)
        write = file.write

        def keep(trial: Trial) -> None:
            try:
                write(_encode(trial) + b"\n")
            except OSError as error:
                raise not_written("trials", error) from error

        return keep


_encode = msgspec.json.Encoder().encode


def chosen(state: State, systems: Collection[str] | None, claims: Collection[str] | None) -> list[Promise]:
    """Give the promises in force that were asked for, in the order in which they were made."""
    promises = list(state.promises.values())
    if systems:
        _require_known(systems, state.versions, _("there is no system {name} in the ledger"))
        promises = [promise for promise in promises if promise.commitment.system in systems]
    if claims:
        known = {name for one in state.promises.values() for name in (one.commitment.claim, one.commitment.key)}
        _require_known(claims, known, _("there is no promise {name} in force"))
        promises = [one for one in promises if one.commitment.claim in claims or one.commitment.key in claims]
    return promises


def _require_known(names: Collection[str], known: Collection[str], message: str) -> None:
    for name in names:
        if name not in known:
            close = nearest(name, known)
            raise UsageError(
                "check.unknown-name",
                message.format(name=repr(name)),
                hint=_("did you mean {name}?").format(name=repr(close)) if close else None,
            )


def settled(state: State, promise: Promise) -> bool:
    """Whether a promise has a verdict that stays. One that was cut short by the budget of a command can go on."""
    for judgement in reversed(state.judgements.get(promise.commitment.key, [])):
        verdict = judgement.verdict
        if verdict.commitment == promise.digest:
            return verdict.status != "not_measured" and not verdict.details.get("cut_short")
    return False


def groups_of(state: State, promises: Iterable[Promise]) -> list[Group]:
    """Put together what is measured together: open runs first, then closed ones to be continued, then new promises."""
    groups: dict[str, Group] = {}
    for promise in promises:
        found = _runs(state, promise)
        before = found[-1] if found else None
        ended = next((one for one in reversed(found) if one.finished is not None), None)
        name = before.started.run if before else ""
        groups.setdefault(name, Group(before, ended)).promises.append(promise)
    return sorted(
        groups.values(), key=lambda group: 2 if group.before is None else int(group.before.finished is not None)
    )


def _runs(state: State, promise: Promise) -> list[Run]:
    return [
        one
        for one in state.runs.values()
        if promise.digest in one.started.commitments and one.started.fingerprint == promise.commitment.fingerprint
    ]


def version_of(state: State, system: Id) -> SystemVersion:
    """Give the newest version of a system.

    Raises
    ------
    UsageError
        If the ledger holds none.
    """  # noqa: DOC501 - _plan_first makes one
    version = state.version(system)
    if version is None:
        raise _plan_first(_("the ledger holds no version of the system {name}").format(name=system))
    return version


def _scorer(commitment: Commitment) -> Any:  # noqa: ANN401 - a union of twelve records
    return commitment.scorer.use if commitment.scorer else None


def _plan_first(message: str) -> UsageError:
    return UsageError("check.plan-first", message, hint=_("run `shinrai plan` first: it makes a new promise"))


def _today(state: State) -> date:
    """Give the day, by the later of the wall clock and the newest entry: a clock set back revives no document."""
    now = datetime.now(UTC)
    if state.head is not None:
        now = max(now, datetime.fromisoformat(state.head.at))
    return now.astimezone().date()


def _note(end: End, failure: CallError | None) -> Text | None:
    if failure is None or not end.startswith("target-"):
        return None
    return Text(en=f"{failure.kind}: {failure.detail}"[:500] if failure.detail else failure.kind)
