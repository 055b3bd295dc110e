"""The calls of a trial before they are made: how large each is, and what of it nobody knows yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from shinrai.check.dialogue import driver_prompt, known_asks
from shinrai.check.journal import Line
from shinrai.check.trials import Asks, NotAskable
from shinrai.records import Commitment, Dialogue, Id, Item, opening

__all__ = ["Sending", "sendings"]

_AROUND_MESSAGE = len('{"role":"assistant","content":""},')
_encode = msgspec.json.Encoder().encode


class Sending(NamedTuple):
    """A call that may be made.

    Parameters
    ----------
    key : str
        Of the call; one of its own where the request follows from replies that are not there yet.
    to : Id, optional
        The driver; None for the system under test.
    size : int
        Bytes of the request, as far as they are known.
    unknown : mapping
        Whose texts will be in it that nobody knows yet, and how many: the driver's, and the system's (None).
    """

    key: str
    to: Id | None
    size: int
    unknown: Mapping[Id | None, int] = {}


def sendings(commitment: Commitment, item: Item, asks: Asks, kept: Mapping[str, Line]) -> list[Sending]:
    """Give the calls of a trial, those that are kept first; a dialogue goes to its last turn. A judge's are not in it.

    Parameters
    ----------
    commitment : Commitment
        Whose trial it is.
    item : Item
        What it is made of.
    asks : callable
        Gives its first calls (`asks_for`).
    kept : mapping
        Finished calls by their keys.
    """
    try:
        first = asks(item)
    except NotAskable:
        return []
    if commitment.dialogue is None:
        return [Sending(ask.key, None, len(_encode(ask.request))) for ask in first]
    use = commitment.dialogue.use
    known = known_asks(use, item, first, kept)
    found = [Sending(ask.key, ask.to, len(_encode(ask.request))) for ask in known.asks]
    return found if known.over else [*found, *_unknown(use, commitment, item, found)]


def _unknown(use: Dialogue, commitment: Commitment, item: Item, known: Sequence[Sending]) -> Iterator[Sending]:
    """Give the calls that follow from the last known one, which carries all that was said before."""
    script = opening(item, use)
    driver = use.driver.system if use.driver else None
    frame = len(driver_prompt(use.driver, item, []).encode()) if use.driver else 0
    turns = sum(one.to is None for one in known)
    asked = known[-1].to is not None  # the driver: what it will say is asked next
    size = max(0, known[-1].size - frame) if asked else known[-1].size
    replies, messages = (0, 1) if asked else (1, 0)
    for turn in range(turns, use.turns):
        name = f"{commitment.key} {item.id} {turn}"
        size += 2 * _AROUND_MESSAGE
        if turn < len(script):
            size += len(_encode(script[turn]))
        elif driver is None:
            return
        elif not asked:
            yield Sending(f"{name} driven", driver, size + frame, {None: replies, driver: messages})
            messages += 1
        asked = False
        yield Sending(name, None, size, {None: replies, driver: messages} if driver else {None: replies})
        replies += 1
