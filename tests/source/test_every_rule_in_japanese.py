"""What loading a file can say has Japanese words: keys that are missing, and every kind of mistake pydantic finds."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shinrai.errors import SourceError
from shinrai.i18n import Language, use_language
from shinrai.records import Plan
from shinrai.source import build, parse_yaml
from shinrai.source.explain import _EXPECTED, Mistake, expectation
from tests.docs.messages import records

JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
WRONG = ("null", "true", "3", "-3", "0.5", "1e999", '""', '"x"', '"X y"', "[]", "{}", "[[]]", '["x"]', '{"X y": "x"}')
SAID_ELSEWHERE = frozenset({"missing", "extra_forbidden", "value_error", "union_tag_not_found"})
"""Kinds whose message, not the expectation, says what is wrong."""


def kinds() -> dict[str, str]:
    """Give every kind of mistake that wrong values in the fields of all records make, with one place of each."""
    found: dict[str, str] = {}
    for record in records():
        for name, field in record.model_fields.items():
            kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            adapter: TypeAdapter[Any] = TypeAdapter(kind)
            for text in WRONG:
                try:
                    adapter.validate_json(text, strict=True)
                except ValidationError as error:
                    found |= {one["type"]: f"{record.__name__}.{name}" for one in error.errors(include_url=False)}
    return found


def test_no_kind_of_mistake_is_left_to_pydantics_english() -> None:
    found = kinds()
    assert len(found) > 15
    assert not {kind: place for kind, place in found.items() if kind not in {*_EXPECTED, *SAID_ELSEWHERE}}


def test_what_is_expected_of_a_missing_key_is_japanese() -> None:
    said = {
        field.description
        for record in records()
        for field in record.model_fields.values()
        if field.is_required() and field.description
    }
    assert len(said) > 40
    use_language("ja")
    try:
        for about in said:
            told = expectation(Mistake("missing", ("x",), {}, "", about=about))
            assert told is not None
            assert JAPANESE.search(told), about
    finally:
        use_language("en")


PLAN = """\
id: p
title: {en: P}
owner: o
indicators:
  - {id: i, title: {en: I}, unit: percent, direction: up}
uses:
  - indicator: i
    target: {period: 2030, value: 3, standing: final}
"""


@pytest.mark.parametrize(
    ("written", "instead", "english", "japanese"),
    [
        (", standing: final", "", "one of: final, draft, unverified", "次のいずれか: final, draft, unverified"),
        (", direction: up", "", "Which way is better (one of: up, down, band)", "どちらの方向が良いか"),
        (", unit: percent", "", "Such as percent", "percent、persons、yen、index など"),
    ],
)
def test_a_missing_key_says_what_can_stand_there(written: str, instead: str, english: str, japanese: str) -> None:
    assert PLAN.count(written) == 1
    text = PLAN.replace("period: 2030", 'period: "2030"').replace(written, instead)
    said: dict[Language, str] = {"en": english, "ja": japanese}
    for language, expected in said.items():
        use_language(language)
        try:
            with pytest.raises(SourceError) as raised:
                build(parse_yaml(text, shown_as="x.yaml"), Plan)
        finally:
            use_language("en")
        (problem,) = raised.value.problems
        assert problem.code == "source.missing-key"
        assert expected in (problem.expected or "")


def test_a_period_that_is_none_is_explained_in_japanese() -> None:
    use_language("ja")
    try:
        for written in ('"2030年"', '"FY30"', '"2026-13"'):
            with pytest.raises(SourceError) as raised:
                build(parse_yaml(PLAN.replace("2030", written), shown_as="x.yaml"), Plan)
            (problem,) = raised.value.problems
            assert "のような期間" in problem.message
    finally:
        use_language("en")
