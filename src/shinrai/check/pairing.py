"""Two versions item by item: from how their trials ended to what is proven of the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shinrai.check.archive import read_trials, run_files
from shinrai.ledger import Promise, Run, State
from shinrai.records import Commitment, Measured, Outcome, Pairing, Superiority, SystemVersion, Trial
from shinrai.stats import Decision, PairedTest

__all__ = ["Difference", "Side", "comparable", "kept_trials", "pair", "same_question"]

COMPARED = ("failure-rate", "pass-rate")
"""The metrics whose trials pass or fail one by one."""


class Side(NamedTuple):
    """One of the two: a version, and the trials that there are of it, in committed order."""

    version: SystemVersion
    trials: Sequence[Trial]
    runs: tuple[str, ...] = ()


class Difference:
    """The tests of a difference of pass rates, fed pair by pair in committed order.

    Parameters
    ----------
    commitment : Commitment
        Its error level, its margin, and how it counts blocks.
    """

    def __init__(self, commitment: Commitment) -> None:
        self._commitment = commitment
        margin, alpha = commitment.margin, commitment.alpha
        self._not_worse = None if margin is None else PairedTest.non_inferiority(margin, alpha)
        self._direction = PairedTest(0.0, alpha)
        self.pairs = self.fixed = self.broken = self.missing = 0

    def feed(self, first: Outcome, second: Outcome) -> None:
        """Take in how both ended on the next item."""
        a, b = self._read(first), self._read(second)
        for test in self._tests:
            test.update_pair(a, b)
        self.pairs += 1
        self.fixed += a == (1.0, 1.0) and b == (0.0, 0.0)
        self.broken += a == (0.0, 0.0) and b == (1.0, 1.0)
        self.missing += (0.0, 1.0) in {a, b}

    def _read(self, outcome: Outcome) -> tuple[float, float]:
        if outcome == "blocked" and self._commitment.blocked != "missing":
            outcome = self._commitment.blocked
        return {"pass": (1.0, 1.0), "fail": (0.0, 0.0)}.get(outcome, (0.0, 1.0))

    @property
    def _tests(self) -> Iterator[PairedTest]:
        yield self._direction
        if self._not_worse is not None:
            yield self._not_worse

    @property
    def decided(self) -> bool:
        """Whether further pairs are not needed: "not worse" is decided, or without a margin, which one is better."""
        return (self._not_worse or self._direction).decision is not None

    def conclude(self, promise: Promise, first: Side, second: Side) -> Pairing:
        """Say what was found out."""
        commitment = promise.commitment
        test = self._not_worse or self._direction
        interval = test.interval() if self.pairs else None
        status = self._status()
        return Pairing(
            commitment=promise.digest,
            claim=commitment.claim,
            system=commitment.system,
            number=first.version.number,
            fingerprint=first.version.fingerprint,
            against=second.version.system.id,
            against_number=second.version.number,
            against_fingerprint=second.version.fingerprint,
            margin=commitment.margin,
            status=status,
            # A loss of more than the margin is a loss.
            direction="worse" if status == "violated" else _DIRECTIONS[self._direction.decision],
            pairs=self.pairs,
            fixed=self.fixed,
            broken=self.broken,
            missing=self.missing,
            estimate=test.estimate() if self.pairs else None,
            lower=interval.lower if interval else None,
            upper=interval.upper if interval else None,
            level=interval.level if interval else None,
            runs=(*first.runs, *second.runs),
        )

    def _status(self) -> Measured:
        if self._not_worse is None or self.pairs == self.missing:
            return "not_measured"
        decision = self._not_worse.decision
        return "undecided" if decision is None else "met" if decision is Decision.MET else "violated"


_DIRECTIONS: Mapping[Decision | None, Superiority] = {
    Decision.MET: "better",
    Decision.VIOLATED: "worse",
    None: "undecided",
}


def comparable(commitment: Commitment) -> bool:
    """Whether trials of a promise can be set beside one another: each passes or fails, by a rule and not by labels.

    A promise on one imported log is decided from the very same replies for every version: nothing can be compared.
    """
    data = commitment.data
    if data is None or (data.use.imported is not None and data.use.file is None):
        return False
    return commitment.metric in COMPARED and commitment.label_plan is None


def same_question(one: Commitment, other: Commitment) -> bool:
    """Whether two promises ask the same in the same order, and read it by the same rule, instruments and margin."""
    names = ("claim", "metric", "data", "order_seed", "scorer", "variants", "dialogue", "blocked", "margin")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def kept_trials(root: Path, state: State, promise: Promise, version: SystemVersion) -> Side:
    """Gather the trials on a version that were made for the same question as a promise, from the longest such run.

    Trials that were made for another threshold count as well, for another margin or another order they do not.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    promise : Promise
        The question.
    version : SystemVersion
        Of its system, or of another.

    Returns
    -------
    Side
        Without trials where there are none.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    best = Side(version, ())
    for run, digest in _measured(state, promise, version):
        files = run_files(root, run.finished, "trials") if run.finished else []
        trials = list(read_trials(files, commitment=digest))
        if trials and len(trials) >= len(best.trials):
            best = Side(version, trials, (run.started.run,))
    return best


def _measured(state: State, promise: Promise, version: SystemVersion) -> Iterator[tuple[Run, str]]:
    """Give each finished run on a version with the digest under which it holds trials of the same question."""
    key = f"{promise.commitment.claim}@{version.system.id}"
    asked = [one for one in state.history.get(key, []) if same_question(one.commitment, promise.commitment)]
    digests = dict.fromkeys((*(one.digest for one in asked), promise.digest))
    for run in state.runs.values():
        if run.finished is not None and run.started.fingerprint == version.fingerprint:
            yield from ((run, digest) for digest in digests if digest in run.started.commitments)


def pair(promise: Promise, first: Side, second: Side) -> Pairing:
    """Compare what there is: the items that both were asked, from the first on, up to the decision.

    Parameters
    ----------
    promise : Promise
        The question.
    first, second : Side
        The version that the promise is about, and the one beside it.

    Returns
    -------
    Pairing
    """
    found = Difference(promise.commitment)
    feed(found, zip(first.trials, second.trials, strict=False))
    return found.conclude(promise, first, second)


def feed(found: Difference, pairs: Iterable[tuple[Trial, Trial]]) -> None:
    """Feed pairs until it is decided.

    Raises
    ------
    ValueError
        If the two are not about the same item: nothing is bound by its place alone.
    """
    for one, other in pairs:
        if one.item != other.item:
            raise ValueError(f"trial {one.position} is about {one.item} on one side and {other.item} on the other")
        if found.decided:
            return
        found.feed(one.outcome, other.outcome)
