"""Whether data sets hold what dialogues begin with, and nothing else does; said with the line in which it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import TURNS, Check, Item, NotSpeakable, keeps, read_turns

_MOST: Final = 20
"""Rows of a data set that are named; what is wrong with more of them is most likely wrong with all."""


class TurnsOfData:
    """Looks at the turns in data sets, and says of each row once what is wrong.

    Parameters
    ----------
    root : Path
        Of the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._said: set[tuple[str, int, str]] = set()

    def problems(self, check: Check, items: Sequence[Item]) -> list[Problem]:
        """Give what keeps a check from holding its dialogues.

        Parameters
        ----------
        check : Check
            With a file; one of the catalog's own is not looked at.
        items : sequence of Item
            All its rows.

        Returns
        -------
        list of Problem
            Rows with which no dialogue can begin; or, where the check asks single questions, the first row with turns.
        """
        if check.data is None or check.data.file is None or check.applies_to == "predictor":
            return []
        found: list[tuple[int, NotSpeakable]] = []
        for number, item in enumerate(items):
            if keeps(check.data, item) and (problem := _wrong(check, item)) is not None:
                found.append((number, problem))
                if check.dialogue is None or len(found) >= _MOST:
                    break
        return [
            self._located(check.data.file, number, problem)
            for number, problem in found
            if self._new(check, number, problem)
        ]

    def _new(self, check: Check, number: int, problem: NotSpeakable) -> bool:
        mark = (check.data.file or "" if check.data else "", number, problem.message)
        new = mark not in self._said
        self._said.add(mark)
        return new

    def _located(self, file: str, number: int, problem: NotSpeakable) -> Problem:
        line, text = self._line(file, number)
        column = max(text.find(f'"{TURNS}"'), 0) + 1
        return Problem(problem.code, file, line, column, problem.message, problem.expected, None, text)

    def _line(self, file: str, number: int) -> tuple[int, str]:
        """Find the line of a row: in JSON Lines, those that are not blank are the rows; elsewhere rows are counted."""
        path = self._root / file
        if path.suffix != ".jsonl" or not path.is_file():
            return number + 2, ""
        lines = ((line, text) for line, text in enumerate(path.read_text("utf-8").split("\n"), start=1) if text.strip())
        return next(found for place, found in enumerate(lines) if place == number)


def _wrong(check: Check, item: Item) -> NotSpeakable | None:
    if check.dialogue is None:
        if isinstance(item.fields.get(TURNS), list) and check.applies_to == "chat":
            message = _("the row holds a dialogue, and the check {check} asks single questions").format(check=check.id)
            expected = _("`dialogue: {turns: …}` in the check, or rows without `turns`")
            return NotSpeakable("data.not-a-dialogue", message, expected)
        return None
    try:
        read_turns(item, check.dialogue)
    except NotSpeakable as found:
        return found
    return None
