"""YAML in: plain values with places, and everything ambiguous refused where it stands."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import SourceError
from shinrai.source import MAX_BYTES, MAX_DEPTH, MAX_EXPANDED, MAX_PROBLEMS, composer, parse_yaml, read_yaml


@pytest.fixture(params=["SafeLoader", "CSafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use the parser in C, then the one in Python that takes its place where there is none."""
    monkeypatch.setattr(composer, "_PARSER", getattr(yaml, request.param))
    return str(request.param)


def values(text: str) -> Any:
    document = parse_yaml(text, shown_as="x.yaml")
    assert document.problems == []
    return document.data


def refusals(text: str) -> list[tuple[str, int, int]]:
    return [(found.code, found.line, found.column) for found in parse_yaml(text, shown_as="x.yaml").problems]


# Values


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2026-03-31", "2026-03-31"),
        ("1.2.3", "1.2.3"),
        ("0b11", "0b11"),
        ("'010'", "010"),
        ('"1.10"', "1.10"),
        ("!!str 010", "010"),
        ("９", "９"),
        ("-", None),
        ("+1", 1),
        ("0", 0),
        ("-0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("9007199254740991", 2**53 - 1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.02", -0.02),
        ("~", None),
        ("Null", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
    ],
)
def test_a_plain_value_means_what_the_yaml_1_2_core_schema_says(parser: str, written: str, meant: object) -> None:
    if written == "-":
        assert values("a:\n  -\n") == {"a": [None]}
        return
    found = values(f"a: {written}\n")["a"]
    assert found == meant
    assert type(found) is type(meant)


def test_anchors_aliases_and_merge_keys(parser: str) -> None:
    text = """
base: &base {owner: ai-team, due: 2026-03-31}
other: &other
  due: 2027-03-31
  budget: 40
first: {<<: *base, due: 2030-01-01}
second:
  <<: [*base, *other]
list: [*base, *base]
"<<": a text
"""
    data = values(text)
    assert data["first"] == {"owner": "ai-team", "due": "2030-01-01"}
    assert data["second"] == {"owner": "ai-team", "due": "2026-03-31", "budget": 40}
    assert data["list"] == [data["base"], data["base"]]
    assert data["<<"] == "a text"
    assert values("a: &k owner\n*k : b\n") == {"a": "owner", "owner": "b"}


def test_a_merged_value_is_located_where_it_is_written() -> None:
    document = parse_yaml("base: &b\n  owner: x\nfirst:\n  <<: *b\n  due: 1\n", shown_as="x.yaml")
    assert document.mark(("first", "owner"), key=True) == (2, 3)
    assert document.mark(("first", "owner")) == (2, 10)
    assert document.mark(("first", "due")) == (5, 8)


def test_places_of_keys_and_values_count_characters(parser: str) -> None:
    document = parse_yaml("題: 日本\r\ngoals:\r\n  - {id: a, 名: [𠮷, b]}\r\n", shown_as="x.yaml")
    assert document.mark(()) == (1, 1)
    assert document.mark(("題",)) == (1, 4)
    assert document.mark(("goals",), key=True) == (2, 1)
    assert document.mark(("goals", 0)) == (3, 5)
    assert document.mark(("goals", 0, "名"), key=True) == (3, 13)
    assert document.mark(("goals", 0, "名", 1)) == (3, 20)
    assert document.line(3) == "  - {id: a, 名: [𠮷, b]}"
    # What is not there is located at what would hold it.
    assert document.mark(("goals", 0, "owner", "x")) == (3, 5)
    assert document.mark(("goals", 7)) == (3, 3)


def test_an_empty_file_is_nothing(parser: str) -> None:
    document = parse_yaml("# only a remark\n", shown_as="x.yaml")
    assert (document.data, document.problems, document.mark(("a",))) == (None, [], (1, 1))


# Refusals, each with its exact place

REFUSED = [
    ("a: 1\nb: 2\na: 3\n", ("source.duplicate-key", 3, 1)),
    ("x: {'a': 1, \"a\": 3}\n", ("source.duplicate-key", 1, 13)),
    ("a: &a {b: 1}\nc:\n  <<: *a\n  <<: *a\n", ("source.duplicate-key", 4, 3)),
    ("a:\n  - 010\n", ("source.leading-zero", 2, 5)),
    ("a: -007.5\n", ("source.leading-zero", 1, 4)),
    ("a: 9007199254740992\n", ("source.number-range", 1, 4)),
    (f"a: {'9' * 5000}\n", ("source.number-range", 1, 4)),
    ("日本: .nan\n", ("source.not-finite", 1, 5)),
    ("a: [1, -.Inf]\n", ("source.not-finite", 1, 8)),
    ("a: 1e400\n", ("source.not-finite", 1, 4)),
    ("a: &a\n  b: [1, *a]\n", ("source.cycle", 2, 10)),
    ("a: &a {<<: *a}\n", ("source.cycle", 1, 12)),
    ("a: *b\n", ("source.unknown-alias", 1, 4)),
    ("a: &b 1\nc: &b 2\n", ("source.duplicate-anchor", 2, 4)),
    ("a: {<<: 3}\n", ("source.merge", 1, 9)),
    ("a: &a [1]\nb: {<<: *a}\n", ("source.merge", 2, 9)),
    ("1: a\n", ("source.key", 1, 1)),
    ("a: {true: b}\n", ("source.key", 1, 5)),
    ("a:\n  ? [b, c]\n  : d\n", ("source.key", 2, 5)),
    ("? {a: b}\n: d\n", ("source.key", 1, 3)),
    ("a: &m {b: 1}\n*m : 2\n", ("source.key", 2, 1)),
    ("a: !!int '3'\n", ("source.tag", 1, 4)),
    ("a: !!python/object/apply:os.system [ls]\n", ("source.tag", 1, 4)),
    ("a: 1\n---\nb: 2\n", ("source.documents", 2, 1)),
    ("a:\n\tb: 1\n", ("source.tab", 2, 1)),
    ("a:\n  b: 1\n\tc: 2\n", ("source.tab", 3, 1)),
    ("\ufeffa: 1\n", ("source.bom", 1, 1)),
    ("a: 'x\x07'\n", ("source.control-character", 1, 6)),
    ("a: x\u2028b: y\n", ("source.control-character", 1, 5)),
    ("a: b: c\n", ("source.syntax", 1, 5)),
    ("a: [1, 2\nb: 3\n", ("source.syntax", 2, 2)),
    ("a: 'never closed\nb: 1\n", ("source.syntax", 1, 4)),
    ("a: @b\n", ("source.syntax", 1, 4)),
]


@pytest.mark.parametrize(("text", "refusal"), REFUSED)
def test_what_readers_could_take_differently_is_refused(parser: str, text: str, refusal: tuple[str, int, int]) -> None:
    assert refusals(text) == [refusal]


def test_ambiguous_numbers_come_with_the_way_out() -> None:
    (problem,) = parse_yaml("code: 010\n", shown_as="x.yaml").problems
    assert "010" in problem.message
    assert problem.hint is not None
    assert '"010"' in problem.hint
    assert problem.excerpt == "code: 010"


def test_a_misspelt_alias_gets_the_nearest_name() -> None:
    (problem,) = parse_yaml("a: &defaults {b: 1}\nc: *defualts\n", shown_as="x.yaml").problems
    assert problem.hint == "did you mean *defaults?"


def test_reading_goes_on_after_a_problem() -> None:
    text = "a: 010\na: 1\n3: x\nb: [.nan, *q]\nc: {d: &e [*e]}\nf: 'x\n"
    assert refusals(text) == [
        ("source.leading-zero", 1, 4),
        ("source.duplicate-key", 2, 1),
        ("source.key", 3, 1),
        ("source.not-finite", 4, 5),
        ("source.unknown-alias", 4, 11),
        ("source.cycle", 5, 12),
        ("source.syntax", 6, 4),
    ]


def test_a_thousand_problems_are_not_all_listed() -> None:
    found = refusals("".join(f"k{number}: 010\n" for number in range(1000)))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == ("source.more", MAX_PROBLEMS + 1, 7)


def test_full_width_punctuation_is_pointed_out() -> None:
    (problem,) = parse_yaml("題名：計画\nid: p\n", shown_as="x.yaml").problems
    assert problem.hint is not None
    assert "：" in problem.hint


# Files


def file_problem(path: Path, content: bytes, **options: Any) -> tuple[str, int, int]:
    path.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        read_yaml(path, shown_as="plans/x.yaml", **options)
    (problem,) = raised.value.problems
    assert problem.file == "plans/x.yaml"
    return problem.code, problem.line, problem.column


def test_files_that_are_not_utf_8_are_refused_at_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    assert file_problem(path, "a: 1\r\n題: ".encode() + "日本".encode("shift_jis")) == ("source.encoding", 2, 4)
    assert file_problem(path, "a: 1".encode("utf-16")) == ("source.encoding", 1, 1)
    assert file_problem(path, b"\xef\xbb\xbfa: 1\n") == ("source.bom", 1, 1)
    assert file_problem(path, b"a: \xed\xa0\x80\n") == ("source.encoding", 1, 4)


def test_files_above_the_stated_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    assert file_problem(path, b"# " + b"x" * MAX_BYTES) == ("source.too-large", 1, 1)
    assert file_problem(path, b"a: 12345", max_bytes=7) == ("source.too-large", 1, 1)
    path.write_bytes(b"a: 12345")
    assert read_yaml(path, shown_as="x", max_bytes=8).data == {"a": 12345}


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml", shown_as="none.yaml")
    with pytest.raises(SourceError, match="cannot be read"):
        read_yaml(tmp_path, shown_as="folder.yaml")


# Bombs


def doubling(lines: int, first: str) -> str:
    rows = [f"a0: &a0 {first}"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, lines)]
    return "\n".join(rows) + "\n"


BOMBS = {
    "lists": (doubling(30, "[x, x, x, x, x, x, x, x, x]"), "source.too-much"),
    "one long text": (f"a: &a '{'x' * 900_000}'\nb: [{', '.join(['*a'] * 90)}]\n", "source.too-much"),
    "merges": (
        "a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(5000)) + "}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], n{n}: 1}}\n" for n in range(1, 20)),
        "source.too-much",
    ),
    "brackets": ("[" * 900_000, "source.too-deep"),
    "braces": ("{a: " * 200_000, "source.too-deep"),
    "dashes": ("- " * 450_000, "source.too-deep"),
    "questions": ("? " * 450_000, "source.too-deep"),
    "anchors that nest": ("&a [" * 3 + "]" * 3 + "\n", "source.duplicate-anchor"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused_in_little_time_and_memory(name: str) -> None:
    text, code = BOMBS[name]
    began = time.process_time()
    tracemalloc.start()
    try:
        document = parse_yaml(text, shown_as="x.yaml")
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code in {problem.code for problem in document.problems}
    assert time.process_time() - began < 2
    assert peak < 40_000_000


def test_the_depth_and_size_that_are_allowed() -> None:
    assert values("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert refusals("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == [("source.too-deep", 1, MAX_DEPTH + 1)]
    assert len(values(f"a: &a {'x' * 1000}\nb: [{', '.join(['*a'] * 4800)}]\n")["b"]) == 4800
    assert MAX_EXPANDED < 5000 * 1021
    assert refusals(f"a: &a {'x' * 1000}\nb: [{', '.join(['*a'] * 5000)}]\n")[0][0] == "source.too-much"


# Properties

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=30)
PRINTABLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufffe\uffff"), max_size=30
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | NUMBERS | text
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=25
    )


class Quoting(yaml.SafeDumper):
    """PyYAML follows YAML 1.1, where ``1e5`` and ``0o7`` are texts that need no quotes: quote every text."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(json_values(TEXT), st.sampled_from([True, False, None]))
def test_any_json_value_dumped_as_yaml_loads_equal(value: Any, flow: bool | None) -> None:
    text = yaml.dump(value, Dumper=Quoting, default_flow_style=flow, sort_keys=False)
    assert same(values(text), value)


@given(json_values(PRINTABLE))
def test_any_json_value_written_with_raw_japanese_loads_equal(value: Any) -> None:
    text = yaml.dump(value, Dumper=Quoting, allow_unicode=True, width=40)
    assert same(values(text), value)


@given(json_values(PRINTABLE.filter(lambda text: text.isprintable())))
def test_json_is_yaml(value: Any) -> None:
    assert same(values(json.dumps(value, ensure_ascii=False)), value)


@given(st.text(max_size=200) | st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`# \n\t<~.0189é日\\u"), max_size=120))
def test_any_text_gives_a_value_or_located_problems(text: str) -> None:
    document = parse_yaml(text, shown_as="x.yaml")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in document.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.excerpt == lines[problem.line - 1].rstrip("\r\n")
    if not document.problems:
        assert json.loads(json.dumps(document.data, allow_nan=False)) == document.data


@given(st.binary(max_size=100))
def test_any_bytes_give_a_document_or_a_source_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    data = None
    with suppress(SourceError):
        data = read_yaml(path, shown_as="x.yaml").data
    json.dumps(data, allow_nan=False)
