"""The shipped prompts: enough of them, in the right shape, different from each other, training apart from test."""

import json
import re
import unicodedata
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

PREFIXES = {
    "hazardous-advice": "haz",
    "personal-data": "pii",
    "off-purpose": "off",
    "prompt-injection": "inj",
    "paraphrase-consistency": "con",
    "answer-format": "fmt",
    "japanese-replies": "lan",
    "counterfactual-pairs": "cfp",
    "guard-training": "grd",
}
TRAINING = "guard-training"
TESTS = [name for name in PREFIXES if name != TRAINING]
EXTRA_FIELD = {
    "prompt-injection": "marker",
    "answer-format": "expect",
    "counterfactual-pairs": "attribute",
    TRAINING: "label",
}
PROMPTS_PER_ITEM = {"paraphrase-consistency": 3, "counterfactual-pairs": 2}
DEPARTMENTS = {"residents", "tax", "waste", "welfare", "schools", "roads"}
LABELS = {"ordinary": 120, "hazardous": 60, "off-purpose": 60, "injection": 60, "personal-data": 60}
LANGUAGES = ("ja", "en")

# Largest share of character trigrams (Jaccard, 0 to 1) that two different items may have in common.
SIMILARITY_LIMIT = 0.55
# The model under test is small and slow: no prompt may be longer than this.
LONGEST_JA_CHARACTERS = 130
LONGEST_EN_WORDS = 30
# Longest stretch, in characters, by which the two texts of a counterfactual pair may differ.
LONGEST_ATTRIBUTE = {"ja": 8, "en": 20}

KANA = re.compile(r"[\u3040-\u30ff]")
FIXED_KEYS = ["id", "lang", "topic", "prompts"]

Item = dict[str, Any]


@cache
def raw_text(name: str) -> str:
    return (files("shinrai") / "catalog" / "prompts" / name).read_text(encoding="utf-8")


@cache
def load(name: str) -> list[Item]:
    return [json.loads(line) for line in raw_text(f"{name}.jsonl").splitlines()]


def in_language(name: str, language: str) -> list[Item]:
    return [item for item in load(name) if item["lang"] == language]


def trigrams(text: str) -> set[str]:
    normal = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    return {normal[start : start + 3] for start in range(max(1, len(normal) - 2))}


def jaccard(left: list[str], right: list[str]) -> NDArray[np.float64]:
    """Trigram Jaccard similarity of every text on the left (rows) with every text on the right (columns)."""
    vocabulary: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(left + right):
        for gram in trigrams(text):
            rows.append(row)
            columns.append(vocabulary.setdefault(gram, len(vocabulary)))
    matrix = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(left) + len(right), len(vocabulary)))
    sizes = np.asarray(matrix.sum(axis=1)).ravel()
    shared = (matrix[: len(left)] @ matrix[len(left) :].T).toarray()
    union = sizes[: len(left), None] + sizes[None, len(left) :] - shared
    return np.asarray(shared / union, dtype=np.float64)


def too_similar(left: list[Item], right: list[Item]) -> list[tuple[float, str, str]]:
    """Prompts of different items above the limit, as (similarity, prompt, prompt)."""
    pairs_left = [(item["id"], prompt) for item in left for prompt in item["prompts"]]
    pairs_right = [(item["id"], prompt) for item in right for prompt in item["prompts"]]
    similarity = jaccard([prompt for _, prompt in pairs_left], [prompt for _, prompt in pairs_right])
    return [
        (float(similarity[row, column]), pairs_left[row][1], pairs_right[column][1])
        for row, column in np.argwhere(similarity > SIMILARITY_LIMIT)
        if pairs_left[row][0] != pairs_right[column][0]
    ]


def test_similarity_notices_a_light_edit_and_passes_unrelated_text() -> None:
    # Otherwise the separation tests below could never fail.
    edited = jaccard(["燃えるごみは何曜日に出せばよいですか。"], ["燃えるごみは何曜日に出せばいいですか?"])[0, 0]
    moved = jaccard(["Which day is glass collected in Elm Road?"], ["which day is glass collected in Oak Road?"])[0, 0]
    apart = jaccard(["Which day is glass collected?"], ["May I keep pigeons in my yard?"])[0, 0]
    assert edited > SIMILARITY_LIMIT
    assert moved > SIMILARITY_LIMIT
    assert apart < 0.1
    assert jaccard(["abcd"], ["abce"])[0, 0] == pytest.approx(1 / 3)
    first, second = ({"id": name, "prompts": ["Where is the tax desk?"]} for name in ("a", "b"))
    assert too_similar([first], [second]) == [(1.0, "Where is the tax desk?", "Where is the tax desk?")]
    assert too_similar([first], [first]) == []


@pytest.mark.parametrize("name", PREFIXES)
def test_every_line_has_the_promised_keys_and_ids_in_order(name: str) -> None:
    assert raw_text(f"{name}.jsonl").endswith("}\n")
    extra = [EXTRA_FIELD[name]] if name in EXTRA_FIELD else []
    expected_ids = [
        f"{PREFIXES[name]}-{language}-{number:03d}"
        for language in LANGUAGES
        for number in range(1, len(in_language(name, language)) + 1)
    ]
    assert [item["id"] for item in load(name)] == expected_ids
    for item in load(name):
        assert list(item) == FIXED_KEYS + extra, item["id"]
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", item["topic"]), item["id"]
        assert len(item["prompts"]) == PROMPTS_PER_ITEM.get(name, 1), item["id"]
        assert len(set(item["prompts"])) == len(item["prompts"]), item["id"]
        assert all(prompt and prompt == prompt.strip() for prompt in item["prompts"]), item["id"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", TESTS)
def test_each_file_has_forty_items_per_language_on_different_topics(name: str, language: str) -> None:
    items = in_language(name, language)
    assert len(items) >= 40
    assert [topic for topic, count in Counter(item["topic"] for item in items).items() if count > 1] == []


@pytest.mark.parametrize("name", PREFIXES)
def test_prompts_are_short_and_in_their_language(name: str) -> None:
    for item in load(name):
        for prompt in item["prompts"]:
            if item["lang"] == "ja":
                assert len(prompt) <= LONGEST_JA_CHARACTERS, item["id"]
            else:
                assert len(prompt.split()) <= LONGEST_EN_WORDS, item["id"]
            mixed_on_purpose = name in {"prompt-injection", TRAINING}
            if not mixed_on_purpose:
                has_kana = KANA.search(prompt) is not None
                assert has_kana == (item["lang"] == "ja"), item["id"]


def test_each_injection_marker_is_unique_and_in_its_own_prompt_only() -> None:
    items = load("prompt-injection")
    markers = [item["marker"] for item in items]
    everything = [(other["id"], prompt) for name in PREFIXES for other in load(name) for prompt in other["prompts"]]
    assert len(set(markers)) == len(markers)
    for item in items:
        # A marker that ordinary prose could contain would fire by chance.
        assert re.fullmatch(r"[A-Z0-9][A-Z0-9-]{6,}", item["marker"])
        assert re.search(r"\d", item["marker"])
        assert [owner for owner, prompt in everything if item["marker"] in prompt] == [item["id"]]


@pytest.mark.parametrize("name", ["paraphrase-consistency", "counterfactual-pairs"])
def test_yes_no_questions_say_so_at_their_end(name: str) -> None:
    for item in load(name):
        for prompt in item["prompts"]:
            tail = prompt[-35:].lower() if item["lang"] == "ja" else prompt[-60:].lower()
            words = ("はい", "いいえ") if item["lang"] == "ja" else ("yes", "no")
            assert all(word in tail for word in words), prompt


@pytest.mark.parametrize("language", LANGUAGES)
def test_answer_format_names_all_departments_and_expects_each_often_enough(language: str) -> None:
    items = in_language("answer-format", language)
    for item in items:
        assert set(item["expect"]) == {"department"}
        (prompt,) = item["prompts"]
        assert "json" in prompt.lower() or "{" in prompt, item["id"]
        assert "department" in prompt.lower(), item["id"]
        assert all(department in prompt for department in DEPARTMENTS), item["id"]
    counts = Counter(item["expect"]["department"] for item in items)
    assert set(counts) == DEPARTMENTS
    assert min(counts.values()) >= 6
    # Always answering with the first name in the list must not look good.
    first_is_right = sum(
        min(DEPARTMENTS, key=lambda department: position_in_list(item["prompts"][0], department))
        == item["expect"]["department"]
        for item in items
    )
    assert first_is_right <= len(items) / 3


def position_in_list(prompt: str, department: str) -> int:
    """Where a department stands in the list of choices, which is the last place it is named."""
    return prompt.rindex(department)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pairs_differ_in_one_short_stretch_only(language: str) -> None:
    items = in_language("counterfactual-pairs", language)
    for item in items:
        first, second = item["prompts"]
        shorter = min(len(first), len(second))
        start = next(place for place in range(shorter) if first[place] != second[place])
        tail = next(
            (place for place in range(shorter - start) if first[-1 - place] != second[-1 - place]), shorter - start
        )
        for text in (first, second):
            changed = len(text) - start - tail
            assert 0 <= changed <= LONGEST_ATTRIBUTE[language], item["id"]
    counts = Counter(item["attribute"] for item in items)
    assert len(counts) == 9
    assert min(counts.values()) >= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_guard_training_has_enough_of_every_label(language: str) -> None:
    counts = Counter(item["label"] for item in in_language(TRAINING, language))
    assert set(counts) == set(LABELS)
    assert all(counts[label] >= least for label, least in LABELS.items()), counts


@pytest.mark.parametrize("name", PREFIXES)
def test_no_near_duplicates_inside_a_file(name: str) -> None:
    assert too_similar(load(name), load(name)) == []


def test_no_training_text_is_a_test_text_or_a_light_edit_of_one() -> None:
    tests = [item for name in TESTS for item in load(name)]
    assert too_similar(load(TRAINING), tests) == []


def test_no_item_stands_in_two_test_files() -> None:
    for place, name in enumerate(TESTS):
        others = [item for other in TESTS[place + 1 :] for item in load(other)]
        if others:
            assert too_similar(load(name), others) == []


@pytest.mark.parametrize("name", PREFIXES)
def test_the_readme_states_the_true_counts(name: str) -> None:
    counts = [len(in_language(name, language)) for language in LANGUAGES]
    assert f"| `{name}.jsonl` | {PREFIXES[name]} | {counts[0]} | {counts[1]} |" in raw_text("README.md")
