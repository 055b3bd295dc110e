"""What has to be asked for one item, and what names each call: the same when it is planned and when it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records.base import Json
from shinrai.records.check import Perturb, Repeat, Swap, TrialKind, Variants
from shinrai.records.commitment import Commitment
from shinrai.records.dialogue import Dialogue, opening, turns_at_most
from shinrai.records.scorer import Judge
from shinrai.records.trial import Item

__all__ = [
    "Asked",
    "NotAskable",
    "TrialCalls",
    "asked",
    "call_key",
    "calls_needed",
    "calls_of_trial",
    "require_variants_of",
]

_encode = msgspec.json.Encoder(order="deterministic").encode


class Asked(NamedTuple):
    """One call that an item needs.

    ``request`` is a text for a chat system and a record for a predictor; ``repeat`` counts equal requests from 0.
    """

    request: Any
    repeat: int = 0


class NotAskable(Exception):  # noqa: N818 - not an error: an outcome of the trial
    """The item cannot be turned into calls, so its trial is invalid: this column of it holds no number to change."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def call_key(request: Json, repeat: int = 0) -> str:
    """Name a call: 24 hexadecimal digits of the SHA-256 of the request and the number of its repetition."""
    return hashlib.sha256(_encode((request, repeat))).hexdigest()[:24]


def require_variants_of(kind: TrialKind, variants: Variants | None) -> None:
    """Refuse variants that do not go with a kind: Repeat goes with chat and samples, Perturb and Swap with predictors.

    Raises
    ------
    UsageError
        If they do not.
    """
    if variants is not None and isinstance(variants, Repeat) == (kind == "predictor"):
        raise UsageError(
            "check.variants-of-another-kind",
            _("variants of type {type} do not go with a {kind} system").format(type=variants.type, kind=kind),
        )


def asked(
    item: Item, kind: TrialKind, variants: Variants | None, dialogue: Dialogue | None = None
) -> tuple[Asked, ...]:
    """Give the calls of an item's trial, in the order in which a scorer expects the replies.

    Parameters
    ----------
    item : Item
        Of the data set.
    kind : {"chat", "predictor", "sample"}
        Of the system that is asked; ``sample`` where a trial source asks it.
    variants : Variants, optional
        That go with it.
    dialogue : Dialogue, optional
        Its first turn alone is known beforehand: the others follow from the replies.

    Returns
    -------
    tuple of Asked
        At least one. Equal requests of one run are one call, whatever item they are made for.

    Raises
    ------
    UsageError
        If the item has no prompts, or not the column that the variants change.
    NotAskable
        If the column to be perturbed holds no number.
    """
    if kind == "sample":
        return tuple([Asked({"sample": item.id, "epoch": number}) for number in range(1, _epochs(variants) + 1)])
    if dialogue is not None:
        return (Asked(opening(item, dialogue)[0]),)
    if kind == "chat":
        prompts = _prompts(item)
        if isinstance(variants, Repeat):
            return tuple([Asked(prompts[0], repeat) for repeat in range(variants.times)])
        return tuple([Asked(prompt) for prompt in prompts])
    record = {"id": item.id, **item.fields}
    if not isinstance(variants, Perturb | Swap):
        return (Asked(record),)
    return (Asked(record), *(Asked({**record, variants.column: value}) for value in _values(variants, item)))


def calls_needed(item: Item, kind: TrialKind, variants: Variants | None) -> int:
    """Count the calls of an item's trial without building them; an item that turns out not to be askable included.

    Raises
    ------
    UsageError
        As `asked`.
    """
    if kind == "sample":
        return _epochs(variants)
    if kind == "chat":
        prompts = _prompts(item)
        return variants.times if isinstance(variants, Repeat) else len(prompts)
    if isinstance(variants, Perturb | Swap):
        _require_column(item, variants.column)
        return 1 + len(variants.factors if isinstance(variants, Perturb) else variants.values)
    return 1


class TrialCalls(NamedTuple):
    """Calls that a trial needs in the worst case: to the system, to the driver of a dialogue, and to a judge."""

    own: int
    driven: int = 0
    judged: int = 0


def calls_of_trial(item: Item, kind: TrialKind, commitment: Commitment) -> TrialCalls:
    """Count the calls of a trial in the worst case: a dialogue goes to its last turn, every reply passes the judge.

    Parameters
    ----------
    item : Item
        What the trial is made of.
    kind : {"chat", "predictor"}
        Of the system that is asked.
    commitment : Commitment
        Whose trial it is.

    Returns
    -------
    TrialCalls

    Raises
    ------
    UsageError
        As `asked`.
    """
    dialogue = commitment.dialogue.use if commitment.dialogue else None
    use = commitment.scorer.use if commitment.scorer else None
    if dialogue is None:
        own, driven = calls_needed(item, kind, commitment.variants), 0
    else:
        own, driven = turns_at_most(item, dialogue)
    if not isinstance(use, Judge):
        return TrialCalls(own, driven)
    replies = 1 if dialogue is not None and dialogue.scored == "last" else own
    return TrialCalls(own, driven, replies * (1 if use.control is None else 2))


def _epochs(variants: Variants | None) -> int:
    return variants.times if isinstance(variants, Repeat) else 1


def _values(variants: Perturb | Swap, item: Item) -> Iterator[object]:
    _require_column(item, variants.column)
    if isinstance(variants, Swap):
        yield from variants.values
        return
    value = item.fields[variants.column]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotAskable(variants.column)
    yield from (value * factor for factor in variants.factors)


def _require_column(item: Item, column: str) -> None:
    if column not in item.fields:
        raise UsageError(
            "data.unknown-column",
            _("item {item} has no column {column}").format(item=repr(item.id), column=repr(column)),
        )


def _prompts(item: Item) -> Sequence[str]:
    found = item.fields.get("prompts")
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list) or set(map(type, found)) != {str}:
        _refuse(item)
    return found


def _refuse(item: Item) -> NoReturn:
    raise UsageError(
        "check.no-prompts",
        _("item {item} has no `prompts`: one text, or a list of texts").format(item=repr(item.id)),
    )
