"""Answers to what requirements ask of an organisation: one at a time, or a whole questionnaire sent back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, get_args

from pydantic import ValidationError

from shinrai.do.keeping import keep
from shinrai.do.naming import require_role, require_system
from shinrai.do.statements import read_document
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.records import Answer, AnswerGiven, EvidenceBrought, Id, Role
from shinrai.source import did_you_mean, listing, rule_broken
from shinrai.source.workbook import Cell, Sheet, read_workbook
from shinrai.workspace import Workspace

COLUMNS: Final[tuple[str, ...]] = (
    "requirement",
    "system",
    "question",
    "answer",
    "statement",
    "document",
    "effective",
    "valid_until",
    "by",
    "second_reader",
)
"""Columns of a questionnaire, by the names in its first row; others are passed over."""

_DAY_ZERO: Final = date(1899, 12, 30)
"""Workbooks count days from here."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was given, before it is looked at."""

    requirement: str
    answer: str
    by: Role
    system: Id | None = None
    question: str = ""
    statement: str = ""
    document: Path | None = None
    effective: date | None = None
    valid_until: date | None = None
    second_reader: Role | None = None


def answer(ledger: Ledger, workspace: Workspace, given: Given, today: date) -> Answer:
    """Bring in one answer. Bringing the very same again changes nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    given : Given
        Its document, if any, is kept as a copy.
    today : date
        The day on which this is said; since when it is so, where the answer does not say.

    Returns
    -------
    Answer

    Raises
    ------
    UsageError
        If a name is unknown, the document cannot be read, or the answer contradicts itself.
    StoreError
        If the copy cannot be kept.
    """
    made = _looked_at(workspace, given, today)
    made = _with_document(workspace, made, given.document)
    _bring(ledger, [made])
    return made


def _looked_at(workspace: Workspace, given: Given, today: date) -> Answer:
    """Check an answer without keeping anything of it.

    Raises
    ------
    UsageError
        If a name is unknown, or it contradicts itself.
    """
    book, _slash, entry = given.requirement.rpartition("/")
    known = workspace.rules.frameworks
    if book not in known:
        message = _("There is no framework {name}").format(name=book or given.requirement)
        raise UsageError("do.unknown-framework", message, hint=did_you_mean(book, known))
    entries = {one.id: one for one in known[book].requirements if one.assessable}
    if entry not in entries:
        message = _("The framework {book} has no requirement {name} to answer").format(book=book, name=entry)
        raise UsageError("do.unknown-requirement", message, hint=did_you_mean(entry, entries))
    require_system(given.system, workspace)
    for role in filter(None, (given.by, given.second_reader)):
        require_role(role, workspace)
    if given.answer not in get_args(AnswerGiven):
        message = _("{name} is no answer").format(name=given.answer)
        hint = _("one of: {names}").format(names=listing(get_args(AnswerGiven)))
        raise UsageError("do.no-such-answer", message, hint=hint)
    title = entries[entry].title
    facts = {
        "requirement": given.requirement,
        "system": given.system,
        "question": given.question or title.en or title.ja,
        "answer": given.answer,
        "statement": given.statement,
        "by": given.by,
        "second_reader": given.second_reader,
        "effective": given.effective or today,
        "valid_until": given.valid_until,
    }
    try:
        return Answer.model_validate(facts)
    except ValidationError as error:
        message = _("The answer to {requirement} contradicts itself: {reason}").format(
            requirement=given.requirement, reason=rule_broken(error)
        )
        raise UsageError("do.contradicting-answer", message) from error


def _with_document(workspace: Workspace, made: Answer, document: Path | None) -> Answer:
    if document is None:
        return made
    kept, digest = keep(workspace.root, read_document(document), document.name)
    return made.model_copy(update={"name": document.name, "file": kept, "file_digest": digest})


def _bring(ledger: Ledger, answers: list[Answer]) -> list[Answer]:
    """Write down, in one go, those answers that the ledger does not hold as the newest of their kind already."""
    newest = {
        (known.requirement, known.system): known
        for _entry, known in ledger.state().evidence
        if isinstance(known, Answer)
    }
    new = [one for one in answers if newest.get((one.requirement, one.system)) != one]
    if new:
        ledger.append(*(EvidenceBrought(evidence=one) for one in new))
    return new


# ---- a whole questionnaire


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
        A workbook with the columns `COLUMNS` in its first sheet.
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
        With every mistake, its row as line and its column as column; nothing is then kept and nothing written.
    StoreError
        If a copy cannot be kept.
    """
    sheet = read_workbook(path, shown_as=path.name)
    reading = _Reading(sheet, path.name, documents)
    made: list[tuple[Answer, Path | None]] = []
    for row, given in reading.rows():
        try:
            one = _looked_at(workspace, given, today)
            if given.document is not None:
                read_document(given.document)
        except UsageError as error:
            reading.problem(error.code, row, _COLUMN_OF.get(error.code, "answer"), error.message, error.hint)
            continue
        made.append((one, given.document))
    if reading.problems:
        raise SourceError(reading.problems)
    answers = [_with_document(workspace, one, document) for one, document in made]
    return Questionnaire(tuple(answers), len(_bring(ledger, answers)), reading.blank)


_COLUMN_OF: Final[Mapping[str, str]] = {
    "do.unknown-framework": "requirement",
    "do.unknown-requirement": "requirement",
    "do.unknown-system": "system",
    "do.unknown-role": "by",
    "do.no-document": "document",
    "do.empty-document": "document",
}


class _Reading:
    """The rows of a questionnaire, with every mistake at its cell."""

    def __init__(self, sheet: Sheet, shown_as: str, documents: Path) -> None:
        self.sheet, self.shown_as, self.documents = sheet, shown_as, documents
        self.problems: list[Problem] = []
        self.blank = 0
        heads = [str(cell or "").strip() for cell in (sheet.rows[0] if sheet.rows else [])]
        self.columns = {name: heads.index(name) for name in COLUMNS if name in heads}
        for name in ("requirement", "answer", "by"):
            if name not in self.columns:
                message = _("the column {name} is missing").format(name=name)
                expected = _("these names in the first row: {names}").format(names=", ".join(COLUMNS))
                self.problems.append(Problem("do.questionnaire", shown_as, 1, 1, message, expected))

    def problem(self, code: str, row: int, column: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(code, self.shown_as, row, self.columns.get(column, 0) + 1, message, None, hint))

    def rows(self) -> Iterator[tuple[int, Given]]:
        """Give the rows that hold an answer, with their numbers in the sheet."""
        if self.problems:
            return
        for row, cells in enumerate(self.sheet.rows[1:], start=2):
            told = {name: cells[at] if at < len(cells) else None for name, at in self.columns.items()}
            if not any(value not in {None, ""} for value in told.values()):
                continue
            if _text(told.get("answer")) == "":
                self.blank += 1
                continue
            effective, until = self._day(row, told, "effective"), self._day(row, told, "valid_until")
            document = self._document(row, _text(told.get("document")))
            yield (
                row,
                Given(
                    requirement=_text(told.get("requirement")),
                    answer=_text(told.get("answer")),
                    by=_text(told.get("by")),
                    system=_text(told.get("system")) or None,
                    question=_text(told.get("question")),
                    statement=_text(told.get("statement")),
                    document=document,
                    effective=effective,
                    valid_until=until,
                    second_reader=_text(told.get("second_reader")) or None,
                ),
            )

    def _document(self, row: int, name: str) -> Path | None:
        """Find a document by its plain name: a questionnaire from outside names no other places."""
        if not name:
            return None
        if Path(name).name != name or "\\" in name or name in {".", ".."}:
            self.problem(
                "do.document-elsewhere", row, "document", _("{name} is not the plain name of a file").format(name=name)
            )
            return None
        return self.documents / name

    def _day(self, row: int, told: Mapping[str, Cell], column: str) -> date | None:
        value = told.get(column)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, float) and math.isfinite(value) and 0 < value < 2_958_466:
                return _DAY_ZERO + timedelta(days=int(value))
            return date.fromisoformat(str(value).strip())
        except ValueError:
            message = _("{value} is not a day such as 2026-03-31").format(value=value)
            self.problem("do.questionnaire", row, column, message)
            return None


def _text(cell: Cell) -> str:
    """Write a cell as text; a whole number without a decimal point, so that the requirement 1 stays 1."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
