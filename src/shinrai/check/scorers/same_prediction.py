"""Same prediction: all variants of a record get the same value."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import ONE_REPLY, field_of
from shinrai.check.scorers.values import same
from shinrai.records import Call, Item, SamePrediction, Score

DIFFERENT = N_("the predictions differ")
NOT_COMPARABLE = N_("the predictions lack the field, or are not of one kind")


def build(use: SamePrediction, _context: Context) -> ScoreFunction:
    """Pass when the field is the same in all predictions of the trial; the first is that of the unchanged record."""

    def score(_item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        if len(calls) < 2:
            return Score("invalid", ONE_REPLY)
        found = [field_of(call.reply, use.field) for call in calls]
        equal = [same(value, found[0]) for value in found]
        if None in equal:
            return Score("invalid", detail(NOT_COMPARABLE, *found))
        return Score("pass") if all(equal) else Score("fail", detail(DIFFERENT, *found))

    return score
