"""A real distribution with plug-ins, built and installed into a folder of its own; and the guide's workspace."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from tests.cycle import call
from tests.plugins import guide

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "town-checks"
version = "1.2"

[project.entry-points."shinrai.scorers"]
short = "town_checks.rules.short:scorer"
gone = "town_checks.rules.short:no_such_thing"
constant = "town_checks.rules.short:MOST"
lost = "town_checks.rules.lost:scorer"
spoilt = "town_checks.spoilt:scorer"
names-a-time = "town_checks.rules.short:scorer"

[project.entry-points."shinrai.sources"]
wanders = "town_checks.rules.wanders:source"

[project.entry-points."shinrai.importers"]
inspect = "town_checks.rules.short:scorer"
"""
SHORT = """
from shinrai.records import Score

MOST = 10


def scorer(parameters):
    def rule(item, requests, calls):
        return Score("pass" if all(len(call.reply) <= MOST for call in calls) else "fail")
    return rule
"""
WANDERS = """
def source(parameters):
    return lambda item, repeat, ask: {"reply": "asked: " + ask("anything")}
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the distribution as its author would."""
    project = tmp_path_factory.mktemp("town-checks")
    rules = project / "town_checks/rules"
    rules.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    for package in (rules.parent, rules):
        (package / "__init__.py").write_text("")
    (rules / "short.py").write_text(SHORT)
    (rules / "wanders.py").write_text(WANDERS)
    (rules.parent / "spoilt.py").write_text("import no_such_module_anywhere\n")
    here = Path.cwd()
    os.chdir(project)
    try:
        return project / build_wheel(str(project))
    finally:
        os.chdir(here)


@pytest.fixture
def installed(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install it where nothing else is, and forget it afterwards."""
    folder = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "town_checks"]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("desk") / "desk"
    assert call("init", str(root)) == 0
    return guide.desk(root)


@pytest.fixture
def desk(example: Path, tmp_path: Path) -> Path:
    """Copy the guide's workspace, with one claim alone: that of the scorer."""
    root = tmp_path / "desk"
    shutil.copytree(example, root)
    for name in ("said-when", "finds-out"):
        leave_out(root, name)
    return root


def leave_out(root: Path, check: str) -> None:
    """Take a check out of the guide's workspace."""
    (root / f"checks/{check}.yaml").unlink()
    plan = root / "plans/plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace(f"          - check: {check}\n", ""), encoding="utf-8")
