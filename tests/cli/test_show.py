"""Browsing runs: what a person and a program get to see of every trial."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.engine import Engine
from tests.cli.conftest import Run

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eabc\u200b\x9b31m"


@pytest.fixture
def shown(town: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Measure two versions of a hostile system, the second repaired; then show runs of them."""
    monkeypatch.setenv("COLUMNS", "100")
    component = town / "components/adder.py"
    component.write_text(component.read_text().replace('"<script>alert(1)</script>"', repr(HOSTILE)))
    run("plan")
    run("check")
    run("act", "apply", "repair")
    run("check")
    capsys.readouterr()

    def show(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert run("show", *arguments) == code
        return capsys.readouterr()

    return show


def test_runs_are_listed_and_each_gives_its_claims_with_counts(shown: Any) -> None:
    page, _err = shown()
    assert re.search(r"run-0001 +adder v1 .* complete", page)
    assert re.search(r"run-0002 +adder v2 .* complete", page)
    page, hint = shown("run-0001")
    assert re.search(r"▲ violated +Right answers +✗ \d+ ", page)
    assert "right-often" in page
    assert "shinrai show run-0001 --next-failure" in hint


def test_trials_show_question_reply_and_how_the_call_went(shown: Any) -> None:
    page, _err = shown("run-0001", "--outcome", "fail")
    trials = page.strip().split("\n\n")
    assert len(trials) > 1
    for trial in trials:
        assert trial.startswith("✗ fail  r0")
        assert re.search(r"question +{\"id\": \"r0\d\d\", \"truth\": \d+}", trial)
        assert re.search(r"reply +{\"answer\": -1", trial)
        assert re.search(r"\d\.\d\d s", trial)


def test_replies_cannot_reach_the_terminal(shown: Any) -> None:
    page, _err = shown("run-0001", "--outcome", "fail")
    answer, _err = shown("run-0001", "--outcome", "fail", "--json")
    for printed in (page, answer):
        assert "owned" in printed
        assert all(character.isprintable() or character == "\n" for character in printed)
    trial = json.loads(answer)["trials"][0]
    assert trial["calls"][0]["reply"]["said"] == HOSTILE  # a program gets what came


def test_filters_narrow_what_is_shown(shown: Any) -> None:
    whole = json.loads(shown("run-0001", "--claim", "right-often", "--json")[0])["trials"]
    item = whole[1]["item"]
    assert [one["item"] for one in json.loads(shown("run-0001", "--item", item, "--json")[0])["trials"]] == [item]
    assert json.loads(shown("run-0001", "--outcome", "pass", "--json")[0])["trials"] == []
    assert "No trial of this run is like that." in shown("run-0001", "--outcome", "error")[0]


def test_failures_are_found_one_after_the_other_until_there_are_no_more(shown: Any) -> None:
    failing = json.loads(shown("run-0001", "--outcome", "fail", "--json")[0])["trials"]
    page, hint = shown("run-0001", "--next-failure")
    seen = []
    while match := re.search(r"shinrai show (run-0001 --claim \S+ --item (\S+) --next-failure)", hint):
        seen.append(match[2])
        assert f"✗ fail  {match[2]}" in page
        page, hint = shown(*match[1].split())
    assert seen == [trial["item"] for trial in failing]
    assert "No trial" in page


def test_two_versions_are_compared_item_by_item(shown: Any) -> None:
    found = json.loads(shown("run-0002", "--against", "run-0001", "--json")[0])
    told = {"field": "system", "before": "adder v1", "after": "adder v2", "claims": ["plan/goal/measure/right-often"]}
    assert found["asked_otherwise"] == [told]
    assert found["broken"] == found["other"] == found["same"] == 0
    assert found["fixed"] == len(found["changes"]) > 0
    for change in found["changes"]:
        assert change["change"] == "fixed"
        assert (change["before"]["outcome"], change["after"]["outcome"]) == ("fail", "pass")
        assert change["before"]["calls"][0]["reply"]["answer"] == -1
        assert change["after"]["calls"][0]["reply"]["answer"] >= 0
    page, _err = shown("run-0001", "--against", "run-0002")
    assert page.startswith("! the two runs did not ask the same:\n  system: adder v2 → adder v1\n\n")
    assert f"\n0 now pass, {found['fixed']} no longer pass" in page
    assert re.search(r"run-0002 ✓ pass.*\n +run-0001 ✗ fail", page)
    assert all(character.isprintable() or character == "\n" for character in page)


def test_a_run_compared_with_itself_shows_no_change(shown: Any) -> None:
    found = json.loads(shown("run-0001", "--against", "run-0001", "--json")[0])
    assert found["changes"] == found["asked_otherwise"] == []
    assert found["same"] > 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run-001"], "show.unknown-run"),
        (["run-0002", "--against", "run-003"], "show.unknown-run"),
        (["run-0001", "--claim", "right-offen"], "show.unknown-claim"),
        (["run-0001", "--item", "nothing", "--next-failure"], "show.unknown-item"),
    ],
)
def test_unknown_names_are_mistakes(shown: Any, arguments: list[str], code: str) -> None:
    assert f"error[{code}]" in shown(*arguments, code=2)[1]


def test_a_missing_run_file_is_tampering_and_not_a_crash(shown: Any, town: Path) -> None:
    for file in (town / ".shinrai/runs/run-0001").iterdir():
        file.unlink()
    assert "error[run.file-missing]" in shown("run-0001", "--outcome", "fail", code=4)[1]


def test_nothing_measured_yet_and_a_run_that_goes_on(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("show") == 0
    assert "Nothing was measured yet" in capsys.readouterr().out

    async def interrupted(_engine: Engine) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "measure", interrupted)
    run("plan")
    assert run("check") == 130
    capsys.readouterr()
    assert run("show") == 0
    assert "not ended" in capsys.readouterr().out
    assert run("show", "run-0001") == 0
    page, hint = capsys.readouterr()
    assert "Right answers" in page
    assert "The run has not ended" in hint
    assert run("show", "run-0001", "--next-failure") == 0
    assert "No trial" in capsys.readouterr().out
