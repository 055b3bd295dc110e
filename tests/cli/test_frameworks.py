"""``shinrai frameworks``: rule books in the terminal and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cycle import ADDER, call, found

OWN = {
    "frameworks/house.yaml": """
id: house
family: house
version: "1"
title: {ja: 家の決まり, en: House rules}
issuer: {en: us}
published: 2026-01-01
licence: {name: {en: ours}, ships: text}
sources: [{title: {en: here}, certainty: official}]
certainty: official
requirements:
  - {id: "1", title: {ja: 正しい, en: Right}, text: {en: Answers are right.}}
  - {id: "2", title: {ja: 速い, en: Fast}, certainty: unverified, valid_from: 2027-01-01}
""",
    "crosswalks/ours.yaml": """
id: ours
title: {en: ours}
source: checks
target: house
provenance: derived
mappings: [{sources: [right-often], relationship: equal-to, targets: ["1"], confidence: 0.9}]
""",
}


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("frameworks") / "town"
    found(root, {**ADDER, **OWN})
    assert call("-C", str(root), "plan") == 0
    assert call("-C", str(root), "check") == 0
    return root


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert call(*arguments) == 0
    return capsys.readouterr().out


def test_the_matrix_counts_with_its_denominator(turned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown(capsys, "-C", str(turned), "frameworks", "coverage", "--json"))
    house = next(one for one in told["frameworks"] if one["id"] == "house")
    assert house["systems"] == [{"system": "adder", "counts": {"violated": 1, "not_measured": 1}, "of": 2}]
    assert house["statuses"] == {"1": {"adder": "violated"}, "2": {"adder": "not_measured"}}
    assert house["upcoming"] in {0, 1}
    for book in told["frameworks"]:
        for cell in book["systems"]:
            assert sum(cell["counts"].values()) == cell["of"] == book["requirements"]
    assert "1/2" in shown(capsys, "-C", str(turned), "frameworks", "coverage")


def test_a_requirement_says_what_is_known_and_by_which_way(turned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = shown(capsys, "-C", str(turned), "frameworks", "coverage", "--requirement", "house/1")
    assert "Answers are right." in words
    assert "weakest link: ours" in " ".join(words.split())
    told = json.loads(shown(capsys, "-C", str(turned), "frameworks", "coverage", "--requirement", "house/1", "--json"))
    (evidence,) = told["systems"]["adder"]["evidence"]
    assert evidence["weakest"] == {"crosswalk": "ours", "confidence": 0.9, "provenance": "derived", "reviewed": False}
    claim = shown(capsys, "-C", str(turned), "frameworks", "coverage", "--claim", "right-often")
    assert "house/1" in claim
    one = shown(capsys, "-C", str(turned), "frameworks", "coverage", "--framework", "house")
    assert "Fast" in one


def test_lists_and_pages(turned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "house" in shown(capsys, "-C", str(turned), "frameworks", "list")
    page = shown(capsys, "-C", str(turned), "frameworks", "show", "house")
    assert "Fast (from 2027-01-01) [not verified]" in page
    listed = json.loads(shown(capsys, "-C", str(turned), "frameworks", "list", "--json"))
    assert {one["id"] for one in listed["frameworks"]} >= {"house", "eu-ai-act-2024"}
    assert json.loads(shown(capsys, "-C", str(turned), "frameworks", "show", "house", "--json"))["framework"]["id"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "hause"), "frameworks.unknown"),
        (("coverage", "--framework", "hause"), "frameworks.unknown"),
        (("coverage", "--system", "x"), "frameworks.unknown-system"),
        (("coverage", "--requirement", "house/9"), "frameworks.unknown-requirement"),
        (("coverage", "--claim", "x"), "frameworks.unknown-claim"),
    ],
)
def test_what_is_not_there_is_said(
    arguments: tuple[str, ...], code: str, turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("-C", str(turned), "frameworks", *arguments) == 2
    assert code in capsys.readouterr().err


def test_the_page_shows_the_matrix(turned: Path) -> None:
    assert call("-C", str(turned), "report") == 0
    page = (turned / "report.html").read_text(encoding="utf-8")
    assert 'id="f-house"' in page
    assert "1/2" in page
    assert "Right" in page


def test_status_shows_hours_beside_risk_and_plan_explains_it(
    turned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(shown(capsys, "-C", str(turned), "status", "--json"))
    (system,) = told["systems"]
    assert (system["system"], system["claims"], system["decided"], system["depth"]) == ("adder", 1, 1, None)
    assert system["hours"] >= 0
    root = tmp_path / "risky"
    found(root, ADDER)
    settings = (root / "shinrai.yaml").read_text(encoding="utf-8")
    (root / "shinrai.yaml").write_text(settings + "\nrisk: [ds-920-2]\n", encoding="utf-8")
    words = shown(capsys, "-C", str(root), "plan", "--explain", "adder")
    assert "nobody judges an output before it is used" in words
    assert "right-often: set by its risk: error level = 0.01" in words
    explained = json.loads(shown(capsys, "-C", str(root), "plan", "--explain", "adder", "--json"))
    assert explained["classes"][0]["fired"][0]["why"]["ja"]
    assert explained["depth"]["depth"] == "deep"
    assert call("-C", str(root), "plan", "--explain", "addr") == 2


def test_many_systems_are_counted_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "many"
    adder = ADDER["systems/adder.yaml"]
    more = {f"systems/a{n}.yaml": adder.replace("id: adder", f"id: a{n}", 1) for n in range(12)}
    found(root, {**ADDER, **OWN, **more})
    assert call("-C", str(root), "plan") == 0
    table = shown(capsys, "-C", str(root), "frameworks", "coverage")
    assert "all systems: 13" in table
    assert "26/26" in table
    one = shown(capsys, "-C", str(root), "frameworks", "coverage", "--framework", "house")
    assert "13/13" in one
    assert "2/2" in shown(capsys, "-C", str(root), "frameworks", "coverage", "--system", "a7")
    told = json.loads(shown(capsys, "-C", str(root), "frameworks", "coverage", "--json"))
    house = next(book for book in told["frameworks"] if book["id"] == "house")
    assert [cell["of"] for cell in house["systems"]] == [2] * 13
    assert house["statuses"] is None
    assert call("-C", str(root), "report") == 0
    assert "13/13" in (root / "report.html").read_text(encoding="utf-8")


def test_an_answer_is_shown_with_who_gave_it_and_what_it_lacks(
    turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = "oecd-ai-principles-2024/1.1"
    answer = ("-C", str(turned), "do", "answer", ref, "--by", "management")
    shown(capsys, *answer, "--answer", "in-place", "--statement", "We look", "--effective", "2026-01-05")
    page = shown(capsys, "-C", str(turned), "frameworks", "coverage", "--requirement", ref)
    assert "undecided" in page
    assert "in place · management · from 2026-01-05 · no document · no second reader: We look" in page
    shown(capsys, *answer, "--answer", "not-applicable", "--statement", "No people", "--effective", "2026-01-06")
    page = shown(capsys, "--lang", "ja", "-C", str(turned), "frameworks", "coverage", "--requirement", ref)
    assert "該当しない · management · 2026-01-06 から: No people" in page.replace("該当なし", "該当しない")


def test_an_answer_that_contradicts_itself_is_refused_in_both_languages(
    turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, reason in (("en", "`statement` says why"), ("ja", "理由を `statement` に")):
        arguments = ("do", "answer", "oecd-ai-principles-2024/1.2", "--answer", "not-applicable", "--by", "management")
        assert call("--lang", language, "-C", str(turned), *arguments) == 2
        said = capsys.readouterr().err
        assert reason in said
        assert "Value error" not in said
