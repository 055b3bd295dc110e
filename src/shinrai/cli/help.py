r"""Help and click's own messages in Japanese. Loaded only when Japanese is spoken, so that starting stays cheap.

The English texts stay where they are: docstrings, ``help=``, epilogs. They are translated paragraph by paragraph when
they are shown; a paragraph marked with ``\b`` keeps its lines.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from gettext import bindtextdomain, textdomain
from inspect import cleandoc

import click

from shinrai.i18n import DOMAIN, LOCALE, _

_AS_IT_STANDS = "\b\n"
_NOT_FIRST = frozenset("、。，．,.:;!?！？：；・）)」』】〉》］]ーっゃゅょッャュョ％%")
_NOT_LAST = frozenset("（(「『【〈《［[")
_TOKENS = re.compile(r"\s+|[!-~]+|.", re.DOTALL)
_EXTRA = re.compile(r"(.*?)(  \[.*\])?", re.DOTALL)


def speak_japanese() -> None:
    """Let click say everything in Japanese: its own messages by gettext, the texts of this program by `JapaneseHelp`.

    Python's gettext, which click asks, takes the language from the environment alone.
    """
    bindtextdomain(DOMAIN, LOCALE)
    textdomain(DOMAIN)
    os.environ["LANGUAGE"] = "ja"
    click.Context.formatter_class = JapaneseHelp


def paragraphs(text: str) -> Iterator[tuple[bool, str]]:
    r"""Take a help text apart.

    Parameters
    ----------
    text : str
        As a docstring, an epilog or a ``help=`` has it.

    Yields
    ------
    tuple of bool and str
        Whether its lines stay as they are (``\b``), and a paragraph: its lines, or one line to be wrapped.
    """
    for block in re.split(r"\n\s*\n", cleandoc(text).strip("\n")):
        if block.startswith(_AS_IT_STANDS):
            yield True, block.removeprefix(_AS_IT_STANDS)
        elif block:
            yield False, " ".join(block.split())


def width_of(text: str) -> int:
    """Count the columns that a text takes in a terminal: two for each full-width character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, width: int) -> list[str]:
    """Break a text of Japanese and Latin words into lines.

    Parameters
    ----------
    text : str
        One paragraph.
    width : int
        Columns. A Latin word is never cut; one that is wider has a line of its own.

    Returns
    -------
    list of str
        No line begins with a closing mark or ends with an opening one, unless a space stands there in the text.
    """
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width_of(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> Iterator[str]:
    """Give the pieces between which a line may break."""
    piece = ""
    for token in _TOKENS.findall(text):
        if piece and not (token[0] in _NOT_FIRST or piece[-1] in _NOT_LAST):
            yield piece
            piece = ""
        piece += token
    yield piece


class JapaneseHelp(click.HelpFormatter):
    """Writes help pages in Japanese, wrapped by the width that characters take on the screen."""

    def write_text(self, text: str) -> None:
        """Translate and write paragraphs."""
        width = self.width - self.current_indent
        blocks = []
        for as_it_stands, paragraph in paragraphs(text):
            said = _(paragraph)
            blocks.append(_AS_IT_STANDS + (said if as_it_stands else "\n".join(wrap(said, width))))
        super().write_text("\n\n".join(blocks))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Translate and write a list of names and what they mean; names stay as they are."""
        rows = list(rows)
        names = min(max((width_of(name) for name, _text in rows), default=0), col_max) + col_spacing
        width = max(self.width - names - 2, 10)
        super().write_dl([(name, _meaning(text, width)) for name, text in rows], col_max, col_spacing)


def _meaning(text: str, width: int) -> str:
    parts = _EXTRA.fullmatch(text)
    if not text or parts is None:
        return text
    sentence = " ".join(parts[1].split())
    return _AS_IT_STANDS + "\n".join(wrap(_(sentence) + (parts[2] or ""), width))
