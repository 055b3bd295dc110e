"""What is printed for people: readable at any width, in both languages, with nothing cut off."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

CHAT = """
id: talker
title: {ja: 話し手, en: The talker}
kind: chat
purpose: {ja: 話す, en: talks}
owner: ai-team
human_review: false
stack:
  - {id: model, type: endpoint, url: "http://127.0.0.1:9/v1", model: none}
"""


@pytest.fixture
def two(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two systems; the claims hold for one."""
    (town / "systems/talker.yaml").write_text(CHAT, encoding="utf-8")
    settings = town / "shinrai.yaml"
    allowed = settings.read_text(encoding="utf-8").replace("allowed_hosts: []", 'allowed_hosts: ["127.0.0.1:9"]')
    settings.write_text(allowed, encoding="utf-8")
    check = town / "checks/right-often.yaml"
    second = check.read_text(encoding="utf-8").replace("right-often", "right-always").replace("0.8", "0.9")
    (town / "checks/right-always.yaml").write_text(second, encoding="utf-8")
    plan = town / "plans/plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8") + "          - check: right-always\n", encoding="utf-8")
    assert run("plan") == 0
    capsys.readouterr()
    return town


def test_a_system_to_which_nothing_applies_is_one_line(two: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("status")
    page = capsys.readouterr().out
    assert page.count("do not apply") == 1
    assert "– 2 do not apply: The talker" in page
    run("status", "--json")
    assert capsys.readouterr().out.count('"not_applicable"') >= 4  # programs get every claim


def test_the_plan_says_once_why_claims_do_not_apply(two: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("plan", "--dry-run")
    page = capsys.readouterr().out
    assert "– 2 do not apply: The talker" in page
    assert "right-often, right-always" in page
    assert "The <adder> (adder)" in page
    assert page.count("own check") == 2


def test_origins_are_translated(two: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("--lang", "ja", "plan", "--dry-run")
    page = capsys.readouterr().out
    assert page.count("自前の検査") == 2
    assert "own check" not in page


def test_the_agenda_says_once_what_to_do_and_below_it_for_which_claims(
    two: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (two / "actions/repair.yaml").unlink()
    run("check")
    capsys.readouterr()
    run("act")
    page = capsys.readouterr().out
    assert page.count("The promise is broken. Write an action in actions/ that repairs it.") == 1
    assert [line.split()[0] for line in page.splitlines() if line.startswith("  f-")] == ["f-0002", "f-0001"]
    assert page.count("ai-team") == 2


def test_a_command_that_is_next_is_printed_whole(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("plan")
    capsys.readouterr()
    run("act")
    assert "  $ shinrai check --system adder\n" in re.sub(r" +\n", "\n", capsys.readouterr().out)


@pytest.mark.parametrize("columns", ["80", "140"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_is_cut_off(
    town: Path,
    run: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
    language: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    check = town / "checks/right-often.yaml"
    long = (
        check.read_text(encoding="utf-8").replace("正答,", f"{'とても長い題名' * 12},").replace("Right", "Right " * 40)
    )
    check.write_text(long, encoding="utf-8")
    for verb in (
        ["plan"],
        ["check"],
        ["status"],
        ["act"],
        ["show", "run-0001"],
        ["show", "run-0001", "--next-failure"],
    ):
        run("--lang", language, *verb)
        page = capsys.readouterr().out
        assert "…" not in page
        title = page.count("とても長い題名" if language == "ja" else "Right")
        assert title >= 10 or verb == ["check"] or "とても" in page


def test_commands_that_bring_or_make_something_answer_programs(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def said(*arguments: str) -> Any:
        capsys.readouterr()
        assert run(*arguments, "--json") == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["version"] == 1
        return answer

    assert Path(said("init", str(tmp_path / "other"))["root"]).name == "other"
    log = town / "decisions.csv"
    log.write_text("case,ai_output,human_decision,reviewer_role,seconds\nc1,yes,no,clerk,31\n", encoding="utf-8")
    assert said("do", "import", str(log), "--system", "adder")["evidence"]["rows"] == 1
    run("plan")
    run("check")
    applied = said("act", "apply", "repair")
    assert applied["action"]["id"] == "repair"
    assert applied["findings"] == ["f-0001"]
    assert len(applied["committed"]["replaced"]) == 1
    written = said("report")
    assert Path(written["file"]).is_file()
    assert len(written["head"]) > 60


def test_documents_and_values_brought_in_answer_programs(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, metric, comparator, more in (
        ("contract", "attested", "exists", "subject: contract"),
        ("usage", "observed", "at-least", "subject: usage\nthreshold: 0.5"),
    ):
        text = f"id: {name}\ntitle: {{en: {name}}}\nstatement: {{en: {name}}}\n"
        text += f"metric: {metric}\ncomparator: {comparator}\n"
        (town / f"checks/{name}.yaml").write_text(text + more + "\n", encoding="utf-8")
        plan = town / "plans/plan.yaml"
        plan.write_text(plan.read_text(encoding="utf-8") + f"          - check: {name}\n", encoding="utf-8")
    run("plan")
    (town / "contract.txt").write_text("a person decides")
    capsys.readouterr()
    document = str(town / "contract.txt")
    assert run("do", "attest", document, "--subject", "contract", "--by", "ai-team", "--json") == 0
    assert json.loads(capsys.readouterr().out)["evidence"]["subject"] == "contract"
    value = ("--subject", "usage", "--value", "0.6", "--unit", "share", "--as-of", "2026-01-31", "--source", "a paper")
    assert run("do", "observe", *value, "--json") == 0
    assert json.loads(capsys.readouterr().out)["evidence"]["value"] == 0.6
