"""A questionnaire to fill in, as an .xlsx file that ``shinrai do questionnaire`` brings back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from shinrai.i18n import N_
from shinrai.records import Answer, Id, Text
from shinrai.report.exports.dossier import Dossier
from shinrai.report.exports.sheets import HEAD_ROW, Book, Paper
from shinrai.rules.questions import ANSWER_WORDS, HEADS

_COLUMNS: Final[Mapping[str, str]] = {"requirement": HEADS["requirement"], "framework": N_("framework"), **HEADS}
"""Name and head; the framework is there for people only and is passed over when the workbook comes back."""
_WIDTHS: Final = (24, 32, 18, 34, 17, 34, 20, 13, 13, 17, 17)
_HELP: Final[dict[str, tuple[str, str]]] = {
    "requirement": (N_("Leave as it is: the requirement by its id."), "iso-iec-42001-2023/5.2"),
    "system": (N_("The AI system that is asked about. Blank: the whole organisation, and so every system."), ""),
    "question": (N_("Leave as it is: what the requirement asks."), ""),
    "answer": (N_("Choose from the list. Rows left blank are not taken for an answer."), ""),
    "statement": (N_("How it is done, in words; where it does not apply, why."), ""),
    "document": (
        N_("The name of a file, without a folder. Send the file along with this workbook."),
        N_("ai-policy.pdf"),
    ),
    "effective": (N_("The day since which it is so; the day of bringing in, where blank."), "2026-04-01"),
    "valid_until": (N_("The last day on which the answer holds; no end, where blank."), "2027-03-31"),
    "by": (N_("The role that answers, not a person’s name. Needed in every row with an answer."), ""),
    "second_reader": (
        N_("Another role that has read answer and document. Without one, the requirement stays open."),
        "",
    ),
}
"""For each column what to fill in, and an example."""
_TO_FILL: Final = ("answer", "statement", "document", "effective", "valid_until", "by", "second_reader")
_FIRST_DAY: Final = date(1990, 1, 1)
_DAYS: Final = ("effective", "valid_until")


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
    title = dossier.t("Questionnaire on AI governance")
    book = Book(dossier, title)
    paper = book.sheet(dossier.t("Answers"), _WIDTHS, title=title)
    guide = dossier.t("How to fill in")
    asked = dossier.t("Please fill in the yellow cells; see the sheet “{name}”.", name=guide)
    paper.write((3, 0), asked, book.style("ask", border=0, text_wrap=False, bold=True))
    paper.sheet.set_row(3, 24)
    paper.head(list(_COLUMNS.values()))
    systems = _titles((one.id, one.title) for one in dossier.systems)
    roles = _titles((one.id, one.title) for one in dossier.workspace.settings.roles)
    rows = list(_rows(dossier))
    for row, (ref, book_title, question, system) in enumerate(rows, start=HEAD_ROW + 1):
        known = [one for _entry, one in dossier.answers(ref, system)][-1:]
        asked_of = [ref, book_title, _read(dossier, systems, system), question]
        paper.row(row, [*asked_of, *_known(dossier, roles, known)], styles=_styles(book))
    last = HEAD_ROW + max(len(rows), 1)
    paper.sheet.autofilter(HEAD_ROW, 0, last, len(_COLUMNS) - 1)
    _guide(book, guide)
    choices = book.sheet(dossier.t("Choices"), (30, 40), title=dossier.t("Choices"))
    lists = {
        "answer": [dossier.t(word) for word in ANSWER_WORDS.values()],
        "by": [_read(dossier, roles, one) for one in roles],
    }
    _choices(choices, lists)
    _ask_well(paper, choices.sheet.get_name(), lists, last)
    return book.finish()


def _rows(dossier: Dossier) -> Iterator[tuple[str, str, str, Id]]:
    """Give what is asked of each system: the requirement, its framework, the question, and the system."""
    for framework in dossier.frameworks:
        for entry in dossier.standing.requirements(framework.id):
            ref = f"{framework.id}/{entry.id}"
            for system in dossier.systems:
                if dossier.standing.status(ref, system.id) != "not_applicable" or dossier.answers(ref, system.id):
                    yield ref, dossier.read(framework.title), dossier.read(entry.title), system.id


def _titles(named: Iterable[tuple[Id, Text]]) -> dict[Id, Text | None]:
    """Give the title of each thing; None where another has the same one, so that only the id tells them apart."""
    titles = dict(named)
    words = [{title.read("ja"), title.read("en")} for title in titles.values()]
    return {
        name: title if sum(bool({title.read("ja"), title.read("en")} & other) for other in words) == 1 else None
        for name, title in titles.items()
    }


def _read(dossier: Dossier, titles: dict[Id, Text | None], name: Id) -> str:
    return dossier.read(titles.get(name)) or name


def _known(dossier: Dossier, roles: dict[Id, Text | None], answers: list[Answer]) -> list[object]:
    if not answers:
        return [""] * len(_TO_FILL)
    one = answers[0]
    return [
        dossier.t(ANSWER_WORDS[one.answer]),
        one.statement,
        one.name or "",
        one.effective,
        one.valid_until or "",
        _read(dossier, roles, one.by),
        _read(dossier, roles, one.second_reader) if one.second_reader else "",
    ]


def _styles(book: Book) -> dict[int, Any]:
    fill = {"bg_color": "#FFF9E0"}
    names = list(_COLUMNS)
    styles = {names.index(name): book.style("fill", **fill) for name in _TO_FILL}
    day = "yyyy/m/d" if book.dossier.language == "ja" else "yyyy-mm-dd"
    return styles | {names.index(name): book.style("day", num_format=day, **fill) for name in _DAYS}


def _guide(book: Book, name: str) -> None:
    dossier = book.dossier
    paper = book.sheet(name, (24, 86, 30), title=name)
    paper.head((N_("column"), N_("what to fill in"), N_("example")))
    for row, (column, (words, example)) in enumerate(_HELP.items(), start=HEAD_ROW + 1):
        head = dossier.t(HEADS[column])
        paper.row(row, [head[:1].upper() + head[1:], dossier.t(words), dossier.t(example) if example else "–"])
    row = HEAD_ROW + len(_HELP) + 2
    said = dossier.t(
        "Columns may be put in another order and further ones added. Please type values: a formula is refused. "
        "To bring the answers in: shinrai do questionnaire FILE --documents FOLDER. All of them are taken, or, if "
        "there is a mistake, none, and each mistake is named with its cell."
    )
    paper.wide(row, said, book.style("note", border=0), (0, 2))
    paper.tall(row, 4)


def _choices(paper: Paper, lists: dict[str, list[str]]) -> None:
    paper.head([HEADS[name] for name in lists])
    for row in range(max(map(len, lists.values()))):
        paper.row(HEAD_ROW + 1 + row, [words[row] if row < len(words) else "" for words in lists.values()])


def _ask_well(paper: Paper, choices: str, lists: dict[str, list[str]], last: int) -> None:
    """Let the cells to be filled in offer what can be chosen, and say what they are for."""
    dossier = paper.book.dossier
    first = HEAD_ROW + 1
    for column, name in enumerate(_COLUMNS):
        if name not in _TO_FILL:
            continue
        listed = "by" if name == "second_reader" else name
        rule: dict[str, object] = {
            "validate": "any",
            "input_title": dossier.t(HEADS[name])[:32],
            "input_message": dossier.t(_HELP[name][0])[:255],
            "error_title": dossier.t(HEADS[name])[:32],
        }
        if lists.get(listed):
            at = "ABC"[list(lists).index(listed)]
            rule["validate"] = "list"
            rule["source"] = f"='{choices}'!${at}${first + 1}:${at}${first + len(lists[listed])}"
            rule["error_message"] = dossier.t("Please choose from the list.")
        elif name in _DAYS:
            rule |= {"validate": "date", "criteria": ">=", "value": _FIRST_DAY}
            rule["error_message"] = dossier.t("Please type a day such as 2026/3/31.")
        paper.sheet.data_validation(first, column, last, column, rule)
