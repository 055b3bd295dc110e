"""Tables of observations: every mistake at its place, nothing by halves, and no value changed in silence."""

from __future__ import annotations

from typing import Any

import pytest

from shinrai import do
from shinrai.check.series import observations
from shinrai.errors import Problem, SourceError, TamperedError, UsageError
from shinrai.records import EvidenceBrought, ObservedTable
from shinrai.workspace import load
from tests.plan.town import TODAY, Town

PLAN = """
id: nation
title: {ja: 国の計画, en: The nation’s plan}
owner: mayor
indicators:
  - id: use
    title: {ja: 利用率, en: Use}
    unit: percent
    direction: up
    limits: [0, 100]
    disaggregation: [region]
"""
HEAD = "indicator,period,value,unit,source,published"
ROW = "use,FY2024,26.7,percent,white paper,2025-07-09"


@pytest.fixture
def nation(town: Town) -> Town:
    town.load()
    town.put("plans/nation.yaml", PLAN)
    return town


def bring(town: Town, text: str | bytes, name: str = "use.csv") -> tuple[ObservedTable | None, int]:
    path = town.root / "observations" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return do.observe_table(town.ledger, load(town.root), path, today=TODAY)


def refused(town: Town, text: str | bytes) -> list[Problem]:
    before = town.entries
    with pytest.raises(SourceError) as raised:
        bring(town, text)
    assert town.entries == before
    assert {one.file for one in raised.value.problems} == {"observations/use.csv"}
    return list(raised.value.problems)


def test_rows_come_in_once_and_are_kept(nation: Town) -> None:
    brought, known = bring(nation, f"{HEAD}\n{ROW}\n\n")
    assert (brought is not None and brought.rows, known) == (1, 0)
    assert isinstance(nation.entries[-1].payload, EvidenceBrought)
    (one,) = observations(nation.ledger.state(), nation.root)
    assert (one.subject, one.period, one.value, one.unit) == ("use", "FY2024", 26.7, "percent")
    assert (one.as_of.isoformat(), one.published and one.published.isoformat()) == ("2025-03-31", "2025-07-09")
    entries = nation.entries
    assert bring(nation, f"{HEAD}\n{ROW}\n") == (None, 1)
    assert nation.entries == entries
    more, known = bring(nation, f"{HEAD}\n{ROW}\nuse,FY2025,58.8,percent,white paper,2026-07-24\n")
    assert (more is not None and more.rows, known) == (1, 1)
    assert len(observations(nation.ledger.state(), nation.root)) == 2


def test_a_kept_copy_that_was_changed_is_noticed(nation: Town) -> None:
    brought, _known = bring(nation, f"{HEAD}\n{ROW}\n")
    assert brought is not None
    copy = nation.root / brought.file
    copy.write_bytes(copy.read_bytes().replace(b"26.7", b"76.7"))
    with pytest.raises(TamperedError):
        observations(nation.ledger.state(), nation.root)


def test_a_revision_is_a_new_row_and_a_silent_one_is_refused(nation: Town) -> None:
    bring(nation, f"{HEAD}\n{ROW}\n")
    (problem,) = refused(nation, f"{HEAD}\n{ROW.replace('26.7', '27.6')}\n")
    assert (problem.code, problem.line, problem.column) == ("do.revised-silently", 2, 12)
    assert "26.7" in problem.message
    revised = ROW.replace("26.7", "27.6").replace("2025-07-09", "2026-01-09")
    assert bring(nation, f"{HEAD}\n{ROW}\n{revised}\n")[1] == 1


WRONG: dict[str, tuple[str, str, int, int, str | None]] = {
    "an unknown indicator": (ROW.replace("use", "usee"), "do.unknown-indicator", 2, 1, "did you mean use?"),
    "another unit": (ROW.replace("percent", "share"), "do.unit", 2, 17, None),
    "full-width digits": (ROW.replace("26.7", "２６．７"), "do.number", 2, 12, "write 26.7"),
    "a percent sign": (ROW.replace("26.7", "26.7%"), "do.number", 2, 12, "write 26.7"),
    "no number": (ROW.replace("26.7", "about a quarter"), "do.number", 2, 12, None),
    "infinity": (ROW.replace("26.7", "inf"), "do.number", 2, 12, None),
    "no value": (ROW.replace("26.7", ""), "do.empty", 2, 12, None),
    "no source": (ROW.replace("white paper", ""), "do.no-source", 2, 25, None),
    "no period": (ROW.replace("FY2024", "令和6年度"), "do.period", 2, 5, None),
    "a thirteenth month": (ROW.replace("FY2024", "2024-13"), "do.period", 2, 5, None),
    "a period in another form": (ROW.replace("FY2024", "2024年度"), "do.period", 2, 5, "did you mean FY2024?"),
    "a period to come": (ROW.replace("FY2024", "FY2027"), "do.future", 2, 5, "a forecast has the status forecast"),
    "more than all": (ROW.replace("26.7", "267"), "do.outside-limits", 2, 12, None),
    "published too early": (ROW.replace("2025-07-09", "2023-07-09"), "do.published-early", 2, 37, None),
    "no date": (ROW.replace("2025-07-09", "July 2025"), "do.cell", 2, 37, None),
    "two values of one publication": (
        f"{ROW}\n{ROW.replace(',26.7,', ',57.1,')}",
        "do.duplicate-row",
        3,
        12,
        "the first one is in line 2",
    ),
    "a row twice": (f"{ROW}\n{ROW}", "do.duplicate-row", 3, 12, "the first one is in line 2"),
    "a ragged row": (f"{ROW},x", "do.csv", 2, 1, None),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_each_mistake_has_its_place(nation: Town, wrong: tuple[str, str, int, int, str | None]) -> None:
    rows, code, line, column, hint = wrong
    (problem,) = refused(nation, f"{HEAD}\n{rows}\n")
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert hint is None or problem.hint == hint
    if "57.1" in rows:
        assert problem.message == "the same publication says 26.7 as well"


@pytest.mark.parametrize(
    ("head", "code", "column", "hint"),
    [
        (HEAD.replace("source", "sauce"), "do.column", 29, "did you mean source?"),
        (f"{HEAD},value", "do.column", 46, None),
        (f"{HEAD},colour", "do.column", 46, None),
        (HEAD.removesuffix(",published").replace(",source", ""), "do.column", 1, None),
    ],
)
def test_the_header_is_held_against_what_is_known(
    nation: Town, head: str, code: str, column: int, hint: str | None
) -> None:
    problems = refused(nation, f"{head}\n{ROW}\n")
    assert (problems[0].code, problems[0].line) == (code, 1)
    assert hint is None or hint in {problem.hint for problem in problems}
    assert any(problem.column == column for problem in problems)


def test_shift_jis_and_an_empty_file_are_named(nation: Town) -> None:
    (problem,) = refused(nation, f"{HEAD}\n{ROW.replace('white paper', '白書')}\n".encode("cp932"))
    assert (problem.code, problem.line) == ("do.encoding", 2)
    assert "Shift_JIS" in problem.message
    assert refused(nation, "")[0].code == "do.no-rows"
    assert refused(nation, f"{HEAD}\n")[0].code == "do.no-rows"


def test_breakdowns_are_those_of_the_indicator(nation: Town) -> None:
    brought, _known = bring(nation, f"{HEAD},region,n\n{ROW},tokyo,500\n{ROW},osaka,400\n{ROW},,900\n")
    assert brought is not None
    told = {str(one.breakdown): one.sample for one in observations(nation.ledger.state(), nation.root)}
    assert told == {"{'region': 'tokyo'}": 500, "{'region': 'osaka'}": 400, "None": 900}


def test_one_value_of_an_indicator_needs_its_period_and_unit(nation: Town) -> None:
    def observe(**changed: Any) -> Any:
        said = {"subject": "use", "value": 40.0, "unit": "percent", "source": "survey", "today": TODAY, **changed}
        return do.observe(nation.ledger, load(nation.root), **said)

    assert observe(period="FY2024").as_of.isoformat() == "2025-03-31"
    assert [one.period for one in observations(nation.ledger.state(), nation.root)] == ["FY2024"]
    for wrong, code in (
        ({}, "do.no-period"),
        ({"period": "soon"}, "do.no-period"),
        ({"period": "FY2024", "unit": "share"}, "do.unit"),
        ({"period": "FY2030"}, "do.future"),
        ({"period": "FY2024", "value": 41.0}, "do.revised-silently"),
    ):
        with pytest.raises(UsageError) as raised:
            observe(**wrong)
        assert raised.value.code == code
