"""Regex: a regular expression is found, or is not found, in the reply."""

from __future__ import annotations

from collections.abc import Sequence

import jsonschema_rs

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import EMPTY, judge_each, without_surrogates
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Call, Item, Outcome, Regex, Score

FOUND = N_("the reply matches the pattern")
MISSING = N_("the reply does not match the pattern")


def build(use: Regex, _context: Context) -> ScoreFunction:
    """Pass when the pattern is found (or is not found) anywhere in the reply.

    Python's ``re`` has no time limit, and a reply can be made to keep a harmless-looking pattern busy for years. So
    patterns run in the finite-automaton engine that jsonschema-rs carries (Rust's ``regex``), whose time grows in
    proportion to the reply. It has neither look-around nor back-references.

    Raises
    ------
    UsageError
        If the pattern is not one that engine accepts.
    """
    try:
        matcher = jsonschema_rs.Draft202012Validator(
            {"pattern": use.pattern}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError as error:
        raise UsageError(
            "scorer.bad-pattern",
            _("scorer regex: {pattern} is not a pattern that can be used").format(pattern=repr(use.pattern)),
            hint=_("look-around and back-references are not supported: their running time has no bound"),
        ) from error

    def judge(reply: str) -> Score:
        if not reply.strip() and use.must == "not-match":
            return Score("invalid", EMPTY)
        found = matcher.is_valid(without_surrogates(reply))
        outcome: Outcome = "pass" if found == (use.must == "match") else "fail"
        return Score(outcome, detail(FOUND if found else MISSING, use.pattern))

    def score(_item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        return judge_each(calls, judge)

    return score
