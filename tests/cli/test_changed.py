"""``shinrai check`` after the file of a system was changed and no plan made: it says so, and no gate is green."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

SAID = "the file of the system adder, or what it names, has changed since the plan"


@pytest.fixture
def kept(town: Path, run: Run) -> Path:
    """Give the file of a system whose promise is kept and measured."""
    file = town / "systems/adder.yaml"
    file.write_text(file.read_text().replace("broken: true", "broken: false"))
    assert run("plan") == 0
    assert run("check", "--gate") == 0
    return file


def _changed(printed: str) -> Any:
    return json.loads(printed)["changed"]


def test_a_change_that_was_not_planned_is_said_and_closes_the_gate(
    kept: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("check", "--json") == 0
    same = capsys.readouterr()
    assert _changed(same.out) == []
    assert SAID not in same.err
    kept.write_text(kept.read_text().replace("broken: false", "broken: true"))
    assert run("check") == 0
    told = capsys.readouterr()
    assert SAID in told.err
    assert "this is about version 1" in told.err
    assert "Nothing new to measure" not in told.err
    assert run("check", "--json", "--gate") == 3
    told = capsys.readouterr()
    assert SAID in told.err
    stale = ["plan/goal/measure/right-often@adder"]
    assert _changed(told.out) == [{"system": "adder", "version": 1, "stale": stale}]
    assert run("check", "--dry-run", "--json") == 0
    told = capsys.readouterr()
    assert SAID in told.err
    assert _changed(told.out)[0]["stale"] == stale
    assert run("plan") == 0
    assert run("check", "--gate") == 1, "the new version is broken"
    assert SAID not in capsys.readouterr().err


def test_a_file_that_a_system_names_and_an_action_that_was_applied(
    town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan") == 0
    assert run("check", "--gate") == 1
    assert run("act", "apply", "repair") == 0
    assert run("check", "--gate") == 0, "the change of an action is planned when it is applied"
    component = town / "components/adder.py"
    component.write_text(component.read_text() + "# so quick\n")
    capsys.readouterr()
    assert run("check", "--gate") == 3
    assert SAID in capsys.readouterr().err


def test_what_no_verdict_hangs_on_is_said_and_leaves_the_gate_open(
    kept: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept.open("a") as file:
        file.write("\nbenefit: {expected: {en: Sums are quick}}\n")
    capsys.readouterr()
    assert run("check", "--json", "--gate") == 0
    told = capsys.readouterr()
    assert SAID in told.err
    assert _changed(told.out)[0]["stale"] == []


def test_only_the_systems_asked_for_are_looked_at(
    kept: Path, town: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = town / "systems/twin.yaml"
    twin.write_text(kept.read_text().replace("id: adder", "id: twin"))
    assert run("plan") == 0
    assert run("check", "--gate") == 0
    twin.write_text(twin.read_text().replace("broken: false", "broken: true"))
    capsys.readouterr()
    assert run("check", "--gate", "--system", "adder") == 0
    assert "has changed" not in capsys.readouterr().err
    assert run("check", "--gate") == 3


def test_status_and_the_page_say_it_in_one_line(
    kept: Path, town: Path, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = "changed since the last plan, and nothing here takes that into account: adder. Next: shinrai plan"
    page = tmp_path / "page.html"

    def told() -> tuple[str, Any, str]:
        capsys.readouterr()
        assert run("status") == 0
        shown = capsys.readouterr().out
        assert run("status", "--json") == 0
        found = json.loads(capsys.readouterr().out)["changed"]
        assert run("report", "--out", str(page)) == 0
        return shown, found, page.read_text()

    shown, found, written = told()
    assert (said in shown, found, said in written) == (False, [], False)
    kept.write_text(kept.read_text().replace("broken: false", "broken: true"))
    shown, found, written = told()
    assert shown.startswith("! ")
    assert said in shown.partition("\n")[0]
    assert found == [{"system": "adder", "version": 1, "stale": ["plan/goal/measure/right-often@adder"]}]
    head = written.partition("<main>")[0]
    assert said in head
    assert "最後の計画のあとに変わりました" in head
    assert run("plan") == 0
    shown, found, written = told()
    assert (said in shown, found, said in written) == (False, [], False)
