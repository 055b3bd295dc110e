"""Includes: a text appears, or does not appear, in the reply."""

from __future__ import annotations

from collections.abc import Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.folding import fold
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, NO_FIELD, judge_each, text_field
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Call, Includes, Item, Outcome, Score

FOUND = N_("the reply contains")
MISSING = N_("the reply does not contain")


def build(use: Includes, _context: Context) -> ScoreFunction:
    """Pass when the reply contains (or does not contain) a text; case and Unicode width aside.

    Raises
    ------
    UsageError
        If the text is blank: everything contains it.
    """
    if use.text is not None and not fold(use.text).strip():
        raise UsageError("scorer.blank-text", _("scorer includes: the text to look for is blank"))

    fixed = None if use.text is None else fold(use.text).casefold()

    def score(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        wanted = fixed if fixed is not None else fold(text_field(item, str(use.field)) or "").casefold()
        if not wanted.strip():
            return Score("invalid", detail(NO_FIELD, use.field))
        return judge_each(calls, lambda reply: _judge(fold(reply).casefold(), wanted, use))

    return score


def _judge(reply: str, wanted: str, use: Includes) -> Score:
    if not reply.strip() and use.must == "not-appear":
        return Score("invalid", EMPTY)
    found = wanted in reply
    outcome: Outcome = "pass" if found == (use.must == "appear") else "fail"
    return Score(outcome, detail(FOUND if found else MISSING, wanted))
