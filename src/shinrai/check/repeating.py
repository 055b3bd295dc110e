"""Whether a driver of dialogues says something of its own, or only repeats its instruction or the system.

A model that is too weak to play a part hands back what it read last: what it was told to do, or what the system said.
The system then passes against nobody, and the verdict does not show it; so each such message is counted and told beside
the verdict, which it does not change.

The rules are exact and coarse. Of case, spaces, punctuation and forms of width nothing is looked at. A message repeats
the instruction where it holds a whole sentence of it, or is nothing but the beginning of one, each of at least ten
letters or digits; a shorter instruction is repeated only as a whole. It repeats the system where it is nothing but
whole sentences of one earlier reply, or the beginning of one, ten letters or digits together at least; a shorter reply
is repeated only as a whole. Who quotes the system and adds something of one's own does not repeat it. A driver that
paraphrases is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from shinrai.check.dialogue import made_up
from shinrai.check.trials import Ask
from shinrai.records import Call, Commitment, Driver, Item

__all__ = ["NOT_DRIVEN", "Driven", "Repeated", "driven", "repeated"]

Repeated: TypeAlias = Literal["instruction", "system"]
"""What a message repeats."""

_LEAST: Final = 10
_ENDS: Final = re.compile(r"[.!?。！？\n]+")


class Driven(NamedTuple):
    """What a driver made up for the user.

    Parameters
    ----------
    messages : int
        Those that were sent.
    repeated, echoed : int
        Those of them that repeat its own instruction, and of the others those that repeat the system.
    dialogues, echoing : int
        In which it spoke, and in which of them it repeated the system at least once.
    """

    messages: int
    repeated: int
    echoed: int
    dialogues: int
    echoing: int

    def plus(self, other: Driven) -> Driven:
        """Give both together."""
        if not other.messages:  # most trials have no driver, and each is added
            return self
        return Driven(*(one + more for one, more in zip(self, other, strict=True)))


NOT_DRIVEN: Final = Driven(0, 0, 0, 0, 0)


def driven(commitment: Commitment, item: Item, asks: Sequence[Ask], calls: Sequence[Call]) -> Driven:
    """Count what a driver said in a trial.

    Parameters
    ----------
    commitment : Commitment
        Whose trial it is.
    item : Item
        What it is made of.
    asks, calls : sequence
        Those of the trial, all finished, in the same order.

    Returns
    -------
    Driven
        Nothing where nobody drives. What ended a dialogue and was not sent is not counted.
    """
    use = commitment.dialogue.use if commitment.dialogue else None
    if use is None or use.driver is None:
        return NOT_DRIVEN
    said = made_up(use, item, asks, calls)
    found = [repeated(use.driver, message, replies) for message, replies in said]
    echoed = found.count("system")
    return Driven(len(said), found.count("instruction"), echoed, int(bool(said)), int(bool(echoed)))


def repeated(driver: Driver, message: str, replies: Iterable[str]) -> Repeated | None:
    """Say what a message of a driver repeats.

    Parameters
    ----------
    driver : Driver
        With its instruction, in any language that it has.
    message : str
        What it said for the user.
    replies : iterable of str
        What the system had said before.

    Returns
    -------
    str or None
        ``"instruction"`` before ``"system"``; None where it repeats neither.
    """
    said = _letters(message)
    if any(_repeats(said, text) for text in (driver.instruction.en, driver.instruction.ja) if text):
        return "instruction"
    return "system" if any(_echoes(said, message, reply) for reply in replies) else None


def _echoes(said: str, message: str, reply: str) -> bool:
    whole = _letters(reply)
    if not said or said == whole:
        return bool(said)
    if len(said) < _LEAST:
        return False
    return whole.startswith(said) or set(_sentences(message)) <= {"", *_sentences(reply)}


def _repeats(said: str, instruction: str) -> bool:
    whole = _letters(instruction)
    if not said or said == whole:
        return bool(said)
    sentences = [one for one in _sentences(instruction) if len(one) >= _LEAST]
    begun = len(said) >= _LEAST and any(one.startswith(said) for one in (whole, *sentences))
    return begun or any(one in said for one in sentences)


def _sentences(text: str) -> Iterator[str]:
    return map(_letters, _ENDS.split(text))


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())
