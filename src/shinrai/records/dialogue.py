"""Dialogues: trials in which the user speaks more than once, as a script says or as another system makes it up."""

from __future__ import annotations

from typing import Annotated, Literal, NoReturn

from pydantic import Field

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records.base import Id, Record, Text
from shinrai.records.trial import Item

__all__ = ["DIALOGUE_VERSION", "TURNS", "Dialogue", "Driver", "NotSpeakable", "opening", "turns_at_most"]

DIALOGUE_VERSION = "1"
"""Of the rules by which a dialogue goes on, and of the words around a driver's instruction. Change them, raise it."""

TURNS = "turns"
"""The column of a data set that holds what the user says, turn by turn."""

MOST_TURNS = 50


class Driver(Record):
    """Another system of the workspace that plays the user: a simulated person, or an attacker."""

    system: Annotated[Id, Field(description="The chat system of the workspace that speaks for the user")]
    instruction: Annotated[
        Text, Field(description="Whom it plays and what for; read in the language of the item where there is one")
    ]
    show: Annotated[
        tuple[str, ...],
        Field(description="Fields of the item that it is told and the system is not, such as what it is after"),
    ] = ()
    stop: Annotated[
        str | None,
        Field(min_length=1, description="It ends the dialogue by saying this; the message with it is not sent"),
    ] = None


class Dialogue(Record):
    """A trial is a dialogue, and one trial, however many turns it takes.

    The user first says what the item holds: the texts of its column ``turns`` one after the other, or its one prompt.
    Then the driver goes on, if there is one.
    """

    turns: Annotated[
        int, Field(ge=1, le=MOST_TURNS, description="Times that the user speaks at most, the item's turns included")
    ]
    scored: Annotated[
        Literal["last", "worst"],
        Field(
            description="The reply that the dialogue is scored by: the last one, or the worst of all (a fail before an "
            "unreadable one before a pass)"
        ),
    ] = "last"
    driver: Annotated[Driver | None, Field(description="Who goes on where the item ends; nobody when left out")] = None

    def qualify(self, title: Text, statement: Text) -> tuple[Text, Text]:
        """Write into a title and a statement what dialogues they are about: the statement is about that policy."""
        name = self.driver.system if self.driver else None
        times = "1 turn" if self.turns == 1 else f"{self.turns} turns"
        en = (
            f"in dialogues of at most {times} driven by {name}" if name else f"in scripted dialogues of at most {times}"
        )
        ja = f"{name} が利用者役を務める" if name else "台本による"
        ja += f"最大 {self.turns} 往復の対話において"
        by_en, by_ja = _SCORED[self.scored]
        return _with(title, ja, en), _with(statement, f"{ja}、{by_ja}", f"{en}, {by_en}")


_SCORED = {
    "last": ("by the last reply", "最後の応答で判定"),
    "worst": ("by the worst reply", "最も悪い応答で判定"),
}


def _with(text: Text, ja: str, en: str) -> Text:
    return Text(ja=text.ja and f"{text.ja}（{ja}）", en=text.en and f"{text.en} ({en})")


class NotSpeakable(Exception):  # noqa: N818 - a finding about an item, said by whoever knows where it stands
    """An item that no dialogue can begin with.

    Parameters
    ----------
    code : str
        Stable name.
    message : str
        For a person.
    expected : str
        What would do.
    """

    def __init__(self, code: str, message: str, expected: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.expected = expected


def read_turns(item: Item, dialogue: Dialogue) -> tuple[str, ...]:
    """Read what the user says first, whatever the system answers.

    Parameters
    ----------
    item : Item
        With ``turns`` (a list of texts, or of messages ``{"role": "user", "content": …}``) or with ``prompts`` (one
        text).
    dialogue : Dialogue
        Says how many there may be.

    Returns
    -------
    tuple of str
        From 1 to ``dialogue.turns``.

    Raises
    ------
    NotSpeakable
        If it has neither, none, more than there may be, one that is empty or no text, or one of another role.
    """
    wanted = _('a list of texts under "turns", or one text under "prompts"')
    found = item.fields.get(TURNS)
    if found is None:
        found = item.fields.get("prompts")
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or len(found) != 1:
            raise NotSpeakable("data.no-turns", _("there is nothing that a dialogue could begin with"), wanted)
    if not isinstance(found, list):
        raise NotSpeakable("data.bad-turn", _("the turns are not a list"), wanted)
    if not found:
        raise NotSpeakable("data.no-turns", _("there are no turns"), _("at least one text"))
    if len(found) > dialogue.turns:
        raise NotSpeakable(
            "data.too-many-turns",
            _("there are {count} turns, and the check allows {limit}").format(count=len(found), limit=dialogue.turns),
            _("at most {limit}, or a larger `turns` in the check").format(limit=dialogue.turns),
        )
    return tuple(_said(number, turn) for number, turn in enumerate(found, start=1))


def _said(number: int, turn: object) -> str:
    """Read one turn.

    Raises
    ------
    NotSpeakable
        As `read_turns`.
    """
    if isinstance(turn, dict):
        role = turn.get("role")
        if role != "user" or turn.keys() != {"role", "content"}:
            message = _("turn {number} is of the role {role}").format(number=number, role=repr(role)[:40])
            expected = _('only what the user says: texts, or {"role": "user", "content": "…"}')
            raise NotSpeakable("data.turn-role", message, expected)
        turn = turn["content"]
    if not isinstance(turn, str):
        message = _("turn {number} is not a text").format(number=number)
        raise NotSpeakable("data.bad-turn", message, _("a list of texts"))
    if not turn.strip():
        raise NotSpeakable("data.bad-turn", _("turn {number} is empty").format(number=number), _("a text"))
    return turn


def opening(item: Item, dialogue: Dialogue) -> tuple[str, ...]:
    """Read what the user says first; see `read_turns`.

    Raises
    ------
    UsageError
        If no dialogue can begin with the item.
    """
    try:
        return read_turns(item, dialogue)
    except NotSpeakable as found:
        _refuse(item, found)


def _refuse(item: Item, found: NotSpeakable) -> NoReturn:
    message = _("item {item}: {problem}").format(item=repr(item.id), problem=found.message)
    raise UsageError(found.code, message, hint=found.expected) from found


def turns_at_most(item: Item, dialogue: Dialogue) -> tuple[int, int]:
    """Count the calls of a dialogue in the worst case.

    Returns
    -------
    tuple of int
        Those to the system and those to the driver.

    Raises
    ------
    UsageError
        As `opening`.
    """
    scripted = len(opening(item, dialogue))
    return (scripted, 0) if dialogue.driver is None else (dialogue.turns, dialogue.turns - scripted)
