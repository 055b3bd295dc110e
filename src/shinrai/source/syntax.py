"""What the YAML parser's complaints mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from shinrai.i18n import _


@dataclass(frozen=True, slots=True)
class Explained:
    """A syntax error in words a person can act on; `index` counts characters from the start of the file."""

    code: str
    index: int
    message: str
    expected: str | None = None
    hint: str | None = None


def explain_syntax(error: yaml.MarkedYAMLError, text: str) -> Explained:
    """Explain a parser error.

    Parameters
    ----------
    error : yaml.MarkedYAMLError
        From PyYAML's C or Python parser.
    text : str
        The whole file.

    Returns
    -------
    Explained
    """
    mark = error.problem_mark or error.context_mark
    index = min(mark.index, len(text)) if mark is not None else 0
    reason = error.problem or ""
    character = text[index : index + 1]
    if "tab character" in reason or (character == "\t" and "cannot start any token" in reason):
        tab = text.find("\t", index)
        message = _("a tab stands where YAML wants spaces")
        return Explained("source.tab", tab if tab >= 0 else index, message, None, _("indent with spaces"))
    if "unexpected end of stream" in reason and error.context_mark is not None:
        return Explained(
            "source.syntax", error.context_mark.index, _("this quote is never closed"), None, _("close it")
        )
    message, hint = _in_words(reason, character)
    if "：" in _line_around(text, index) and "：" not in message:
        hint = _('a full-width colon "：" does not separate key and value: write ": "')
    elif "flow" in (error.context or "") and error.context_mark is not None:
        hint = _("the bracket opened in line {line}, column {column} may not be closed").format(
            line=error.context_mark.line + 1, column=error.context_mark.column + 1
        )
    return Explained("source.syntax", index, message, None, hint)


def _in_words(reason: str, character: str) -> tuple[str, str | None]:
    for part, message, hint in _known():
        if part in reason:
            return message.format(character=character), hint
    return _("this is not valid YAML: {reason}").format(reason=reason or "?"), None


def _known() -> Iterator[tuple[str, str, str | None]]:
    """Give parts of the parser's sentences with ours; made when needed, in the language in use."""
    indentation = _("compare the indentation with the lines above")
    yield "cannot start any token", _("a value cannot begin with {character}"), _("put the text in quotes")
    hint = _('put a text that holds ": " in quotes, or check the indentation')
    yield "mapping values are not allowed", _('a ":" does not belong here'), hint
    yield "could not find expected ':'", _('a key without its ":"'), _('write a space after the ":"')
    for part in ("did not find expected '-'", "did not find expected <document start>"):
        yield part, _("this line does not continue what stands above it"), indentation
    for part in ("did not find expected key", "expected <block end>"):
        yield part, _("a key was expected here"), indentation
    yield "expected ','", _("a comma or a closing bracket was expected here"), None


def _line_around(text: str, index: int) -> str:
    """Give the line of a place and the one before it: the mistake is often there."""
    start = text.rfind("\n", 0, max(text.rfind("\n", 0, index), 0)) + 1
    end = text.find("\n", index)
    return text[start : end if end >= 0 else len(text)]
