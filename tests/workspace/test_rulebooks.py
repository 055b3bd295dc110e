"""Rule books of a workspace's own: every name is looked up, and contradictions are located."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shinrai.errors import Problem, SourceError
from shinrai.workspace import load

SETTINGS = "id: town\nname: {en: Town}\norder_seed: 7\n"

HOUSE = """id: house
family: house
version: "1"
title: {en: House rules}
issuer: {en: us}
published: 2026-01-01
licence: {name: {en: ours}, ships: text}
sources: [{title: {en: here}, certainty: official}]
certainty: official
requirements:
  - {id: "1", title: {en: One}}
  - {id: "2", title: {en: Two}}
"""

WALK = """id: house-to-gfb
title: {en: ours}
source: house
target: jp-ai-guidelines-for-business-1.2
provenance: derived
mappings:
  - {sources: ["1"], relationship: subset-of, targets: ["3"]}
"""

Files = dict[str, str]


@pytest.fixture
def problems(tmp_path: Path) -> Callable[[Files], list[Problem]]:
    def found(files: Files) -> list[Problem]:
        every = {"shinrai.yaml": SETTINGS, "frameworks/house.yaml": HOUSE, "crosswalks/walk.yaml": WALK, **files}
        for name, text in every.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            load(tmp_path)
        except SourceError as error:
            return list(error.problems)
        return []

    return found


def test_one_file_adds_a_framework(problems: Callable[[Files], list[Problem]], tmp_path: Path) -> None:
    assert problems({}) == []
    books = load(tmp_path).rules
    assert "house" in books.answered
    assert "nist-ai-rmf-1.0" in books.answered
    assert problems({"shinrai.yaml": SETTINGS + "frameworks: [house]\n"}) == []
    assert list(load(tmp_path).rules.answered) == ["house"]


SECOND = WALK.replace("house-to-gfb", "other")
BACK = """id: back
title: {en: back}
source: jp-ai-guidelines-for-business-1.2
target: house
provenance: derived
mappings:
  - {sources: ["3"], relationship: SAID, targets: ["1"]}
"""
WITHDRAWN = HOUSE.replace(
    "certainty: official\nreq", "withdrawn: 2026-05-01\nsuperseded_by: nist-ai-rmf-1.0\ncertainty: official\nreq"
)
CHECK = """id: mine
title: {en: Mine}
statement: {en: Mine}
metric: attested
comparator: exists
subject: mine
answers: [ANSWER]
"""

WRONG: list[tuple[Files, tuple[str, str, int, int], str | None]] = [
    (
        {"crosswalks/walk.yaml": WALK.replace('targets: ["3"]', 'targets: ["33"]')},
        ("workspace.unknown-requirement", "crosswalks/walk.yaml", 7, 57),
        "did you mean 3?",
    ),
    (
        {"crosswalks/walk.yaml": WALK.replace('sources: ["1"]', 'sources: ["one"]')},
        ("workspace.unknown-requirement", "crosswalks/walk.yaml", 7, 16),
        None,
    ),
    (
        {"crosswalks/walk.yaml": WALK.replace("source: house", "source: hause")},
        ("workspace.unknown-framework", "crosswalks/walk.yaml", 3, 9),
        "did you mean house?",
    ),
    (
        {"crosswalks/walk.yaml": WALK.replace("source: house", "source: checks").replace('"1"', "human-reviw")},
        ("workspace.unknown-check", "crosswalks/walk.yaml", 7, 16),
        "did you mean human-review?",
    ),
    (
        {"frameworks/house.yaml": WITHDRAWN},
        ("workspace.withdrawn-framework", "crosswalks/walk.yaml", 3, 9),
        "its successor is nist-ai-rmf-1.0",
    ),
    (
        {"crosswalks/back.yaml": BACK.replace("SAID", "subset-of")},
        ("workspace.contradicting-crosswalk", "crosswalks/back.yaml", 7, 36),
        None,
    ),
    (
        {"crosswalks/other.yaml": SECOND.replace("subset-of", "equal-to")},
        ("workspace.contradicting-crosswalk", "crosswalks/walk.yaml", 7, 36),
        None,
    ),
    (
        {"checks/mine.yaml": CHECK.replace("ANSWER", "house/3")},
        ("workspace.unknown-requirement", "checks/mine.yaml", 7, 11),
        None,
    ),
    (
        {"shinrai.yaml": SETTINGS + "frameworks: [hose]\n"},
        ("workspace.unknown-framework", "shinrai.yaml", 4, 14),
        "did you mean house?",
    ),
    (
        {"shinrai.yaml": SETTINGS + "risk: [ds-921]\n"},
        ("workspace.unknown-scheme", "shinrai.yaml", 4, 8),
        "did you mean ds-920-1?",
    ),
    (
        {"frameworks/copy.yaml": HOUSE.replace("id: house", "id: nist-ai-rmf-1.0")},
        ("workspace.redefines-catalog", "frameworks/copy.yaml", 1, 5),
        None,
    ),
    (
        {"frameworks/house.yaml": HOUSE + '  - {id: "2", title: {en: Again}}\n'},
        ("source.rule", "frameworks/house.yaml", 10, 1),
        None,
    ),
    (
        {
            "frameworks/house.yaml": HOUSE.replace(
                "certainty: official\nreq", "superseded_by: nobody\ncertainty: official\nreq"
            )
        },
        ("workspace.unknown-framework", "frameworks/house.yaml", 9, 16),
        None,
    ),
    ({"frameworks/x.json": "{"}, ("source.json", "frameworks/x.json", 1, 2), None),
    (
        {"crosswalks/walk.yaml": WALK.replace("target: jp-ai-guidelines-for-business-1.2", "target: checks")},
        ("workspace.crosswalk-target", "crosswalks/walk.yaml", 4, 9),
        None,
    ),
]


@pytest.mark.parametrize(
    ("files", "place", "hint"), WRONG, ids=lambda value: value[0] if isinstance(value, tuple) else ""
)
def test_what_is_wrong_is_located(
    files: Files,
    place: tuple[str, str, int, int],
    hint: str | None,
    problems: Callable[[Files], list[Problem]],
) -> None:
    found = problems(files)
    places = [(one.code, one.file, one.line, one.column) for one in found]
    assert place in places
    if hint is not None:
        assert hint in [one.hint for one in found]


def test_a_mapping_that_agrees_with_its_inverse_is_fine(problems: Callable[[Files], list[Problem]]) -> None:
    assert problems({"crosswalks/back.yaml": BACK.replace("SAID", "superset-of")}) == []


def test_an_oscal_catalog_lies_beside_the_yaml(problems: Callable[[Files], list[Problem]], tmp_path: Path) -> None:
    controls = [{"id": "AC-1", "title": "Access"}]
    catalog = {
        "catalog": {"metadata": {"title": "C", "version": 1, "last-modified": "2026-01-01"}, "controls": controls}
    }
    walk = WALK.replace("target: jp-ai-guidelines-for-business-1.2", "target: my-controls").replace('"3"', "AC-1")
    assert problems({"frameworks/My_Controls.json": json.dumps(catalog), "crosswalks/walk.yaml": walk}) == []
    assert "my-controls" in load(tmp_path).rules.answered


def test_a_withdrawn_version_names_what_to_use_instead(problems: Callable[[Files], list[Problem]]) -> None:
    """The first of its successors that is in force; other versions of the same book, or all books, where none is."""
    between = WITHDRAWN.replace("superseded_by: nist-ai-rmf-1.0", "superseded_by: between")
    middle = WITHDRAWN.replace("id: house", "id: between")
    alone = WITHDRAWN.replace("superseded_by: nist-ai-rmf-1.0\n", "")
    newer = HOUSE.replace("id: house", "id: newer")
    steps: list[tuple[Files, str]] = [
        ({"frameworks/house.yaml": alone}, "one of: "),
        ({"frameworks/house.yaml": alone, "frameworks/newer.yaml": newer}, "one of: newer"),
        ({"frameworks/house.yaml": between, "frameworks/between.yaml": middle}, "nist-ai-rmf-1.0"),
    ]
    for files, expected in steps:
        (problem,) = [one for one in problems(files) if one.code == "workspace.withdrawn-framework"]
        assert problem.expected is not None
        assert problem.expected.startswith(expected)
        assert "house" not in problem.expected
