"""The checklist of the AI Guidelines for Business as an .xlsx file: a sheet for each role, with links to evidence.

Every cell is written as text or as a number, never as a formula. Blanks are marked 未測定 (not measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shinrai.ledger.projection import ClaimState
from shinrai.records import Answer, Framework, Operator, Requirement, System
from shinrai.report.exports.dossier import Dossier, figures, promise_words
from shinrai.report.exports.sheets import HEAD_ROW, Book, Column, Paper, lines
from shinrai.report.requirements import REQUIREMENT_SHAPES, REQUIREMENT_WORDS
from shinrai.report.words import CERTAINTIES, N_
from shinrai.rules.questions import ANSWER_WORDS
from shinrai.rules.status import RequirementStatus

GUIDELINES = "jp-ai-guidelines-for-business-1.2"

_ROLES: tuple[tuple[Operator, str], ...] = (
    ("developer", N_("AI developer")),
    ("provider", N_("AI provider")),
    ("business-user", N_("AI business user")),
)
_COLUMNS: tuple[Column, ...] = (
    (N_("no."), 7),
    (N_("principle"), 24),
    (N_("AI system"), 22),
    (N_("state"), 13),
    (N_("evidence"), 46),
    (N_("details"), 12),
    (N_("answer"), 34),
    (N_("answered by"), 14),
    (N_("second reader"), 14),
    (N_("valid until"), 12),
    (N_("remarks"), 20),
)
_STATE = 3
_DETAILS = 5
_EVIDENCE: tuple[Column, ...] = (
    (N_("no."), 7),
    (N_("claim"), 28),
    (N_("AI system"), 20),
    (N_("promise"), 38),
    (N_("state"), 13),
    (N_("measured value"), 26),
    (N_("judged on"), 12),
    (N_("digest of the commitment"), 28),
    (N_("digest of the verdict"), 28),
    (N_("run"), 22),
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
_LABEL: Final = {"bold": True, "bg_color": "#DDE4F0"}
_COVER_WIDTHS: Final = (28, *[12] * (len(_COLOURS) + 1))
_LAST: Final = len(_COVER_WIDTHS) - 1


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
    guidelines = dossier.workspace.rules.frameworks[GUIDELINES]
    name = dossier.read(guidelines.title)
    title = dossier.t("{framework}: checklist", framework=name)
    book = Book(dossier, title)
    cover = book.sheet(dossier.t("Cover"), _COVER_WIDTHS, title=title)
    roles = [(role, dossier.t(word)) for role, word in _ROLES]
    places = {claim.key: number for number, claim in enumerate(dossier.claims, start=1)}
    for role, word in roles:
        widths = [width for _head, width in _COLUMNS]
        paper = book.sheet(word, widths, title=dossier.t("{framework}: checklist, {role}", framework=name, role=word))
        _role(paper, _rows(dossier, guidelines, role), places)
    _evidence(book)
    _cover(cover, guidelines, roles)
    return book.finish()


def _cover(paper: Paper, guidelines: Framework, roles: list[tuple[Operator, str]]) -> None:
    dossier, style = paper.book.dossier, paper.book.style
    label = style("label", **_LABEL)
    source = guidelines.sources[0]
    facts: list[tuple[str, str]] = [
        (N_("framework"), dossier.read(guidelines.title)),
        (N_("issuer"), dossier.read(guidelines.issuer)),
        (N_("source"), f"{dossier.read(source.title)}\n{source.url or ''}".strip()),
        (N_("certainty of this list"), dossier.t(CERTAINTIES[guidelines.certainty])),
        (N_("note"), dossier.read(guidelines.note)),
        (N_("licence"), dossier.read(guidelines.licence.name)),
        (N_("ledger hash"), dossier.head.hash),
    ]
    for row, head in enumerate((N_("division in charge"), N_("made by"), N_("confirmed by")), start=HEAD_ROW):
        _fact(paper, row, (dossier.t(head), ""), label)
    row = HEAD_ROW + 4
    for head, value in facts:
        _fact(paper, row, (dossier.t(head), value), label)
        row += 1
    row += 1
    heads = [dossier.t("Role"), *(_state_words(dossier, state) for state in _COLOURS), dossier.t("All")]
    paper.row(row, heads, style("head", bold=True, bg_color="#DDE4F0", align="center", valign="vcenter"))
    for role, word in roles:
        row += 1
        counted = _counted(dossier, guidelines, role)
        paper.row(row, [word, *(counted[state] for state in _COLOURS), sum(counted.values())], _number(paper.book))
        paper.sheet.write_url(row, 0, f"internal:'{word}'!A1", _link(paper.book), word)
    said = dossier.t(
        "Each number counts entries of the checklist, one for each AI system. What nobody has measured or answered is "
        "marked as not measured, and counts neither as met nor as not applicable."
    )
    paper.wide(row + 2, said, style("note", border=0), (0, _LAST))
    paper.tall(row + 2, 2)
    paper.sheet.fit_to_pages(1, 1)


def _fact(paper: Paper, row: int, fact: tuple[str, str], label: Any) -> None:  # noqa: ANN401 - a format of a library without types
    """Write a name and what there is to say, over all columns; yellow where a person fills it in."""
    name, value = fact
    book = paper.book
    paper.write((row, 0), name[:1].upper() + name[1:], label)
    paper.wide(row, value, book.style("plain") if value else book.style("fill", bg_color="#FFF9E0"), (1, _LAST))
    paper.tall(row, max(lines(name, _COVER_WIDTHS[0]), lines(value, sum(_COVER_WIDTHS[1:]))))


def _state_words(dossier: Dossier, state: RequirementStatus) -> str:
    return f"{REQUIREMENT_SHAPES[state]} {dossier.t(REQUIREMENT_WORDS[state])}"


def _number(book: Book) -> Any:  # noqa: ANN401 - as above
    return book.style("number", align="center")


def _link(book: Book) -> Any:  # noqa: ANN401 - as above
    return book.style("link", font_color="#1C4F9C", underline=1)


def _rows(dossier: Dossier, guidelines: Framework, role: Operator) -> list[tuple[Requirement, System]]:
    """Give what a role is asked: each principle, and the role's own entry under it, for each system."""
    entries = [one for one in guidelines.requirements if one.assessable and role in (one.roles or (role,))]
    return [(entry, system) for entry in entries for system in dossier.systems]


def _counted(dossier: Dossier, guidelines: Framework, role: Operator) -> dict[RequirementStatus, int]:
    counted: dict[RequirementStatus, int] = dict.fromkeys(_COLOURS, 0)
    for entry, system in _rows(dossier, guidelines, role):
        counted[dossier.standing.status(f"{GUIDELINES}/{entry.id}", system.id)] += 1
    return counted


def _role(paper: Paper, rows: list[tuple[Requirement, System]], places: dict[str, int]) -> None:
    paper.head([head for head, _width in _COLUMNS])
    for row, (entry, system) in enumerate(rows, start=HEAD_ROW + 1):
        _line(paper, row, (entry, system), places)
    paper.sheet.autofilter(HEAD_ROW, 0, HEAD_ROW + max(len(rows), 1), len(_COLUMNS) - 1)


def _line(paper: Paper, row: int, asked: tuple[Requirement, System], places: dict[str, int]) -> None:
    entry, system = asked
    dossier, book = paper.book.dossier, paper.book
    ref = f"{GUIDELINES}/{entry.id}"
    status = dossier.standing.status(ref, system.id)
    blank = dossier.t(REQUIREMENT_WORDS[status]) if status == "not_applicable" else dossier.t(_BLANK)
    found = [one.evidence for one in dossier.standing.contributions(ref, system.id)]
    claims = [claim for claim in dossier.claims_on(system.id) if claim.ruling.claim in found]
    told = "\n".join(f"{_label(places[claim.key])} {_told(dossier, claim)}" for claim in claims)
    cells: list[object] = [
        entry.id.upper(),
        dossier.read(entry.title),
        dossier.read(system.title),
        _state_words(dossier, status),
        told or blank,
        "",
        *_answer(dossier, [one for _entry, one in dossier.answers(ref, system.id)][-1:], blank),
        dossier.t(CERTAINTIES[entry.certainty]) if entry.certainty else "",
    ]
    paper.row(row, cells, styles={_STATE: book.style(status, bg_color=_COLOURS[status])})
    if claims:
        named = _label(places[claims[0].key]) + (" …" if len(claims) > 1 else "")
        link = f"internal:'{dossier.t('Evidence')}'!A{HEAD_ROW + 1 + places[claims[0].key]}"
        paper.sheet.write_url(row, _DETAILS, link, _link(book), named)


def _label(place: int) -> str:
    """Name a line of the evidence."""
    return f"E-{place}"


def _answer(dossier: Dossier, answers: Sequence[Answer], blank: str) -> list[str]:
    """Say what was answered, by whom, who read it and how long it holds; what is missing is said, too."""
    if not answers:
        return [blank, "–", "–", "–"]
    (one,) = answers
    roles = {role.id: dossier.read(role.title) for role in dossier.workspace.settings.roles}
    document = dossier.t("document: {name}", name=one.name) if one.name else ""
    return [
        "\n".join(filter(None, (dossier.t(ANSWER_WORDS[one.answer]), one.statement, document))),
        roles.get(one.by, one.by),
        roles.get(one.second_reader, one.second_reader) if one.second_reader else dossier.t("no second reader"),
        one.valid_until.isoformat() if one.valid_until else dossier.t("no end"),
    ]


def _told(dossier: Dossier, claim: ClaimState) -> str:
    if claim.promise is None:
        return claim.key
    commitment = claim.promise.commitment
    numbers = figures(commitment, claim.judgement.verdict) if claim.judgement else ""
    promised = f"{dossier.read(commitment.title)} {promise_words(commitment)}"
    return f"{promised}: {' '.join(filter(None, (dossier.status_word(claim), numbers)))}"


def _evidence(book: Book) -> None:
    dossier = book.dossier
    titles = {system.id: dossier.read(system.title) for system in dossier.systems}
    widths = [width for _head, width in _EVIDENCE]
    paper = book.sheet(dossier.t("Evidence"), widths, title=dossier.t("Evidence: what was promised and measured"))
    paper.head([head for head, _width in _EVIDENCE])
    for place, claim in enumerate(dossier.claims, start=1):
        if claim.promise is None:
            continue
        commitment, judgement = claim.promise.commitment, claim.judgement
        cells = (
            _label(place),
            dossier.read(commitment.title),
            titles[claim.ruling.system],
            dossier.read(commitment.statement),
            dossier.status_word(claim),
            figures(commitment, judgement.verdict) if judgement else dossier.t(_BLANK),
            judgement.at[:10] if judgement else "–",
            claim.promise.digest,
            judgement.digest if judgement else "–",
            (judgement.verdict.run if judgement else None) or "–",
        )
        paper.row(HEAD_ROW + place, cells)
    paper.sheet.autofilter(HEAD_ROW, 0, HEAD_ROW + max(len(dossier.claims), 1), len(_EVIDENCE) - 1)
