from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.do.reviews import Reviews, read_reviews
from shinrai.do.reviews.cells import number
from shinrai.do.reviews.columns import header_key
from shinrai.errors import Problem, SourceError, UsageError
from tests.do.reviews import sheets


def read(folder: Path, **files: list[sheets.Cells]) -> Reviews:
    return read_reviews(
        [sheets.write(folder, name.removeprefix("f").replace("_", "-"), rows) for name, rows in files.items()]
    )


def refused(path: Path) -> Problem:
    with pytest.raises(SourceError) as caught:
        read_reviews([path])
    return caught.value.problems[0]


def kinds(reviews: Reviews) -> Counter[str]:
    return Counter({str(kind): count for kind, count in reviews.notices.counts.items()})


def test_four_rows_make_one_indicator(tmp_path: Path) -> None:
    rows = sheets.indicator(
        targets={2025: "30", 2027: "20"}, actuals={2023: "44.5", 2024: "0"}, rates={}, direction="下向き"
    )
    reviews = read(tmp_path, f3_1=rows)
    (one,) = reviews.series
    assert (one.project, one.number, one.level, one.horizon, one.direction) == ("4", "3", "outcome", "short", "down")
    assert one.targets == {2025: 30.0, 2027: 20.0}
    assert one.actuals == {2023: 44.5, 2024: 0.0}, "an empty cell is missing; a zero is a value"
    assert one.target_year == 2027
    assert reviews.year == 2025
    assert not kinds(reviews)


def test_columns_are_found_by_their_names_wherever_they_stand(tmp_path: Path) -> None:
    rows = sheets.indicator(targets={2027: "20"})
    straight = read(tmp_path, f3_1=rows).series
    backwards = sheets.write(tmp_path, "3-1", rows, headers=list(reversed(sheets.HEADERS["3-1"])))
    assert read_reviews([backwards]).series == straight


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("執行額（合計）", "執行額(合計)"),
        ("翌年度への繰越し(合計）", "翌年度への繰越し（合計）"),
        ("派生先ー 活動", "派生先－活動"),
    ],
)
def test_headers_differ_in_width_dash_and_blanks_between_years(one: str, other: str) -> None:
    assert header_key(one) == header_key(other)


def test_the_number_of_a_project_is_the_same_with_leading_zeros(tmp_path: Path) -> None:
    rows = [*sheets.indicator("000004", "1"), *sheets.indicator("4", "2", metric="別の指標")]
    assert {one.project for one in read(tmp_path, f3_1=rows).series} == {"4"}


def test_a_missing_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    headers = [name if name != "単位" else "単位名" for name in sheets.HEADERS["3-1"]]
    problem = refused(sheets.write(tmp_path, "3-1", [], headers=headers))
    assert problem.code == "do.review-column"
    assert '"単位" of file 3-1' in problem.message
    assert problem.hint == "did you mean 単位名?"


def test_another_file_is_not_taken_for_a_review(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("事業年度,予算事業ID,事業名,府省庁\n", encoding="utf-8")
    assert refused(path).code == "do.review-header"
    path.write_text("", encoding="utf-8")
    assert refused(path).code == "do.empty"


def test_shift_jis_is_named_and_located(tmp_path: Path) -> None:
    path = tmp_path / "3-1_RS_2025.csv"
    path.write_bytes(sheets.text("3-1", sheets.indicator())[1:].replace("\u2015", "-").encode("cp932"))
    problem = refused(path)
    assert (problem.code, problem.line, problem.column) == ("do.encoding", 1, 1)
    assert "Shift_JIS" in problem.message


def test_a_foreign_line_further_down_is_located(tmp_path: Path) -> None:
    path = tmp_path / "3-1_RS_2025.csv"
    good = sheets.text("3-1", sheets.indicator() * 500).encode()
    path.write_bytes(good + "4,別の文字".encode("cp932"))
    problem = refused(path)
    assert problem.code == "do.encoding"
    assert problem.line == 2002


def test_full_width_digits_are_taken_and_named(tmp_path: Path) -> None:
    reviews = read(tmp_path, f3_1=sheets.indicator(targets={2027: "２０"}, actuals={2024: "１，２００"}))
    assert reviews.series[0].targets == {2027: 20.0}
    assert reviews.series[0].actuals == {2024: 1200.0}
    assert kinds(reviews) == {"full-width": 2}
    first = reviews.notices.of("full-width")[0]
    assert (first.line, first.column, first.project, first.found) == (3, "2027", "4", "２０")


@pytest.mark.parametrize(
    "cell", ["約20", "20%", "▲20", "集計中", "1,23", "nan", "1e3", "1_000", "20 30", "∞", "9" * 400]
)
def test_what_is_no_number_is_never_read_as_one(tmp_path: Path, cell: str) -> None:
    reviews = read(tmp_path, f3_1=sheets.indicator(targets={2027: "20"}, actuals={2024: cell}))
    assert reviews.series[0].actuals == {}
    assert kinds(reviews) == {"not-a-number": 1}
    assert reviews.notices.of("not-a-number")[0].found == cell


@pytest.mark.parametrize("cell", ["", "-", "－", "―", "  "])
def test_a_dash_is_missing_and_nothing_to_complain_about(tmp_path: Path, cell: str) -> None:
    reviews = read(tmp_path, f3_1=sheets.indicator(targets={2027: "20"}, actuals={2024: cell}))
    assert reviews.series[0].actuals == {}
    assert not kinds(reviews)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3))
def test_numbers_come_back_as_they_were_written(value: object) -> None:
    assert number(f"{value:f}") == (float(f"{value:f}"), None)
    whole, dot, rest = f"{value:,}".partition(".")
    assert number(whole + dot + rest)[0] == float(str(value))


@given(st.text())
def test_no_cell_is_ever_read_as_an_infinite_number(cell: str) -> None:
    value, oddity = number(cell)
    assert value is None or abs(value) < float("inf")
    assert oddity != "full-width" or not cell.isascii()


def test_the_same_row_twice_counts_once_and_is_named(tmp_path: Path) -> None:
    rows = sheets.indicator(targets={2027: "20"}, actuals={2024: "30"})
    reviews = read(tmp_path, f3_1=[*rows, rows[2]])
    assert reviews.series[0].actuals == {2024: 30.0}
    assert kinds(reviews) == {"row-twice": 1}
    notice = reviews.notices.of("row-twice")[0]
    assert (notice.line, notice.found, notice.other) == (6, "actual", "4")


def test_two_rows_that_differ_leave_neither_value(tmp_path: Path) -> None:
    rows = sheets.indicator(targets={2027: "20"}, actuals={2023: "31", 2024: "30"})
    reviews = read(tmp_path, f3_1=[*rows, {**rows[2], "2024": "12"}])
    assert reviews.series[0].actuals == {2023: 31.0}, "what both say stands; what they dispute does not"
    assert kinds(reviews) == {"row-conflict": 1}


def test_the_same_indicator_with_several_targets_stays_several(tmp_path: Path) -> None:
    rows = [
        *sheets.indicator(number="3", horizon="1.短期", targets={2027: "20"}),
        *sheets.indicator(number="4", horizon="3.長期", target_year=2030, targets={2030: "10"}),
    ]
    series = read(tmp_path, f3_1=rows).series
    assert [(one.horizon, one.target_year, one.targets) for one in series] == [
        ("short", 2027, {2027: 20.0}),
        ("long", 2030, {2030: 10.0}),
    ]


def test_a_direction_is_asked_for_and_never_assumed(tmp_path: Path) -> None:
    missing = read(tmp_path, f3_1=sheets.indicator(direction="-", targets={2027: "20"}))
    assert missing.series[0].direction is None
    assert kinds(missing) == {"no-direction": 1}
    strange = read(tmp_path, f3_1=sheets.indicator(direction="上向", targets={2027: "20"}))
    assert strange.series[0].direction is None
    assert kinds(strange) == {"unknown-word": 1, "no-direction": 1}


def test_two_directions_for_one_indicator_leave_none(tmp_path: Path) -> None:
    rows = sheets.indicator(targets={2027: "20"})
    reviews = read(tmp_path, f3_1=[*rows[:2], *({**row, "改善の上向き／下向き": "上向き"} for row in rows[2:])])
    assert reviews.series[0].direction is None
    assert kinds(reviews)["row-conflict"] == 2


@pytest.mark.parametrize(
    ("direction", "target", "actual", "rate", "agrees"),
    [
        ("上向き", "3000", "5319", "177.3", True),
        ("上向き", "3000", "5319", "100", False),
        ("下向き", "20", "25", "80", True),
        ("下向き", "20", "25", "75", True),
        ("下向き", "20", "25", "99", False),
        ("上向き", "0", "5", "100", False),
    ],
)
def test_a_typed_rate_is_compared_with_result_and_target(
    tmp_path: Path, direction: str, target: str, actual: str, rate: str, agrees: bool
) -> None:
    rows = sheets.indicator(
        direction=direction, target_year=2024, targets={2024: target}, actuals={2024: actual}, rates={2024: rate}
    )
    assert kinds(read(tmp_path, f3_1=rows)) == ({} if agrees else {"rate-differs": 1})


def test_target_years_without_value_or_in_doubt_are_named(tmp_path: Path) -> None:
    rows = [
        *sheets.indicator(number="1", metric="甲", target_year=None, targets={2027: "20"}),
        *sheets.indicator(number="2", metric="乙", targets={2026: "20"}),
        *sheets.indicator(number="3", metric="丙", targets={2027: "20", 2028: "21"}),
    ]
    rows[8]["2028"] = "1"
    reviews = read(tmp_path, f3_1=rows)
    assert kinds(reviews) == {"no-target-year": 1, "target-without-value": 1, "several-target-years": 1}
    assert reviews.series[2].target_year is None


def test_a_row_of_another_year_is_refused_where_it_stands(tmp_path: Path) -> None:
    rows = sheets.indicator()
    path = sheets.write(tmp_path, "3-1", [*rows, {**rows[0], "事業年度": "2024"}])
    problem = refused(path)
    assert (problem.code, problem.line) == ("do.review-year", 6)


def test_links_follow_the_numbers_and_keep_the_ministrys_words(tmp_path: Path) -> None:
    rows = [sheets.node("4", "1", "アクティビティ", "相談を受ける"), *sheets.indicator(number="3", targets={2027: "1"})]
    links = [
        sheets.link("000004", ("1", "アクティビティ"), ("3", "アウトカム"), "相談が早く済む", "一段で足りるため"),
        sheets.link("4", ("1", "アクティビティ"), ("9", "アウトカム")),
    ]
    reviews = read(tmp_path, f3_1=rows, f3_2=links)
    (kept,) = reviews.links
    assert (kept.source, kept.target) == (("4", "1", "activity"), ("4", "3", "outcome"))
    assert kept.mechanism == "相談が早く済む"
    assert reviews.reasons == {"4": "一段で足りるため"}
    assert kinds(reviews) == {"unknown-node": 1}


def test_cycles_are_named_and_kept(tmp_path: Path) -> None:
    names = ["甲", "乙", "丙"]
    rows = [sheets.node("4", str(at), "アウトカム", name) for at, name in enumerate(names)]
    ring = [sheets.link("4", (str(at), "アウトカム"), (str((at + 1) % 3), "アウトカム")) for at in range(3)]
    reviews = read(tmp_path, f3_1=rows, f3_2=ring)
    assert len(reviews.links) == 3
    assert kinds(reviews) == {"cycle": 3}


def test_budgets_are_the_totals_and_never_a_sum(tmp_path: Path) -> None:
    money = [
        {
            **sheets.common(),
            "予算年度": "2024",
            "当初予算（合計）": "100",
            "計（歳出予算現額合計）": "120",
            "執行額（合計）": "0",
        },
        {**sheets.common(), "予算年度": "2024", "会計区分": "一般会計", "当初予算": "70"},
        {**sheets.common(), "予算年度": "2024", "会計区分": "特別会計", "当初予算": "30"},
        {**sheets.common(), "予算年度": "2023", "会計区分": "一般会計", "当初予算": "55"},
        {**sheets.common(), "予算年度": "2022", "当初予算（合計）": "5"},
        {**sheets.common(), "予算年度": "2022", "当初予算（合計）": "6"},
    ]
    reviews = read(tmp_path, f3_1=sheets.indicator(targets={2027: "1"}), f2_1=money)
    (one,) = reviews.budgets
    assert (one.year, one.initial, one.available, one.spent, one.requested) == (2024, 100.0, 120.0, 0.0, None)
    assert kinds(reviews) == {"no-total": 1, "several-totals": 1}


def test_projects_are_found_by_the_plan_that_they_name(tmp_path: Path) -> None:
    decision = {"事業に関連するKPIが定められている閣議決定等の名称": "人工知能基本計画（令和7年12月23日閣議決定）"}
    rows = [
        *sheets.indicator("4", targets={2027: "1"}),
        *sheets.indicator("5", targets={2027: "1"}, more=decision),
        *sheets.indicator("6", targets={2027: "1"}),
    ]
    plans = [
        {**sheets.common("6"), "計画通知名": "人工知能基本計画"},
        {**sheets.common("4"), "計画通知名": "人工知能戦略"},
    ]
    reviews = read(tmp_path, f3_1=rows, f1_3=plans)
    assert reviews.naming(["人工知能基本計画"]) == {"5", "6"}


def test_an_assessment_is_one_however_many_rows_it_has(tmp_path: Path) -> None:
    found = {
        **sheets.common(),
        "事業所管部局による点検・改善ー点検結果": "効果は出ている",
        "反映額（一般会計）": "-569000",
    }
    reviews = read(tmp_path, f3_1=sheets.indicator(targets={2027: "1"}), f4_1=[found, found])
    (one,) = reviews.assessments
    assert (one.self_check, one.reflected_amount) == ("効果は出ている", -569000.0)


def test_a_zip_archive_is_read_without_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "3-1_RS_2025.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("3-1_RS_2025.csv", sheets.text("3-1", sheets.indicator(targets={2027: "20"})))
    assert read_reviews([path]).series[0].targets == {2027: 20.0}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("3-2_RS_2025.csv", "")
    assert refused(path).code == "do.archive"
    path.write_bytes(b"PK\x03\x04 damaged")
    assert refused(path).code == "do.archive"


@pytest.mark.parametrize(("content", "code"), [('"a', "do.csv"), ("a,b", "do.ragged"), ("\0", "do.ragged")])
def test_what_is_no_row_is_located(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "3-1_RS_2025.csv"
    path.write_text(sheets.text("3-1", sheets.indicator()) + content, encoding="utf-8", newline="")
    problem = refused(path)
    assert (problem.code, problem.line) == (code, 6)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    goals = sheets.write(tmp_path, "3-1", sheets.indicator(targets={2027: "1"}))
    with pytest.raises(SourceError, match="second file 3-1"):
        read_reviews([goals, goals])
    links = sheets.write(tmp_path, "3-2", [{**sheets.link("4", ("", ""), ("", "")), "事業年度": "2024"}])
    with pytest.raises(SourceError, match="of 2024"):
        read_reviews([goals, links])
    with pytest.raises(UsageError, match="3-1"):
        read_reviews([links])
    with pytest.raises(SourceError, match="cannot be read"):
        read_reviews([tmp_path / "none.csv"])
