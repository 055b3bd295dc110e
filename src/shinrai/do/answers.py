"""Answers to what requirements ask of an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from shinrai.do.keeping import keep
from shinrai.do.naming import require_role, require_system
from shinrai.do.statements import read_document
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.records import Answer, AnswerGiven, EvidenceBrought, Id, Role
from shinrai.source import did_you_mean, listing, rule_broken
from shinrai.workspace import Workspace


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
    made = looked_at(workspace, given, today)
    made = with_document(workspace, made, given.document)
    bring(ledger, [made])
    return made


def looked_at(workspace: Workspace, given: Given, today: date) -> Answer:
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


def with_document(workspace: Workspace, made: Answer, document: Path | None) -> Answer:
    """Keep a copy of the document that an answer rests on, if any, and name it in the answer.

    Raises
    ------
    UsageError
        If the document cannot be read.
    StoreError
        If the copy cannot be kept.
    """
    if document is None:
        return made
    kept, digest = keep(workspace.root, read_document(document), document.name)
    return made.model_copy(update={"name": document.name, "file": kept, "file_digest": digest})


def bring(ledger: Ledger, answers: list[Answer]) -> list[Answer]:
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
