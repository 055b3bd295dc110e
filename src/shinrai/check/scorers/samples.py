"""Rows that carry scores of their own: how a trial of several is scored, by their columns or by their replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from shinrai.check.scorers.interface import Request, ScoreFunction
from shinrai.records import Call, Column, Item, Outcome, Score, ScorerUse

__all__ = ["of_samples", "worst_of"]

_SEVERITY: Final[Mapping[Outcome, int]] = {"pass": 0, "invalid": 1, "blocked": 2, "error": 3, "fail": 4}


def worst_of(rule: ScoreFunction, rows: Iterable[tuple[Item, Call | None]]) -> Score:
    """Score each row by itself: the trial fails if any of them fails, and is missing if any other of them is.

    Parameters
    ----------
    rule : callable
        That reads columns.
    rows : iterable of tuple
        At least one row, with its call where it has one.

    Returns
    -------
    Score
    """
    scores = [rule(row, (), [call] if call is not None else ()) for row, call in rows]
    return max(scores, key=lambda score: _SEVERITY[score.outcome])


def of_samples(use: ScorerUse, rule: ScoreFunction) -> ScoreFunction:
    """Let a scorer read samples: calls whose reply is a whole row, as `shinrai.source.Row` keeps it.

    Parameters
    ----------
    use : ScorerUse
        ``column`` reads the columns of each row; the others read what the rows hold under ``reply``.
    rule : callable
        Its scoring function.

    Returns
    -------
    callable
        As `shinrai.check.scorers.scorer` gives it.
    """

    def by_column(_item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        return worst_of(rule, [(_row(call), call) for call in calls])

    def by_reply(item: Item, _requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        return rule(item, [_asked(call) for call in calls], [_as_text(call) for call in calls])

    return by_column if isinstance(use, Column) else by_reply


def _row(call: Call) -> Item:
    fields: dict[str, Any] = call.reply if isinstance(call.reply, dict) else {}
    return Item(str(fields.get("id", "")), fields)


def _asked(call: Call) -> str:
    return "\n\n".join(_row(call).fields.get("prompts", ()))


def _as_text(call: Call) -> Call:
    return msgspec.structs.replace(call, reply=_row(call).fields.get("reply")) if call.end == "ok" else call
