"""From an item to the calls of its trial.

A trial is whatever the system has to do for one item: answer one text, several texts that belong together, the same
text several times, or predict a record and its changed copies. Equal requests of one run have equal keys: they are
one call, scored for every claim that needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

import msgspec

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Item, Perturb, Repeat, Swap, SystemKind, Variants

__all__ = ["Ask", "Asks", "NotAskable", "asks_for", "call_key", "calls_needed"]

_encode = msgspec.json.Encoder(order="deterministic").encode


class Ask(NamedTuple):
    """One call that a trial needs.

    ``request`` is a text for a chat system and a record for a predictor.
    """

    key: str
    request: Any


Asks: TypeAlias = Callable[[Item], tuple[Ask, ...]]


class NotAskable(Exception):  # noqa: N818 - not an error: an outcome of the trial
    """The item cannot be turned into calls: its trial is invalid, with this text as the detail."""


def call_key(request: object, repeat: int = 0) -> str:
    """Name a call: 24 hexadecimal digits of the SHA-256 of the request and the number of its repetition."""
    return hashlib.sha256(_encode((request, repeat))).hexdigest()[:24]


def asks_for(kind: SystemKind, variants: Variants | None) -> Asks:
    """Give the function that turns an item into the calls of its trial.

    Parameters
    ----------
    kind : {"chat", "predictor"}
        Of the system that is asked.
    variants : Variants, optional
        Repeat goes with chat; Perturb and Swap go with predictors.

    Returns
    -------
    callable
        ``Item -> tuple of Ask``, in the order in which a scorer expects the replies. It raises NotAskable for an item
        whose number to perturb is empty.

    Raises
    ------
    UsageError
        If the variants do not go with the kind of system.
    """
    if kind == "chat":
        if isinstance(variants, Perturb | Swap):
            _refuse(variants, kind)
        return _Chat(variants.times if variants else 0)
    if isinstance(variants, Repeat):
        _refuse(variants, kind)
    return _Records(variants)


def calls_needed(item: Item, kind: SystemKind, variants: Variants | None) -> int:
    """Count the calls of an item's trial without building them.

    Raises
    ------
    UsageError
        If the item has no prompts, or not the column that the variants change.
    """
    if kind == "chat":
        prompts = _prompts(item)
        return variants.times if isinstance(variants, Repeat) else len(prompts)
    if isinstance(variants, Perturb | Swap):
        _require_column(item, variants.column)
        return 1 + len(variants.factors if isinstance(variants, Perturb) else variants.values)
    return 1


class _Chat:
    def __init__(self, times: int) -> None:
        self._times = times

    def __call__(self, item: Item) -> tuple[Ask, ...]:
        prompts = _prompts(item)
        if self._times:
            return tuple(Ask(call_key(prompts[0], repeat), prompts[0]) for repeat in range(self._times))
        return tuple(Ask(call_key(prompt), prompt) for prompt in prompts)


class _Records:
    def __init__(self, variants: Perturb | Swap | None) -> None:
        self._variants = variants

    def __call__(self, item: Item) -> tuple[Ask, ...]:
        record = {"id": item.id, **item.fields}
        copies = [record]
        if self._variants is not None:
            copies += ({**record, self._variants.column: value} for value in self._values(self._variants, item))
        return tuple(Ask(call_key(copy), copy) for copy in copies)

    @staticmethod
    def _values(variants: Perturb | Swap, item: Item) -> Sequence[object]:
        if isinstance(variants, Swap):
            return variants.values
        value = item.fields[variants.column]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotAskable(_("column {column} holds no number").format(column=repr(variants.column)))
        return [value * factor for factor in variants.factors]


def _require_column(item: Item, column: str) -> None:
    if column not in item.fields:
        raise UsageError(
            "data.unknown-column",
            _("item {item} has no column {column}").format(item=repr(item.id), column=repr(column)),
        )


def _prompts(item: Item) -> Sequence[str]:
    found = item.fields.get("prompts")
    prompts = [found] if isinstance(found, str) else found
    if not isinstance(prompts, list) or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise UsageError(
            "check.no-prompts",
            _("item {item} has no `prompts`: one text, or a list of texts").format(item=repr(item.id)),
        )
    return prompts


def _refuse(variants: Repeat | Perturb | Swap, kind: SystemKind) -> NoReturn:
    raise UsageError(
        "check.variants-of-another-kind",
        _("variants of type {type} do not go with a {kind} system").format(type=variants.type, kind=kind),
    )
