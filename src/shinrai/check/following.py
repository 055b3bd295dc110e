"""Calls of a trial that follow from its first ones: the next turns of a dialogue, and what a judge is asked."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.dialogue import Scoring, next_asks
from shinrai.check.scorers import ScoreFunction
from shinrai.check.scorers.judge import judgements_for
from shinrai.check.trials import Ask
from shinrai.records import Call, Commitment, Item, Judge

__all__ = ["follows", "further_asks", "judge_of"]


def judge_of(commitment: Commitment) -> Judge | None:
    """Give the judge of a promise; None where none judges."""
    use = commitment.scorer.use if commitment.scorer else None
    return use if isinstance(use, Judge) else None


def follows(commitment: Commitment) -> bool:
    """Whether trials of a promise can need calls that depend on earlier replies."""
    return commitment.dialogue is not None or judge_of(commitment) is not None


def further_asks(
    commitment: Commitment, score: ScoreFunction, item: Item, asks: Sequence[Ask], calls: Sequence[Call]
) -> tuple[Ask, ...]:
    """Give the calls that a trial needs further.

    Parameters
    ----------
    commitment : Commitment
        Whose trial it is.
    score : callable
        Its scorer.
    item : Item
        What it is made of.
    asks, calls : sequence
        Those of the trial so far, all finished, in the same order.

    Returns
    -------
    tuple of Ask
        None where the trial is complete.
    """
    judge = judge_of(commitment)
    if commitment.dialogue is not None:
        return next_asks(Scoring(commitment.dialogue.use, judge, score), item, asks, calls)
    return () if judge is None else judgements_for(judge, item, asks, calls)
