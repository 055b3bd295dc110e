"""The committed order: which items are drawn, and in which sequence.

Nothing here looks at an answer. Items are sorted by a hash of the committed seed and their id, after the committed
filters, so that the order can be recomputed by anybody, does not depend on the order of the file, and is the same for
an item whatever else is filtered out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records import Commitment, DataUse, Groups, Item

__all__ = ["Placed", "Side", "committed_order", "rank"]

Side: TypeAlias = Literal["a", "b"]


class Placed(NamedTuple):
    """An item in the committed order, with the group it counts for (None where groups are not compared)."""

    item: Item
    side: Side | None = None


def rank(order_seed: int, item_id: str) -> str:
    """Give the sort key of an item: the SHA-256 of ``seed:id`` in hexadecimal."""
    return hashlib.sha256(f"{order_seed}:{item_id}".encode()).hexdigest()


def committed_order(items: Sequence[Item], commitment: Commitment) -> list[Placed]:
    """Give the items of a commitment in the order in which they are drawn.

    Items of neither group are not drawn where two groups are compared.

    Parameters
    ----------
    items : sequence of Item
        The whole data set, in any order.
    commitment : Commitment
        Says which are kept.

    Returns
    -------
    list of Placed
        All items that pass the filters; the budget is not applied.

    Raises
    ------
    UsageError
        If a column that the commitment names is not in the data. Never bound to the nearest name.
    """
    kept = _filtered(items, commitment.data.use if commitment.data else None)
    ranked = sorted(kept, key=lambda item: rank(commitment.order_seed, item.id))
    if commitment.groups is None:
        return [Placed(item) for item in ranked]
    return _sided(ranked, commitment.groups)


def _filtered(items: Sequence[Item], use: DataUse | None) -> Sequence[Item]:
    if use is None:
        return items
    conditions: dict[str, tuple[Any, ...]] = {column: (value,) for column, value in (use.where or {}).items()}
    if use.languages is not None:
        conditions["lang"] = use.languages
    for column, wanted in conditions.items():
        _require_column(items, column)
        items = [item for item in items if any(_same(item.fields.get(column), value) for value in wanted)]
    return items


def _sided(ranked: Sequence[Item], groups: Groups) -> list[Placed]:
    _require_column(ranked, groups.column)
    sides: dict[str, Side] = {groups.a: "a", groups.b: "b"}
    marked = ((item, sides.get(as_text(item.fields.get(groups.column)))) for item in ranked)
    return [Placed(item, side) for item, side in marked if side is not None]


def _require_column(items: Sequence[Item], column: str) -> None:
    known = {name for item in items for name in item.fields}
    if items and column not in known:
        close = nearest(column, known)
        raise UsageError(
            "check.unknown-column",
            _("the data have no column {column}").format(column=repr(column)),
            hint=_("the nearest name is {name}; nothing is bound to it by itself").format(name=repr(close))
            if close
            else None,
        )


def _same(found: object, wanted: object) -> bool:
    """Compare without Python's ``True == 1``: a value equals another of its own kind, numbers by value."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return found == wanted


def as_text(value: object) -> str:
    """Write a cell the way a person writes it into ``groups``: ``1`` for 1 and 1.0, ``true``, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
