"""Workbooks that people send back, and workbooks that mean harm."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import SourceError
from shinrai.source import workbook as module
from shinrai.source.workbook import read_workbook

BOOK = (
    '<workbook xmlns:r="x"><sheets><sheet name="a" r:id="rId1"/></sheets></workbook>',
    '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
)


def packed(path: Path, sheet: str, *, shared: str | None = None, book: str = BOOK[0]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", BOOK[1])
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if shared is not None:
            archive.writestr("xl/sharedStrings.xml", shared)
    return path


def refused(path: Path) -> tuple[str, int, int]:
    with pytest.raises(SourceError) as error:
        read_workbook(path, shown_as=path.name)
    (problem,) = error.value.problems
    return problem.code, problem.line, problem.column


VALUES = st.one_of(
    st.text(
        st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=("Cs", "Cc")), min_size=1, max_size=20
    ),
    st.booleans(),
    st.integers(-(2**40), 2**40),
)


@given(st.lists(st.lists(st.one_of(st.none(), VALUES), max_size=4), max_size=4))
def test_what_two_libraries_write_is_read_back(rows: list[list[Any]]) -> None:
    expected = [[float(cell) if type(cell) is int else cell for cell in row] for row in rows]
    book = openpyxl.Workbook()
    target = io.BytesIO()
    other = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = other.add_worksheet()
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(r, c, cell)
                made = book.worksheets[0].cell(r + 1, c + 1)
                made.value = cell
                made.data_type = "s"
            elif cell is not None:
                sheet.write(r, c, cell)
                book.worksheets[0].cell(r + 1, c + 1, cell)
    other.close()
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - a folder for each example

    with TemporaryDirectory() as folder:
        paths = Path(folder) / "a.xlsx", Path(folder) / "b.xlsx"
        paths[0].write_bytes(target.getvalue())
        book.save(paths[1])
        for path in paths:
            assert trimmed(read_workbook(path, shown_as="x").rows) == trimmed(expected)


def trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    cut = [row[: max((n for n, cell in enumerate(row, 1) if cell is not None), default=0)] for row in rows]
    while cut and not cut[-1]:
        cut.pop()
    return cut


def test_a_formula_is_refused_at_its_cell(tmp_path: Path) -> None:
    sheet = '<worksheet><sheetData><row r="3"><c r="B3" t="str"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>'
    assert refused(packed(tmp_path / "x.xlsx", sheet)) == ("source.formula", 3, 2)
    error = '<worksheet><row r="1"><c r="A1" t="e"><v>#REF!</v></c></row></worksheet>'
    assert refused(packed(tmp_path / "x.xlsx", error)) == ("source.formula", 1, 1)


def test_entities_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    outside = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    for evil in (bomb, outside):
        assert refused(packed(tmp_path / "x.xlsx", evil + "<worksheet/>"))[0] == "source.xml-entities"
        assert refused(packed(tmp_path / "x.xlsx", "<worksheet/>", shared=evil + "<sst/>"))[0] == "source.xml-entities"
        assert refused(packed(tmp_path / "x.xlsx", "<worksheet/>", book=evil + BOOK[0]))[0] == "source.xml-entities"


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1_000_000)
    path = packed(tmp_path / "x.xlsx", "<worksheet>" + " " * 2_000_000 + "</worksheet>")
    assert path.stat().st_size < 10_000
    assert refused(path)[0] == "source.workbook-bomb"


def test_what_a_header_says_of_its_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1_000_000)
    path = packed(tmp_path / "x.xlsx", "<worksheet>" + " " * 2_000_000 + "</worksheet>")
    raw = path.read_bytes()
    size = (2_000_023).to_bytes(4, "little")
    assert size in raw
    path.write_bytes(raw.replace(size, (100).to_bytes(4, "little")))
    assert refused(path)[0] in {"source.workbook-bomb", "source.workbook"}


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        ('<worksheet><c r="A200001"><v>1</v></c></worksheet>', "source.workbook-bomb"),
        ('<worksheet><c r="ZZZ1"><v>1</v></c></worksheet>', "source.workbook-bomb"),
        ('<worksheet><c r="nowhere"><v>1</v></c></worksheet>', "source.workbook"),
        ("<a>" * 100 + "</a>" * 100, "source.workbook-bomb"),
        ("<worksheet>", "source.workbook"),
        ("", "source.workbook"),
    ],
)
def test_sheets_that_cannot_be_read_are_refused(sheet: str, code: str, tmp_path: Path) -> None:
    assert refused(packed(tmp_path / "x.xlsx", sheet))[0] == code


def test_files_that_are_no_workbooks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    assert refused(path)[0] == "source.unreadable"
    path.write_bytes(b"PK\x03\x04 not really")
    assert refused(path)[0] == "source.workbook"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert refused(path)[0] == "source.workbook"
    with path.open("wb") as file:
        file.truncate(module.MAX_WORKBOOK_BYTES + 1)
    assert refused(path)[0] == "source.too-large"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(module.MAX_PARTS + 1):
            archive.writestr(f"{number}", "")
    assert refused(path)[0] == "source.workbook-bomb"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - a folder for each example

    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.xlsx"
        path.write_bytes(raw)
        with pytest.raises(SourceError):
            read_workbook(path, shown_as="x")


def test_readings_above_a_text_are_left_out(tmp_path: Path) -> None:
    shared = "<sst><si><r><t>東</t></r><r><t>京</t></r><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si></sst>"
    sheet = '<worksheet><row r="1"><c r="A1" t="s"><v>0</v></c><c t="s"><v>9</v></c></row></worksheet>'
    assert read_workbook(packed(tmp_path / "x.xlsx", sheet, shared=shared), shown_as="x").rows == [["東京"]]


@pytest.mark.parametrize(("told", "day"), [("", date(2027, 3, 31)), ('<workbookPr date1904="1"/>', date(2031, 4, 1))])
def test_days_are_counted_from_where_the_workbook_says(told: str, day: date, tmp_path: Path) -> None:
    sheet = '<worksheet><row r="1"><c r="A1"><v>46477</v></c></row></worksheet>'
    book = BOOK[0].replace("<sheets>", f"{told}<sheets>")
    found = read_workbook(packed(tmp_path / "x.xlsx", sheet, book=book), shown_as="x")
    assert found.day(46477.5) == day
    assert [found.day(one) for one in (0.0, -1.0, 1e300, float("nan"))] == [None] * 4
