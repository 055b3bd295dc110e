"""Problems as text: the caret stands under the place, whatever the script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import Problem
from shinrai.source import display_width, parse_yaml, render


def caret(problem: Problem) -> tuple[str, str]:
    """Give what stands before and at the caret's column of the excerpt as it is shown."""
    lines = render([problem]).splitlines()
    number = next(
        index for index, line in enumerate(lines) if line.rstrip().endswith("| ^") or line.strip().endswith("^")
    )
    shown, pointer = lines[number - 1], lines[number]
    column = display_width(pointer) - 1
    taken = 0
    for position, character in enumerate(shown):
        if taken == column and display_width(character):
            return shown[:position], character
        taken += display_width(character)
    assert taken <= column
    return shown, ""


def test_the_whole_block() -> None:
    problem = Problem("source.unknown-key", "plans/p.yaml", 12, 5, "no such key", "one of: a", "say a", "    b: 1")
    block = (
        "error[source.unknown-key]: no such key\n"
        "  --> plans/p.yaml:12:5\n"
        "   |\n"
        "12 |     b: 1\n"
        "   |     ^\n"
        "   = expected: one of: a\n"
        "   = hint: say a"
    )
    assert render([problem, problem]) == f"{block}\n\n{block}"


@pytest.mark.parametrize(
    ("text", "column", "character"),
    [
        ("題名: 計画, owner: x", 9, "o"),
        ("がぎ: ｶﾞ x", 8, "x"),
        ("e\u0301a: x", 5, "x"),
        ("a: 日本語", 5, "本"),
        ("\ta: b", 5, "b"),
        ("ａｂ：ｃ", 4, "ｃ"),
        ("𠮷野家: x", 6, "x"),
    ],
)
def test_the_caret_stands_under_the_character(text: str, column: int, character: str) -> None:
    text = unicodedata.normalize("NFD", text) if text.startswith("が") else text
    column = text.index(character) + 1
    assert caret(Problem("c", "f", 1, column, "m", excerpt=text))[1] == character


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3),
        ("日本語", 6),
        ("ＡＢ：", 6),
        ("ｶﾅ", 2),
        ("か\u3099", 2),
        ("e\u0301", 1),
        ("𠮷", 2),
        ("한", 2),
        ("é…", 2),
    ],
)
def test_columns_of_a_terminal(text: str, columns: int) -> None:
    """Counted by hand: what xterm and VTE take for these in a UTF-8 locale."""
    assert display_width(text) == columns
    lines = render([Problem("c", "f", 1, len(text) + 1, "m", excerpt=text + "x")]).splitlines()
    assert lines[-1] == "  | " + " " * columns + "^"


def test_the_caret_of_a_real_problem_behind_japanese() -> None:
    (problem,) = parse_yaml("目標: {題: あいう, 題: え}\n", shown_as="計画.yaml").problems
    before, character = caret(problem)
    assert character == "題"
    assert before.endswith("あいう, ")


@given(st.text(st.characters(codec="utf-8", exclude_characters="^\n\r"), min_size=1, max_size=300), st.integers(0, 299))
def test_the_caret_points_at_the_column_in_lines_of_any_length(text: str, number: int) -> None:
    number %= len(text)
    text = text[:number] + "⛔" + text[number + 1 :]
    output = render([Problem("c", "f", 7, number + 1, "m", excerpt=text)])
    assert caret(Problem("c", "f", 7, number + 1, "m", excerpt=text))[1] == "⛔"
    assert max(display_width(line) for line in output.splitlines()) <= 110


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_nothing_steers_the_terminal(message: str, excerpt: str) -> None:
    output = render([Problem("c", message, 1, 1, message, message, message, excerpt)])
    assert not {unicodedata.category(character) for character in output.replace("\n", "")} & {"Cc", "Cf", "Zl", "Zp"}


def test_colour_changes_nothing_but_colour() -> None:
    import re  # noqa: PLC0415 - only here

    problem = Problem("c", "f", 1, 2, "m", "e", "h", "ab")
    colored = render([problem], color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([problem])


def test_a_problem_without_a_line_needs_none() -> None:
    assert render([Problem("c", "f", 1, 1, "m")]) == "error[c]: m\n --> f:1:1"
