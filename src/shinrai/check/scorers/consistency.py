"""Consistency: repetitions or paraphrases of one question get the same answer."""

from __future__ import annotations

from shinrai.check.scorers.comparing import same_answers
from shinrai.check.scorers.details import N_
from shinrai.check.scorers.interface import Context, ScoreFunction
from shinrai.records import Consistency

DIFFERENT = N_("the same question got different answers")


def build(use: Consistency, _context: Context) -> ScoreFunction:
    """Pass when all replies of the trial give the same answer, read as yes or no, or as text."""
    return same_answers(use.compare, DIFFERENT)
