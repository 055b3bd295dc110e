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


BILL = """{"bomFormat": "CycloneDX", "specVersion": "1.6",
 "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
 "components": [{"type": "machine-learning-model", "bom-ref": "m", "name": "Base", "version": "1"}]}
"""


def test_a_bill_goes_in_and_comes_out(town: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bill, out = tmp_path / "maker.cdx.json", tmp_path / "out.json"
    bill.write_text(BILL, encoding="utf-8")
    assert run("stack", "import", str(bill)) == 0
    assert capsys.readouterr().out == "kept as boms/maker.cdx.json\n  base\n"
    assert run("stack", "import", str(bill), "--json") == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    assert run("stack", "export", "--bom", "maker", "-o", str(out)) == 0
    assert json.loads(out.read_text(encoding="utf-8")) == json.loads(BILL)
    capsys.readouterr()
    path = town / "systems/adder.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}needs: [base]\n", encoding="utf-8")
    assert run("stack", "export", "--system", "adder") == 0
    written = json.loads(capsys.readouterr().out)
    assert {"ref": "adder/", "dependsOn": ["adder/model", "m"]} in written["dependencies"]
    assert run("stack", "export", "--format", "spdx") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["@context"].endswith("spdx-context.jsonld")
    assert "not stated: ai_AIPackage Base: releaseTime" in said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("export", "--bom", "none"), "stack.unknown-name"),
        (("export", "--system", "addr"), "stack.unknown-name"),
        (("export", "--bom", "none", "--system", "adder"), "stack.bom-alone"),
    ],
)
def test_what_cannot_be_exported(
    stacked: Path, run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: str
) -> None:
    assert run("stack", *arguments) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_a_bill_that_is_refused_is_shown_with_its_place(
    town: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bill = tmp_path / "bad.cdx.json"
    bill.write_text(BILL.replace('"name"', '"nmae"'), encoding="utf-8")
    assert run("stack", "import", str(bill)) == 2
    said = capsys.readouterr().err
    assert "bom.schema" in said
    assert "bad.cdx.json:3" in said
    assert not (town / "boms").exists()
