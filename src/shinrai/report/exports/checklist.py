"""The checklist of the AI Guidelines for Business as an .xlsx file: a sheet for each role, with links to evidence.

Every cell is written as text or as a number, never as a formula. Blanks are marked 未測定 (not measured).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import xlsxwriter

from shinrai.ledger.projection import ClaimState
from shinrai.records import Answer, Framework, Operator, Requirement, System
from shinrai.report.exports.dossier import Dossier, figures, promise_words
from shinrai.report.requirements import ANSWER_WORDS, REQUIREMENT_WORDS
from shinrai.report.words import CERTAINTIES, N_
from shinrai.rules.status import RequirementStatus

GUIDELINES = "jp-ai-guidelines-for-business-1.2"

_ROLES: tuple[tuple[Operator, str], ...] = (
    ("developer", N_("AI developer")),
    ("provider", N_("AI provider")),
    ("business-user", N_("AI business user")),
)
_COLUMNS: tuple[tuple[str, int], ...] = (
    (N_("no."), 8),
    (N_("principle"), 26),
    (N_("AI system"), 24),
    (N_("state"), 12),
    (N_("evidence"), 44),
    (N_("digests"), 12),
    (N_("answer"), 40),
    (N_("who"), 16),
    (N_("second reader"), 16),
    (N_("valid until"), 14),
    (N_("remarks"), 30),
)
_COLOURS: dict[RequirementStatus, str] = {
    "met": "#E3F1E6",
    "partly": "#E5EEFA",
    "violated": "#FBE3E4",
    "undecided": "#FBF1DC",
    "stale": "#EEEEEE",
    "accepted": "#DFF1F6",
    "not_measured": "#F1E6F8",
    "not_applicable": "#F7F7F7",
}
_BLANK = REQUIREMENT_WORDS["not_measured"]
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Texts stay texts: nothing that people wrote becomes a formula or a link."""
_LONGEST_CELL = 32_000
"""Excel holds 32,767 characters in a cell."""


@dataclass
class _Book:
    dossier: Dossier
    workbook: Any
    formats: dict[str, Any]
    evidence: dict[str, int] = field(default_factory=dict)

    def style(self, name: str, **more: object) -> Any:  # noqa: ANN401 - a format of a library without types
        if name not in self.formats:
            plain = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#C9CFDA"}
            self.formats[name] = self.workbook.add_format({**plain, **more})
        return self.formats[name]


def checklist(dossier: Dossier) -> bytes:
    """Write the checklist: a cover, one sheet for each of the three roles, and the evidence with its digests.

    Parameters
    ----------
    dossier : Dossier
        Of which the guidelines are looked at, whatever its frameworks.

    Returns
    -------
    bytes
        An Office Open XML workbook; equal ledgers give equal bytes.
    """
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, _OPTIONS)
    made = datetime.fromisoformat(dossier.head.at).replace(tzinfo=None)
    workbook.set_properties({"title": dossier.t("AI Guidelines for Business: checklist"), "created": made})
    book = _Book(dossier, workbook, {})
    guidelines = dossier.workspace.rules.frameworks[GUIDELINES]
    cover = workbook.add_worksheet(dossier.t("Cover"))
    sheets = [(role, workbook.add_worksheet(dossier.t(title)), dossier.t(title)) for role, title in _ROLES]
    _evidence(book, workbook.add_worksheet(dossier.t("Evidence")))
    for role, sheet, _title in sheets:
        _role(book, sheet, guidelines, role)
    _cover(book, cover, guidelines, [(role, title) for role, _sheet, title in sheets])
    workbook.close()
    return target.getvalue()


QUESTION_COLUMNS = (
    ("requirement", 34),
    ("system", 22),
    ("question", 60),
    ("answer", 16),
    ("statement", 50),
    ("document", 28),
    ("effective", 13),
    ("valid_until", 13),
    ("by", 16),
    ("second_reader", 16),
)
"""As `shinrai do questionnaire` reads them back; names, not words, so that they are the same in every language."""


def questionnaire(dossier: Dossier) -> bytes:
    """Write a workbook to fill in: a row for each requirement that applies to a system, with its last answer.

    Parameters
    ----------
    dossier : Dossier
        Its frameworks and systems are asked about.

    Returns
    -------
    bytes
        An Office Open XML workbook; equal ledgers give equal bytes.
    """
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, _OPTIONS)
    workbook.set_properties({"created": datetime.fromisoformat(dossier.head.at).replace(tzinfo=None)})
    book = _Book(dossier, workbook, {})
    sheet = workbook.add_worksheet("answers")
    style = book.style("head", bold=True, bg_color="#E8ECF3")
    for column, (name, width) in enumerate(QUESTION_COLUMNS):
        sheet.set_column(column, column, width)
        _write(sheet, (0, column), name, style)
    sheet.freeze_panes(1, 0)
    row = 0
    for framework in dossier.frameworks:
        for entry in dossier.standing.requirements(framework.id):
            for system in dossier.systems:
                ref = f"{framework.id}/{entry.id}"
                if dossier.standing.status(ref, system.id) != "not_applicable" or dossier.answers(ref, system.id):
                    row += 1
                    _question(book, sheet, row, ref, dossier.read(entry.title), system.id)
    if row:
        choices = ["in-place", "not-in-place", "not-assessed", "not-applicable"]
        sheet.data_validation(1, 3, row, 3, {"validate": "list", "source": choices})
    workbook.close()
    return target.getvalue()


def _question(book: _Book, sheet: Any, row: int, ref: str, title: str, system: str) -> None:  # noqa: ANN401, PLR0917 - a cell's place and what stands there
    known = [one for _entry, one in book.dossier.answers(ref, system)][-1:]
    cells = [ref, system, title, "", "", "", "", "", "", ""]
    for one in known:
        until = one.valid_until.isoformat() if one.valid_until else ""
        told = [one.answer, one.statement, one.name or "", one.effective.isoformat(), until, one.by]
        cells[3:] = [*told, one.second_reader or ""]
    for column, cell in enumerate(cells):
        _write(sheet, (row, column), cell, book.style("plain"))


def _write(sheet: Any, at: tuple[int, int], text: object, style: Any) -> None:  # noqa: ANN401 - as above
    if isinstance(text, int):
        sheet.write_number(*at, text, style)
    else:
        plain = "".join(c for c in str(text) if c.isprintable() or c == "\n")
        sheet.write_string(*at, plain[:_LONGEST_CELL], style)


def _head(book: _Book, sheet: Any, columns: tuple[tuple[str, int], ...], row: int = 0) -> None:  # noqa: ANN401 - as above
    style = book.style("head", bold=True, bg_color="#E8ECF3")
    for column, (name, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        _write(sheet, (row, column), book.dossier.t(name), style)
    sheet.freeze_panes(row + 1, 0)


def _cover(book: _Book, sheet: Any, guidelines: Framework, roles: list[tuple[Operator, str]]) -> None:  # noqa: ANN401 - as above
    dossier = book.dossier
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 70)
    source = guidelines.sources[0]
    facts: list[tuple[str, object]] = [
        (N_("organisation"), dossier.read(dossier.workspace.settings.name)),
        (N_("framework"), dossier.read(guidelines.title)),
        (N_("issuer"), dossier.read(guidelines.issuer)),
        (N_("source"), f"{dossier.read(source.title)} {source.url or ''}".strip()),
        (N_("certainty of this list"), dossier.t(CERTAINTIES[guidelines.certainty])),
        (N_("note"), dossier.read(guidelines.note)),
        (N_("as of"), dossier.today.isoformat()),
        (N_("ledger entry"), dossier.head.seq),
        (N_("ledger hash"), dossier.head.hash),
        (N_("licence"), dossier.read(guidelines.licence.name)),
    ]
    for row, (name, value) in enumerate(facts):
        _write(sheet, (row, 0), dossier.t(name), book.style("label", bold=True))
        _write(sheet, (row, 1), value, book.style("plain"))
    row = len(facts) + 1
    for role, title in roles:
        counted = _counted(dossier, guidelines, role)
        total = sum(counted.values())
        told = ", ".join(f"{dossier.t(REQUIREMENT_WORDS[one])} {n}/{total}" for one, n in counted.items())
        _write(sheet, (row, 0), title, book.style("label", bold=True))
        _write(sheet, (row, 1), told or "–", book.style("plain"))
        row += 1


def _rows(dossier: Dossier, guidelines: Framework, role: Operator) -> list[tuple[Requirement, System]]:
    """Give what a role is asked: each principle, and the role's own entry under it, for each system."""
    entries = [one for one in guidelines.requirements if one.assessable and role in (one.roles or (role,))]
    return [(entry, system) for entry in entries for system in dossier.systems]


def _counted(dossier: Dossier, guidelines: Framework, role: Operator) -> dict[RequirementStatus, int]:
    counted: dict[RequirementStatus, int] = {}
    for entry, system in _rows(dossier, guidelines, role):
        status = dossier.standing.status(f"{guidelines.id}/{entry.id}", system.id)
        counted[status] = counted.get(status, 0) + 1
    return counted


def _role(book: _Book, sheet: Any, guidelines: Framework, role: Operator) -> None:  # noqa: ANN401 - as above
    _head(book, sheet, _COLUMNS)
    rows = _rows(book.dossier, guidelines, role)
    for row, (entry, system) in enumerate(rows, start=1):
        _line(book, sheet, row, f"{guidelines.id}/{entry.id}", entry, system)
    sheet.autofilter(0, 0, max(len(rows), 1), len(_COLUMNS) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _line(book: _Book, sheet: Any, row: int, ref: str, entry: Requirement, system: System) -> None:  # noqa: ANN401, PLR0917 - a cell's place and what stands there
    dossier = book.dossier
    status = dossier.standing.status(ref, system.id)
    blank = dossier.t(REQUIREMENT_WORDS[status]) if status == "not_applicable" else dossier.t(_BLANK)
    nobody = dossier.t("no answer")
    found = [one.evidence for one in dossier.standing.contributions(ref, system.id)]
    claims = [claim for claim in dossier.claims_on(system.id) if claim.ruling.claim in found]
    answers = [one for _entry, one in dossier.answers(ref, system.id)][-1:]
    told = "\n".join(_told(dossier, claim) for claim in claims)
    answer = answers[0] if answers else None
    cells: list[object] = [
        entry.id,
        dossier.read(entry.title),
        dossier.read(system.title),
        dossier.t(REQUIREMENT_WORDS[status]),
        told or blank,
        "",
        _answered(dossier, answer) if answer else blank,
        answer.by if answer else nobody,
        (answer.second_reader or "–") if answer else nobody,
        (answer.valid_until.isoformat() if answer.valid_until else "–") if answer else nobody,
        dossier.t(CERTAINTIES[entry.certainty]) if entry.certainty else "",
    ]
    for column, cell in enumerate(cells):
        style = book.style(status, bg_color=_COLOURS[status]) if column == 3 else book.style("plain")
        _write(sheet, (row, column), cell, style)
    if claims:
        place = book.evidence[claims[0].key]
        link = f"internal:'{dossier.t('Evidence')}'!A{place + 1}"
        sheet.write_url(row, 5, link, book.style("link", font_color="#1C4F9C", underline=1), dossier.t("show"))


def _answered(dossier: Dossier, answer: Answer) -> str:
    return ": ".join(filter(None, (dossier.t(ANSWER_WORDS[answer.answer]), answer.statement)))


def _told(dossier: Dossier, claim: ClaimState) -> str:
    if claim.promise is None:
        return claim.key
    commitment = claim.promise.commitment
    numbers = figures(commitment, claim.judgement.verdict) if claim.judgement else ""
    promised = f"{dossier.read(commitment.title)} {promise_words(commitment)}"
    return f"{promised}: {' '.join(filter(None, (dossier.status_word(claim), numbers)))}"


def _evidence(book: _Book, sheet: Any) -> None:  # noqa: ANN401 - as above
    dossier = book.dossier
    columns = (
        (N_("claim"), 30),
        (N_("AI system"), 20),
        (N_("promise"), 50),
        (N_("state"), 12),
        (N_("measured value"), 26),
        (N_("judged on"), 14),
        (N_("digest of the commitment"), 30),
        (N_("digest of the verdict"), 30),
        (N_("run"), 24),
    )
    _head(book, sheet, columns)
    titles = {system.id: dossier.read(system.title) for system in dossier.systems}
    for row, claim in enumerate(dossier.claims, start=1):
        book.evidence[claim.key] = row
        if claim.promise is None:
            continue
        commitment, judgement = claim.promise.commitment, claim.judgement
        cells = (
            dossier.read(commitment.title),
            titles[claim.ruling.system],
            dossier.read(commitment.statement),
            dossier.status_word(claim),
            figures(commitment, judgement.verdict) if judgement else dossier.t(_BLANK),
            judgement.at[:10] if judgement else "",
            claim.promise.digest,
            judgement.digest if judgement else "",
            (judgement.verdict.run or "") if judgement else "",
        )
        for column, cell in enumerate(cells):
            _write(sheet, (row, column), cell, book.style("plain"))
