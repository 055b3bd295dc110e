"""Records: equal contents have equal digests, and nothing that is not a number becomes one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shinrai.records import Change, Check, System, Text, Verdict, canonical, digest

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
SYSTEM: dict[str, Any] = {
    "id": "helper",
    "title": {"en": "Helper"},
    "kind": "predictor",
    "purpose": {"en": "helps"},
    "owner": "office",
    "human_review": True,
    "stack": [{"id": "model", "type": "predictor", "path": "components/m.py"}],
}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), VALUES, max_size=4))
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, Any]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_what_is_not_a_number_is_refused_by_the_digest() -> None:
    verdict = Verdict.model_validate(
        {
            "commitment": "sha256:" + "0" * 64,
            "claim": "c",
            "system": "s",
            "status": "met",
            "reason": "decided",
            "details": {"rate": math.nan},
        }
    )
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(verdict.to_json())


def test_a_text_needs_a_language_and_falls_back_on_the_other() -> None:
    assert Text(ja="あ").read("en") == "あ"
    with pytest.raises(ValidationError):
        Text()


def test_a_change_made_in_the_file_already_is_not_made_twice() -> None:
    system = System.model_validate(SYSTEM)
    other = {"id": "model", "type": "predictor", "path": "components/m.py", "parameters": {"fair": True}}
    change = Change.model_validate({"system": "helper", "replace": [other]})
    once = system.changed(change)
    assert once != system
    assert once.changed(change) == once


def test_a_change_of_what_is_not_there_is_refused() -> None:
    system = System.model_validate(SYSTEM)
    absent = {"id": "modell", "type": "predictor", "path": "components/m.py"}
    with pytest.raises(ValueError, match="no component modell"):
        system.changed(Change.model_validate({"system": "helper", "replace": [absent]}))


@pytest.mark.parametrize(
    "wrong", [{"comparator": "at-least"}, {"threshold": (0.1, 0.2)}, {"scorer": None}, {"metric": "rate-ratio"}]
)
def test_a_check_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    check = {
        "id": "polite",
        "title": {"en": "x"},
        "statement": {"en": "y"},
        "metric": "failure-rate",
        "comparator": "at-most",
        "threshold": 0.1,
        "data": {"file": "data/x.jsonl"},
        "scorer": {"id": "refusal"},
    }
    Check.model_validate(check)
    with pytest.raises(ValidationError):
        Check.model_validate({**check, **wrong})
