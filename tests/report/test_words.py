"""Every state has a word in both languages and a shape of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest

from shinrai.i18n import translate
from shinrai.records import Certainty, Outcome, Reason, Status
from shinrai.report.words import CERTAINTIES, OUTCOMES, REASONS, SHAPES, STATUS_WORDS, STYLES, threshold_words
from tests.report.parts import promise


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (get_args(Status), STATUS_WORDS),
        (get_args(Outcome), OUTCOMES),
        (get_args(Reason), REASONS),
        (get_args(Certainty), CERTAINTIES),
    ],
    ids=["status", "outcome", "reason", "certainty"],
)
def test_everything_that_can_be_has_its_own_word_in_both_languages(
    kinds: tuple[str, ...], words: Mapping[str, str]
) -> None:
    assert set(words) == set(kinds)
    assert len(set(words.values())) == len(words)
    japanese = [translate(word, "ja") for word in words.values()]
    assert len(set(japanese)) == len(words)
    for text in japanese:
        assert any("\u3040" <= character <= "\u9fff" for character in text), text


def test_every_state_has_a_shape_of_its_own_so_that_colour_is_never_the_only_sign() -> None:
    assert set(SHAPES) == set(STYLES) == set(get_args(Status))
    assert len(set(SHAPES.values())) == len(SHAPES)
    assert all(len(shape) == 1 for shape in SHAPES.values())


def test_what_only_has_to_exist_is_a_tick() -> None:
    assert threshold_words(promise("attested", None)) == "✓"
    assert threshold_words(promise("pass-rate", 0.8)) == "≥ 80%"
