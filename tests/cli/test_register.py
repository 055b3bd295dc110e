"""What a person sees of a system's risk, and of a change of what the register says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cycle import ADDER, call, found


@pytest.fixture
def town(tmp_path: Path) -> Path:
    root = tmp_path / "town"
    found(root, ADDER)
    settings = root / "shinrai.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "risk: [eu-ai-act]\n", encoding="utf-8")
    return root


def said(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> str:
    capsys.readouterr()
    assert call("-C", str(root), *arguments) == 0
    return " ".join(capsys.readouterr().out.split())


def add(root: Path, text: str) -> None:
    file = root / "systems" / "adder.yaml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_nothing_stated_is_never_called_a_low_risk(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, town, "plan")
    assert "Risk classes of the EU AI Act → cannot be told yet" in said(capsys, town, "plan", "--explain", "adder")
    assert "EU AI規則のリスク区分 → まだ判断できません" in said(
        capsys, town, "--lang", "ja", "plan", "--explain", "adder"
    )
    assert "cannot be told yet →" in said(capsys, town, "status")
    assert "Out of scope" not in said(capsys, town, "status")
    add(town, "deployment: {countries: [FR]}\n")
    assert "→ Minimal or higher" in said(capsys, town, "plan", "--explain", "adder")
    add(town, "stage: idea\n")
    file = town / "systems" / "adder.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("[FR]", "[JP], areas: []"), encoding="utf-8")
    assert "→ Out of scope (not used in the EU)" in said(capsys, town, "plan", "--explain", "adder")
    said(capsys, town, "report")
    assert "cannot be told yet" not in (town / "report.html").read_text(encoding="utf-8")


def test_a_change_is_told_with_its_version_and_what_went_stale(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "version" not in said(capsys, town, "plan")
    said(capsys, town, "check")
    assert "changed since then" not in said(capsys, town, "status")
    add(town, "affected: {en: everybody}\nstage: operation\n")
    for arguments in (("plan", "--dry-run"), ("plan",)):
        assert "adder: version 2; changed: affected, stage" in said(capsys, town, *arguments)
    assert "stale" in (page := said(capsys, town, "status"))
    assert "changed since then" in page
    assert "version" not in said(capsys, town, "plan")
    (town / "components" / "adder.py").write_text(
        (town / "components" / "adder.py").read_text(encoding="utf-8") + "\n# another one\n", encoding="utf-8"
    )
    assert "adder: version 3; changed: what it is built on" in said(capsys, town, "plan")
