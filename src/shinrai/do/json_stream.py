"""One large JSON document, read in pieces: memory holds one element, never the file.

Logs of other tools are often one JSON object of a gigabyte with a list of samples in it. This finds the list by its
path and hands out the bytes of one element after the other; every other value of the object comes whole. It looks at
brackets and strings only; what an element means, and whether it is JSON inside, its reader finds out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import IO, Final, NoReturn, TypeAlias

import msgspec

from shinrai.do.refusing import refuse
from shinrai.i18n import _

MAX_ELEMENT_BYTES: Final = 256 * 2**20
"""Largest value that is held in memory: a sample of an agent with all its messages may be long."""

Path: TypeAlias = tuple[str, ...]

_PIECE: Final = 2**18
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_PLAIN: Final = rb'[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
_NO_BRACKET: Final = re.compile(rb"(?:" + _PLAIN + rb"|[{\[](?:" + _PLAIN + rb")*+[}\]])*+", re.DOTALL)
"""Text up to the next bracket that counts: over strings, and over objects and lists that hold no others."""

_SCALAR: Final = re.compile(rb"[^,\]}\s]+")
_OPENING: Final = frozenset(b"{[")


class _Reader:
    """A window on a file that grows until what is asked for lies in it."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._text = b""
        self._at = 0
        self._read = 0

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        """Say that the document is not what it should be, and after how many bytes."""
        place = _("byte {place:,}").format(place=self._read - len(self._text) + self._at)
        refuse("do.json", self._name, f"{message} ({place})", hint=hint)

    def cut_off(self) -> NoReturn:
        """Say that the document has no end."""
        self.refuse(_("the file ends in the middle"), hint=_("its run or its copy was cut off: export it once more"))

    def more(self) -> bool:
        """Read on; tell whether there was anything."""
        piece = self._file.read(max(_PIECE, len(self._text) - self._at))  # doubling: a long value is not copied often
        self._read += len(piece)
        if self._at:
            self._text, self._at = self._text[self._at :], 0
        if len(self._text) + len(piece) > MAX_ELEMENT_BYTES:
            self.refuse(_("one value is longer than {count:,} bytes").format(count=MAX_ELEMENT_BYTES))
        self._text += piece
        return bool(piece)

    def peek(self) -> int:
        """Give the next byte that is not white space.

        Raises
        ------
        SourceError
            If the document ends here.
        """
        while True:
            found = _SPACE.match(self._text, self._at)
            if found is not None:
                self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self.more():
                self.cut_off()

    def take(self, wanted: bytes) -> None:
        """Step over a byte that has to stand here.

        Raises
        ------
        SourceError
            If another one does.
        """
        if self.peek() != wanted[0]:
            self.refuse(_("{text} is missing").format(text=wanted.decode()))
        self._at += 1

    def at_end(self) -> bool:
        """Whether nothing but white space is left."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return False
            if not self.more():
                return True

    def string(self) -> bytes:
        """Take a string with its quotation marks."""
        self.peek()
        start = 0
        while True:
            found = _STRING.match(self._text, self._at + start)
            if found is not None:
                self._at = found.end()
                return found.group()
            if not self.more():
                self.cut_off()

    def value(self) -> bytes:
        """Take the next value, whole."""
        first = self.peek()
        if first == ord('"'):
            return self.string()
        return self._nested() if first in _OPENING else self._scalar()

    def _scalar(self) -> bytes:
        while True:
            found = _SCALAR.match(self._text, self._at)
            if found is not None and found.end() < len(self._text):
                self._at = found.end()
                return found.group()
            if not self.more():
                if found is None:
                    self.refuse(_("a value is missing"))
                self._at = found.end()
                return found.group()

    def _nested(self) -> bytes:
        """Take an object or a list: go from bracket to bracket, over strings and over what holds no bracket."""
        depth, offset = 1, 1  # the bracket that it begins with
        while True:
            skipped = _NO_BRACKET.match(self._text, self._at + offset)
            offset = skipped.end() - self._at if skipped is not None else offset
            mark = self._text[self._at + offset : self._at + offset + 1]
            if mark in {b"", b'"'}:  # the window ends here, or in the middle of a string
                self._go_on()
                continue
            depth += 1 if mark in {b"{", b"["} else -1
            offset += 1
            if not depth:
                whole = self._text[self._at : self._at + offset]
                self._at += offset
                return whole

    def _go_on(self) -> None:
        if not self.more():
            self.cut_off()


def stream(file: IO[bytes], name: str, lists: Collection[Path]) -> Iterator[tuple[Path, bytes]]:
    """Read a JSON object, with some of its lists element by element.

    Parameters
    ----------
    file : binary file
        Read from where it stands to its end.
    name : str
        In messages.
    lists : collection of tuple of str
        Paths of keys to the lists whose elements are handed out one by one.

    Yields
    ------
    tuple of path and bytes
        Each value of the object, in the order of the file: its path, and its JSON text. Objects on the way to a list
        are gone into; an element has the path of its list.

    Raises
    ------
    SourceError
        If it is no JSON object, ends in the middle, goes on after its end, or holds a value of more than 256 MiB.
    """
    reader = _Reader(file, name)
    if reader.peek() != ord("{"):
        reader.refuse(_("this is not a JSON object"))
    yield from _object(reader, (), frozenset(lists))
    if not reader.at_end():
        reader.refuse(_("something follows after the end"))


def _object(reader: _Reader, above: Path, lists: frozenset[Path]) -> Iterator[tuple[Path, bytes]]:
    reader.take(b"{")
    seen: set[str] = set()
    while reader.peek() != ord("}"):
        if seen:
            reader.take(b",")
        if reader.peek() != ord('"'):
            reader.refuse(_("a key is missing"))
        key = _key(reader)
        if key in seen:
            reader.refuse(_('the key "{name}" stands there twice').format(name=key[:60]))
        seen.add(key)
        reader.take(b":")
        yield from _member(reader, (*above, key), lists)
    reader.take(b"}")


def _key(reader: _Reader) -> str:
    try:
        return msgspec.json.decode(reader.string(), type=str)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reader.refuse(_("this is not valid JSON: {reason}").format(reason=error))


def _member(reader: _Reader, path: Path, lists: frozenset[Path]) -> Iterator[tuple[Path, bytes]]:
    first = reader.peek()
    if path in lists and first == ord("["):
        yield from _elements(reader, path)
    elif first == ord("{") and any(one[: len(path)] == path and len(one) > len(path) for one in lists):
        yield from _object(reader, path, lists)
    else:
        yield path, reader.value()


def _elements(reader: _Reader, path: Path) -> Iterator[tuple[Path, bytes]]:
    reader.take(b"[")
    first = True
    while reader.peek() != ord("]"):
        if not first:
            reader.take(b",")
        first = False
        yield path, reader.value()
    reader.take(b"]")
