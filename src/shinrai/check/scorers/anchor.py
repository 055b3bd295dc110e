"""Anchor: a judge is asked about replies that people have labelled, and gives the same verdict or not."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.judge import read_opinion
from shinrai.check.scorers.replies import NO_FIELD, judge_each, text_field
from shinrai.records import Anchor, Call, Item, Score

AGREES = N_("the judge says what people say")
DIFFERS = N_("people say otherwise than the judge")


def build(use: Anchor, _context: Context) -> ScoreFunction:
    """Pass when the judge's verdict is the label; a verdict that cannot be read is invalid."""

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        label, number = text_field(item, use.field), text_field(item, use.number)
        if label not in {"pass", "fail"} or number is None:
            return Score("invalid", detail(NO_FIELD, use.field if number else use.number))

        def judge(reply: str) -> Score:
            reading = read_opinion(reply, number)
            if reading.opinion is None:
                return Score("invalid", reading.why)
            agrees = reading.opinion == label
            return Score("pass" if agrees else "fail", AGREES if agrees else detail(DIFFERS, label))

        return judge_each(calls, judge)

    return score
