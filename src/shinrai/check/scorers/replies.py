"""What all scorers do alike: missing calls, unreadable replies, several replies in one trial."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.folding import LONGEST_READ
from shinrai.records import Call, Item, Score

NO_REPLY = N_("there is no reply")
EMPTY = N_("the reply is empty")
NOT_TEXT = N_("the reply is not a text")
TOO_LONG = N_("the reply is too long to be read; characters")
ONE_REPLY = N_("there are fewer than two replies to compare")
NO_FIELD = N_("the item has no usable field")

_SURROGATES = re.compile("[\ud800-\udfff]")
_SEVERITY = {"pass": 0, "invalid": 1, "fail": 2}


def unmeasured(calls: Sequence[Call]) -> Score | None:
    """Tell a trial that was not measured.

    Returns
    -------
    Score or None
        ``error`` with the kind of the first error, else ``blocked``, else None: every call brought a reply.
    """
    blocked = False
    for call in calls:
        if call.end == "error":
            return Score("error", call.error or "error")
        blocked = blocked or call.end == "blocked"
    return Score("blocked") if blocked else None


def judge_each(calls: Sequence[Call], judge: Callable[[str], Score]) -> Score:
    """Judge every reply of a trial on its own.

    Returns
    -------
    Score
        That of the worst reply: fail before invalid before pass. No reply at all, a reply that is not a text, and one
        longer than 1,048,576 characters are invalid.
    """
    if not calls:
        return Score("invalid", NO_REPLY)
    scores = [unreadable(call) or judge(call.reply) for call in calls]
    return scores[0] if len(scores) == 1 else max(scores, key=lambda score: _SEVERITY[score.outcome])


def unreadable(call: Call) -> Score | None:
    """Give the score of a reply that is no text of a readable length, else None."""
    if not isinstance(call.reply, str):
        return Score("invalid", NOT_TEXT)
    if len(call.reply) > LONGEST_READ:
        return Score("invalid", detail(TOO_LONG, len(call.reply)))
    return None


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which no encoding can carry, by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def text_field(item: Item, field: str) -> str | None:
    """Give a field of an item as a text; whole numbers as they are written. None if it is anything else, or blank."""
    value = item.fields.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def field_of(prediction: object, field: str) -> object:
    """Give a field of a prediction; None when there is no prediction, no such field, or it is null."""
    return prediction.get(field) if isinstance(prediction, Mapping) else None
