"""Calls of a trial that follow from its first ones: what a judge is asked about the replies."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.judge import judgements_for
from shinrai.check.trials import Ask
from shinrai.records import Call, Commitment, Item, Judge

__all__ = ["follows", "further_asks"]


def follows(commitment: Commitment) -> bool:
    """Whether trials of a promise can need calls that depend on earlier replies."""
    return commitment.scorer is not None and isinstance(commitment.scorer.use, Judge)


def further_asks(commitment: Commitment, item: Item, asks: Sequence[Ask], calls: Sequence[Call]) -> tuple[Ask, ...]:
    """Give the calls that a trial needs further.

    Parameters
    ----------
    commitment : Commitment
        Whose trial it is.
    item : Item
        What it is made of.
    asks, calls : sequence
        Those of the trial so far, all finished, in the same order.

    Returns
    -------
    tuple of Ask
        None where the trial is complete.
    """
    use = commitment.scorer.use if commitment.scorer else None
    return judgements_for(use, item, asks, calls) if isinstance(use, Judge) else ()
