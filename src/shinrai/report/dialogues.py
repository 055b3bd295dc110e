"""Trials as what was said in them: of a dialogue turn by turn, of anything else call by call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shinrai.check.journal import Line
from shinrai.check.repeating import Repeated, repeated
from shinrai.check.scorers.details import turn_of
from shinrai.check.trials import helper_of, said
from shinrai.records import Commitment, Dialogue, Id, Trial

__all__ = ["Spoken", "as_spoken", "spoken"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One question and its reply.

    Parameters
    ----------
    call : Line
        As the run has it.
    asked : JSON value
        What was asked; of a turn what the user said last, None where the driver said nothing.
    turn : int, optional
        Of a dialogue, from 1.
    speaker : Id, optional
        The driver that made up what the user said; None where the item scripts it.
    decides : bool
        The trial ended as it did by this turn.
    sent : bool
        False where the driver failed, or ended the dialogue: the system was asked nothing any more.
    repeats : str, optional
        The driver only said again its own ``"instruction"``, or what the ``"system"`` had said.
    to : Id, optional
        The judge that was asked, where this is no call to the system under test.
    """

    call: Line
    asked: Any
    turn: int | None = None
    speaker: Id | None = None
    decides: bool = False
    sent: bool = True
    repeats: Repeated | None = None
    to: Id | None = None


def spoken(commitment: Commitment, trial: Trial, calls: Sequence[Line]) -> list[Spoken]:
    """Give what was said in a trial.

    Parameters
    ----------
    commitment : Commitment
        Whose trial it is.
    trial : Trial
        As the run has it.
    calls : sequence of Line
        Those of the trial, in its order.

    Returns
    -------
    list of Spoken
        Of a dialogue one for each turn: the driver's calls are told by what the user says, unless it ended the dialogue
        or failed. Then what a judge was asked.
    """
    if commitment.dialogue is None:
        return [one for call in calls for one in _asked_once(call)]
    own = [place for place, call in enumerate(calls) if helper_of(call.request) is None]
    decides = turn_of(trial.detail)
    told = [_turn(commitment.dialogue.use, calls, place, number) for number, place in enumerate(own, start=1)]
    told = [replace(one, decides=decides == one.turn) for one in told]
    rest = list(calls[own[-1] + 1 if own else 0 :])
    if rest and _driven_on(commitment.dialogue.use, calls, own):
        last = rest.pop(0)
        words = last.reply if isinstance(last.reply, str) and last.reply.strip() else None
        told.append(Spoken(last, words, len(own) + 1, helper_of(last.request), trial.outcome == "error", sent=False))
    return told + [one for call in rest for one in _asked_once(call)]


def _asked_once(call: Line) -> list[Spoken]:
    judge = helper_of(call.request)
    return [Spoken(text, text.request if judge is None else text.request["text"], to=judge) for text in as_spoken(call)]


def as_spoken(call: Line) -> list[Line]:
    """Give a sample that a trial source made as what was asked in it and what was said; other calls as they are.

    Parameters
    ----------
    call : Line
        As the run has it.

    Returns
    -------
    list of Line
        With the same key. One for each question, where every reply is there and the last one counts; else one of all
        questions and the reply that counts.
    """
    if not isinstance(call.request, dict) or call.request.keys() != {"sample", "epoch"}:
        return [call]  # a record for a predictor always has an id
    row = call.reply if isinstance(call.reply, dict) else {}
    prompts, reply = row.get("prompts") or [], row.get("reply")
    replies = row.get("replies")  # a column that plug-ins cannot write; Inspect has none
    if not isinstance(replies, list) or len(replies) != len(prompts) or replies[-1:] != [reply]:
        prompts, replies = ["\n\n".join(prompts) or call.request["sample"]], [reply]
    pairs = zip(prompts, replies, strict=True)
    return [msgspec.structs.replace(call, request=asked, reply=said_then) for asked, said_then in pairs]


def _turn(use: Dialogue, calls: Sequence[Line], place: int, number: int) -> Spoken:
    asked, speaker = said(calls[place].request), _speaker(calls, place)
    again: Repeated | None = None
    if speaker is not None and use.driver is not None:
        before = [str(call.reply) for call in calls[: place - 1] if helper_of(call.request) is None]
        again = repeated(use.driver, str(asked), before)
    return Spoken(calls[place], asked, number, speaker, repeats=again)


def _speaker(calls: Sequence[Line], place: int) -> Id | None:
    return helper_of(calls[place - 1].request) if place else None


def _driven_on(use: Dialogue, calls: Sequence[Line], own: Sequence[int]) -> bool:
    """Whether the driver was asked after the last reply: it could go on, and the limit was not reached."""
    last = calls[own[-1]] if own else None
    goes_on = last is not None and last.end == "ok" and not last.cut and isinstance(last.reply, str)
    return use.driver is not None and goes_on and len(own) < use.turns
