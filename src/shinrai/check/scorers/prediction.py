"""Prediction: a field of the prediction has the right value."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import NO_FIELD, NO_REPLY, field_of
from shinrai.check.scorers.values import same
from shinrai.records import Call, Item, Prediction, Score

PREDICTED = N_("predicted")
NOT_COMPARABLE = N_("the prediction and the value to compare it with are not of one kind")


def build(use: Prediction, _context: Context) -> ScoreFunction:
    """Pass when the field of every prediction of the trial equals a value, or a column of the record."""

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        wanted = use.equals if use.column is None else item.fields.get(use.column)
        if wanted is None:
            return Score("invalid", detail(NO_FIELD, use.column))
        if not calls:
            return Score("invalid", NO_REPLY)
        found = [field_of(call.reply, use.field) for call in calls]
        equal = [same(value, wanted) for value in found]
        if None in equal:
            return Score("invalid", detail(NOT_COMPARABLE, found[equal.index(None)], wanted))
        if all(equal):
            return Score("pass")
        return Score("fail", detail(PREDICTED, found[equal.index(False)]))

    return score
