"""Whether a driver of dialogues says something of its own, or only repeats what it was told to do.

A model that is too weak to play a part hands back its instruction. The system then passes against nobody, and the
verdict does not show it; so each such message is counted and told beside the verdict, which it does not change.

The rule is exact and coarse. Of case, spaces, punctuation and forms of width nothing is looked at. A message repeats
where it holds a whole sentence of the instruction, or is nothing but the beginning of one, each of at least ten letters
or digits; a shorter instruction is repeated only as a whole. A driver that paraphrases its instruction is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from shinrai.check.dialogue import made_up
from shinrai.check.trials import Ask
from shinrai.records import Call, Commitment, Driver, Item

__all__ = ["NOT_DRIVEN", "Driven", "driven", "repeats"]

_LEAST: Final = 10
_ENDS: Final = re.compile(r"[.!?。！？\n]+")


class Driven(NamedTuple):
    """How many messages a driver made up for the user, and how many of them repeat its own instruction."""

    messages: int
    repeated: int

    def plus(self, other: Driven) -> Driven:
        """Give both together."""
        return Driven(self.messages + other.messages, self.repeated + other.repeated)


NOT_DRIVEN: Final = Driven(0, 0)


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
    return Driven(len(said), sum(repeats(use.driver, one) for one in said))


def repeats(driver: Driver, message: str) -> bool:
    """Whether a message is the driver's own instruction, in any language that it has.

    Parameters
    ----------
    driver : Driver
        With its instruction.
    message : str
        What it said for the user.

    Returns
    -------
    bool
    """
    said = _letters(message)
    return any(_repeats(said, text) for text in (driver.instruction.en, driver.instruction.ja) if text)


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
