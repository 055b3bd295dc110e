"""Verdicts of a judge that people's labels correct, and how good the judge was found to be."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shinrai.check.gauges import turned_trace
from shinrai.check.labels import UNKNOWN, Answer, Labelled, Sheet, agreement, labelled, sheet_of
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import Commitment, Counts, Digest, Json, Judged, Measured, Outcome, Reason, Trial, Verdict
from shinrai.stats import ConfirmedFlagsTest, Decision, JudgedRateTest, binomial_interval, plan_proportion

__all__ = ["Correction", "correct", "judge_labels", "verdict_from_labels"]

_SCORES: dict[Outcome, float] = {"pass": 0.0, "fail": 1.0}
_HORIZON = 2_000


@dataclass(slots=True)
class Correction:
    """The tests of one promise, fed with every label that counts.

    Parameters
    ----------
    blocks : JudgedRateTest
        Decides both ways, at the committed error level.
    blocks_violated : JudgedRateTest
        The same for "violated", at half the level where flags are confirmed, too.
    flags : ConfirmedFlagsTest, optional
        At half the level.
    wanted : str, optional
        Id of the reply that has to be labelled next.
    spent : bool
        Whether every block has its label.
    """

    blocks: JudgedRateTest
    blocks_violated: JudgedRateTest
    flags: ConfirmedFlagsTest | None
    wanted: str | None = None
    spent: bool = False

    @property
    def decision(self) -> Decision | None:
        """The verdict, if there is one."""
        if self.blocks.decision is Decision.MET:
            return Decision.MET
        proven = self.blocks_violated.decision is Decision.VIOLATED
        if proven or (self.flags is not None and self.flags.decision is Decision.VIOLATED):
            return Decision.VIOLATED
        return None

    @property
    def evidence(self) -> tuple[float, float]:
        """E-values for and against; the larger of the two ways, brought to the committed level, where there are two."""
        against = self.blocks_violated.evidence_violated
        if self.flags is None:
            return self.blocks.evidence_met, against
        return self.blocks.evidence_met, max(against, self.flags.evidence_violated) / 2.0


def correct(sheet: Sheet, labels: Labelled) -> Correction:
    """Run the tests of a promise over the labels that there are.

    Parameters
    ----------
    sheet : Sheet
        The replies.
    labels : Labelled
        What people said about some of them.

    Returns
    -------
    Correction

    Raises
    ------
    ValueError
        If the promise is not about a rate.
    """
    commitment, plan = sheet.commitment, sheet.plan
    limit = commitment.failure_limit
    if limit is None:
        raise ValueError(f"{commitment.metric} cannot be corrected by labels")
    shared = commitment.alpha / 2.0 if plan.confirm_flags else commitment.alpha
    found = Correction(
        JudgedRateTest(limit, commitment.alpha),
        JudgedRateTest(limit, shared),
        ConfirmedFlagsTest(limit, shared) if plan.confirm_flags else None,
    )
    _feed_flags(found, sheet, labels)
    _feed_blocks(found, sheet, labels)
    return found


def _feed_blocks(found: Correction, sheet: Sheet, labels: Labelled) -> None:
    every = sheet.plan.every
    heads = {reply.position: reply.id for reply in sheet.drawn}
    for start in range(0, len(sheet.trials) - every + 1, every):
        if found.decision is not None:
            return
        first, *others = sheet.trials[start : start + every]
        answer = labels.answer(heads[start]) if start in heads else _without_reply(first, sheet.commitment)
        if answer is None:
            found.wanted = heads[start]
            return
        scores = [_SCORES.get(trial.outcome) for trial in (first, *others)]
        for test in (found.blocks, found.blocks_violated):
            test.update(answer, scores[0], scores[1:])
    found.spent = True


def _without_reply(trial: Trial, commitment: Commitment) -> Answer:
    """Read a trial that nobody can label: as unknown, unless the promise says how blocks count."""
    if trial.outcome == "blocked" and commitment.blocked != "missing":
        score = _SCORES[commitment.blocked]
        return score, score
    return UNKNOWN


def _feed_flags(found: Correction, sheet: Sheet, labels: Labelled) -> None:
    """Go on up to the first flag that nobody has looked at yet."""
    if found.flags is None:
        return
    marks = {reply.position: reply.id for reply in sheet.flagged}
    for trial in sheet.trials:
        answer = labels.answer(marks[trial.position]) if trial.position in marks else (0.0, 0.0)
        if answer is None or found.flags.decision is not None:
            return
        found.flags.update(*answer)


def judge_labels(root: Path, ledger: Ledger, promises: Iterable[Promise] | None = None) -> list[Verdict]:
    """Judge anew what people have labelled since, and write it down.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Open for writing.
    promises : iterable of Promise, optional
        Only these; all in force when left out.

    Returns
    -------
    list of Verdict
        The new ones.

    Raises
    ------
    TamperedError
        If a run file or a file of labels is gone or was changed.
    """
    state = ledger.state()
    new = []
    for promise in state.promises.values() if promises is None else promises:
        verdict, last = verdict_from_labels(root, state, promise), state.judgement(promise.commitment.key)
        if verdict is not None and last is not None and last.verdict != verdict:
            new.append(verdict)
    ledger.append(*(Judged(verdict=verdict) for verdict in new))
    return new


def verdict_from_labels(
    root: Path, state: State, promise: Promise, only: Collection[Digest] | None = None
) -> Verdict | None:
    """Judge a promise from its judge's scores and people's labels.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    promise : Promise
        Any.
    only : collection of Digest, optional
        Hashes of the ledger entries whose labels count; all of them when left out.

    Returns
    -------
    Verdict or None
        The same for the same labels. None where labels do not matter or have not come yet.

    Raises
    ------
    TamperedError
        If a run file or a file of labels is gone or was changed.
    """
    sheet = sheet_of(root, state, promise)
    if sheet is None:
        return None
    labels = labelled(root, state, sheet, only)
    last = state.judgement(promise.commitment.key)
    if not labels.count or last is None:
        return None
    found = correct(sheet, labels)
    status, reason = _status(found, sheet)
    test, level = found.blocks, found.blocks.interval().level
    interval = test.interval()
    span = _turned(sheet.commitment, test.estimate(), interval.lower, interval.upper)
    met, violated = found.evidence
    return Verdict(
        commitment=promise.digest,
        claim=promise.commitment.claim,
        system=promise.commitment.system,
        status=status,
        reason=reason,
        counts=_counts(sheet.trials),
        estimate=span[0],
        lower=span[1] if test.n else None,
        upper=span[2] if test.n else None,
        level=level if test.n else None,
        evidence_met=met,
        evidence_violated=violated,
        calls=last.verdict.calls,
        run=last.verdict.run,
        evidence=tuple(entry.hash for entry in labels.entries),
        trace=turned_trace(test, turn=sheet.commitment.metric == "pass-rate"),
        details={**_of_driver(last.verdict), "judge": _quality(found, sheet, labels)},
    )


def _of_driver(before: Verdict) -> dict[str, Json]:
    """Keep what was counted of the driver of the dialogues: labels do not change what it said."""
    return {name: value for name, value in before.details.items() if name == "driver"}


def _status(found: Correction, sheet: Sheet) -> tuple[Measured, Reason]:
    if found.decision is not None:
        return ("met" if found.decision is Decision.MET else "violated"), "decided"
    if not found.spent:
        return "undecided", "labels-needed"
    return "undecided", "budget-spent" if _items(sheet.commitment) > len(sheet.trials) else "data-spent"


def _items(commitment: Commitment) -> int:
    return commitment.data.items if commitment.data else 0


def _turned(
    commitment: Commitment, estimate: float | None, lower: float, upper: float
) -> tuple[float | None, float, float]:
    """Give a failure rate in the unit of the metric."""
    if commitment.metric == "failure-rate":
        return estimate, lower, upper
    return (None if estimate is None else 1.0 - estimate), 1.0 - upper, 1.0 - lower


def _counts(trials: Sequence[Trial]) -> Counts:
    outcomes = [trial.outcome for trial in trials]
    return Counts(
        passed=outcomes.count("pass"),
        failed=outcomes.count("fail"),
        invalid=outcomes.count("invalid"),
        blocked=outcomes.count("blocked"),
        error=outcomes.count("error"),
    )


# ---- how good the judge is


def _quality(found: Correction, sheet: Sheet, labels: Labelled) -> dict[str, Json]:
    """Compare the judge with the labels of the random sample, in shares with intervals."""
    readable = [trial.outcome for trial in sheet.trials if trial.outcome in _SCORES]
    pairs = [(reply.opinion, labels.answer(reply.id)) for reply in sheet.drawn]
    table = {
        f"{opinion}-{label}": sum(pair == (opinion, answer) for pair in pairs)
        for opinion in ("pass", "fail", "invalid")
        for label, answer in (("pass", (0.0, 0.0)), ("fail", (1.0, 1.0)))
    }
    told: dict[str, Json] = {
        "raw": readable.count("fail") / len(readable) if readable else None,
        "judged": sum(map(sheet.has_reply, sheet.trials)),
        "labelled": sum(labels.answer(key) is not None for key in sheet.known),
        "labels": sum(answer is not None for _opinion, answer in pairs),
        "used": _used(found, sheet, labels),
        "unknown": sum(answer == UNKNOWN for _opinion, answer in pairs),
        "flags": sum(labels.answer(reply.id) is not None for reply in sheet.flagged),
        "table": table,
        "sensitivity": _share(table["fail-fail"], table["fail-fail"] + table["pass-fail"] + table["invalid-fail"]),
        "specificity": _share(table["pass-pass"], table["pass-pass"] + table["fail-pass"] + table["invalid-pass"]),
        "labellers": {name: len(given) for name, given in sorted(labels.by.items())},
    }
    both = agreement(labels)
    if both is not None and both.n:
        told["agreement"] = {
            "n": both.n,
            "agreed": both.agreed,
            "kappa": both.kappa,
            "lower": both.interval.lower if both.interval else None,
            "upper": both.interval.upper if both.interval else None,
        }
    alone = _people_alone(found, sheet)
    if alone is not None:
        told["people_alone"] = alone
    return told


def _used(found: Correction, sheet: Sheet, labels: Labelled) -> int:
    """Count the labels up to the verdict: those that a spreadsheet brought in behind it were not needed."""
    end = found.blocks.n * sheet.plan.every
    return sum(reply.position < end and labels.answer(reply.id) is not None for reply in sheet.drawn)


def _share(hits: int, of: int) -> Json:
    if not of:
        return None
    interval = binomial_interval(hits, of)
    return {"n": of, "value": hits / of, "lower": interval.lower, "upper": interval.upper}


def _people_alone(found: Correction, sheet: Sheet) -> int | None:
    """Labels that the same verdict would be expected to take without a judge, at the rate that was found."""
    rate, limit = found.blocks.estimate(), sheet.commitment.failure_limit
    if found.decision is None or rate is None or limit is None:
        return None
    return math.ceil(plan_proportion(limit, sheet.commitment.alpha, _HORIZON, min(max(rate, 0.0), 1.0)).expected)
