"""A whole questionnaire sent back: a workbook of answers, in Japanese or English, with its columns in any order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from shinrai.do.answers import Given, bring, looked_at, with_document
from shinrai.do.statements import read_document
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import LANGUAGES, _, current_language
from shinrai.ledger import Ledger
from shinrai.records import Answer, Text
from shinrai.rules.questions import ANSWER_WORDS, HEADS, spoken, written_alike
from shinrai.source import did_you_mean, listing
from shinrai.source.workbook import Cell, Sheet, cell_name, read_workbook
from shinrai.workspace import Workspace

_DIGITS: Final = 4
_NEEDED: Final = ("requirement", "answer", "by")
_HEADING_ROWS: Final = 20
"""The heads stand within so many rows; a title and instructions may stand above them."""
_DAY: Final = re.compile(r"((?:令和|R)?)([0-9]{1,4}|元)[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_BEFORE_REIWA: Final = 2018
_REIWA_BEGINS: Final = date(2019, 5, 1)


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What a questionnaire brought.

    Parameters
    ----------
    answers : tuple of Answer
        In the order of the sheet.
    new : int
        How many of them the ledger did not hold yet.
    blank : int
        Rows without an answer: they are not taken for one.
    """

    answers: tuple[Answer, ...]
    new: int
    blank: int


def questionnaire(ledger: Ledger, workspace: Workspace, path: Path, today: date, documents: Path) -> Questionnaire:
    """Bring in a questionnaire that was sent back: all of it, or nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    path : Path
        A workbook with the columns `shinrai.rules.questions.HEADS` in its first sheet, in any order and either
        language; others are passed over.
    today : date
        The day on which this is said.
    documents : Path
        Folder in which the documents lie that the answers name.

    Returns
    -------
    Questionnaire

    Raises
    ------
    SourceError
        With the mistakes of every row, at its row as line and its column; nothing is then kept and nothing written.
    StoreError
        If a copy cannot be kept.
    """
    reading = _Reading(read_workbook(path, shown_as=path.name), path.name, workspace, documents)
    made: list[tuple[Answer, Path | None]] = []
    for row, given in reading.rows():
        try:
            one = looked_at(workspace, given, today)
            if given.document is not None:
                read_document(given.document)
        except UsageError as error:
            reading.problem((row, _column_of(error.code, given)), error.code, error.message, hint=error.hint)
            continue
        made.append((one, given.document))
    if reading.problems:
        raise SourceError(reading.problems)
    answers = [with_document(workspace, one, document) for one, document in made]
    return Questionnaire(tuple(answers), len(bring(ledger, answers)), reading.blank)


def _column_of(code: str, given: Given) -> str:
    """Name the column in which a mistake stands."""
    if code in {"do.unknown-framework", "do.unknown-requirement"}:
        return "requirement"
    if code in {"do.no-document", "do.empty-document"}:
        return "document"
    if given.second_reader == given.by:
        return "second_reader"
    return "statement" if given.answer == "not-applicable" and not given.statement else "valid_until"


class _Titled(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> Text: ...


class _Named:
    """Things that a cell may name by their id or by their title in either language, where no two have the same."""

    def __init__(self, things: Iterable[_Titled]) -> None:
        things = list(things)
        by_title: dict[str, set[str]] = {}
        for thing in things:
            for language in LANGUAGES:
                by_title.setdefault(written_alike(thing.title.read(language)), set()).add(thing.id)
        self.ids = {title: ids.pop() for title, ids in by_title.items() if len(ids) == 1}
        self.ids |= {written_alike(thing.id): thing.id for thing in things}
        self.shown = [thing.title.read(current_language()) for thing in things]
        self.near = [
            *(thing.id for thing in things),
            *(thing.title.read(language) for thing in things for language in LANGUAGES),
        ]


class _Reading:
    """The rows of a questionnaire, with every mistake at its cell."""

    def __init__(self, sheet: Sheet, shown_as: str, workspace: Workspace, documents: Path) -> None:
        self.sheet, self.shown_as, self.documents = sheet, shown_as, documents
        self.problems: list[Problem] = []
        self.blank = 0
        self.answers = spoken(ANSWER_WORDS)
        self.systems = _Named(workspace.systems.values())
        self.roles = _Named(workspace.settings.roles)
        self.head, self.columns = self._heads()

    def _heads(self) -> tuple[int, dict[str, int]]:
        """Find the row of the heads, counted from 1, and each column in it, counted from 0."""
        known = spoken(HEADS)
        found: list[list[str | None]] = [
            [known.get(written_alike(str(cell or ""))) for cell in row] for row in self.sheet.rows[:_HEADING_ROWS]
        ]
        best = max(range(len(found)), key=lambda at: len(set(found[at]) - {None}), default=0)
        heads = found[best] if found else []
        columns = {name: heads.index(name) for name in HEADS if name in heads}
        expected = _("these heads in one row: {names}").format(names=", ".join(_(word) for word in HEADS.values()))
        for name in _NEEDED:
            if name not in columns:
                message = _("the column {name} is missing").format(name=_(HEADS[name]))
                self._tell((best + 1, 1), "do.questionnaire", message, expected)
        for name, at in columns.items():
            if heads.count(name) > 1:
                again = len(heads) - heads[::-1].index(name)
                message = _("the column {name} stands twice, here and in {cell}")
                told = message.format(name=_(HEADS[name]), cell=cell_name(best + 1, at + 1))
                self._tell((best + 1, again), "do.questionnaire", told, _("each column once"))
        return best + 1, columns

    def problem(
        self, at: tuple[int, str], code: str, message: str, *, expected: str | None = None, hint: str | None = None
    ) -> None:
        """Note a mistake at a row and a column's name."""
        self._tell((at[0], self.columns.get(at[1], 0) + 1), code, message, expected, hint)

    def _tell(
        self, at: tuple[int, int], code: str, message: str, expected: str | None, hint: str | None = None
    ) -> None:
        told = _("sheet {sheet}, cell {cell}: {message}").format(
            sheet=self.sheet.name, cell=cell_name(*at), message=message
        )
        self.problems.append(Problem(code, self.shown_as, *at, told, expected, hint))

    def rows(self) -> Iterator[tuple[int, Given]]:
        """Give the rows that hold an answer and can be read, with their numbers in the sheet."""
        if self.problems:
            return
        for row, cells in enumerate(self.sheet.rows[self.head :], start=self.head + 1):
            told = {name: cells[at] if at < len(cells) else None for name, at in self.columns.items()}
            if not any(value not in {None, ""} for value in told.values()):
                continue
            if _text(told.get("answer")) == "":
                self.blank += 1
                continue
            before = len(self.problems)
            given = self._given(row, told)
            if len(self.problems) == before:
                yield row, given

    def _given(self, row: int, told: Mapping[str, Cell]) -> Given:
        for name in ("requirement", "by"):
            if not _text(told.get(name)):
                expected = _("one of: {names}").format(names=listing(self.roles.shown)) if name == "by" else None
                message = _("{name} is left blank").format(name=_(HEADS[name]))
                self.problem((row, name), "do.questionnaire", message, expected=expected)
        return Given(
            requirement=_text(told.get("requirement")),
            system=self._named((row, "system"), told, self.systems, "do.unknown-system"),
            question=_text(told.get("question")),
            answer=self._answer(row, _text(told.get("answer"))),
            statement=_text(told.get("statement")),
            document=self._document(row, _text(told.get("document"))),
            effective=self._day(row, told, "effective"),
            valid_until=self._day(row, told, "valid_until"),
            by=self._named((row, "by"), told, self.roles, "do.unknown-role") or "",
            second_reader=self._named((row, "second_reader"), told, self.roles, "do.unknown-role"),
        )

    def _answer(self, row: int, text: str) -> str:
        key = self.answers.get(written_alike(text))
        if key is None:
            words = [_(word) for word in ANSWER_WORDS.values()]
            message = _("{name} is no answer").format(name=text)
            expected = _("one of: {names}").format(names=listing(words))
            hint = did_you_mean(text, [*words, *ANSWER_WORDS])
            self.problem((row, "answer"), "do.no-such-answer", message, expected=expected, hint=hint)
        return key or ""

    def _named(self, at: tuple[int, str], told: Mapping[str, Cell], known: _Named, code: str) -> str | None:
        """Give the id of the system or the role in a cell; what there is none of is a mistake."""
        text = _text(told.get(at[1]))
        if not text or not known.shown:
            return text or None
        found = known.ids.get(written_alike(text))
        if found is None:
            of_system, of_role = (
                _("There is no system {name} in systems/"),
                _("There is no role {name} in shinrai.yaml"),
            )
            unknown = of_system if at[1] == "system" else of_role
            expected = _("one of: {names}").format(names=listing(known.shown))
            self.problem(at, code, unknown.format(name=text), expected=expected, hint=did_you_mean(text, known.near))
        return found

    def _document(self, row: int, name: str) -> Path | None:
        """Find a document by its plain name: a questionnaire from outside names no other places."""
        if not name:
            return None
        if Path(name).name != name or "\\" in name or name in {".", ".."}:
            message = _("{name} is not the plain name of a file").format(name=name)
            expected = _("the name of a file in the folder {folder}").format(folder=self.documents.name or ".")
            self.problem((row, "document"), "do.document-elsewhere", message, expected=expected)
            return None
        return self.documents / name

    def _day(self, row: int, told: Mapping[str, Cell], column: str) -> date | None:
        value = told.get(column)
        if value is None or value == "":
            return None
        found = self.sheet.day(value) if isinstance(value, float) else typed_day(str(value))
        if found is None:
            message = _("{value} is not a day such as 2026-03-31").format(value=_text(value))
            expected = _("a day: 2026-03-31, 2026/3/31, 2026年3月31日 or 令和8年3月31日")
            self.problem((row, column), "do.questionnaire", message, expected=expected)
        return found


def typed_day(text: str) -> date | None:
    """Read a day that was typed as a text, with a year of four digits or of the era Reiwa."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    era, year = found[1], 1 if found[2] == "元" else int(found[2])
    try:
        day = date(year + _BEFORE_REIWA if era else year, int(found[3]), int(found[4]))
    except ValueError:
        return None
    return day if (day >= _REIWA_BEGINS if era else len(found[2]) == _DIGITS) else None


def _text(cell: Cell) -> str:
    """Write a cell as text; a whole number without a decimal point, so that the requirement 1 stays 1."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
