"""YAML as people write it: plain values, and the place where each of them stands.

The values are those of the YAML 1.2 core schema: ``no`` and ``12:30`` are texts. What two readers of the same file
could take differently (``010``, a key given twice) is refused instead of guessed.

We read the events of PyYAML's C parser and build the values ourselves. Its composer is slower for what we need, and a
file of 900,000 opening brackets ends the whole process inside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import yaml

from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source.document import Document
from shinrai.source.syntax import explain_syntax
from shinrai.source.words import did_you_mean, shortened

MAX_EXPANDED: Final = 5_000_000
"""Largest contents of a file once every alias is written out: the characters of its texts, and 20 for each value."""

MAX_DEPTH: Final = 100
"""Deepest nesting of lists and mappings."""

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGEST_INTEGER: Final = 2**53 - 1
_COST_OF_A_VALUE: Final = 20

_CONSTANTS: Final[dict[str, Json]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAY_BE_NUMBER: Final = frozenset("+-.0123456789")
_TELLING: Final = _MAY_BE_NUMBER | {text[0] for text in _CONSTANTS if text}
"""With any other first character a plain text is a text; most are, and are not looked at any further."""
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


_Event: TypeAlias = Any
"""An event of the C parser or of the Python one: the same attributes, no common type."""


def compose(document: Document) -> None:
    """Read a document's text to its end, or up to what cannot be read past.

    Parameters
    ----------
    document : Document
        Holds the text; gets the values, their places and the problems.
    """
    _Composer(document).compose()


class _StopReading(Exception):  # noqa: N818 - control flow inside this module, never an error that leaves it
    """The rest of the file cannot be read."""


class _Frame:
    """A list or mapping that is still open."""

    __slots__ = (
        "anchor",
        "as_key",
        "cost_before",
        "index",
        "is_list",
        "key",
        "key_index",
        "merges",
        "positions",
        "value",
    )

    def __init__(self, value: list[Json] | dict[str, Json], index: int, anchor: str | None, cost_before: int) -> None:
        self.value: Any = value
        self.is_list = isinstance(value, list)
        self.positions: Any = [] if self.is_list else {}
        self.index = index
        self.anchor = anchor
        self.cost_before = cost_before
        self.key: Any = _NO_KEY
        self.key_index = index
        self.as_key = False
        self.merges: list[tuple[Json, int]] = []


_NO_KEY: Final = object()
_DROPPED: Final = object()  # its value is read, and then left out
_MERGE: Final = object()
_OPEN: Final = object()


class _Composer:
    """Builds a document's values from the parser's events."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Json, int]] = {}
        self.cost = 0
        self.documents = 0

    def compose(self) -> None:
        parser = _PARSER(self.document.text)
        on_event: dict[type, Callable[[Any], None]] = {  # not an attribute: it would keep the composer alive
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.mapping,
            yaml.SequenceStartEvent: self.sequence,
            yaml.MappingEndEvent: self.end,
            yaml.SequenceEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document_start,
        }
        next_event = parser.get_event
        try:
            while (event := next_event()) is not None:
                handle = on_event.get(type(event))
                if handle is not None:
                    handle(event)
        except _StopReading:
            self.document.complete = False
        except yaml.MarkedYAMLError as error:
            self.document.complete = False
            found = explain_syntax(error, self.document.text)
            self.report(found.code, found.index, found.message, found.expected, found.hint)
        finally:
            parser.dispose()

    def report(self, code: str, index: int, message: str, expected: str | None = None, hint: str | None = None) -> None:
        self.document.report(code, index, message, expected, hint)

    # What the parser meets.

    def document_start(self, event: _Event) -> None:
        self.documents += 1
        if self.documents > 1:
            message = _("a second document begins here")
            hint = _("put it into a file of its own")
            self.report("source.documents", event.start_mark.index, message, _("one document in each file"), hint)
            raise _StopReading

    def scalar(self, event: _Event) -> None:
        text: str = event.value
        index: int = event.start_mark.index
        plain = event.implicit[0] and event.tag is None
        self.spend(len(text) + _COST_OF_A_VALUE, index)
        if event.tag is not None and event.tag not in {"!", "tag:yaml.org,2002:str"}:
            self.refuse_tag(event.tag, index)
        if event.style == '"' and not text.isascii() and _SURROGATE.search(text):
            self.report("source.control-character", index, _("half of a surrogate pair is not a character"))
            text = _SURROGATE.sub("\ufffd", text)
        frame = self.frames[-1] if self.frames else None
        value: Json = text
        if frame is not None and frame.key is _NO_KEY and not frame.is_list:
            self.key(frame, text, index, plain=plain)
        else:
            if plain and (not text or text[0] in _TELLING):
                value = self.plain(text, index)
            self.add(value, index)
        if event.anchor is not None:
            self.name_anchor(event.anchor, index)
            self.anchors[event.anchor] = (value, len(text) + _COST_OF_A_VALUE)

    def mapping(self, event: _Event) -> None:
        self.start({}, event)

    def sequence(self, event: _Event) -> None:
        self.start([], event)

    def start(self, value: list[Json] | dict[str, Json], event: _Event) -> None:
        index: int = event.start_mark.index
        if event.tag is not None:
            self.refuse_tag(event.tag, index)
        if len(self.frames) >= MAX_DEPTH:
            message = _("lists and mappings are nested too deeply")
            self.report("source.too-deep", index, message, _("at most {count} levels").format(count=MAX_DEPTH))
            raise _StopReading
        self.spend(_COST_OF_A_VALUE, index)
        frame = _Frame(value, index, event.anchor, self.cost - _COST_OF_A_VALUE)
        if self.wants_key():
            self.refuse_key(index)
            frame.as_key = True
        if event.anchor is not None:
            self.name_anchor(event.anchor, index)
        self.document.positions[id(value)] = frame.positions
        self.frames.append(frame)

    def end(self, _event: _Event) -> None:
        frame = self.frames.pop()
        for source, index in frame.merges:
            self.merge(frame, source, index)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.value, self.cost - frame.cost_before)
        if frame.as_key:
            self.frames[-1].key = _DROPPED
        else:
            self.add(frame.value, frame.index)

    def alias(self, event: _Event) -> None:
        index: int = event.start_mark.index
        value, cost = self.anchors.get(event.anchor, (_NO_KEY, _COST_OF_A_VALUE))
        self.spend(cost, index)
        if value is _OPEN:
            message = _("the alias *{name} stands inside what it repeats").format(name=event.anchor)
            self.report("source.cycle", index, message)
            value = None
        elif value is _NO_KEY:
            message = _("nothing above is called &{name}").format(name=event.anchor)
            self.report("source.unknown-alias", index, message, hint=self.nearest_anchor(event.anchor))
            value = None
        if not self.wants_key():
            self.add(value, index)
        elif isinstance(value, str):
            self.key(self.frames[-1], value, index, plain=False)
        else:
            if index not in self.document.flawed:
                self.refuse_key(index)
            self.frames[-1].key = _DROPPED

    # How the values are put together.

    def wants_key(self) -> bool:
        return bool(self.frames) and self.frames[-1].key is _NO_KEY and not self.frames[-1].is_list

    def add(self, value: Json, index: int) -> None:
        if not self.frames:
            self.document.data, self.document.root = value, index
            return
        frame = self.frames[-1]
        if frame.is_list:
            frame.value.append(value)
            frame.positions.append(index)
            return
        if frame.key is _MERGE:
            frame.merges.append((value, index))
        elif frame.key is not _DROPPED:
            frame.value[frame.key] = value
            frame.positions[frame.key] = (frame.key_index, index)
        frame.key = _NO_KEY

    def key(self, frame: _Frame, text: str, index: int, *, plain: bool) -> None:
        frame.key_index = index
        if plain and text == "<<":
            frame.key = _MERGE
            if frame.merges:
                self.refuse_twice(text, index, frame.merges[0][1])
                frame.key = _DROPPED
        elif plain and (not text or text[0] in _TELLING) and self.is_not_text(text):
            self.refuse_key(index, text)
            frame.key = _DROPPED
        elif text in frame.value:
            self.refuse_twice(text, index, frame.positions[text][0])
            frame.key = _DROPPED
        else:
            frame.key = text

    def merge(self, frame: _Frame, source: Json, index: int) -> None:
        """Take over what the mapping itself does not say; of several sources the first one wins."""
        if not isinstance(frame.value, dict):
            return
        for part in source if isinstance(source, list) else [source]:
            if isinstance(part, dict):
                positions = self.document.positions[id(part)]
                for key in part.keys() - frame.value.keys():
                    frame.positions[key] = positions[key]
                frame.value.update({key: value for key, value in part.items() if key not in frame.value})
            elif index not in self.document.flawed:
                message = _("only mappings can be merged with <<")
                self.report("source.merge", index, message, _("an alias of a mapping, or a list of them"))

    def spend(self, cost: int, index: int) -> None:
        self.cost += cost
        if self.cost > MAX_EXPANDED:
            message = _("the contents are too large once all aliases are written out")
            expected = _("at most {count:,} characters, each value counting as {each} more").format(
                count=MAX_EXPANDED, each=_COST_OF_A_VALUE
            )
            self.report("source.too-much", index, message, expected)
            raise _StopReading

    def name_anchor(self, name: str, index: int) -> None:
        if name in self.anchors:
            self.report("source.duplicate-anchor", index, _("the name &{name} is used twice").format(name=name))
        self.anchors[name] = (_OPEN, _COST_OF_A_VALUE)

    def nearest_anchor(self, name: str) -> str | None:
        return did_you_mean(name, self.anchors, mark="*")

    # What a plain text stands for.

    def plain(self, text: str, index: int) -> Json:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _MAY_BE_NUMBER:
            return text
        return self.number(text, index)

    def number(self, text: str, index: int) -> Json:
        if _LEADING_ZERO.fullmatch(text):
            message = _("the number {text} begins with 0, which programs read in different ways").format(text=text)
            hint = _('put it in quotes if it is a text: "{text}"; leave out the 0 if it is a number').format(text=text)
            self.report("source.leading-zero", index, message, None, hint)
        elif _INTEGER.fullmatch(text):
            value = int(text, 0) if len(text) < 25 else _LARGEST_INTEGER + 1
            if abs(value) <= _LARGEST_INTEGER:
                return value
            message = _("the number {text} has more digits than programs agree on").format(text=shortened(text))
            expected = _("a whole number between -{limit} and {limit}").format(limit=_LARGEST_INTEGER)
            hint = _("put it in quotes if it is a text")
            self.report("source.number-range", index, message, expected, hint)
        elif _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return number
            self.refuse_not_finite(text, index)
        elif _NOT_FINITE.fullmatch(text):
            self.refuse_not_finite(text, index)
        return text

    @staticmethod
    def is_not_text(text: str) -> bool:
        if text in _CONSTANTS:
            return True
        numeric = text[0] in _MAY_BE_NUMBER
        return numeric and any(kind.fullmatch(text) for kind in (_INTEGER, _FLOAT, _NOT_FINITE))

    # What is refused.

    def refuse_not_finite(self, text: str, index: int) -> None:
        message = _("{text} is not a finite number").format(text=shortened(text))
        self.report("source.not-finite", index, message, _("a number"), _("leave the key out if there is no value"))

    def refuse_tag(self, tag: str, index: int) -> None:
        name = tag.replace("tag:yaml.org,2002:", "!!")
        self.report("source.tag", index, _("the tag {tag} is not supported").format(tag=name), hint=_("leave it out"))

    def refuse_key(self, index: int, text: str | None = None) -> None:
        if text is None:
            message, hint = _("a list or mapping cannot be a key"), None
        else:
            message = _("the key {text} is not a text").format(text=shortened(text) or '""')
            hint = _('put it in quotes: "{text}"').format(text=shortened(text))
        self.report("source.key", index, message, _("a text as key"), hint)

    def refuse_twice(self, text: str, index: int, first: int) -> None:
        line, column = self.document.line_and_column(first)
        message = _('the key "{text}" stands here for the second time').format(text=shortened(text))
        hint = _("the first one is in line {line}, column {column}").format(line=line, column=column)
        self.report("source.duplicate-key", index, message, _("each key once"), hint)
