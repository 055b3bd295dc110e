"""``check --against``: two versions on the same items in the same order, with as few further calls as decide it.

Trials that were made for the same question count, on either side. Where they do not decide, both are asked further, in
rounds: each round asks both for the next items of the committed order, then the pairs are counted one by one. Each side
has a run of its own; its replies are journalled before they count, like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from shinrai.check.archive import write_run
from shinrai.check.choosing import chosen, require_source_unchanged, version_of
from shinrai.check.claims import LONGEST_QUEUE, Claim
from shinrai.check.engine import Engine
from shinrai.check.files import CALLS, RUNS, TrialFiles, journals_of, lines_of
from shinrai.check.instruments import Instruments, instruments_of, require_instruments_unchanged
from shinrai.check.journal import Journal
from shinrai.check.pairing import Difference, Side, comparable, feed, kept_trials
from shinrai.check.patience import Access, Patience
from shinrai.check.purse import Purse
from shinrai.check.scorers import Context, score_of
from shinrai.check.sources import Wanted, source_of, target_from
from shinrai.check.targets.protocol import Target
from shinrai.check.targets.stack import target_of
from shinrai.check.tokens import token_bound
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import (
    Budget,
    Compared,
    Item,
    Pairing,
    Placed,
    RunFinished,
    RunStarted,
    SystemVersion,
    Trial,
    digest_file,
)
from shinrai.source import read_items
from shinrai.stats import Decision
from shinrai.workspace import data_file, fingerprint

__all__ = ["compare_versions", "version_meant"]

FIRST_ROUND = 16
"""Items of the first round; each further round asks for half as many again as there are."""


def version_meant(state: State, promise: Promise, name: str) -> SystemVersion:
    """Find the version that a promise is to be set beside.

    Parameters
    ----------
    state : State
        Of the ledger.
    promise : Promise
        On the system that is compared.
    name : str
        ``3`` or ``before`` of the same system; ``other-system`` or ``other-system@2``.

    Returns
    -------
    SystemVersion

    Raises
    ------
    UsageError
        If there is no such version.
    """
    own = promise.commitment.system
    system, at, number = name.partition("@")
    if name.isdigit() or name == "before":
        system, number = own, name
    versions = state.versions.get(system, [])
    if not versions:
        meant = nearest(system, state.versions)
        raise UsageError(
            "compare.unknown-system",
            _("there is no system {name} in the ledger").format(name=repr(system)),
            hint=_("did you mean {name}?").format(name=repr(meant)) if meant else None,
        )
    wanted = len(versions) - 1 if number == "before" else int(number) if at or name.isdigit() else len(versions)
    found = next((one for one in versions if one.number == wanted), None)
    if found is None or found.fingerprint == promise.commitment.fingerprint:
        raise UsageError(
            "compare.unknown-version",
            _("{system} has no other version {number}").format(system=system, number=number or wanted),
            hint=_("versions: {numbers}").format(numbers=", ".join(str(one.number) for one in versions)),
        )
    return found


async def compare_versions(  # noqa: PLR0913 - what a command is given
    root: Path,
    ledger: Ledger,
    against: str,
    *,
    systems: Collection[str] | None = None,
    claims: Collection[str] | None = None,
    budget: Budget,
    allowed_hosts: Collection[str] = (),
    patience: Patience | None = None,
) -> list[Pairing]:
    """Set the promises in force beside another version, and write down what was found out.

    Parameters
    ----------
    root : Path
        Of the workspace. Whoever calls holds its lock.
    ledger : Ledger
        Open for writing.
    against : str
        As for `version_meant`.
    systems, claims : collection of str, optional
        Only these.
    budget : Budget
        Calls, tokens and money that may be spent now.
    allowed_hosts : collection of str
        Where systems may be asked.
    patience : Patience, optional
        How failed attempts are tried again.

    Returns
    -------
    list of Pairing
        One for each claim whose trials can be compared, in the order in which they were promised.

    Raises
    ------
    UsageError
        If a name is unknown, nothing can be compared, or files of a version are not what they were.
    TargetError
        If one of the two, or a judge or driver of theirs, cannot be reached.
    StoreError
        If a reply could not be kept.
    """
    state = ledger.state()
    promises = [one for one in chosen(state, systems, claims) if comparable(one.commitment)]
    named = against.partition("@")[0]
    if named in state.versions:  # another system has claims of its own: each is set beside itself on the other
        promises = [one for one in promises if one.commitment.system != named]
    elif not systems:
        promises = [one for one in promises if len(state.versions.get(one.commitment.system, [])) > 1]
    if not promises:
        raise UsageError(
            "compare.nothing",
            _("there is nothing to compare"),
            hint=_("needed is a failure rate or a pass rate, measured by trials, of a system with another version"),
        )
    work = _Work(root, ledger, Purse(budget), allowed_hosts, patience or Patience())
    return [await work.compare(promise, version_meant(state, promise, against)) for promise in promises]


def _require_no_instrument(promise: Promise, other: SystemVersion) -> None:
    """Refuse to set a system beside its own judge, or beside who drives its dialogues.

    Raises
    ------
    UsageError
        If the other side would judge itself, or talk to itself.
    """
    for name, pinned in instruments_of(promise.commitment):
        if other.system.id == name or other.fingerprint == pinned:
            raise UsageError(
                "compare.instrument",
                _("{claim} is measured with {name}, which cannot be the other side as well").format(
                    claim=promise.commitment.claim, name=name
                ),
                hint=_("leave it out: name the others with --claim"),
            )


class _Collected(Claim):
    """A claim whose trials are all wanted: what they decide, the pairs decide."""

    def _decided(self) -> Decision | None:
        return None

    def _is_futile(self) -> bool:
        return False

    def _reach(self) -> int:
        return LONGEST_QUEUE


class _Question(NamedTuple):
    """What both are asked."""

    promise: Promise
    items: Sequence[Item]
    order: Sequence[Placed]


@dataclass(slots=True)
class _Work:
    root: Path
    ledger: Ledger
    purse: Purse
    allowed_hosts: Collection[str]
    patience: Patience

    async def compare(self, promise: Promise, other: SystemVersion) -> Pairing:
        state = self.ledger.state()
        _require_no_instrument(promise, other)
        own = version_of(state, promise.commitment.system)
        sides = [kept_trials(self.root, state, promise, version) for version in (own, other)]
        found = Difference(promise.commitment)
        feed(found, zip(sides[0].trials, sides[1].trials, strict=False))
        if not found.decided:
            sides = await self._ask_further(self._question(promise), sides, found)
        result = found.conclude(promise, *sides)
        self.ledger.append(Compared(pairing=result))
        return result

    def _question(self, promise: Promise) -> _Question:
        commitment = promise.commitment
        if commitment.data is not None and commitment.data.task is not None:
            raise UsageError(
                "compare.inspect",
                _("{claim} needs more trials, and a task of Inspect runs for one version at a time").format(
                    claim=commitment.claim
                ),
                hint=_(
                    "`shinrai check compare` shows the samples that both versions have had so far; "
                    "name the other claims with --claim"
                ),
            )
        if commitment.data is None or commitment.data.use.file is None:
            return _Question(promise, (), ())
        require_source_unchanged(self.root, commitment.data)
        path = data_file(self.root, commitment.data.use)
        if digest_file(path) != commitment.data.digest:
            raise UsageError(
                "compare.data-changed",
                _("the data {name} have changed since the plan").format(name=commitment.data.use.file),
                hint=_("run `shinrai plan` first: it makes a new promise"),
            )
        items = read_items(path, shown_as=commitment.data.use.file)
        return _Question(promise, items, commitment.draw(items)[: commitment.budget])

    async def _ask_further(self, question: _Question, sides: list[Side], found: Difference) -> list[Side]:
        """Ask both in rounds until the pairs decide it, the items end or the budget does."""
        require_instruments_unchanged(self.ledger.state(), self.root, question.promise.commitment)
        for side in sides:
            self._require_files(side.version)
        async with AsyncExitStack() as stack:
            asked = [await stack.enter_async_context(_Asked(self, question, side)) for side in sides]
            n, open_ended = found.pairs, True
            while open_ended and not found.decided and n < len(question.order):
                n = min(len(question.order), max(FIRST_ROUND, n + n // 2))
                for one in asked:
                    open_ended = await one.up_to(n) and open_ended
                pairs = zip(*(one.trials for one in asked), strict=False)
                feed(found, list(pairs)[found.pairs :])
            return [one.side() for one in asked]

    def _require_files(self, version: SystemVersion) -> None:
        """Refuse a version whose files are no longer what they were.

        Raises
        ------
        UsageError
            If its fingerprint cannot be made again.
        """
        if fingerprint(version.system, self.root)[0] != version.fingerprint:
            raise UsageError(
                "compare.files-changed",
                _("version {number} of {system} can no longer be asked: its files have changed since").format(
                    number=version.number, system=version.system.id
                ),
                hint=_("put the files back, or compare what was measured before they changed"),
            )


class _Asked:
    """One side while it is asked: its target, its run, its trials so far."""

    def __init__(self, work: _Work, question: _Question, side: Side) -> None:
        self._work = work
        self._question = question
        self._side = side
        self.trials: list[Trial] = list(side.trials)
        self._target = self._target_of(work, question)
        self._instruments = Instruments(work.ledger.state(), [question.promise])
        self._started: RunStarted | None = None

    def _target_of(self, work: _Work, question: _Question) -> Target:
        """Build what is asked: the system, or the trial source with the system behind it."""
        system, commitment = self._side.version.system, question.promise.commitment
        source = source_of(commitment)
        if not source:
            return target_of(system, work.root, work.allowed_hosts)
        wanted = Wanted(system, work.root, work.allowed_hosts, [commitment], lambda _one: question.items, work.patience)
        return target_from(source, wanted)

    async def __aenter__(self) -> Self:
        work, version = self._work, self._side.version
        self._stack = AsyncExitStack()
        self._stack.push_async_callback(self._target.close)
        self._stack.push_async_callback(self._instruments.close)
        try:
            await self._target.open()
            await self._instruments.open(work.root, work.allowed_hosts, work.patience.clock)
            self._require_instruments()
            self._access = Access(self._target, work.patience.clock, token_bound(version.system))
            self._begin()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    def _require_instruments(self) -> None:
        """Refuse to ask where nobody could judge the replies, or lead the dialogues.

        Raises
        ------
        TargetError
            If a judge or a driver could not be opened.
        """
        lacking = self._instruments.lacking(self._question.promise)
        if lacking is not None:
            raise lacking

    def _begin(self) -> None:
        """Begin a run, with every call that was made for these trials before."""
        work, version = self._work, self._side.version
        state = work.ledger.state()
        name = f"run-{len(state.runs) + 1:04d}"
        self._started = RunStarted(
            run=name,
            system=version.system.id,
            fingerprint=version.fingerprint,
            commitments=(self._question.promise.digest,),
            directory=f"{RUNS}/{name}",
        )
        self._folder = work.root / self._started.directory
        Journal.create(self._folder / CALLS)
        work.ledger.append(self._started)
        self._journal = Journal(self._folder / CALLS, shown_as=f"{self._started.directory}/{CALLS}")
        self._stack.callback(self._journal.close)
        for run in self._side.runs:
            for line in lines_of(work.root, state.runs[run]):
                if line.end != "error" and self._journal.number(line.key) is None:
                    self._journal.write(msgspec.structs.replace(line, run=line.run or run))

    async def up_to(self, n: int) -> bool:
        """Have the trials of the first so many items; False where asking had to end before."""
        work, promise = self._work, self._question.promise
        system = self._side.version.system
        commitment = promise.commitment
        if commitment.scorer is None or self._started is None:
            return False
        work.purse.take_up(system, self._instruments.systems)
        found: list[Trial] = []
        claim = _Collected(
            commitment,
            promise.digest,
            self._question.order[:n],
            kind=commitment.trial_kind(system.kind),
            score=score_of(commitment, Context(secrets=system.secrets, root=work.root)),
            run=self._started.run,
            keep=found.append,
        )
        engine = Engine(
            run=self._started.run,
            system=system.id,
            access=self._access,
            claims=[claim],
            journal=self._journal,
            purse=work.purse,
            patience=work.patience,
            instruments=self._instruments.ways,
        )
        end = await engine.measure()
        self.trials = found
        return end == "complete"

    async def __aexit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if kind is None:
                self._conclude()
        finally:
            await self._stack.aclose()

    def _conclude(self) -> None:
        """Archive calls and trials, and tell the ledger."""
        work, started = self._work, self._started
        if started is None:
            return
        calls = len(self._journal)
        spending = work.purse.settle_run()
        with TrialFiles(self._folder) as files:
            keep = files.of_the_next_claim()
            for trial in self.trials:
                keep(trial)
            paths = write_run(self._folder, journals_of(self._folder), files.files)
        digests = {f"{started.directory}/{path.name}": digest_file(path) for path in paths}
        details = {"compared": True, **work.purse.in_words(spending)}
        work.ledger.append(RunFinished(run=started.run, end="complete", files=digests, calls=calls, details=details))
        for journal in journals_of(self._folder):
            journal.unlink()

    def side(self) -> Side:
        """Give what it has come to."""
        return Side(self._side.version, self.trials, (self._started.run,) if self._started else ())
