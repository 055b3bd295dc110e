"""Exact: the reply is the expected text."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.folding import fold
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, NO_FIELD, judge_each, text_field
from shinrai.records import Call, Exact, Item, Score

DIFFERS = N_("the reply is not the expected text")


def build(use: Exact, _context: Context) -> ScoreFunction:
    """Pass when the reply equals the expected text, white space at the ends and Unicode width aside; case counts."""

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        expected = use.expected if use.field is None else text_field(item, use.field)
        if expected is None:
            return Score("invalid", detail(NO_FIELD, use.field))
        wanted = fold(expected).strip()
        return judge_each(calls, lambda reply: _judge(fold(reply).strip(), wanted))

    return score


def _judge(reply: str, wanted: str) -> Score:
    if reply == wanted:
        return Score("pass")
    return Score("fail", detail(DIFFERS, reply) if reply else EMPTY)
