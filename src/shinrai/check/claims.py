"""One claim while it is measured: which trials it wants next, how they ended, when it is decided.

How missing trials count
------------------------
A trial without a usable outcome (invalid, blocked, error) may have been a pass or a failure. By default the test is
given both readings at once and decides only what both would decide.

A commitment may allow a share of missing trials to be left out, with a reason. Then two tests run side by side: one on
the usable trials alone, one on all trials with both readings. The claim is decided as soon as

- the test on usable trials has decided and, at this moment, at most the allowed share of all trials is missing, or
- the test on all trials has decided.

That costs no error level: the second test is never ahead of the first (a missing trial can only slow it down), so
whatever is decided, the first test has decided, and it alone is wrong with probability at most alpha about the usable
trials. Both the first test's decision and the share at a moment depend on the past only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from shinrai.check.dialogue import TOO_LONG, Scoring, outcome_of_dialogue
from shinrai.check.fixed_sample import FixedGauge
from shinrai.check.following import follows, further_asks, judge_of
from shinrai.check.gauges import Gauge, Reading, gauge_for
from shinrai.check.journal import Journal, Line
from shinrai.check.repeating import NOT_DRIVEN, driven
from shinrai.check.scorers import ScoreFunction
from shinrai.check.scorers.details import N_, detail
from shinrai.check.trials import Ask, NotAskable, asks_for
from shinrai.records import (
    Commitment,
    Counts,
    Digest,
    Item,
    Outcome,
    Placed,
    Reason,
    Score,
    Side,
    Text,
    Trial,
    TrialKind,
    Verdict,
    calls_of_trial,
)
from shinrai.stats import Decision

__all__ = ["Claim", "Pending", "group_of", "outcome_of"]

_FIELDS: dict[Outcome, str] = {
    "pass": "passed",
    "fail": "failed",
    "invalid": "invalid",
    "blocked": "blocked",
    "error": "error",
}

NO_NUMBER = N_("the column that is to be changed holds no number")
"""In English in the run files, so that they do not depend on who ran them; translated when shown."""


LONGEST_QUEUE = 4096
"""Trials of a claim that may be drawn and not counted yet: what one stuck call can hold up."""

Keep: TypeAlias = Callable[[Trial], None]

_NO_ITEM = Item("", {})


class Pending:
    """A trial that was drawn and waits for its calls, then for its turn.

    Parameters
    ----------
    placed : Placed
    asks : tuple of Ask
    score : Score, optional
        Of an item that cannot be asked at all; otherwise known when its last call has finished.

    Attributes
    ----------
    open : int
        Of its calls, how many have not finished.
    numbers : sequence of int
        Of its calls in the journal, once it is scored.
    driven : Driven
        What a driver said in it, once it is scored.
    """

    __slots__ = ("asks", "driven", "numbers", "open", "placed", "score")

    def __init__(self, placed: Placed, asks: tuple[Ask, ...], score: Score | None = None) -> None:
        self.placed = placed
        self.asks = asks
        self.score = score
        self.open = 0
        self.numbers: Sequence[int] = ()
        self.driven = NOT_DRIVEN


class _Distinct:
    """Calls that a claim has used, by their number in the journal: a bit each."""

    __slots__ = ("count", "marks")

    def __init__(self) -> None:
        self.count = 0
        self.marks = bytearray()

    def add(self, number: int) -> None:
        marks, place, bit = self.marks, number >> 3, 1 << (number & 7)
        if place >= len(marks):
            marks.extend(bytes(place + 1 - len(marks)))
        if not marks[place] & bit:
            marks[place] |= bit
            self.count += 1


class Claim:
    """A commitment that is being measured.

    Parameters
    ----------
    commitment : Commitment
    digest : Digest
        Its name.
    order : sequence of Placed
        All its items, in committed order; the commitment's budget cuts it.
    kind : {"chat", "predictor"}, optional
        Of the system that is asked; None for trials that happened elsewhere.
    score : callable
    run : str, optional
    keep : callable, optional
        Given each trial when it is counted, in committed order. None is held in memory.
    gauge : callable, optional
        Builds the test from the commitment and the most trials that there can be; the sequential one where it is not
        given.
    retrospective : bool
        The trials are older than the commitment.

    Raises
    ------
    UsageError
        If an item cannot be asked: no prompts, no column to change.
    """

    def __init__(  # noqa: PLR0913 - what a claim is made of
        self,
        commitment: Commitment,
        digest: Digest,
        order: Sequence[Placed],
        *,
        kind: TrialKind | None,
        score: ScoreFunction,
        run: str | None = None,
        keep: Keep | None = None,
        gauge: Callable[[Commitment, int], Gauge] = gauge_for,
        retrospective: bool = False,
    ) -> None:
        self.commitment = commitment
        self._retrospective = retrospective
        self.digest = digest
        self.key = commitment.key
        self.order = order[: commitment.budget]
        self.n = 0
        self.pending: deque[Pending] = deque()
        self.decision: Decision | None = None
        self.futile = False
        self.verdict: Verdict | None = None
        self._spent: Reason = "budget-spent" if len(self.order) < len(order) else "data-spent"
        self._run = run
        self._keep = keep
        self._kind: TrialKind | None = kind
        self._follows = follows(commitment)
        self._asks = asks_for(kind, commitment.variants, commitment.dialogue) if kind else None
        self.calls_at_most = sum(map(self._cost, self.order)) if kind else 0
        self._calls_left = self.calls_at_most
        self._used = _Distinct()
        self._score = score
        self.driven = NOT_DRIVEN
        self._counts = dict.fromkeys(_FIELDS, 0)
        self._sides: dict[str, dict[Outcome, int]] = {}
        horizon = max(1, len(self.order))
        self._on_all = gauge(commitment, horizon)
        self._on_usable = gauge(commitment, horizon) if commitment.missing.allow_share > 0 else None
        self._gauges = (self._on_all,) if self._on_usable is None else (self._on_all, self._on_usable)
        self._drawn_at_most = len(self.order)
        self._keepable = self._on_all.can_be_met(self._drawn_at_most)
        self._reach_at: tuple[int, int] = (-1, 0)

    def _cost(self, placed: Placed) -> int:
        return sum(calls_of_trial(placed.item, self._kind, self.commitment)) if self._kind else 0

    @property
    def looks_once(self) -> bool:
        """Whether its test looks at all trials together, at the end."""
        return isinstance(self._on_all, FixedGauge)

    @property
    def used(self) -> bytearray:
        """A bit for each call that was used, by its number in the journal; the lowest bit of a byte comes first."""
        return self._used.marks

    @property
    def wants(self) -> bool:
        """Whether another trial could matter now."""
        waiting = len(self.pending)
        if self.closed or self.n + waiting >= self._drawn_at_most or waiting >= LONGEST_QUEUE:
            return False
        return waiting < self._reach()

    @property
    def closed(self) -> bool:
        """Whether no further trial is needed: it is decided, or nothing that is left could still decide it."""
        return self.decision is not None or self.futile

    @property
    def done(self) -> bool:
        """Whether it is closed or nothing is left to draw and to wait for."""
        return self.closed or self.n >= self._drawn_at_most

    def _reach(self) -> int:
        at, reach = self._reach_at
        if at != self.n:
            reach = (self._on_usable or self._on_all).reach()
            self._reach_at = (self.n, reach)
        return reach

    def draw(self) -> Pending:
        """Take the next trial of the committed order."""
        placed = self.order[self.n + len(self.pending)]
        try:
            pending = Pending(placed, self._asks(placed.item) if self._asks else ())
        except NotAskable as reason:
            pending = Pending(placed, (), Score("invalid", detail(NO_NUMBER, reason.column)))
        self.pending.append(pending)
        return pending

    def follow_up(self, pending: Pending, journal: Journal) -> tuple[Ask, ...]:
        """Give the calls that a trial needs now that its first ones have finished, and add them to it."""
        if not self._follows or self.closed or pending.score is not None:
            return ()
        calls = [journal.read(ask.key) for ask in pending.asks]
        more = further_asks(self.commitment, self._score, pending.placed.item, pending.asks, calls)
        pending.asks += more
        return more

    def settle(self, pending: Pending, journal: Journal) -> None:
        """Score a trial whose calls have all finished. Its replies are not needed any more."""
        if pending.score is None and not self.closed:
            calls = [journal.read(ask.key) for ask in pending.asks]
            pending.score = outcome_of(self.commitment, self._score, pending.placed.item, pending.asks, calls)
            pending.driven = driven(self.commitment, pending.placed.item, pending.asks, calls)
            found = [journal.number(ask.key) for ask in pending.asks]
            pending.numbers = [number for number in found if number is not None]

    def fold(self, journal: Journal) -> bool:
        """Count the scored trials at the head of the line, strictly in committed order.

        Parameters
        ----------
        journal : Journal
            Numbers the calls.

        Returns
        -------
        bool
            Whether this closed the claim. Trials behind the one that closed it are not counted.
        """
        pending = self.pending
        while not self.closed and pending and not pending[0].open:
            first = pending.popleft()
            if first.score is None:
                self.settle(first, journal)
            for number in first.numbers:
                self._used.add(number)
            self.driven = self.driven.plus(first.driven)
            self._calls_left -= self._cost(first.placed) if self._follows or not first.asks else len(first.asks)
            if first.score is not None:
                self._count(first, first.score)
                self.futile = self._is_futile()
        return self.closed

    def recount(self, outcome: Outcome, side: Side | None) -> None:
        """Count the next trial of a run that has ended, by its outcome alone."""
        self._count(Pending(Placed(_NO_ITEM, side), ()), Score(outcome))
        self.futile = self._is_futile()

    def take(self, placed: Placed, asks: tuple[Ask, ...], score: Score) -> None:
        """Count a trial that happened elsewhere, the next in order, with the calls that it was scored from."""
        self._count(Pending(placed, asks), score)
        self.futile = self._is_futile()

    def close(self) -> None:
        """Let a fixed-sample test look, now that all its trials are counted."""
        for gauge in self._gauges:
            if isinstance(gauge, FixedGauge):
                gauge.close()
        self.decision = self._decided()

    def take_all(self) -> None:
        """Count all rows of a file at once, and go on to its end after the decision."""
        for placed in self.order:
            self._count(Pending(placed, ()), self._score(placed.item, (), ()))
        if self.decision is None:
            self.close()

    def _count(self, pending: Pending, score: Score) -> None:
        placed, outcome = pending.placed, score.outcome
        group = group_of(self.commitment, placed.side)
        if group is not None:
            self._sides.setdefault(group, dict.fromkeys(_FIELDS, 0))[outcome] += 1
        if self._keep is not None:
            keys = tuple([ask.key for ask in pending.asks])
            self._keep(Trial(self.n, placed.item.id, keys, self.digest, outcome, detail=score.detail, group=group))
        self.n += 1
        self._counts[outcome] += 1
        reading = self._reading(outcome)
        self._on_all.feed(reading, placed.side)
        if self._on_usable is not None and reading != "missing":
            self._on_usable.feed(reading, placed.side)
        if self.decision is None:
            self.decision = self._decided()

    def _is_futile(self) -> bool:
        """Whether it is certain by now that the rest ends undecided, so that its calls would be spent in vain.

        A promise with too few data for any outcome to keep it is measured to the end, for its interval; and as long as
        nothing usable was seen, the next trial may be the first.
        """
        remaining = self._drawn_at_most - self.n
        if self.decision is not None or not self._keepable or not remaining:
            return False
        for gauge in self._gauges:
            if gauge.can_be_met(remaining) or gauge.can_be_violated(remaining):
                return False
        return self.n != self._missing

    def _reading(self, outcome: Outcome) -> Reading:
        if outcome in {"pass", "fail"}:
            return outcome
        return self.commitment.blocked if outcome == "blocked" else "missing"

    def _decided(self) -> Decision | None:
        if self._may_leave_out:
            return self._gauge.decision
        return self._on_all.decision

    @property
    def _missing(self) -> int:
        blocked = self._counts["blocked"] if self.commitment.blocked == "missing" else 0
        return self._counts["invalid"] + self._counts["error"] + blocked

    @property
    def _may_leave_out(self) -> bool:
        return self._on_usable is not None and self._missing <= self.commitment.missing.allow_share * self.n

    @property
    def _gauge(self) -> Gauge:
        """The test that speaks for the claim now."""
        return self._on_usable if self._on_usable is not None and self._may_leave_out else self._on_all

    def position(self) -> tuple[float | None, float | None, float | None]:
        """Give estimate, lower and upper bound now, in the unit of the metric."""
        span = self._gauge.span()
        return span.estimate, span.lower, span.upper

    def conclude(self, cut_short: Reason | None = None, note: Text | None = None) -> Verdict:
        """Say what was found out. The first call fixes the verdict.

        Parameters
        ----------
        cut_short : Reason, optional
            Why measuring ended before the claim was done.
        note : Text, optional
            For a person, on what cut it short.

        Returns
        -------
        Verdict
        """
        if self.verdict is None:
            self.verdict = self._verdict(cut_short, note)
        return self.verdict

    def _verdict(self, cut_short: Reason | None, note: Text | None) -> Verdict:
        commitment, gauge = self.commitment, self._gauge
        span = gauge.span()
        status, reason = self._status(cut_short)
        details: dict[str, Any] = {"test": gauge.name} if isinstance(gauge, FixedGauge) else {}
        if self._missing and self._may_leave_out:
            details["left_out"] = self._missing
        if status == "undecided" and cut_short is not None:
            details["cut_short"] = True
        if self.driven.messages:
            details["driver"] = self.driven._asdict()
        return Verdict(
            commitment=self.digest,
            claim=commitment.claim,
            system=commitment.system,
            status=status,
            reason=reason,
            borderline=status == "undecided" and gauge.borderline(span),
            counts=_counts(self._counts),
            groups={name: _counts(found) for name, found in sorted(self._sides.items())} or None,
            estimate=span.estimate,
            lower=span.lower if self.n else None,
            upper=span.upper if self.n else None,
            level=span.level if self.n else None,
            evidence_met=gauge.test.evidence_met if self.n else 0.0,
            evidence_violated=gauge.test.evidence_violated if self.n else 0.0,
            calls=self._used.count,
            calls_saved=self._calls_left if self.closed else 0,
            retrospective=self._retrospective,
            run=self._run,
            trace=gauge.trace() if self.n else (),
            note=note,
            details=details,
        )

    def _status(self, cut_short: Reason | None) -> tuple[Any, Reason]:
        if self.decision is not None:
            return self.decision.value, "decided"
        if not self.order:
            return "not_measured", "no-data"
        unreachable = cut_short in {"target-unreachable", "target-failed", "helper-failed"}
        if self.n == self._missing:  # nothing usable so far, or nothing at all
            return "not_measured", cut_short if cut_short and (unreachable or not self.n) else "nothing-usable"
        if self.futile:
            return "undecided", "futile"
        if cut_short is None:
            labelled = self.commitment.label_plan is not None
            return ("not_measured", "labels-needed") if labelled else ("undecided", self._spent)
        return ("not_measured", cut_short) if unreachable else ("undecided", cut_short)


def group_of(commitment: Commitment, side: Side | None) -> str | None:
    """Give the value of the group column that a side stands for; None where groups are not compared."""
    groups = commitment.groups
    if groups is None or side is None:
        return None
    return groups.a if side == "a" else groups.b


def outcome_of(
    commitment: Commitment, score: ScoreFunction, item: Item, asks: Sequence[Ask], calls: Sequence[Line]
) -> Score:
    """Score a trial whose calls have all finished. A reply that was cut is never judged by its beginning.

    What blocks a helper says nothing about the system: such a trial is an error, not blocked.
    """
    if any(ask.to is not None and call.end == "blocked" for ask, call in zip(asks, calls, strict=True)):
        return Score("error", "helper-blocked")
    if commitment.dialogue is not None:
        return outcome_of_dialogue(Scoring(commitment.dialogue.use, judge_of(commitment), score), item, asks, calls)
    longest = max([call.cut for call in calls], default=0)
    if longest and all(call.end == "ok" for call in calls):
        return Score("invalid", detail(TOO_LONG, longest))
    return score(item, [ask.request for ask in asks], calls)


def _counts(found: dict[Outcome, int]) -> Counts:
    return Counts(**{_FIELDS[outcome]: number for outcome, number in found.items()})
