"""From a design in a plan to the page: registered, observed, shown with its level of evidence and its placebos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shinrai.ledger import Ledger
from shinrai.report.html import render
from shinrai.workspace import load
from tests.check.test_effects import plan, series
from tests.cycle import call

PLAN: dict[str, Any] = {
    "id": "care",
    "title": {"en": "Care plan", "ja": "介護計画"},
    "owner": "ai-team",
    "goals": [
        {
            "id": "relief",
            "title": {"en": "Relief"},
            "measures": [{"id": "helper", "title": {"en": "Helper"}, "note": {"en": "It has led to shorter waits"}}],
        }
    ],
    "indicators": [{"id": "wait", "title": {"en": "Wait"}, "unit": "days", "direction": "down", "frequency": "month"}],
    "uses": [{"indicator": "wait", "of": "helper"}],
    "designs": [plan().designs[0].to_json()],
}


@pytest.fixture(scope="module")
def care(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("care") / "ws"
    assert call("init", str(root)) == 0
    (root / "plans/plan.yaml").unlink()
    (root / "plans/care.yaml").write_text(yaml.safe_dump(PLAN, allow_unicode=True), encoding="utf-8")
    return root


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = call("-C", str(root), *arguments)
    return code, capsys.readouterr().out


def test_causal_words_wait_for_a_registered_design(care: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def causal() -> set[str]:
        found = json.loads(run(capsys, care, "plan", "lint", "--json")[1])["plans"][0]["findings"]
        return {one["of"] for one in found if one["rule"] == "R10"}

    assert causal() == {"helper", "helper-effect"}
    code, out = run(capsys, care, "plan")
    assert code == 0
    assert "registered the design “Does the helper shorten the wait?”" in out
    assert causal() == set()
    assert "registered the design" not in run(capsys, care, "plan")[1], "once"

    table = care / "observations/wait.csv"
    lines = [f"wait,{one.period},{one.value:.3f},days,register" for one in series(-5.0, 34)]
    table.write_text("indicator,period,value,unit,source\n" + "\n".join(lines), encoding="utf-8")
    assert run(capsys, care, "do", "observe", str(table))[0] == 0
    (effect,) = json.loads(run(capsys, care, "status", "--json")[1])["effects"]
    assert (effect["state"], effect["evidence_level"], effect["retrospective"]) == ("shown", 2, True)
    assert effect["placebos"]["as_strong"] == 0
    said = run(capsys, care, "status")[1]
    assert "an effect is shown" in said
    assert "retrospective: values were known before" in said
    workspace = load(care)
    with Ledger.open(workspace.settings.store, root=care) as ledger:
        page = render(workspace, ledger.state())
    for words in ("an effect is shown", "level of evidence 2 of 5", "pretended dates", "retrospective", "効果"):
        assert words in page
    assert run(capsys, care, "verify")[0] == 0


def test_a_design_about_nothing_is_refused_where_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "ws"
    assert call("init", str(root)) == 0
    (root / "plans/plan.yaml").unlink()
    design = {**PLAN["designs"][0], "of": "helpr", "indicator": "waits"}
    (root / "plans/care.yaml").write_text(yaml.safe_dump({**PLAN, "designs": [design]}), encoding="utf-8")
    capsys.readouterr()
    assert call("-C", str(root), "status") != 0
    said = capsys.readouterr().err
    assert "helpr" in said
    assert "waits" in said
    assert "plans/care.yaml:" in said
