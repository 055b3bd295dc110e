"""``shinrai check --against`` and ``shinrai check compare``, on a system that was repaired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def repaired(town: Path, run: Run) -> Path:
    """Turn the cycle once: the adder is broken, found out, repaired and measured again."""
    check = town / "checks/right-often.yaml"
    check.write_text(check.read_text() + "margin: 0.1\n")
    assert run("plan") == 0
    assert run("check", "--gate") == 1
    assert run("act", "apply", "repair") == 0
    assert run("check", "--gate") == 0
    return town


def test_the_gate_passes_a_version_that_is_no_worse(
    repaired: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("check", "--against", "before", "--gate") == 0
    printed = capsys.readouterr().out
    assert "no worse" in printed
    assert "not shown" not in printed
    assert run("verify") == 0


def test_candidates_stand_side_by_side_without_a_total(
    repaired: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("check", "compare") == 0
    printed = capsys.readouterr().out
    assert "adder v1" in printed
    assert "adder v2" in printed
    assert run("check", "compare", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["number"] for one in found["claims"][0]["candidates"]] == [1, 2]
    assert found["pairings"][0]["fixed"] > 0


def test_act_and_report_show_what_the_repair_changed(
    repaired: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("act") == 0
    assert "now pass" in capsys.readouterr().out
    assert run("report") == 0
    page = (repaired / "report.html").read_text()
    assert 'id="versions"' in page
    assert 'class="forest"' in page


def test_before_anything_can_be_compared(town: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan") == 0
    assert run("check", "compare") == 0
    assert "nothing to compare yet" in capsys.readouterr().out
    assert run("check", "--against", "before") == 2
    assert "compare.nothing" in capsys.readouterr().err
