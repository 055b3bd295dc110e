"""JSON of others, read strictly and within bounds: every mistake with line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # public in all but the stubs
from pathlib import Path
from typing import Any, Final, NoReturn

from shinrai.errors import Problem, SourceError
from shinrai.i18n import N_, _
from shinrai.records import Json
from shinrai.source.document import LINE_BREAK, Place
from shinrai.source.reading import not_utf_8

MAX_JSON_BYTES: Final = 16 * 1024 * 1024
"""Largest JSON document that is read."""
MAX_JSON_DEPTH: Final = 200
"""Deepest nesting of lists and mappings."""

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_CONSTANT: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_EXCERPT: Final = 80
"""How much of a line is kept before the place that is complained about; lines of others can be very long."""
_COMPLAINTS: Final = (
    N_("Expecting value"),
    N_("Expecting property name enclosed in double quotes"),
    N_("Expecting ':' delimiter"),
    N_("Expecting ',' delimiter"),
    N_("Extra data"),
    N_("Unterminated string starting at"),
    N_("Invalid control character at"),
    N_("Invalid \\uXXXX escape"),
)
"""What Python's reader says most often; here so that it is translated."""
_PACKED: Final = (
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


class JsonDocument:
    """A JSON document that has been read.

    Parameters
    ----------
    text : str
        As it stands.
    shown_as : str
        Its name in messages.

    Attributes
    ----------
    data : JSON value

    Raises
    ------
    SourceError
        If it is not JSON, names a key twice, holds a number that JSON does not have, or is nested too deeply.
    """

    __slots__ = ("data", "shown_as", "text")

    def __init__(self, text: str, shown_as: str) -> None:
        self.text = text
        self.shown_as = shown_as
        try:
            self.data: Json = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        except JSONDecodeError as error:
            message = _("this is not JSON: {reason}").format(reason=_(error.msg))
            self._refuse("source.json", error.pos, message)
        except _TwiceError as error:
            place = self._second(error.key)
            message = _('the key "{name}" stands there twice').format(name=error.key)
            self._refuse("source.duplicate-key", place, message, _("each key once"))
        except _ConstantError as error:
            message = _("{name} is no number in JSON").format(name=error.name)
            self._refuse("source.json", _constant_in(text), message, _("a number, or null"))
        except ValueError as error:  # a number of more digits than Python reads
            self._refuse("source.json", 0, _("this is not JSON: {reason}").format(reason=error))
        except RecursionError:
            self._refuse_depth(0)
        self._look_through()

    def problem(
        self, code: str, place: Place, message: str, expected: str | None = None, hint: str | None = None
    ) -> Problem:
        """Make a Problem located at a value; where there is none, at the last value on the way to it."""
        return self._problem_at(code, self._index(place), message, expected, hint)

    def _problem_at(
        self, code: str, index: int, message: str, expected: str | None = None, hint: str | None = None
    ) -> Problem:
        before = LINE_BREAK.split(self.text[:index])
        rest = LINE_BREAK.split(self.text[index : index + 160], maxsplit=1)[0]
        column = len(before[-1]) + 1
        cut = max(len(before[-1]) - _EXCERPT, 0)
        excerpt = before[-1][cut:] + rest
        return Problem(code, self.shown_as, len(before), column, message, expected, hint, excerpt, cut)

    def _refuse(self, code: str, index: int, message: str, expected: str | None = None) -> NoReturn:
        raise SourceError([self._problem_at(code, index, message, expected)])

    def _refuse_depth(self, index: int) -> NoReturn:
        expected = _("at most {count:,} levels").format(count=MAX_JSON_DEPTH)
        self._refuse("source.too-deep", index, _("lists and mappings are nested too deeply"), expected)

    def _look_through(self) -> None:
        """Refuse what is nested too deeply for others to walk through, and texts that no file can hold."""
        level = [self.data]
        for _depth in range(MAX_JSON_DEPTH + 1):
            level = [part for value in level for part in _parts(value) if isinstance(part, dict | list)]
        if level:
            self._refuse_depth(0)
        half = _HALF.search(self.text)  # only an escape can make one, and few documents have such an escape
        if half is not None:
            try:
                json.dumps(self.data, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                message = _("half of a character pair stands alone")
                self._refuse("source.json", half.start(), message, _("a text in Unicode"))

    def _second(self, key: str) -> int:
        """Find where a key stands for the second time in one mapping; the start where it is written in another way."""
        seen: list[set[str]] = []
        for found in _MARKS.finditer(self.text):
            mark = found.group()
            if mark == "{":
                seen.append(set())
            elif mark == "}" and seen:
                seen.pop()
            elif mark[0] == '"' and seen and _COLON.match(self.text, found.end()):
                name = json.loads(mark)
                if name == key and name in seen[-1]:
                    return found.start()
                seen[-1].add(name)
        return 0

    def _index(self, place: Place) -> int:
        index = self._skip(0)
        for step in place:
            found = self._inside(index, step)
            if found is None:
                break
            index = found
        return index

    def _skip(self, index: int) -> int:
        blank = _BLANK.match(self.text, index)
        return blank.end() if blank else index

    def _inside(self, index: int, step: str | int) -> int | None:
        """Find a part of the value that begins at an index."""
        opening, position = self.text[index : index + 1], 0
        if opening != ("{" if isinstance(step, str) else "["):
            return None
        index = self._skip(index + 1)
        while self.text[index] not in "]}":
            name: str | int = position
            if opening == "{":
                name, index = scanstring(self.text, index + 1)
                index = self._skip(self._skip(index) + 1)
            if name == step:
                return index
            _value, index = _DECODER.raw_decode(self.text, index)
            index = self._skip(index)
            if self.text[index] == ",":
                index = self._skip(index + 1)
            position += 1
        return None


_DECODER: Final = json.JSONDecoder()
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_MARKS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_COLON: Final = re.compile(r"[ \t\n\r]*:")


def _parts(value: Json) -> Iterable[Json]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class _TwiceError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found


class _ConstantError(ValueError):
    """A number that JSON does not have: NaN or an infinity."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _constant_in(text: str) -> int:
    """Find the first NaN or infinity that does not stand in a text."""
    return next((found.start() for found in _CONSTANT.finditer(text) if found[0][0] != '"'), 0)


def read_json_document(path: Path, *, shown_as: str, max_bytes: int = MAX_JSON_BYTES) -> JsonDocument:
    """Read a JSON document.

    Parameters
    ----------
    path : Path
        Where it is.
    shown_as : str
        Its name in messages.
    max_bytes : int
        A larger file is refused unread, a packed one unopened.

    Returns
    -------
    JsonDocument

    Raises
    ------
    SourceError
        If it cannot be read as JSON in UTF-8.
    """
    raw = read_bounded(path, shown_as=shown_as, max_bytes=max_bytes)
    if raw.lstrip()[:1] == b"<":
        message, hint = _("this is XML or HTML"), _("ask for the same document as JSON; XML is not opened")
        raise SourceError([Problem("source.json", shown_as, 1, 1, message, _("a JSON document"), hint)])
    try:
        return JsonDocument(raw.decode(), shown_as)
    except UnicodeDecodeError as error:
        raise SourceError([not_utf_8(raw, error, shown_as)]) from error


def read_bounded(path: Path, *, shown_as: str, max_bytes: int) -> bytes:
    """Read the bytes of a file of others.

    Parameters
    ----------
    path : Path
        Where it is.
    shown_as : str
        Its name in messages.
    max_bytes : int
        A larger file is refused unread.

    Returns
    -------
    bytes

    Raises
    ------
    SourceError
        If it cannot be read, is too large, or is packed: nothing is ever unpacked, so that nothing can burst.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        raise SourceError([Problem("source.unreadable", shown_as, 1, 1, message)]) from error
    packed = next((name for start, name in _PACKED if raw.startswith(start)), None)
    if packed is not None:
        message, hint = (
            _("the file is packed ({name})").format(name=packed),
            _("unpack it first; nothing is unpacked here"),
        )
        raise SourceError([Problem("source.packed", shown_as, 1, 1, message, None, hint)])
    if len(raw) > max_bytes:
        expected = _("at most {count:,} bytes").format(count=max_bytes)
        raise SourceError([Problem("source.too-large", shown_as, 1, 1, _("the file is too large"), expected)])
    return raw
