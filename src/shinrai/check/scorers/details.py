"""Details of scores: one of a fixed set of English sentences, and what it is about.

They are written into run files, which must not depend on the language somebody works in; ``explain`` gives them in a
language when they are shown.
"""

from __future__ import annotations

import re

from shinrai.i18n import Language, translate

_SHOWN = 60
_TURN = re.compile(r"turn (?P<number>[1-9][0-9]{0,2})(?: · (?P<rest>.*))?", re.DOTALL)


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "extract this, translate it later"
    """Mark a sentence for translation where it is written."""
    return sentence


def detail(sentence: str, *about: object) -> str:
    """Join a sentence and what it is about; texts are shortened and cannot control a terminal or a page's direction.

    Parameters
    ----------
    sentence : str
        Marked with ``N_``; holds no ``": "``.
    *about
        What was found.

    Returns
    -------
    str
        ``"sentence"`` or ``"sentence: one, two"``.
    """
    return f"{sentence}: {', '.join(inert(thing) for thing in about)}" if about else sentence


def in_turn(number: int, text: str) -> str:
    """Put the turn of a dialogue before a detail: ``"turn 3"`` or ``"turn 3 · sentence"``; turns count from 1."""
    return f"turn {number} · {text}" if text else f"turn {number}"


def turn_of(text: str) -> int | None:
    """Read the turn of a dialogue that a detail is about; None where it is about none."""
    found = _TURN.fullmatch(text)
    return int(found["number"]) if found else None


def explain(text: str, language: Language) -> str:
    """Give a detail in a language. What it is about stays as it was found."""
    turn = _TURN.fullmatch(text)
    if turn is not None:
        named = translate(N_("turn {number}"), language).format(number=turn["number"])
        return f"{named} · {explain(turn['rest'], language)}" if turn["rest"] else named
    sentence, colon, about = text.partition(": ")
    return translate(sentence, language) + colon + about if sentence else text


def inert(thing: object) -> str:
    """Shorten a value to 60 characters and replace what is not printable (controls, bidi marks) by ``·``."""
    text = thing if isinstance(thing, str) else repr(thing)
    if len(text) <= _SHOWN and text.isprintable():
        return text
    shown = "".join(character if character.isprintable() else "·" for character in text[:_SHOWN])
    return shown + "…" if len(text) > _SHOWN else shown
