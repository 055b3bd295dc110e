"""Gates of the life cycle in words. Written once, for page and terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shinrai.i18n import Language, translate
from shinrai.report.stack_words import STAGES
from shinrai.report.words import N_, SHAPES, STATUS_WORDS
from shinrai.rules.gates import Due, StageGate

_CLOSED: Final = "▲"
_OPEN: Final = "●"


def gate_words(gate: StageGate, language: Language) -> str:
    """Write whether a gate is open, and why."""
    closed, due = len(gate.barred), len(gate.due)
    if gate.forbidden:
        message = N_("the gate “{stage}” is closed: its use is prohibited, and nothing opens it")
    elif closed:
        message = N_("the gate “{stage}” is closed: of {due} checks due by its risk ({depth}), {closed} are not kept")
    elif due:
        message = N_("the gate “{stage}” is open: all {due} checks due by its risk ({depth}) are kept or accepted")
    else:
        message = N_("the gate “{stage}” is open: its risk ({depth}) makes no check due")
    stage, depth = translate(STAGES[gate.into], language), gate.depth.title.read(language)
    return translate(message, language).format(stage=stage, depth=depth, due=due, closed=closed)


def short(gate: StageGate, language: Language) -> str:
    """Write a gate in one line of a table."""
    if gate.forbidden:
        return f"{_CLOSED} " + translate(N_("prohibited"), language)
    if gate.closed:
        message = N_("closed: {closed} of {due} due not kept")
        return f"{_CLOSED} " + translate(message, language).format(closed=len(gate.barred), due=len(gate.due))
    return f"{_OPEN} " + translate(N_("open: {due} due"), language).format(due=len(gate.due))


def bar_words(due: Due, language: Language) -> Iterator[tuple[str, str]]:
    """Give a shape and a line for each claim that keeps a gate closed.

    Parameters
    ----------
    due : Due
        One that has a bar.
    language : {"ja", "en"}
        Of the line.

    Yields
    ------
    tuple of str
    """
    by = translate(N_("due by “{stage}”"), language).format(stage=translate(STAGES[due.claim.stage], language))
    if not due.states:
        why = translate(N_("no plan promises it"), language)
        yield SHAPES["not_measured"], f"{due.claim.check} ({by}): {why}"
    for one in due.states:
        name = one.ruling.claim.rpartition("/")[2]
        title = one.promise.commitment.title.read(language) if one.promise else name
        words = translate(STATUS_WORDS[one.status], language)
        if one.status == "accepted" and due.bar == "acceptance":
            words = translate(N_("accepted, and its risk allows that no longer"), language)
        elif one.status in {"met", "accepted"}:
            continue
        yield SHAPES[one.status], f"{name} {title} ({by}): {words}"
