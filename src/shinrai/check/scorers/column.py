"""Column: a cell of an imported row is filled, equals a value, differs from another cell, or is large enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from shinrai.check.scorers.details import N_, detail
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import NO_FIELD
from shinrai.check.scorers.values import is_number, same
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Call, Column, Item, Score

EMPTY_CELL = N_("the cell is empty")
FOUND = N_("the cell holds")
NOT_COMPARABLE = N_("the cell cannot be compared")
BOTH = N_("both cells hold")


def build(use: Column, _context: Context) -> ScoreFunction:
    """Pass when the cell keeps the rule. Replies play no part: the row is the evidence.

    Raises
    ------
    UsageError
        If the value does not go with the rule: ``at-least`` and ``at-most`` need a number, ``differs-from`` the name
        of a column.
    """
    numeric = use.rule in {"at-least", "at-most"}
    if (numeric and not is_number(use.value)) or (use.rule == "differs-from" and not isinstance(use.value, str)):
        raise UsageError(
            "scorer.bad-value",
            _("scorer column: the value {value} does not go with the rule {rule}").format(
                value=repr(use.value), rule=use.rule
            ),
            hint=_("`at-least` and `at-most` need a number, `differs-from` the name of a column"),
        )

    def score(item: Item, _requests: Sequence[Request], _calls: Sequence[Call]) -> Score:
        absent = [name for name in _columns(use) if name not in item.fields]
        if absent:
            return Score("invalid", detail(NO_FIELD, *absent))
        cell = item.fields[use.column]
        if use.rule == "filled":
            blank = cell is None or (isinstance(cell, str) and not cell.strip())
            return Score("fail", EMPTY_CELL) if blank else Score("pass")
        return _compare(cell, item, use)

    return score


def _columns(use: Column) -> tuple[str, ...]:
    return (use.column, str(use.value)) if use.rule == "differs-from" else (use.column,)


def _compare(cell: object, item: Item, use: Column) -> Score:
    kept: bool | None
    match use.rule:
        case "at-least" | "at-most":
            kept = _large_enough(cell, use) if is_number(cell) else None
        case "differs-from":
            equal = same(cell, item.fields[str(use.value)])
            kept = None if equal is None else not equal
        case _:
            kept = same(cell, use.value)
    if kept is None:
        return Score("invalid", detail(NOT_COMPARABLE, cell))
    if kept:
        return Score("pass")
    return Score("fail", detail(BOTH if use.rule == "differs-from" else FOUND, cell))


def _large_enough(cell: float, use: Column) -> bool:
    bound = cast("float", use.value)  # build() has made sure
    return cell >= bound if use.rule == "at-least" else cell <= bound
