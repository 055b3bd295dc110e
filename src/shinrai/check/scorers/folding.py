"""One form for texts that look the same, at a cost that no reply can drive up."""

from __future__ import annotations

import re
import unicodedata

LONGEST_READ = 2**20
"""Characters of the longest reply that is read; a longer one cannot be scored."""

_MARKS_IN_A_ROW = 30  # as many as the Stream-Safe Text Format of UAX #15 allows
_KEPT_CONTROLS = "\t\n\r\x85"
_ANSI = re.compile(r"\x1b\[[0-?]{0,32}+[ -/]{0,8}+[@-~]")


def fold(text: str) -> str:
    """Give a text in one width and without what cannot be seen.

    Compatibility forms become plain ones as in Unicode's NFKC (full-width and half-width forms, circled digits …).
    Control characters other than tab and line ends, bidi and zero-width marks, lone surrogates, variation selectors
    and ANSI escape sequences are dropped.

    Parameters
    ----------
    text : str
        Any string Python can hold.

    Returns
    -------
    str
        At most 4 times as long. Case and white space are as they were.

    Notes
    -----
    ``unicodedata.normalize`` alone takes minutes for a megabyte of combining marks out of order, and most of a second
    for some compatibility forms. Here each distinct character is normalised once, runs of combining marks are cut
    after 30, and the few characters that stand for a whole phrase (such as U+FDFA) stay as they are.
    """
    if text.isascii() and text.isprintable():  # most replies: nothing to change
        return text
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    table = {ord(character): form for character in set(text) if (form := _form(character)) != character}
    if table:
        text = text.translate(table)
    if text.isascii():
        return text
    marks = "".join(character for character in set(text) if unicodedata.combining(character))
    if marks and len(text) > _MARKS_IN_A_ROW:
        text = re.sub(f"([{marks}]{{{_MARKS_IN_A_ROW}}})[{marks}]+", r"\1", text)
    return unicodedata.normalize("NFC", text)


def _form(character: str) -> str | None:
    category = unicodedata.category(character)
    if category in {"Cf", "Cs"} or (category == "Cc" and character not in _KEPT_CONTROLS):
        return None
    if category == "Mn" and unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return None
    form = unicodedata.normalize("NFKC", character)
    return form if len(form) <= 4 else character


def alphanumerics(text: str) -> str:
    """Give only the letters and digits of a folded text, in lower case."""
    text = text.casefold()
    return text.translate({ord(character): None for character in set(text) if not character.isalnum()})
