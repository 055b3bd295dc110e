"""Problems as plain text: the line as it stands in the file, and a caret under the place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from shinrai.errors import Problem
from shinrai.i18n import _

_WIDEST: Final = 100
_TAB: Final = "    "
_RED: Final = "\x1b[1;31m"
_BLUE: Final = "\x1b[1;34m"
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"


def render(problems: Iterable[Problem], *, color: bool = False) -> str:
    """Write problems for a terminal or a log.

    Parameters
    ----------
    problems : iterable of Problem
        Written in the order given.
    color : bool
        With ANSI colours.

    Returns
    -------
    str
        One block for each problem, an empty line between two. Characters that would steer a terminal are shown as
        U+FFFD. The caret stands under the character at fault, also behind Japanese: a full-width character is
        counted as two columns.
    """
    return "\n\n".join(_block(problem, color=color) for problem in problems)


def display_width(text: str) -> int:
    """Count the columns that a text takes in a terminal: 2 for full-width characters, 0 for combining ones."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _block(problem: Problem, *, color: bool) -> str:
    paint = _paint if color else _no_paint
    place = f"{_inert(problem.file)}:{problem.line}:{problem.column}"
    gutter = " " * len(str(problem.line))
    bar = paint("|", _BLUE)
    word = _("error")
    head = paint(f"{word}[{problem.code}]", _RED) + paint(f": {_inert(problem.message)}", _BOLD)
    lines = [head, f"{gutter}{paint('-->', _BLUE)} {place}"]
    if problem.excerpt is not None:
        excerpt = "…" + problem.excerpt if problem.cut else problem.excerpt
        shown, width = _window(excerpt, problem.column - max(problem.cut - 1, 0))
        lines += [
            f"{gutter} {bar}",
            f"{paint(str(problem.line), _BLUE)} {bar} {shown}".rstrip(),
            f"{gutter} {bar} {' ' * width}{paint('^', _RED)}",
        ]
    for label, text in ((_("expected"), problem.expected), (_("hint"), problem.hint)):
        if text is not None:
            lines.append(f"{gutter} {paint('=', _BLUE)} {paint(label, _BOLD)}: {_inert(text)}")
    return "\n".join(lines)


def _window(excerpt: str, column: int) -> tuple[str, int]:
    """Give the part of a line to show and the columns in front of the caret; a long line is cut around the caret."""
    before, after = _inert(excerpt[: column - 1]), _inert(excerpt[column - 1 :])
    if display_width(before) + display_width(after) <= _WIDEST:
        return (before + after).rstrip(), display_width(before)
    before = _cut(before[::-1], _WIDEST // 2)[::-1]
    return (before + _cut(after, _WIDEST // 2)).rstrip(), display_width(before)


def _cut(text: str, most: int) -> str:
    """Keep the beginning of a text, as many characters as fit, with ``…`` for the rest."""
    width = 0
    for number, character in enumerate(text):
        width += _width(character)
        if width > most:
            return text[:number] + "…"
    return text


def _inert(text: str) -> str:
    """Show what would steer the terminal or turn the direction of writing as U+FFFD."""
    return "".join(
        "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else character
        for character in text.replace("\t", _TAB)
    )


def _paint(text: str, style: str) -> str:
    return f"{style}{text}{_PLAIN}"


def _no_paint(text: str, _style: str) -> str:
    return text
