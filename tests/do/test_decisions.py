from __future__ import annotations

import csv
import io
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shinrai import do
from shinrai.errors import Problem, SourceError, StoreError, UsageError
from shinrai.ledger import Ledger
from shinrai.records import EvidenceBrought, Import, digest_file
from shinrai.source import MAX_PROBLEMS, read_items
from tests.plan.town import Town

HEADER = "case,ai_output,human_decision,reviewer_role,seconds,date"
GOOD = f"""{HEADER}
c1,yes,yes,clerk,31,2026-04-02
c2,yes,no,clerk,95.50,2026-04-01
c3,no,,,,
"""


def bring(town: Town, content: str | bytes, name: str = "decisions.csv", system: str = "screening") -> Import:
    path = town.root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return do.import_file(town.ledger, town.load(), path, system)


def refused(town: Town, content: str | bytes, name: str = "decisions.csv") -> list[Problem]:
    """Import what is wrong, and make sure that nothing of it arrives anywhere."""
    before = town.entries
    with pytest.raises(SourceError) as caught:
        bring(town, content, name)
    assert town.entries == before
    assert not list(town.root.glob(".shinrai/evidence/*"))
    return list(caught.value.problems)


def rows(town: Town, brought: Import) -> list[dict[str, Any]]:
    return [item.fields for item in read_items(town.root / brought.file, shown_as="kept")]


def test_a_log_becomes_a_data_set_that_checks_can_use(town: Town) -> None:
    brought = bring(town, GOOD)
    assert rows(town, brought) == [
        {
            "id": "c1",
            "ai_output": "yes",
            "human_decision": "yes",
            "reviewer_role": "clerk",
            "seconds": 31,
            "reviewed": 1,
            "overridden": 0,
            "date": "2026-04-02",
        },
        {
            "id": "c2",
            "ai_output": "yes",
            "human_decision": "no",
            "reviewer_role": "clerk",
            "seconds": 95.5,
            "reviewed": 1,
            "overridden": 1,
            "date": "2026-04-01",
        },
        {
            "id": "c3",
            "ai_output": "no",
            "human_decision": None,
            "reviewer_role": None,
            "seconds": None,
            "reviewed": 0,
            "overridden": None,
            "date": None,
        },
    ]


def test_the_evidence_says_what_was_brought(town: Town) -> None:
    brought = bring(town, GOOD)
    assert (brought.name, brought.rows, brought.system) == ("decisions.csv", 3, "screening")
    assert (brought.first, brought.last) == (date(2026, 4, 1), date(2026, 4, 2))
    assert digest_file(town.root / brought.file) == brought.file_digest
    assert brought.file == f".shinrai/evidence/{brought.file_digest.removeprefix('sha256:')}-decisions.csv"
    assert [one.payload for one in town.entries[1:]] == [EvidenceBrought(evidence=brought)]


def test_the_kept_copy_is_checked_by_verify(town: Town) -> None:
    brought = bring(town, GOOD)
    town.ledger.checkpoint()
    assert town.ledger.verify().ok
    (town.root / brought.file).write_text("id\nc1\n")
    assert not town.ledger.verify().ok


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.rstrip("\n").encode(),
        GOOD.replace("c2,", "\n , ,,,,\nc2,").encode(),
        GOOD.replace("c1,yes", " c1 ,　yes").encode(),
        "\n".join(",".join(line.split(",")[::-1]) for line in GOOD.splitlines()).encode(),
        "\n".join(f"{line},ignored" for line in GOOD.splitlines()).encode(),
    ],
    ids=["plain", "bom", "crlf", "cr", "no-last-newline", "empty-rows", "spaces", "other-order", "other-column"],
)
def test_however_a_program_writes_it_it_is_the_same_evidence(town: Town, content: bytes) -> None:
    assert bring(town, content).file_digest == bring(town, GOOD).file_digest
    assert len(town.state.evidence) == 1


def test_importing_again_changes_nothing_and_a_newer_file_is_one_more(town: Town) -> None:
    first = bring(town, GOOD)
    before = town.entries
    assert bring(town, GOOD) == first
    assert town.entries == before
    second = bring(town, GOOD + "c4,no,no,clerk,4,\n")
    assert (second.rows, len(town.state.evidence)) == (4, 2)
    assert bring(town, GOOD) == first  # back to the old file: the newest import counts
    assert [evidence for _entry, evidence in town.state.evidence] == [first, second, first]


def test_columns_that_no_check_needs_are_not_kept(town: Town) -> None:
    brought = bring(
        town,
        GOOD.replace("date\n", "date,name\n")
        .replace("-02\n", "-02,Yamada\n")
        .replace("-01\n", "-01,\n")
        .replace("c3,no,,,,\n", "c3,no,,,,,\n"),
    )
    assert "Yamada" not in (town.root / brought.file).read_text()


@pytest.mark.parametrize(("ai", "human"), [("Yes", "yes"), ("ＹＥＳ", "yes"), ("承認", "承認 ")])
def test_width_and_case_of_letters_are_no_override(town: Town, ai: str, human: str) -> None:
    brought = bring(town, f"{HEADER}\nc1,{ai},{human},clerk,1,\nc2,no,yes,clerk,1,\n")
    assert [row["overridden"] for row in rows(town, brought)] == [0, 1]


def test_a_case_may_be_called_anything(town: Town) -> None:
    brought = bring(town, f"{HEADER}\nnan,x,x,clerk,1,\n007,x,x,clerk,1,\n1e5,x,x,clerk,1,\n")
    assert [row["id"] for row in rows(town, brought)] == ["nan", "007", "1e5"]


def test_texts_with_commas_quotes_and_line_breaks_come_through(town: Town) -> None:
    brought = bring(town, f'{HEADER}\nc1,"a, ""b""\nc","a, ""b""\nc",clerk,1,\nc2,x,x,clerk,2,\n')
    assert rows(town, brought)[0]["ai_output"] == 'a, "b"\nc'
    assert rows(town, brought)[0]["overridden"] == 0


# ---- mistakes


WRONG_CELLS = [
    ("c1,yes,yes,clerk,-5,", "do.seconds", 18, "negative"),
    ("c1,yes,yes,clerk,−5,", "do.seconds", 18, "negative"),
    ("c1,yes,yes,clerk,NaN,", "do.seconds", 18, "finite"),
    ("c1,yes,yes,clerk,inf,", "do.seconds", 18, "finite"),
    ("c1,yes,yes,clerk,３１,", "do.seconds", 18, "not a number"),
    ("c1,yes,yes,clerk,about 30,", "do.seconds", 18, "not a number"),
    ('c1,yes,yes,clerk,"1,200",', "do.seconds", 18, "not a number"),
    ("c1,yes,yes,clerk,1e3,", "do.seconds", 18, "not a number"),
    ("c1,yes,yes,clerk,99999999999,", "do.seconds", 18, "not a number"),
    ("c1,yes,yes,clerk,1,2026/04/01", "do.date", 20, "not a date"),
    ("c1,yes,yes,clerk,1,2026-02-30", "do.date", 20, "calendar"),
    ("c1,yes,yes,clerk,1,２０２６-04-01", "do.date", 20, "not a date"),
    (",yes,yes,clerk,1,", "do.empty-cell", 1, '"case"'),
    ("c1,,yes,clerk,1,", "do.empty-cell", 4, '"ai_output"'),
    ("c1,yes,yes,,1,", "do.no-reviewer", 12, "not by whom"),
    ("c1,nan,yes,clerk,1,", "do.not-finite", 4, "missing value"),
    ("c1,yes,Infinity,clerk,1,", "do.not-finite", 8, "missing value"),
    ("c1,yes,yes,clerk,1", "do.ragged", 1, "5 cells, the header has 6"),
    ("c1,yes,yes,clerk,1,,", "do.ragged", 1, "7 cells"),
    ('c1,"a, b",yes,clerk,x,', "do.seconds", 21, "not a number"),
]


@pytest.mark.parametrize(("row", "code", "column", "message"), WRONG_CELLS)
def test_each_mistake_is_located(town: Town, row: str, code: str, column: int, message: str) -> None:
    (problem,) = refused(town, f"{HEADER}\nc0,yes,yes,clerk,1,\n{row}\n")
    assert (problem.code, problem.file, problem.line, problem.column) == (code, "decisions.csv", 3, column)
    assert message in problem.message
    assert problem.excerpt == row


@pytest.mark.parametrize(
    ("cell", "hint"),
    [("３１", "these are full-width characters; write 31"), ('"1,200"', "write 1200"), ('"１，２００"', "write 1200")],
)
def test_the_way_out_is_said(town: Town, cell: str, hint: str) -> None:
    (problem,) = refused(town, f"{HEADER}\nc0,yes,yes,clerk,{cell},\n")
    assert problem.hint == hint


def test_all_mistakes_come_at_once_and_in_order(town: Town) -> None:
    content = "\n".join([HEADER, *(row for row, *_rest in WRONG_CELLS)])
    problems = refused(town, content)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    lines = {problem.line for problem in problems}
    assert lines == set(range(2, 2 + len(WRONG_CELLS)))
    assert {problem.code for problem in problems} == {code for _row, code, *_rest in WRONG_CELLS} | {"do.case-twice"}


@pytest.mark.parametrize("again", ["c1", "ｃ１", " c1"])
def test_a_case_stands_once(town: Town, again: str) -> None:
    (problem,) = refused(town, f"{HEADER}\nc1,yes,yes,clerk,1,\nc2,yes,yes,clerk,1,\n{again},no,no,clerk,1,\n")
    assert (problem.code, problem.line) == ("do.case-twice", 4)
    assert problem.hint == "the first one is in line 2"


def test_a_misspelt_column_is_named_and_never_used(town: Town) -> None:
    problems = refused(town, GOOD.replace("ai_output", "ai_ouput"))
    assert [(one.code, one.line, one.column) for one in problems] == [("do.missing-column", 1, 6)]
    assert problems[0].hint == 'is "ai_ouput" meant? Then rename it to "ai_output"'
    problems = refused(town, GOOD.replace(",date", ",dates"))
    assert [one.code for one in problems] == ["do.missing-column"]


def test_missing_columns_and_wrong_cells_are_said_together(town: Town) -> None:
    problems = refused(town, "case,ai_output,seconds\nc1,yes,x\nc1,yes,3\n")
    assert [(one.code, one.line) for one in problems] == [
        ("do.missing-column", 1),
        ("do.missing-column", 1),
        ("do.seconds", 2),
        ("do.case-twice", 3),
    ]


def test_a_column_twice_is_refused(town: Town) -> None:
    (problem,) = refused(town, f"{HEADER},seconds\nc1,yes,yes,clerk,1,,2\n")
    assert (problem.code, problem.column) == ("do.column-twice", HEADER.index("date") + 6)


@pytest.mark.parametrize(
    ("content", "message"), [("", "empty"), ("\n\n", "empty"), ("\ufeff", "empty"), (HEADER, "no row")]
)
def test_a_file_without_rows_is_refused(town: Town, content: str, message: str) -> None:
    (problem,) = refused(town, content)
    assert problem.code == "do.empty"
    assert message in problem.message


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_another_separator_is_recognised(town: Town, separator: str) -> None:
    problems = refused(town, GOOD.replace(",", separator))
    assert {problem.hint for problem in problems} == {"the columns have to be separated by commas"}


@pytest.mark.parametrize("encoding", ["cp932", "utf-16"])
def test_another_encoding_is_named_with_the_way_to_utf_8(town: Town, encoding: str) -> None:
    content = f"{HEADER}\nc1,承認,承認,窓口担当,31,2026-04-02\n"
    (problem,) = refused(town, content.encode(encoding))
    assert problem.code == "do.encoding"
    assert {"cp932": "Shift_JIS", "utf-16": "UTF-16"}[encoding] in problem.message
    assert "UTF-8" in (problem.hint or "")
    if encoding == "cp932":
        assert (problem.line, problem.column) == (2, 4)
        assert problem.excerpt == "c1,承認,承認,窓口担当,31,2026-04-02"


def test_what_is_no_text_at_all_is_refused(town: Town) -> None:
    (problem,) = refused(town, b"case,ai_output\n\xff\xfd\x81")
    assert problem.code == "do.encoding"
    (problem,) = refused(town, GOOD.replace("yes", "y\0s", 1))
    assert problem.code == "do.not-finite"
    (problem,) = refused(town, f'{HEADER}\nc1,"yes,yes,clerk,1,\n')
    assert (problem.code, problem.line) == ("do.csv", 2)


def test_very_many_mistakes_are_cut_and_counted(town: Town) -> None:
    content = "\n".join([HEADER, *(f"c{number},yes,yes,clerk,x," for number in range(MAX_PROBLEMS + 5))])
    problems = refused(town, content)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].message == "5 more problems follow; they are not listed"


def test_people_who_decide_in_other_words_than_the_ai_are_not_compared(town: Town) -> None:
    content = f"{HEADER}\nc1,approve,承認,clerk,1,\nc2,deny,否決,clerk,1,\n"
    (problem,) = refused(town, content)
    assert (problem.code, problem.line, problem.column) == ("do.not-comparable", 1, 16)
    everything_overridden = f"{HEADER}\nc1,approve,deny,clerk,1,\nc2,approve,deny,clerk,1,\n"
    assert bring(town, everything_overridden).rows == 2


def test_an_unknown_system_and_a_missing_file_are_refused(town: Town) -> None:
    with pytest.raises(UsageError, match="no system screning") as caught:
        bring(town, GOOD, system="screning")
    assert caught.value.hint == "did you mean screening?"
    with pytest.raises(SourceError, match="cannot be read"):
        do.import_file(town.ledger, town.load(), town.root / "nowhere.csv", "screening")


def test_when_the_copy_cannot_be_kept_nothing_is_written_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    before = town.entries
    with pytest.raises(StoreError, match="No space left"):
        bring(town, GOOD)
    assert town.entries == before
    assert list((town.root / ".shinrai/evidence").iterdir()) == []


def test_when_the_ledger_fails_the_import_did_not_happen(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Ledger, *_payloads: object) -> None:
        raise StoreError("ledger.full", "no room")

    monkeypatch.setattr(Ledger, "append", broken)
    with pytest.raises(StoreError):
        bring(town, GOOD)
    monkeypatch.undo()
    assert town.state.evidence == []
    bring(town, GOOD)
    assert len(town.state.evidence) == 1


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).map(str.strip)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(WORDS.filter(bool), st.sampled_from(["", "yes", "no"]), st.one_of(st.none(), st.integers(0, 10**6))),
        min_size=1,
        unique_by=lambda row: unicodedata.normalize("NFKC", row[0]),
    )
)
def test_what_is_written_is_what_is_read_back(town: Town, cases: list[tuple[str, str, int | None]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["case", "ai_output", "human_decision", "reviewer_role", "seconds"])
    for case, decision, seconds in cases:
        writer.writerow([case, "yes", decision, "clerk" if decision else "", "" if seconds is None else seconds])
    brought = bring(town, out.getvalue())
    read = rows(town, brought)
    assert [(row["id"], row["human_decision"] or "", row["seconds"]) for row in read] == cases
    assert [row["reviewed"] for row in read] == [int(bool(decision)) for _case, decision, _seconds in cases]
