"""What measuring a promise will cost, before the first call; and whether it can be decided at all."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shinrai.plan.data import PinnedData
from shinrai.records import (
    Commitment,
    Digest,
    Id,
    Item,
    Json,
    NotAskable,
    Placed,
    TrialKind,
    asked,
    call_key,
    calls_of_trial,
)
from shinrai.stats import (
    Decision,
    DifferenceTest,
    RatioTest,
    fewest_clean_blocks,
    finite_stopping_table,
    plan_at_half,
    smallest_clean_sample,
)
from shinrai.stats.rates import log_evidence_above, log_evidence_below


@dataclass(frozen=True, slots=True)
class Effort:
    """What one promise needs if nothing were shared with others.

    Parameters
    ----------
    trials, calls : int
        In the worst case: the whole budget.
    expected_trials, expected_calls : int or None
        Mean, if the system fails half as often as the threshold allows. None where that cannot be said beforehand
        (ratios, differences and bands); then only the worst case is known.
    p95_trials, p95_calls : int or None
        Enough in 95 % of runs of that system; the whole budget where more than 5 % of them end without a verdict.
    enough : int or None
        Trials after which the promise could be met at the earliest, every one of them passing. None for bands.
    can_be_met : bool
        Whether the budget and the data suffice for "met" in the best case.
    """

    trials: int
    calls: int
    expected_trials: int | None
    expected_calls: int | None
    p95_trials: int | None
    p95_calls: int | None
    enough: int | None
    can_be_met: bool

    def to_json(self) -> dict[str, Json]:
        """Give the effort as JSON values."""
        return {
            "trials": self.trials,
            "calls": self.calls,
            "expected_trials": self.expected_trials,
            "expected_calls": self.expected_calls,
            "p95_trials": self.p95_trials,
            "p95_calls": self.p95_calls,
            "enough": self.enough,
            "can_be_met": self.can_be_met,
        }


@dataclass(frozen=True, slots=True)
class TrialSource:
    """Claims on one system that draw from one file: a call serves all of them that need it.

    Parameters
    ----------
    claims : tuple of str
        Keys ``claim@system``.
    calls : int
        In the worst case, each counted once.
    expected_calls : int
        The same where an expectation is known, the worst case where it is not.
    """

    system: Id
    data: str
    claims: tuple[str, ...]
    calls: int
    expected_calls: int

    def to_json(self) -> dict[str, Json]:
        """Give the source as JSON values."""
        return {
            "system": self.system,
            "data": self.data,
            "claims": list(self.claims),
            "calls": self.calls,
            "expected_calls": self.expected_calls,
        }


@dataclass(frozen=True, slots=True)
class Measurable:
    """A promise that is measured by trials, with what it needs.

    Parameters
    ----------
    kind : {"chat", "predictor"}
        Of its system.
    """

    commitment: Commitment
    data: PinnedData
    kind: TrialKind
    effort: Effort


def effort(commitment: Commitment, data: PinnedData, kind: TrialKind) -> Effort:
    """Work out what a promise needs.

    Parameters
    ----------
    commitment : Commitment
        Measured by trials.
    data : PinnedData
        Its data.
    kind : {"chat", "predictor"}
        Of its system.

    Returns
    -------
    Effort
    """
    drawn = data.drawn[: commitment.budget]
    if data.committed.use.imported is not None:
        return _nothing_to_ask(commitment, len(drawn))
    expected, p95 = _likely_trials(commitment, len(drawn))
    enough, can_be_met = _best_case(commitment, drawn)
    return Effort(
        trials=len(drawn),
        calls=_calls(drawn, commitment, kind),
        expected_trials=expected,
        expected_calls=None if expected is None else _calls(drawn[:expected], commitment, kind),
        p95_trials=p95,
        p95_calls=None if p95 is None else _calls(drawn[:p95], commitment, kind),
        enough=enough,
        can_be_met=can_be_met,
    )


def _nothing_to_ask(commitment: Commitment, trials: int) -> Effort:
    """Work out what imported trials need: no calls, all of them, and enough for a test that looks once."""
    limit = commitment.failure_limit
    enough = None if limit is None else math.ceil(math.log(commitment.alpha) / math.log1p(-limit))
    if commitment.population == "data-set" or (commitment.data is not None and commitment.data.use.file is not None):
        enough = None  # a whole data set decides itself; replies still to come are not known
    return Effort(
        trials=trials,
        calls=0,
        expected_trials=trials,
        expected_calls=0,
        p95_trials=trials,
        p95_calls=0,
        enough=enough,
        can_be_met=enough is None or enough <= trials,
    )


def trial_sources(planned: Iterable[Measurable]) -> tuple[TrialSource, ...]:
    """Gather the promises that share their calls.

    Parameters
    ----------
    planned : iterable of Measurable
        Promises measured by trials, with their data.

    Returns
    -------
    tuple of TrialSource
        In the order in which they first appear. Imported data need no calls and are left out.
    """
    groups: dict[tuple[Id, Digest], list[Measurable]] = {}
    for one in planned:
        if one.data.committed.use.imported is None:
            groups.setdefault((one.commitment.system, one.data.committed.digest), []).append(one)
    return tuple(_source(system, members) for (system, _digest), members in groups.items())


def _calls(drawn: Sequence[Placed], commitment: Commitment, kind: TrialKind) -> int:
    if commitment.data is None:
        return 0
    return sum(sum(calls_of_trial(item, kind, commitment)) for item, _side in drawn)


def _keys(item: Item, commitment: Commitment, kind: TrialKind) -> set[str]:
    """Name the calls that an item needs; those that follow from replies, not known yet, get names of their own."""
    dialogue = commitment.dialogue.use if commitment.dialogue else None
    try:
        own = {call_key(*one) for one in asked(item, kind, commitment.variants, dialogue)}
    except NotAskable:
        return set()
    needed = calls_of_trial(item, kind, commitment)
    if dialogue is not None:
        return own | {f"{item.id} {commitment.key} {number}" for number in range(sum(needed) - len(own))}
    return own | {f"{key} {commitment.key} {number}" for key in own for number in range(needed.judged // needed.own)}


def _source(system: Id, members: Sequence[Measurable]) -> TrialSource:
    worst: set[str] = set()
    expected: set[str] = set()
    for one in members:
        needed = one.effort
        likely = needed.trials if needed.expected_trials is None else needed.expected_trials
        for position, (item, _side) in enumerate(one.data.drawn[: needed.trials]):
            keys = _keys(item, one.commitment, one.kind)
            worst |= keys
            if position < likely:
                expected |= keys
    return TrialSource(
        system=system,
        data=members[0].data.name,
        claims=tuple(one.commitment.key for one in members),
        calls=len(worst),
        expected_calls=len(expected),
    )


def _likely_trials(commitment: Commitment, trials: int) -> tuple[int | None, int | None]:
    """Mean and 95th percentile of the trials, within those that there are."""
    limit = commitment.failure_limit
    if limit is None or not trials or commitment.label_plan is not None:
        return None, None
    plan = plan_at_half(limit, commitment.alpha, trials, commitment.finite_population)
    return min(math.ceil(plan.expected), trials), plan.p95


def _best_case(commitment: Commitment, drawn: Sequence[Placed]) -> tuple[int | None, bool]:
    limit = commitment.failure_limit
    plan = commitment.label_plan
    if limit is not None and plan is not None:
        labels = fewest_clean_blocks(limit, commitment.alpha, len(drawn) // plan.every)
        return (labels or 0) * plan.every or None, labels is not None
    if limit is not None and commitment.finite_population is not None:
        enough = bisect.bisect_left(finite_stopping_table(limit, commitment.alpha, commitment.finite_population).met, 0)
        return enough, enough <= len(drawn)
    if limit is not None:
        enough = smallest_clean_sample(limit, commitment.alpha)
        return enough, enough <= len(drawn)
    if isinstance(commitment.threshold, tuple):
        return None, _band_can_be_met(commitment.threshold, commitment.alpha, len(drawn))
    enough_of_both = _both_groups_pass(commitment, drawn)
    return enough_of_both, enough_of_both is not None


def _band_can_be_met(band: tuple[float, float], alpha: float, trials: int) -> bool:
    """Tell whether some number of passes proves both that the rate is above the one edge and below the other."""
    passes = np.arange(trials + 1)
    low, high = band
    above = log_evidence_above(trials, passes, low)
    below = log_evidence_below(trials, passes, high)
    return bool(np.any(np.minimum(above, below) >= -math.log(alpha)))


def _both_groups_pass(commitment: Commitment, drawn: Sequence[Placed]) -> int | None:
    """Count the trials after which two groups that always pass are proven alike; None if the data end before.

    Raises
    ------
    ValueError
        If the promise compares no groups.
    """
    threshold = commitment.threshold
    if commitment.groups is None or not isinstance(threshold, float):
        raise ValueError(f"{commitment.metric} needs two groups and one threshold")
    ratio = commitment.metric == "rate-ratio"
    test = RatioTest(threshold, commitment.alpha) if ratio else DifferenceTest(threshold, commitment.alpha)
    for number, placed in enumerate(drawn, start=1):
        if placed.side is not None:
            test.update(placed.side, 1.0, 1.0)
        if test.decision is Decision.MET:
            return number
    return None
