"""Data sets: JSON Lines and CSV, one item a row."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, overload

import msgspec

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Item, Json
from shinrai.source.document import MAX_PROBLEMS
from shinrai.source.reading import not_utf_8
from shinrai.source.words import did_you_mean, shortened

MAX_DATA_BYTES: Final = 100_000_000
"""Largest data set that is read."""

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})")
_FLOAT: Final = re.compile(
    r"[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?[1-9][0-9]*(?:\.|[eE][-+]?[0-9]+)"
)
_NOT_FINITE: Final = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def read_items(path: Path, *, shown_as: str) -> list[Item]:
    """Read a data set into memory.

    In CSV, a cell that is a number without leading zeros becomes an int or a float, an empty cell None, and anything
    else, ids included, stays a text. In JSON Lines values are as they are written.

    Parameters
    ----------
    path : Path
        ``.jsonl`` (one JSON object a line) or ``.csv`` (comma-separated, with a header), UTF-8.
    shown_as : str
        Its name in messages, relative to the workspace.

    Returns
    -------
    list of Item
        In file order. `fields` holds the whole row, the ``id`` too.

    Raises
    ------
    SourceError
        With every row that cannot be read: no id, an id twice, NaN or infinity, a ragged row, broken JSON.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_DATA_BYTES + 1)
    except OSError as error:
        message = _("the file cannot be read: {reason}").format(reason=error.strerror or error)
        raise SourceError([Problem("source.unreadable", shown_as, 1, 1, message)]) from error
    if len(raw) > MAX_DATA_BYTES:
        expected = _("at most {count:,} bytes").format(count=MAX_DATA_BYTES)
        raise SourceError([Problem("source.too-large", shown_as, 1, 1, _("the file is too large"), expected)])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise SourceError([not_utf_8(raw, error, shown_as)]) from error
    if path.suffix not in {".jsonl", ".csv"}:
        message = _('data of the kind "{suffix}" cannot be read').format(suffix=path.suffix)
        expected = _("a file that ends in .jsonl or .csv")
        raise SourceError([Problem("source.data-kind", shown_as, 1, 1, message, expected)])
    rows = _Rows(shown_as)
    if path.suffix == ".jsonl":
        _read_json_lines(text, rows)
    else:
        _read_csv(text.removeprefix("\ufeff"), rows)  # spreadsheets write a byte order mark into CSV files
    if rows.problems:
        raise SourceError(rows.problems)
    return rows.items


_HELD_BYTES: Final = 2**20  # a data set up to this size is held in memory after all
_EACH: Final = 16


class SpooledItems(Sequence[Item]):
    """A data set that is not held in memory: a temporary copy of its rows, read again when an item is asked for.

    The copy is made once, so that a file that changes later changes nothing. It is gone when this is closed.

    Parameters
    ----------
    folder : Path, optional
        Where the temporary copy is kept while it is larger than one megabyte.
    """

    def __init__(self, folder: Path | None = None) -> None:
        # Closed by `close`: it lives as long as the items are asked for.
        self._rows = tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES, dir=None if folder is None else str(folder))  # noqa: SIM115
        self._starts = array("Q")  # of one row in `_EACH`; the others are counted from there
        self._size = self._count = 0
        self._held: list[Item] | None = []

    def add(self, item: Item) -> None:
        """Take in the next item."""
        row = _encode_row(item.fields) + b"\n"
        if self._count % _EACH == 0:
            self._starts.append(self._size)
        self._rows.write(row)
        self._size += len(row)
        self._count += 1
        if self._held is not None:
            self._held.append(item)
            if self._size > _HELD_BYTES:
                self._held = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if self._held is not None:
            return self._held[index]
        place = range(self._count)[index]
        self._rows.seek(self._starts[place // _EACH])
        for _row in range(place % _EACH):
            self._rows.readline()
        fields = _decode_row(self._rows.readline())
        return Item(fields["id"], fields)

    def __iter__(self) -> Iterator[Item]:
        if self._held is not None:
            yield from self._held
            return
        for start in self._starts:
            self._rows.seek(start)
            for row in [self._rows.readline() for _row in range(_EACH)]:
                if row:
                    fields = _decode_row(row)
                    yield Item(fields["id"], fields)

    def close(self) -> None:
        """Let the temporary copy go."""
        self._rows.close()


_encode_row = msgspec.json.Encoder().encode
_decode_row = msgspec.json.Decoder(dict[str, Any]).decode


def spool_items(
    path: Path, *, shown_as: str, folder: Path | None = None, at_most: int | None = MAX_DATA_BYTES
) -> SpooledItems:
    """Read a data set without holding it in memory: half a byte for each row stays.

    Parameters
    ----------
    path, shown_as
        As `read_items`, which gives the same items.
    folder : Path, optional
        For the temporary copy; the system's own where it is not given.
    at_most : int, optional
        Bytes of JSON Lines that are read; None for what was written by Shinrai, however large.

    Returns
    -------
    SpooledItems
        To be closed.

    Raises
    ------
    SourceError
        As `read_items`.
    """
    items = SpooledItems(folder)
    try:
        if path.suffix == ".jsonl" and _spool_json_lines(path, shown_as, items, at_most):
            return items
        items.close()
        items = SpooledItems(folder)
        for item in read_items(path, shown_as=shown_as):  # which says what is wrong, all of it
            items.add(item)
    except BaseException:
        items.close()
        raise
    return items


def _spool_json_lines(path: Path, shown_as: str, items: SpooledItems, at_most: int | None) -> bool:
    """Read row by row; False as soon as a row is not in order, or if two ids may be the same."""
    marks = [array("q") for _part in range(256)]  # dealt out evenly, so that few at a time are compared as objects
    rows = _Rows(shown_as)
    try:
        with path.open("rb") as file:
            for line in file:
                text = line.rstrip(b"\r\n").decode()
                if not text.strip():
                    continue
                fields = _json_row(text, 1, rows)
                if fields is None or not isinstance(fields.get("id"), str) or not fields["id"]:
                    return False
                mark = hash(
                    fields["id"]
                )  # 64 bits, with a key of this process: only a guess, which `read_items` checks
                marks[mark & 255].append(mark)
                items.add(Item(fields["id"], fields))
            if at_most is not None and file.tell() > at_most:
                return False
    except (OSError, UnicodeDecodeError):
        return False
    return all(len(set(part)) == len(part) for part in marks)


class _Rows:
    """The items so far, and what was wrong with them."""

    def __init__(self, shown_as: str) -> None:
        self.shown_as = shown_as
        self.items: list[Item] = []
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}

    def full(self) -> bool:
        return len(self.problems) >= MAX_PROBLEMS

    def refuse(  # noqa: PLR0917 - one argument for each part of a Problem
        self,
        code: str,
        where: tuple[int, int],
        message: str,
        expected: str | None,
        hint: str | None,
        excerpt: str,
    ) -> None:
        self.problems.append(Problem(code, self.shown_as, *where, message, expected, hint, excerpt))

    def add(self, fields: dict[str, Json], line: int, column: int, excerpt: str) -> None:
        name = fields.get("id")
        where = (line, column)
        if not isinstance(name, str) or not name:
            found = _("missing") if name is None else json.dumps(name, ensure_ascii=False)
            message = _("the id of the row is {found}").format(found=found)
            self.refuse("source.item-id", where, message, _('a text under "id"'), None, excerpt)
        elif name in self.lines:
            message = _('the id "{name}" stands here for the second time').format(name=shortened(name))
            hint = _("the first one is in line {line}").format(line=self.lines[name])
            self.refuse("source.item-id", where, message, _("each id once"), hint, excerpt)
        else:
            self.lines[name] = line
            self.items.append(Item(name, fields))


class _RefusedJsonError(ValueError):
    """JSON that Python would read and we do not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedJsonError(_('the key "{name}" stands there twice').format(name=shortened(twice)))
    return fields


def _no_constant(name: str) -> Json:
    raise _RefusedJsonError(_("{text} is not a finite number").format(text=name))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        return float(_no_constant(shortened(text)))
    return number


def _whole(text: str) -> int:
    if len(text) > 20 or abs(int(text)) >= 2**53:
        message = _("the number {text} has more digits than programs agree on").format(text=shortened(text))
        raise _RefusedJsonError(message)
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)


def _read_json_lines(text: str, rows: _Rows) -> None:
    # Not splitlines(): a line separator (U+2028) may stand inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or rows.full():
            continue
        fields = _json_row(line.rstrip("\r"), number, rows)
        if fields is not None:
            rows.add(fields, number, line.find('"id"') + 1 or 1, line)


def _json_row(line: str, number: int, rows: _Rows) -> dict[str, Json] | None:
    try:
        fields = _decode_line(line)
    except json.JSONDecodeError as error:
        message = _("this is not valid JSON: {reason}").format(reason=error.msg)
        rows.refuse("source.json", (number, error.pos + 1), message, _one_object(), None, line)
    except _RefusedJsonError as error:
        rows.refuse("source.json", (number, 1), str(error), None, None, line)
    except RecursionError:
        rows.refuse("source.json", (number, 1), _("lists and mappings are nested too deeply"), None, None, line)
    else:
        if isinstance(fields, dict) and not _holds_half_a_pair(line, fields):
            return fields
        message = _("this line is not a JSON object")
        if isinstance(fields, dict):
            message = _("half of a surrogate pair is not a character")
        rows.refuse("source.json", (number, 1), message, _one_object(), None, line)
    return None


def _decode_line(line: str) -> Json:
    """Read a line; one that is nothing but a value, as almost all are, without looking for white space around it."""
    if line.startswith("{"):
        fields, end = _DECODER.raw_decode(line)
        if end == len(line):
            return fields
    return _DECODER.decode(line)


def _one_object() -> str:
    return _("one JSON object in each line")


def _holds_half_a_pair(line: str, fields: dict[str, Json]) -> bool:
    r"""Tell whether an escape such as ``\ud800`` stands alone: no file could ever hold that text."""
    written = "\\u" in line and _SURROGATE_ESCAPE.search(line) is not None
    return written and _SURROGATE.search(json.dumps(fields, ensure_ascii=False)) is not None


def _read_csv(text: str, rows: _Rows) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    # Not splitlines(): it also breaks at U+2028 and its like, which end no row.
    lines = [line.rstrip("\r\n") for line in io.StringIO(text, newline="")]
    header = next(_csv_rows(reader, lines, rows), (0, []))[1]
    if not _header_is_sound(header, lines, rows):
        return
    for line, cells in _csv_rows(reader, lines, rows):
        excerpt = lines[line - 1]
        if not cells:
            continue
        if rows.full():
            return
        if len(cells) != len(header):
            message = _("the row has {found} cells, the header has {count}").format(found=len(cells), count=len(header))
            hint = _('put a text that holds a "," or a line break in double quotes')
            rows.refuse("source.csv", (line, 1), message, None, hint, excerpt)
            continue
        rows.add(_csv_fields(header, cells, line, rows, excerpt), line, _column(excerpt, header.index("id")), excerpt)


def _csv_rows(reader: Any, lines: list[str], rows: _Rows) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401 - csv has no public type for it
    """Give each row with the line in which it begins."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = _("this is not valid CSV: {reason}").format(reason=error)
            rows.refuse("source.csv", (min(line, len(lines)), 1), message, None, None, lines[min(line, len(lines)) - 1])
            return
        yield line, cells


def _header_is_sound(header: list[str], lines: list[str], rows: _Rows) -> bool:
    if rows.problems:
        return False
    excerpt = lines[0] if lines else ""
    for position, name in enumerate(header):
        if not name or name in header[:position]:
            message = (
                _("a column has no name") if not name else _('the column "{name}" is there twice').format(name=name)
            )
            rows.refuse("source.csv", (1, _column(excerpt, position)), message, _("a name of its own"), None, excerpt)
    if "id" not in header:
        hint = did_you_mean("id", header) if header else None
        rows.refuse("source.item-id", (1, 1), _('there is no column "id"'), _("an id for each row"), hint, excerpt)
    return not rows.problems


def _csv_fields(header: list[str], cells: list[str], line: int, rows: _Rows, excerpt: str) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for position, (name, cell) in enumerate(zip(header, cells, strict=True)):
        value: Json = cell or None if name == "id" else read_cell(cell)
        if isinstance(value, float) and not math.isfinite(value):
            message = _("{text} is not a finite number").format(text=shortened(cell))
            hint = _("leave the cell empty if there is no value")
            rows.refuse("source.not-finite", (line, _column(excerpt, position)), message, None, hint, excerpt)
        fields[name] = value
    return fields


def read_cell(cell: str) -> Json:
    """Read a CSV cell: numbers without leading zeros, None for an empty one, else the text. NaN is a float, too."""
    if not cell:
        return None
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if _FLOAT.fullmatch(cell) or _NOT_FINITE.fullmatch(cell):
        return float(cell)
    return cell


def _column(line: str, position: int) -> int:
    """Tell in which column of its line a cell begins, from 1; cells after a line break count as in the first line."""
    quoted = False
    for column, character in enumerate(line, start=1):
        if position == 0:
            return column
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            position -= 1
    return len(line) + 1 if position == 0 else 1
