"""From values to records: every mistake located, and said in words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from shinrai import records
from shinrai.errors import Problem, SourceError
from shinrai.i18n import use_language
from shinrai.records import Action, Check, Plan, Record, Settings, System
from shinrai.source import MAX_PROBLEMS, attempt, build, parse_yaml

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
SETTINGS = "id: town\nname: {ja: 町, en: Town}\norder_seed: 7\n"
CHECK = """id: hours
title: {en: Opening hours}
statement: {en: At least {threshold} are right}
metric: pass-rate
comparator: at-least
threshold: 0.9
data: {file: data/hours.csv}
scorer: {id: includes, field: expected}
""".replace("At least {threshold} are right", "'At least {threshold} are right'")
SYSTEM = """id: s
title: {en: S}
kind: chat
purpose: {en: P}
owner: o
human_review: false
stack:
"""


def problems(text: str, record: type[Record] = Settings) -> list[Problem]:
    with pytest.raises(SourceError) as raised:
        build(parse_yaml(text, shown_as="x.yaml"), record)
    return list(raised.value.problems)


def only(text: str, record: type[Record] = Settings) -> Problem:
    found = problems(text, record)
    assert len(found) == 1, found
    return found[0]


def at(problem: Problem) -> tuple[str, int, int]:
    return problem.code, problem.line, problem.column


def test_a_sound_file_becomes_its_record() -> None:
    settings = build(parse_yaml(SETTINGS, shown_as="x.yaml"), Settings)
    assert (settings.id, settings.order_seed, settings.languages) == ("town", 7, ("ja", "en"))
    assert build(parse_yaml(CHECK, shown_as="x.yaml"), Check).threshold == 0.9


def test_unknown_key_with_the_nearest_valid_one() -> None:
    problem = only(SETTINGS + "bugdet: {calls: 3}\n")
    assert at(problem) == ("source.unknown-key", 4, 1)
    assert problem.hint == "did you mean budget?"
    assert problem.expected is not None
    assert "order_seed" in problem.expected


def test_a_misspelt_key_is_one_mistake_not_two() -> None:
    problem = only(SETTINGS.replace("order_seed", "order_sede"))
    assert at(problem) == ("source.unknown-key", 3, 1)
    assert problem.hint == "did you mean order_seed?"


def test_full_width_letters_in_a_key_are_recognised() -> None:
    assert only(SETTINGS + "ｂｕｄｇｅｔ: {}\n").hint == "did you mean budget?"


def test_missing_key_at_the_mapping_that_lacks_it_with_its_meaning() -> None:
    problem = only("id: town\nname: {ja: 町}\n")
    assert at(problem) == ("source.missing-key", 1, 1)
    assert problem.message == 'the key "order_seed" is missing'
    assert problem.expected is not None
    assert problem.expected.startswith("Fixes the order")
    inner = only(SETTINGS + "roles:\n  - id: mayor\n", Settings)
    assert at(inner) == ("source.missing-key", 5, 5)


def test_wrong_choice_with_the_nearest_valid_one() -> None:
    problem = only(CHECK.replace("pass-rate", "pas-rate"), Check)
    assert at(problem) == ("source.value", 4, 9)
    assert problem.message == 'metric: found "pas-rate"'
    assert problem.hint == "did you mean pass-rate?"


def test_a_number_for_a_text_is_quoted_as_it_was_written() -> None:
    problem = only(CHECK + "version: 1.10  # the tenth\n", Check)
    assert at(problem) == ("source.type", 9, 10)
    assert problem.message == "version: found 1.10"
    assert problem.hint == 'put it in quotes: "1.10"'


@pytest.mark.parametrize(
    ("written", "place", "hint"),
    [
        ("- {type: endpiont, id: m}", ("source.value", 8, 10), "did you mean endpoint?"),
        ("- {id: m, url: 'http://x'}", ("source.missing-key", 8, 3), None),
        ("- {type: 3, id: m}", ("source.value", 8, 10), None),
        ("- model", ("source.type", 8, 3), None),
    ],
)
def test_a_wrong_type_of_component(written: str, place: tuple[str, int, int], hint: str | None) -> None:
    problem = only(SYSTEM + written + "\n", System)
    assert at(problem) == place
    assert problem.hint == hint


def test_problems_inside_a_component_know_its_own_keys() -> None:
    text = SYSTEM + "- type: endpoint\n  id: m\n  url: example.com\n  model: m\n  timout: 3\n"
    url, timeout = problems(text, System)
    assert at(url) == ("source.value", 10, 8)
    assert url.expected == "an address that begins with http:// or https://"
    assert at(timeout) == ("source.unknown-key", 12, 3)
    assert timeout.hint == "did you mean timeout?"


def test_a_tag_that_is_also_a_key_does_not_lead_astray() -> None:
    """The scorer ``column`` has a key ``column``: pydantic's path names both."""
    text = CHECK.replace("{id: includes, field: expected}", "{id: column, column: c, rule: atleast, value: 3}")
    problem = only(text, Check)
    assert at(problem) == ("source.value", 8, 39)
    assert problem.hint == "did you mean at-least?"


@pytest.mark.parametrize(
    ("written", "found"),
    [("2%", '"2%"'), ("[1]", "a list"), ("[1, 2, 3]", "a list"), ("[1, x]", "a list"), ("{a: 1}", "a mapping")],
)
def test_a_value_of_several_kinds_is_complained_about_once(written: str, found: str) -> None:
    problem = only(CHECK.replace("threshold: 0.9", f"threshold: {written}"), Check)
    assert at(problem) == ("source.type", 6, 12)
    assert problem.message == f"threshold: found {found}"
    assert problem.expected == "a number / a pair of numbers such as [0.02, 0.2]"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("threshold: 2%", "write 0.02"),
        ("threshold: '0.9'", "write 0.9 without quotes"),
        ("threshold: ０.９", "write 0.9"),
        ("alpha: five", None),
    ],
)
def test_texts_that_were_meant_as_numbers(line: str, hint: str | None) -> None:
    text = CHECK.replace("threshold: 0.9\n", "") + ("threshold: 0.9\n" if "alpha" in line else "") + line + "\n"
    assert only(text, Check).hint == hint


def test_yes_and_no_are_texts_and_the_hint_says_what_to_write() -> None:
    problem = only(SYSTEM.replace("false", "no") + "- {type: endpoint, id: m, url: 'http://x', model: m}\n", System)
    assert at(problem) == ("source.type", 6, 15)
    assert problem.hint == "write false"


@pytest.mark.parametrize(
    ("written", "hint"),
    [("2026/3/5", "write 2026-03-05"), ("2026年3月5日", "write 2026-03-05"), ("2026-02-30", "there is no such day")],
)
def test_dates(written: str, hint: str) -> None:
    text = f"id: p\ntitle: {{en: P}}\nowner: o\nperiod: {{start: {written}}}\n"
    problem = only(text, Plan)
    assert at(problem) == ("source.value", 4, 17)
    assert problem.hint == hint


@pytest.mark.parametrize(("written", "hint"), [("町の計画", '{ja: "町の計画"}'), ("The plan", '{en: "The plan"}')])
def test_a_bare_text_where_a_language_map_belongs(written: str, hint: str) -> None:
    problem = only(f"id: p\ntitle: {written}\nowner: o\n", Plan)
    assert at(problem) == ("source.type", 2, 8)
    assert problem.hint == f"write {hint}"


def test_an_id_in_the_wrong_letters_gets_one_in_the_right_ones() -> None:
    problem = only(SETTINGS.replace("town", "Ｔown Hall"))
    assert at(problem) == ("source.value", 1, 5)
    assert problem.hint == "write town-hall"


def test_percent_where_a_share_belongs() -> None:
    text = CHECK + "missing: {allow_share: 5, reason: {en: x}}\n"
    assert only(text, Check).hint == "a share, not percent: write 0.05"


@pytest.mark.parametrize(
    ("text", "record", "place"),
    [
        (CHECK.replace("at-least", "at-most"), Check, (4, 1)),
        (CHECK + "missing: {allow_share: 0.5}\n", Check, (9, 11)),
        (CHECK.replace("field: expected", "field: a, text: b"), Check, (8, 34)),
        (SETTINGS.replace("{ja: 町, en: Town}", "{}"), Settings, (2, 7)),
        (SYSTEM + "- {type: instructions, id: i, text: x}\n", System, (7, 1)),
        ("id: a\ntitle: {en: A}\nowner: o\naddresses: [p/g/m/c@s]\n", Action, (1, 1)),
    ],
)
def test_rules_of_several_keys_point_at_the_key_they_name(
    text: str, record: type[Record], place: tuple[int, int]
) -> None:
    problem = only(text, record)
    assert problem.code == "source.rule"
    assert (problem.line, problem.column) == place
    use_language("ja")
    try:
        japanese = only(text, record)
    finally:
        use_language("en")
    assert (japanese.line, japanese.column) == place
    assert JAPANESE.search(japanese.message), japanese.message


def test_every_rule_of_a_record_has_words_in_japanese() -> None:
    """What no translation knows would come out in English: a record's own sentences have to be marked for it."""
    for file in Path(records.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) and raised.func.id == "ValueError":
                assert not isinstance(raised.args[0], ast.Constant | ast.JoinedStr), f"{file.name}:{raised.lineno}"


def test_everything_wrong_is_said_at_once_and_nothing_twice() -> None:
    text = """id: Town
name: 町
order_seed: 010
languages: [ja, fr]
budget: {calls: 0, monney: {}}
budget: 3
roles: mayor
"""
    found = problems(text)
    assert [at(problem) for problem in found] == [
        ("source.value", 1, 5),
        ("source.type", 2, 7),
        ("source.leading-zero", 3, 13),
        ("source.value", 4, 17),
        ("source.value", 5, 17),
        ("source.unknown-key", 5, 20),
        ("source.duplicate-key", 6, 1),
        ("source.type", 7, 8),
    ]
    assert all(problem.excerpt == text.splitlines()[problem.line - 1] for problem in found)


def test_a_file_that_cannot_be_read_to_its_end_is_not_called_incomplete() -> None:
    assert [problem.code for problem in problems("id: town\nname: {ja: '町}\n")] == ["source.syntax"]


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("- a\n", "a list"), ("x\n", '"x"')])
def test_a_file_that_is_no_mapping(text: str, found: str) -> None:
    problem = only(text)
    assert at(problem) == ("source.type", 1, 1)
    assert problem.message == f"the file: found {found}"


def test_a_file_of_mistakes_ends_somewhere() -> None:
    text = SETTINGS + "roles:\n" + "  - {id: 3}\n" * 3000
    record, found = attempt(parse_yaml(text, shown_as="x.yaml"), Settings)
    assert record is None
    assert len(found) <= MAX_PROBLEMS + 1
    assert found[-1].code == "source.more"


def test_an_alias_of_a_wrong_value_is_shown_where_it_is_used() -> None:
    text = "id: p\ntitle: &t {en: P}\nowner: *t\n"
    problem = only(text, Plan)
    assert at(problem) == ("source.type", 3, 8)
    assert problem.message == "owner: found a mapping"


def test_strictness_is_that_of_the_schema() -> None:
    """A text is no number and a number no switch, whatever they look like."""
    for written in ("'7'", "7.0", "true"):
        assert only(SETTINGS.replace("7", written)).code == "source.type"


def test_messages_follow_the_language_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are looked up when they are needed, not when the module is imported."""
    seen: list[str] = []

    def translate(message: str) -> str:
        seen.append(message)
        return message

    monkeypatch.setattr("shinrai.source.explain._", translate)
    use_language("en")
    only(SETTINGS.replace("7", "x"))
    assert "a whole number" in seen
