"""``shinrai stack`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SHARED = """id: gpu
type: compute
title: {ja: 計算資源, en: Accelerators}
supplier: Maker
supplier_country: US
processing: [JP]
support_end: 2020-01-01
substitutes: [{name: other, days: 12}]
"""


@pytest.fixture
def stacked(town: Path) -> Path:
    (town / "components/gpu.yaml").write_text(SHARED, encoding="utf-8")
    path = town / "systems/adder.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}needs: [gpu]\n", encoding="utf-8")
    return town


def test_the_overview_for_people(stacked: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stack") == 0
    out = capsys.readouterr().out
    for words in ("1 systems on 2 components", "its support ended on 2020-01-01", "adder → gpu", "Maker · US", "12"):
        assert words in out
    assert "Herfindahl index 0.25–1.00" in out  # of the model nobody says who supplies it


def test_the_overview_for_programs(stacked: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stack", "--json", "--days", "10") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["systems"], found["components"]) == (1, 1, 2)
    assert [one["component"] for one in found["single_points"]] == ["adder/model", "gpu"]
    assert found["replaceable"]["slow"] == 1
    assert found["hits"][0]["systems"] == [{"system": "adder", "path": ["adder/", "gpu"]}]
    assert set(found["concentration_by_type"]) == {"model", "compute"}


def test_one_component(stacked: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stack", "show", "gpu") == 0
    out = capsys.readouterr().out
    for words in ("Accelerators  gpu", "other (12 days)", "adder: stops with it", "adder → gpu"):
        assert words in out
    assert run("stack", "show", "gpu", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["systems"] == [{"system": "adder", "path": ["adder/", "gpu"], "lost": True}]


def test_an_unknown_component_names_the_nearest(stacked: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stack", "show", "gpuu") == 2
    err = capsys.readouterr().err
    assert "error[stack.unknown-component]" in err
    assert "did you mean gpu?" in err
