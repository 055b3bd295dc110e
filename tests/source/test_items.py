"""Data sets in: rows with ids, and every bad cell where it stands."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import SourceError
from shinrai.records import Item
from shinrai.source import read_items

Folders = pytest.TempPathFactory


def read(folder: Path, name: str, content: str | bytes) -> list[Item]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_items(path, shown_as=f"data/{name}")


def refusals(folder: Path, name: str, content: str | bytes) -> list[tuple[str, int, int]]:
    with pytest.raises(SourceError) as raised:
        read(folder, name, content)
    assert all(problem.file == f"data/{name}" for problem in raised.value.problems)
    return [(problem.code, problem.line, problem.column) for problem in raised.value.problems]


def test_json_lines(tmp_path: Path) -> None:
    items = read(tmp_path, "a.jsonl", '{"id": "a", "lang": "ja", "n": 1, "x": null}\r\n\n{"id": "b\u2028", "n": 0.5}')
    assert items == [
        Item("a", {"id": "a", "lang": "ja", "n": 1, "x": None}),
        Item("b\u2028", {"id": "b\u2028", "n": 0.5}),
    ]


def test_csv_cells(tmp_path: Path) -> None:
    text = (
        '\ufeffid,n,zip,note,x,e\r\n007,12,0600042,"a, ""b""\nc",,1e3\r\n8,-0.5,1.,true,12345678901234567890,1.50\r\n'
    )
    first, second = read(tmp_path, "a.csv", text)
    assert first == Item("007", {"id": "007", "n": 12, "zip": "0600042", "note": 'a, "b"\nc', "x": None, "e": 1000.0})
    assert second.fields == {"id": "8", "n": -0.5, "zip": 1.0, "note": "true", "x": "12345678901234567890", "e": 1.5}
    assert [type(first.fields[name]) for name in ("n", "e")] == [int, float]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"id": "a"}\n{"n": 1}\n', [("source.item-id", 2, 1)]),
        ('{"id": "a"}\n{"n": 1, "id": 3}\n', [("source.item-id", 2, 10)]),
        ('{"id": "a"}\n\n{"n": 1, "id": "a"}\n', [("source.item-id", 3, 10)]),
        ('{"id": ""}\n', [("source.item-id", 1, 2)]),
        ('{"id": "a", "n": NaN}\n{"id": "b", "n": -Infinity}', [("source.json", 1, 1), ("source.json", 2, 1)]),
        ('{"id": "a", "n": 1e999}\n', [("source.json", 1, 1)]),
        ('{"id": "a", "n": 9007199254740993}\n', [("source.json", 1, 1)]),
        ('{"id": "a", "n": 1, "n": 2}\n', [("source.json", 1, 1)]),
        ('{"id": "a", "日": \'x\'}\n', [("source.json", 1, 18)]),
        ('[1]\n"x"\n', [("source.json", 1, 1), ("source.json", 2, 1)]),
        ('{"id": "a", "x": "\\ud800"}\n', [("source.json", 1, 1)]),
        ('{"id": "a", "x": ' + "[" * 100_000 + "\n", [("source.json", 1, 1)]),
        (b'{"id": "a"}\n{"id": "\x93\xfa"}\n', [("source.encoding", 2, 9)]),
    ],
)
def test_bad_json_lines(tmp_path: Path, content: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    assert refusals(tmp_path, "a.jsonl", content) == expected


def test_a_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    assert read(tmp_path, "a.jsonl", '{"id": "a", "x": "\\ud83d\\ude00"}')[0].fields["x"] == "😀"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [("source.item-id", 1, 1)]),
        ("name,n\na,1\n", [("source.item-id", 1, 1)]),
        ("id,n,,n\na,1,2,3\n", [("source.csv", 1, 6), ("source.csv", 1, 7)]),
        ("id,n\na,1\nb\nc,1,2\n", [("source.csv", 3, 1), ("source.csv", 4, 1)]),
        ('id,t,n\na,"x,y\nz",1\nb,"p, q",NaN\nc,,-inf\n', [("source.not-finite", 4, 10), ("source.not-finite", 5, 4)]),
        ("n,id\n1,a\n2,\n3,a\n", [("source.item-id", 3, 3), ("source.item-id", 4, 3)]),
        ('id,n\na,"1\n', [("source.csv", 2, 1)]),
        ("id,n\na,1e999\n", [("source.not-finite", 2, 3)]),
        ("id,t,n\na,x\u2028y\x0bz\x85,1\nb,,NaN\n", [("source.not-finite", 3, 4)]),
        ("id,n\ra,1\rb,NaN\r", [("source.not-finite", 3, 3)]),
        ("id,名\n".encode() + "a,日".encode("cp932"), [("source.encoding", 2, 3)]),
    ],
)
def test_bad_csv(tmp_path: Path, content: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    assert refusals(tmp_path, "a.csv", content) == expected


def test_other_kinds_of_file_and_missing_ones(tmp_path: Path) -> None:
    assert refusals(tmp_path, "a.xlsx", b"") == [("source.data-kind", 1, 1)]
    with pytest.raises(SourceError, match="cannot be read"):
        read_items(tmp_path / "none.csv", shown_as="none.csv")


FIELDS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "id"),
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    max_size=4,
)  # fmt: skip


@given(st.lists(FIELDS, max_size=5), st.booleans())
def test_json_lines_round_trip(tmp_path_factory: Folders, rows: list[dict[str, Any]], ascii_only: bool) -> None:
    named = [{**row, "id": f"r{number}"} for number, row in enumerate(rows)]
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in named)
    assert [item.fields for item in read(tmp_path_factory.getbasetemp(), "h.jsonl", text)] == named


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=10)


@given(st.lists(st.tuples(CELL, st.integers(-(10**14), 10**14)), max_size=5))
def test_csv_round_trip(tmp_path_factory: Folders, rows: list[tuple[str, int]]) -> None:
    rows = [(f"x{text}", number) for text, number in rows]
    out = io.StringIO()
    csv.writer(out).writerows([("id", "text", "n"), *((f"r{n}", *row) for n, row in enumerate(rows))])
    items = read(tmp_path_factory.getbasetemp(), "h.csv", out.getvalue())
    assert [(item.fields["text"], item.fields["n"]) for item in items] == rows


@given(st.binary(max_size=80), st.sampled_from(["f.csv", "f.jsonl"]))
def test_any_bytes_give_items_or_a_source_error(tmp_path_factory: Folders, raw: bytes, name: str) -> None:
    items: list[Item] = []
    with suppress(SourceError):
        items = read(tmp_path_factory.getbasetemp(), name, raw)
    assert len({item.id for item in items}) == len(items)
