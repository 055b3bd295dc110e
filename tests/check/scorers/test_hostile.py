"""Replies made to hurt: every scorer gives an outcome, and soon."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shinrai.check.scorers import Context, scorer
from shinrai.check.scorers.folding import fold
from shinrai.records import SCORER_VERSIONS, Call, Item, Score, ScorerUse

USES: list[dict[str, object]] = [
    {"id": "exact", "expected": "x"},
    {"id": "includes", "text": "x"},
    {"id": "regex", "pattern": r"(x+x+)+y|\p{L}+@\p{L}+\.$"},
    {"id": "json-schema", "schema": {"type": "object", "required": ["a"]}},
    {"id": "refusal"},
    {"id": "personal-data"},
    {"id": "language", "expected": "ja"},
    {"id": "counterfactual"},
    {"id": "consistency", "compare": "text"},
    {"id": "prediction", "field": "a", "equals": 1},
    {"id": "same-prediction", "field": "a"},
    {"id": "column", "column": "c", "rule": "filled"},
    {"id": "judge", "system": "judge", "rubric": "r", "control": "c"},
    {"id": "anchor"},
]
# Repeated to one megabyte of UTF-8.
SEEDS = {
    "letters": "a",
    "digits": "1",
    "spaced digits": "1 ",
    "ten spaced digits": "1 2 3 4 5 6 7 8 9 0 x ",
    "zeros": "0 0 0 ",
    "brackets and zeros": "(0",
    "phones": "090-1234-5678 ",
    "plus signs": "+1",
    "full-width": "０９０－",
    "addresses": "a@b.",
    "at signs": "@",
    "Japanese": "これは日本語です。ｶﾞ",
    "combining marks": "\u0300\u0316",
    "half-width marks": "\uff9e\u0300",
    "long ligature": "\ufdfa",
    "square kilometre": "\u3316",
    "NUL": "\0",
    "lone surrogates": "\ud800",
    "bidi": "\u202ea",
    "HTML": "<script>alert(1)</script>",
    "ANSI": "\x1b[31mred",
    "half ANSI": "\x1b[0",
    "open quotes": "「",
    "sentences": "i can't. ",
    "arrays": "[",
    "objects": '{"a":',
    "strings": '["a",',
    "emoji": "🙂",
}


def megabyte(seed: str) -> str:
    return seed * (2**20 // len(seed.encode("utf-8", "surrogatepass")))


def scored(use: dict[str, object], reply: object) -> Score:
    parameters: ScorerUse = TypeAdapter(ScorerUse).validate_python(use)
    rule = scorer(parameters, Context(secrets=("KANARIA-7749-BLUE",)))
    return rule(Item("i", {"c": reply}), ["question"], [Call("a", "ok", reply), Call("b", "ok", reply)])


def test_every_scorer_of_ours_is_here() -> None:
    assert [*(use["id"] for use in USES), "plugin"] == list(SCORER_VERSIONS)


@pytest.mark.parametrize("use", USES, ids=lambda use: str(use["id"]))
@pytest.mark.parametrize("seed", SEEDS)
def test_a_megabyte(use: dict[str, object], seed: str) -> None:
    reply = megabyte(SEEDS[seed])
    start = time.process_time()
    score = scored(use, reply)
    seconds = time.process_time() - start
    assert score.outcome in {"pass", "fail", "invalid"}
    # About 0.2 s for each of the two replies on an idle core; the rest is room for a busy machine.
    assert seconds < 1.5
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in score.detail)
    assert len(score.detail) < 600


@pytest.mark.parametrize("use", USES[:9], ids=lambda use: str(use["id"]))
def test_a_reply_beyond_the_limit_is_not_read(use: dict[str, object]) -> None:
    assert scored(use, "a" * (2**20 + 1)).outcome == "invalid"


@pytest.mark.parametrize("use", USES, ids=lambda use: str(use["id"]))
@given(
    reply=st.one_of(
        st.text(st.characters(codec=None, exclude_categories=()), max_size=200),
        st.text(st.sampled_from("0123456789-+() .@aあはい、。\n\0\ud800\u202e{}[]\":'「」"), max_size=200),
        st.dictionaries(st.text(max_size=3), st.floats() | st.none() | st.booleans() | st.text(max_size=3), max_size=3),
    )
)
def test_anything_gets_an_outcome(use: dict[str, object], reply: object) -> None:
    assert scored(use, reply).outcome in {"pass", "fail", "invalid"}


@given(text=st.text(max_size=60))
def test_folding_is_unicode_nfkc_of_what_can_be_seen(text: str) -> None:
    seen = "".join(
        character
        for character in text
        if unicodedata.category(character) not in {"Cc", "Cf", "Cs"} or character in "\t\n\r\x85"
    )
    if "\x1b" in text or "VARIATION" in " ".join(unicodedata.name(character, "") for character in text):
        return
    if any(len(unicodedata.normalize("NFKC", character)) > 4 for character in text):
        return
    assert fold(text) == unicodedata.normalize("NFKC", seen)
