"""A first workspace: complete, explained, and never in the way of what is there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shinrai.errors import UsageError
from shinrai.records import Action, Check
from shinrai.source import attempt, json_schemas, parse_yaml
from shinrai.workspace import load, load_settings, scaffold, write_schemas


@pytest.fixture
def first(tmp_path: Path) -> Path:
    root = tmp_path / "first"
    scaffold(root, name="Kasumi Town 霞町")
    return root


def test_it_loads_without_a_problem(first: Path) -> None:
    workspace = load(first)
    assert workspace.settings.id == "kasumi-town"
    assert workspace.settings.name.read("ja") == workspace.settings.name.read("en") == "Kasumi Town 霞町"
    (plan,) = workspace.plans.values()
    (goal,) = plan.goals
    (measure,) = goal.measures
    (claim,) = measure.claims
    assert claim.check in workspace.checks
    assert workspace.systems["assistant"].model.type == "embedded"
    assert any(role.accepts_risk for role in workspace.settings.roles if role.id != measure.owner)


def test_what_was_written_is_told(tmp_path: Path) -> None:
    written = scaffold(tmp_path, name="x")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path).as_posix() for path in written} == files
    assert files >= {
        "shinrai.yaml",
        "plans/plan.yaml",
        "systems/assistant.yaml",
        "checks/README.md",
        "observations/README.md",
        "actions/README.md",
        "schemas/plan.schema.json",
        ".gitignore",
    }


def test_the_seed_is_drawn_by_chance(tmp_path: Path) -> None:
    for number in range(5):
        scaffold(tmp_path / str(number), name="x")
    seeds = {load_settings(tmp_path / str(number)).order_seed for number in range(5)}
    assert len(seeds) == 5
    assert max(seeds) > 2**40


def test_every_yaml_file_names_a_schema_that_accepts_it(first: Path) -> None:
    paths = list(first.rglob("*.yaml"))
    assert len(paths) == 3
    for path in paths:
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text(encoding="utf-8"))
        assert found is not None, path
        schema = json.loads((path.parent / found[1]).read_text(encoding="utf-8"))
        data = parse_yaml(path.read_text(encoding="utf-8"), shown_as=path.name).data
        assert jsonschema_rs.validator_for(schema).is_valid(data)


@pytest.mark.parametrize(("name", "record"), [("checks", Check), ("actions", Action)])
def test_the_examples_in_the_readme_files_work(first: Path, name: str, record: Any) -> None:
    text = (first / name / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    _record, problems = attempt(parse_yaml(example, shown_as="example"), record)
    assert problems == []
    (first / name / "example.yaml").write_text(example, encoding="utf-8")
    for file, data in re.findall(r"`(data/\S+)`\n\n```json\n(.*?)```", text, re.DOTALL):
        (first / file).parent.mkdir(exist_ok=True)
        (first / file).write_text(data, encoding="utf-8")
    load(first)


def test_comments_are_in_both_languages(first: Path) -> None:
    for path in [*first.rglob("*.yaml"), *first.rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert re.search("[ぁ-ん]", text), path
        assert re.search("[A-Za-z]{4}", text), path


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/plan.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("mine", encoding="utf-8")
    written = scaffold(tmp_path, name="x")
    assert tmp_path / "plans/plan.yaml" not in written
    assert (tmp_path / "plans/plan.yaml").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "mine"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError) as raised:
        scaffold(tmp_path, name="other")
    assert raised.value.code == "workspace.exists"
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_the_private_folder_stays_out_of_git_whatever_the_gitignore_says(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("*.log\n", encoding="utf-8")
    scaffold(tmp_path, name="x")
    (tmp_path / ".shinrai/keys").mkdir()
    (tmp_path / ".shinrai/keys/ledger.key").write_text("secret", encoding="utf-8")
    shown = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    ).stdout
    assert "plans/plan.yaml" in shown
    assert ".shinrai" not in shown


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        scaffold(tmp_path / "file", name="x")
    assert raised.value.code == "workspace.cannot-write"


@settings(max_examples=40)
@given(st.text(max_size=120))
@example("9")
@example("null")
def test_any_name_makes_a_workspace(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.mktemp("named")
    scaffold(root, name=name)
    found = load_settings(root)
    shown = "".join(character for character in name if character.isprintable()).strip()
    assert found.name.read("en") == (shown or "Shinrai")


def test_schemas_are_renewed(first: Path) -> None:
    path = first / "schemas/plan.schema.json"
    path.write_text("{}", encoding="utf-8")
    write_schemas(first)
    assert json.loads(path.read_text(encoding="utf-8")) == json_schemas()["plan"]


def test_plain_yaml_readers_read_it_too(first: Path) -> None:
    """Nothing in it needs our own reader."""
    for path in first.rglob("*.yaml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["id"]
