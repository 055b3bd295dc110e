"""Answers to requirements: what they rest on, since when, until when, who, and who read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell

from shinrai import do
from shinrai.do.questionnaires import typed_day
from shinrai.errors import SourceError, UsageError
from shinrai.i18n import Language, translate
from shinrai.records import Answer
from shinrai.report.exports import export
from shinrai.report.exports.sheets import HEAD_ROW
from shinrai.rules.applying import standing
from shinrai.rules.questions import HEADS
from tests.plan.town import TODAY, Town

TOP = HEAD_ROW + 1
"""The row of the heads, as people count."""
POLICY = "iso-iec-42001-2023/5.2"


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "papers" / "方針.pdf"
    path.parent.mkdir()
    path.write_bytes(b"the policy")
    return path


def status(town: Town, day: date = TODAY) -> str:
    return standing(town.load(), town.state, day).status(POLICY, "helper")


def test_an_answer_with_a_document_and_a_second_reader_is_met_until_it_expires(town: Town, paper: Path) -> None:
    given = do.Given(POLICY, "in-place", "desk", document=paper, second_reader="office", valid_until=date(2026, 12, 31))
    assert status(town) == "not_measured"
    made = do.answer(town.ledger, town.load(), given, TODAY)
    assert made.file is not None
    assert (town.root / made.file).read_bytes() == b"the policy"
    assert made.effective == TODAY
    assert status(town) == "met"
    assert status(town, date(2027, 1, 1)) == "stale"
    before = town.state.head
    do.answer(town.ledger, town.load(), given, TODAY)
    assert town.state.head == before
    assert not town.ledger.verify(town.root).faults
    (town.root / made.file).write_bytes(b"another policy")
    assert town.ledger.verify(town.root).faults


def test_without_a_second_reader_it_is_open_except_in_the_fast_lane(town: Town, paper: Path) -> None:
    do.answer(town.ledger, town.load(), do.Given(POLICY, "in-place", "desk", document=paper), TODAY)
    assert status(town) == "undecided"
    town.settings["risk"] = ["eu-ai-act"]
    for system in town.systems.values():
        system["deployment"] = {"countries": ["JP"], "areas": []}
    assert status(town) == "met"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"requirement": "iso-iec-42001-2023/5.9"}, "do.unknown-requirement"),
    ({"requirement": "iso-iec-42001-2023/5"}, "do.unknown-requirement"),
    ({"requirement": "iso/5.2"}, "do.unknown-framework"),
    ({"requirement": "5.2"}, "do.unknown-framework"),
    ({"system": "nobody"}, "do.unknown-system"),
    ({"by": "nobody"}, "do.unknown-role"),
    ({"second_reader": "nobody"}, "do.unknown-role"),
    ({"second_reader": "desk"}, "do.contradicting-answer"),
    ({"answer": "yes"}, "do.no-such-answer"),
    ({"answer": "not-applicable"}, "do.contradicting-answer"),
    ({"valid_until": date(2020, 1, 1)}, "do.contradicting-answer"),
    ({"document": Path("/nowhere/x.pdf")}, "do.no-document"),
]


@pytest.mark.parametrize(("change", "code"), WRONG)
def test_what_cannot_be_taken_is_refused_and_nothing_is_kept(change: dict[str, Any], code: str, town: Town) -> None:
    facts: dict[str, Any] = {"requirement": POLICY, "answer": "in-place", "by": "desk", **change}
    before = town.state.head
    with pytest.raises(UsageError) as refused:
        do.answer(town.ledger, town.load(), do.Given(**facts), TODAY)
    assert refused.value.code == code
    assert town.state.head == before


Change = Callable[[Any], None]


def questionnaire(
    town: Town, path: Path, answers: dict[str, dict[str, Any]], language: Language = "en", change: Change | None = None
) -> Path:
    """Fill in what Shinrai writes, as a person does."""
    town.plan()
    path.write_bytes(export("questionnaire", town.load(), town.state, language, frameworks=["iso-iec-42001-2023"]))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    names = {translate(word, language).casefold(): name for name, word in HEADS.items()}
    heads = {names.get(str(cell.value).casefold(), ""): cell.column for cell in sheet[TOP]}
    title = town.load().systems["helper"].title.read(language)
    for row in range(TOP + 1, sheet.max_row + 1):
        name, system = (str(sheet.cell(row, heads[one]).value) for one in ("requirement", "system"))
        if system == title:
            for column, value in answers.get(name.rpartition("/")[2], {}).items():
                sheet.cell(row, heads[column]).value = value
    if change is not None:
        change(sheet)
    book.save(path)
    return path


def test_a_questionnaire_goes_out_and_comes_back(town: Town, paper: Path, tmp_path: Path) -> None:
    in_place = {"answer": "in-place", "by": "desk", "second_reader": "office", "document": paper.name}
    filled: dict[str, dict[str, Any]] = {
        "5.2": {**in_place, "effective": "2026-04-01", "valid_until": date(2027, 3, 31)},
        "5.3": {"answer": "not-assessed", "by": "desk"},
        "7.2": {"answer": "not-applicable", "by": "desk", "statement": "nobody works here"},
        "9.2": {"answer": "not-in-place", "by": "desk"},
    }
    path = questionnaire(town, tmp_path / "q.xlsx", filled)
    brought = do.questionnaire(town.ledger, town.load(), path, TODAY, paper.parent)
    assert (len(brought.answers), brought.new) == (4, 4)
    assert brought.blank == 62 * 2 - 4
    found = standing(town.load(), town.state, TODAY)
    told = {name: found.status(f"iso-iec-42001-2023/{name}", "helper") for name in ("5.2", "5.3", "7.2", "9.2", "4.1")}
    assert told == {
        "5.2": "met",
        "5.3": "not_measured",
        "7.2": "not_applicable",
        "9.2": "violated",
        "4.1": "not_measured",
    }
    assert found.status("iso-iec-42001-2023/5.2", "screening") == "not_measured"
    (policy,) = [one for _entry, one in town.state.evidence if isinstance(one, Answer) and one.requirement == POLICY]
    assert (policy.effective, policy.valid_until) == (date(2026, 4, 1), date(2027, 3, 31))
    assert do.questionnaire(town.ledger, town.load(), path, TODAY, paper.parent).new == 0


def test_one_mistake_brings_nothing_in_and_every_one_is_located(town: Town, tmp_path: Path) -> None:
    filled = {
        "4.1": {"answer": "in-place", "by": "offise"},
        "4.2": {"answer": "maybe", "by": "desk"},
        "4.3": {"answer": "in-place", "by": "desk", "document": "../../etc/passwd"},
        "4.4": {"answer": "in-place", "by": "desk", "effective": "yesterday"},
        "5.1": {"answer": "in-place", "by": "desk", "document": "not-there.pdf"},
        "5.2": {"answer": "in-place", "by": "desk"},
        "5.3": {"answer": "in-place"},
        "6.1": {"answer": "in-place", "by": "desk", "second_reader": "Desk"},
    }
    path = questionnaire(town, tmp_path / "q.xlsx", filled)
    before = town.state.head
    with pytest.raises(SourceError) as refused:
        do.questionnaire(town.ledger, town.load(), path, TODAY, tmp_path)
    places = [(one.code, one.line - TOP, one.column) for one in refused.value.problems]
    assert places == [
        ("do.unknown-role", 1, 10),
        ("do.no-such-answer", 3, 5),
        ("do.document-elsewhere", 5, 7),
        ("do.questionnaire", 7, 8),
        ("do.no-document", 9, 7),
        ("do.questionnaire", 13, 10),
        ("do.contradicting-answer", 15, 11),
    ]
    messages = [one.message for one in refused.value.problems]
    assert messages[1] == f"sheet Answers, cell E{TOP + 3}: maybe is no answer"
    assert all(one.expected for one in refused.value.problems[:4])
    assert refused.value.problems[0].hint == "did you mean office?"
    assert town.state.head == before
    assert not (town.root / ".shinrai" / "evidence").exists()


def reordered(sheet: Any) -> None:
    """Move the last three columns to the front, and put a column of one's own between them."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    for row, cells in enumerate(rows, start=1):
        for column, value in enumerate([*cells[-3:], "memo", *cells[:-3]], start=1):
            if not isinstance(sheet.cell(row, column), MergedCell):
                sheet.cell(row, column).value = value


def test_the_japanese_workbook_comes_back_too_and_with_its_columns_in_another_order(
    town: Town, paper: Path, tmp_path: Path
) -> None:
    roles = {role.id: role.title.read("ja") for role in town.load().settings.roles}
    filled: dict[str, dict[str, Any]] = {
        "5.2": {
            "answer": "実施している",
            "by": roles["desk"],
            "second_reader": roles["office"],
            "document": paper.name,
            "effective": "2026年４月1日",
            "valid_until": date(2027, 3, 31),
        },
        "9.2": {"answer": "Not in place", "by": "desk"},
    }
    path = questionnaire(town, tmp_path / "q.xlsx", filled, "ja", reordered)
    book = openpyxl.load_workbook(path)
    assert [str(cell.value) for cell in book.worksheets[0][TOP][3:6]] == ["memo", "要求事項", "枠組み"]
    brought = do.questionnaire(town.ledger, town.load(), path, TODAY, paper.parent)
    policy, audit = brought.answers
    assert (policy.answer, policy.by, policy.second_reader) == ("in-place", "desk", "office")
    assert (policy.system, policy.effective, policy.valid_until) == ("helper", date(2026, 4, 1), date(2027, 3, 31))
    assert audit.answer == "not-in-place"
    again = questionnaire(town, tmp_path / "again.xlsx", {}, "en")
    assert do.questionnaire(town.ledger, town.load(), again, TODAY, paper.parent).answers[0].by == "desk"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-03-31", date(2026, 3, 31)),
        (" 2026/3/31 ", date(2026, 3, 31)),
        ("２０２６年３月３１日", date(2026, 3, 31)),
        ("令和8年3月31日", date(2026, 3, 31)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R8.3.31", date(2026, 3, 31)),
        ("令和元年4月30日", None),
        ("平成31年4月30日", None),
        ("26/3/31", None),
        ("元/3/31", None),
        ("2026-02-30", None),
        ("令和9999年1月1日", None),
        ("31.3.2026", None),
    ],
)
def test_days_are_read_as_they_are_typed_in_japan(typed: str, day: date | None) -> None:
    assert typed_day(typed) == day


def test_heads_that_stand_twice_are_refused(town: Town, tmp_path: Path) -> None:
    def twice(sheet: Any) -> None:
        sheet.cell(TOP, 14).value = "Answered  BY"

    path = questionnaire(town, tmp_path / "q.xlsx", {}, change=twice)
    with pytest.raises(SourceError) as refused:
        do.questionnaire(town.ledger, town.load(), path, TODAY, tmp_path)
    (problem,) = refused.value.problems
    assert (problem.line, problem.column) == (TOP, 14)
    assert f"J{TOP}" in problem.message


def test_a_formula_in_a_questionnaire_is_refused(town: Town, tmp_path: Path) -> None:
    path = questionnaire(town, tmp_path / "q.xlsx", {"4.1": {"answer": '="in-place"', "by": "desk"}})
    with pytest.raises(SourceError) as refused:
        do.questionnaire(town.ledger, town.load(), path, TODAY, tmp_path)
    (problem,) = refused.value.problems
    assert (problem.code, problem.line, problem.column) == ("source.formula", TOP + 1, 5)
    assert f"cell E{TOP + 1} of the sheet Answers" in problem.message


def test_a_sheet_without_its_columns_is_refused(town: Town, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "requirement"
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(SourceError) as refused:
        do.questionnaire(town.ledger, town.load(), tmp_path / "x.xlsx", TODAY, tmp_path)
    assert len(refused.value.problems) == 2
