"""Which items of a data set a promise draws, and in which order.

Nothing here looks at an answer. Items are sorted by a hash of the committed seed and their id, after the committed
filters, so that the order can be recomputed by anybody, does not depend on the order of the file, and is the same for
an item whatever else is filtered out.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias, overload

from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records.base import Json
from shinrai.records.check import DataUse, Groups
from shinrai.records.trial import Item

__all__ = ["LANGUAGE_COLUMN", "Drawn", "Placed", "Side", "as_written", "draw", "keeps", "rank", "same_value"]

LANGUAGE_COLUMN = "lang"
"""The column by which ``languages`` keeps rows."""

Side: TypeAlias = Literal["a", "b"]


class Placed(NamedTuple):
    """An item in the committed order, with the group it counts for (None where groups are not compared)."""

    item: Item
    side: Side | None = None


class Drawn(Sequence[Placed]):
    """Items in the order in which they are drawn: places in a data set, five bytes each, not the items themselves.

    Parameters
    ----------
    items : sequence of Item
        The whole data set. An item is asked for when it is drawn.
    places : array of int
        Their places in the data set, in the order in which they are drawn.
    sides : bytes, optional
        The group of each, as its letter; None where groups are not compared.
    """

    __slots__ = ("_items", "_places", "_sides")

    def __init__(self, items: Sequence[Item], places: array[int], sides: bytes | None = None) -> None:
        self._items = items
        self._places = places
        self._sides = sides

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Placed: ...

    @overload
    def __getitem__(self, index: slice) -> Drawn: ...

    def __getitem__(self, index: int | slice) -> Placed | Drawn:
        if isinstance(index, slice):
            return Drawn(self._items, self._places[index], None if self._sides is None else self._sides[index])
        item = self._items[self._places[index]]
        return Placed(item, None if self._sides is None else _LETTERS[self._sides[index]])

    def __iter__(self) -> Iterator[Placed]:
        if self._sides is None:
            return map(Placed, map(self._items.__getitem__, self._places))
        return map(Placed, map(self._items.__getitem__, self._places), map(_LETTERS.__getitem__, self._sides))


_LETTERS: dict[int, Side] = {ord("a"): "a", ord("b"): "b"}


def draw(
    items: Sequence[Item], order_seed: int, use: DataUse | None = None, groups: Groups | None = None
) -> Sequence[Placed]:
    """Give the items of a promise in the order in which they are drawn.

    Parameters
    ----------
    items : sequence of Item
        The whole data set, in any order. It is gone through once, and asked again for each item when that is drawn.
    order_seed : int
        From the settings.
    use : DataUse, optional
        Says which rows are kept.
    groups : Groups, optional
        Where two groups are compared, items of neither are left out.

    Returns
    -------
    sequence of Placed
        All items that are kept; a budget is not applied. Leaving items out does not change the order of the others.

    Raises
    ------
    UsageError
        If a column that is named is not in the data. Nothing is ever bound to the nearest name.
    """
    known: set[str] = set()
    kept = _Ranked()
    filtered = use is not None and (use.where or use.languages is not None)
    sides = bytearray(0 if groups is None else len(items))
    side_of = None if groups is None else _sides(groups)
    for place, item in enumerate(items):
        known.update(item.fields)
        if filtered and use is not None and not keeps(use, item):
            continue
        if side_of is not None:
            side = side_of(item)
            if side is None:
                continue
            sides[place] = ord(side)
        kept.add(place, rank(order_seed, item.id))
    if len(items):
        for column in _columns(use, groups):
            _require_column(known, column)
    places = kept.in_order(lambda place: rank(order_seed, items[place].id))
    return Drawn(items, places, None if groups is None else bytes(map(sides.__getitem__, places)))


class _Ranked:
    """Places in a data set while they are sorted by rank: by the head of it, in parts, so that few are held as objects.

    A rank is a hash, and its heads are spread evenly: the first eight bits deal the places out into parts of about the
    same size, which are sorted one by one.
    """

    _HEAD = 16  # hexadecimal digits of a rank that are kept while sorting: 64 of its 256 bits
    _PART = 56  # bits of a head below those that choose the part

    def __init__(self) -> None:
        self._heads = [array("Q") for _part in range(256)]
        self._places = [array("I") for _part in range(256)]

    def add(self, place: int, rank_of_it: str) -> None:
        head = int(rank_of_it[: self._HEAD], 16)
        part = head >> self._PART
        self._heads[part].append(head)
        self._places[part].append(place)

    def in_order(self, whole: Callable[[int], str]) -> array[int]:
        """Give the places by rank; `whole` where two heads are equal."""
        places = array("I")
        for heads, found in zip(self._heads, self._places, strict=True):
            order = sorted(zip(heads, found, strict=True))
            if len(set(heads)) < len(heads):
                order.sort(key=lambda one: whole(one[1]))
            places.extend([place for _head, place in order])
        return places


def rank(order_seed: int, item_id: str) -> str:
    """Give the sort key of an item: the SHA-256 of ``seed:id`` in hexadecimal."""
    return hashlib.sha256(f"{order_seed}:{item_id}".encode()).hexdigest()


def keeps(use: DataUse, item: Item) -> bool:
    """Tell whether an item is kept: its language and its values are exactly those asked for.

    An imported row that has no reply may lack the columns too: it cannot be told to be left out, so it is kept.
    """
    fields = item.fields
    if use.imported is not None and fields.get("end") == "error":
        wanted = {**(use.where or {}), **({LANGUAGE_COLUMN: None} if use.languages is not None else {})}
        if any(column not in fields for column in wanted):
            return True
    if use.languages is not None and fields.get(LANGUAGE_COLUMN) not in use.languages:
        return False
    return all(same_value(fields.get(column), value) for column, value in (use.where or {}).items())


def same_value(found: Json, wanted: Json) -> bool:
    """Compare two values of the data: 1 and 1.0 are one value; 1, true and "1" are three."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def as_written(value: Json) -> str:
    """Write a value the way a person writes it into ``groups``: ``1`` for 1 and 1.0, ``true``, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _sides(groups: Groups) -> Callable[[Item], Side | None]:
    sides: dict[str, Side] = {groups.a: "a", groups.b: "b"}
    return lambda item: sides.get(as_written(item.fields.get(groups.column)))


def _columns(use: DataUse | None, groups: Groups | None) -> Iterator[str]:
    if use is not None:
        yield from use.where or {}
        if use.languages is not None:
            yield LANGUAGE_COLUMN
    if groups is not None:
        yield groups.column


def _require_column(known: set[str], column: str) -> None:
    if column not in known:
        close = nearest(column, known)
        raise UsageError(
            "data.unknown-column",
            _("the data have no column {column}").format(column=repr(column)),
            hint=_("the nearest name is {name}; nothing is bound to it by itself").format(name=repr(close))
            if close
            else None,
        )
