"""YAML files as people write them: size, encoding, and then the contents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.source.composer import compose
from shinrai.source.document import LINE_BREAK, MAX_PROBLEMS, Document
from shinrai.source.masking import masked_line

MAX_BYTES: Final = 1_000_000
"""Largest YAML file that is read."""

# Beside control characters: line breaks that YAML 1.1 knows and YAML 1.2 and editors do not.
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(path: Path, *, shown_as: str, max_bytes: int = MAX_BYTES) -> Document:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
        Where it is.
    shown_as : str
        Its name in messages, relative to the workspace.
    max_bytes : int
        A larger file is refused unread.

    Returns
    -------
    Document

    Raises
    ------
    SourceError
        With every problem of the file.
    """
    document = examine_yaml(path, shown_as=shown_as, max_bytes=max_bytes)
    if document.problems:
        raise SourceError(document.problems)
    return document


def examine_yaml(path: Path, *, shown_as: str, max_bytes: int = MAX_BYTES) -> Document:
    """Read a YAML file as far as possible: as `read_yaml`, with the problems in the document instead of an error."""
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        return _refused(Problem("source.unreadable", shown_as, 1, 1, message))
    if len(raw) > max_bytes:
        message = _("the file is too large")
        expected = _("at most {count:,} bytes").format(count=max_bytes)
        return _refused(Problem("source.too-large", shown_as, 1, 1, message, expected))
    try:
        return parse_yaml(raw.decode(), shown_as=shown_as)
    except UnicodeDecodeError as error:
        return _refused(not_utf_8(raw, error, shown_as))


def not_utf_8(raw: bytes, error: UnicodeDecodeError, shown_as: str) -> Problem:
    """Locate the first byte that is not UTF-8."""
    before = LINE_BREAK.split(raw[: error.start].decode())
    rest = LINE_BREAK.split(raw[error.start : error.start + 200].decode(errors="replace"))
    return Problem(
        "source.encoding",
        shown_as,
        len(before),
        len(before[-1]) + 1,
        _("byte {byte} is not UTF-8").format(byte=f"0x{raw[error.start]:02X}"),
        expected=_("a file in UTF-8"),
        hint=_("save the file as UTF-8 (Shift_JIS and UTF-16 cannot be told apart safely)"),
        excerpt=masked_line(before[-1] + rest[0]),
    )


def parse_yaml(text: str, *, shown_as: str) -> Document:
    """Read YAML from a text as far as possible; what is wrong is in the document's `problems`."""
    document = Document(text, shown_as)
    if text.startswith("\ufeff"):
        message = _("the file begins with a byte order mark")
        document.report("source.bom", 0, message, None, _("save the file as UTF-8 without BOM"))
        document.complete = False
        return document
    for found in _UNREADABLE.finditer(text):
        document.complete = False
        message = _("the character U+{code} cannot stand in YAML").format(code=f"{ord(found.group()):04X}")
        hint = _('delete it, or write it as an escape inside double quotes, such as "\\n"')
        document.report("source.control-character", found.start(), message, None, hint)
        if len(document.problems) > MAX_PROBLEMS:
            return document
    if document.complete:
        compose(document)
    return document


def _refused(problem: Problem) -> Document:
    document = Document("", problem.file)
    document.problems.append(problem)
    document.complete = False
    return document
