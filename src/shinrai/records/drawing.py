"""Which items of a data set a promise draws, and in which order.

Nothing here looks at an answer. Items are sorted by a hash of the committed seed and their id, after the committed
filters, so that the order can be recomputed by anybody, does not depend on the order of the file, and is the same for
an item whatever else is filtered out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records.base import Json
from shinrai.records.check import DataUse, Groups
from shinrai.records.trial import Item

__all__ = ["LANGUAGE_COLUMN", "Placed", "Side", "as_written", "draw", "keeps", "rank", "same_value"]

LANGUAGE_COLUMN = "lang"
"""The column by which ``languages`` keeps rows."""

Side: TypeAlias = Literal["a", "b"]


class Placed(NamedTuple):
    """An item in the committed order, with the group it counts for (None where groups are not compared)."""

    item: Item
    side: Side | None = None


def draw(
    items: Sequence[Item], order_seed: int, use: DataUse | None = None, groups: Groups | None = None
) -> list[Placed]:
    """Give the items of a promise in the order in which they are drawn.

    Parameters
    ----------
    items : sequence of Item
        The whole data set, in any order.
    order_seed : int
        From the settings.
    use : DataUse, optional
        Says which rows are kept.
    groups : Groups, optional
        Where two groups are compared, items of neither are left out.

    Returns
    -------
    list of Placed
        All items that are kept; a budget is not applied. Leaving items out does not change the order of the others.

    Raises
    ------
    UsageError
        If a column that is named is not in the data. Nothing is ever bound to the nearest name.
    """
    for column in _columns(use, groups):
        _require_column(items, column)
    ranked = sorted(
        (item for item in items if use is None or keeps(use, item)), key=lambda item: rank(order_seed, item.id)
    )
    if groups is None:
        return [Placed(item) for item in ranked]
    side_of = _sides(groups)
    placed = (Placed(item, side_of(item)) for item in ranked)
    return [one for one in placed if one.side is not None]


def rank(order_seed: int, item_id: str) -> str:
    """Give the sort key of an item: the SHA-256 of ``seed:id`` in hexadecimal."""
    return hashlib.sha256(f"{order_seed}:{item_id}".encode()).hexdigest()


def keeps(use: DataUse, item: Item) -> bool:
    """Tell whether an item is kept: its language and its values are exactly those asked for."""
    if use.languages is not None and item.fields.get(LANGUAGE_COLUMN) not in use.languages:
        return False
    return all(same_value(item.fields.get(column), value) for column, value in (use.where or {}).items())


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


def _require_column(items: Sequence[Item], column: str) -> None:
    known = {name for item in items for name in item.fields}
    if items and column not in known:
        close = nearest(column, known)
        raise UsageError(
            "data.unknown-column",
            _("the data have no column {column}").format(column=repr(column)),
            hint=_("the nearest name is {name}; nothing is bound to it by itself").format(name=repr(close))
            if close
            else None,
        )
