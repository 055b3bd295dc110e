"""What needs what: read from the files, checked where it is written, and free of cycles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import Problem
from shinrai.records import Part, System
from shinrai.workspace import delivered, load, stack_graph
from shinrai.workspace.graph import cycles

SYSTEM = "systems/screening.yaml"
COMPONENTS = {
    "components/model.yaml": "id: model-a\ntype: model\ntitle: {en: A}\nversion: '1'\nneeds: [gpu, [data-a, data-b]]\n",
    "components/gpu.yaml": "id: gpu\ntype: compute\ntitle: {en: GPU}\n",
    "components/data-a.yaml": "id: data-a\ntype: data\ntitle: {en: A}\n",
    "components/data-b.yaml": "id: data-b\ntype: data\ntitle: {en: B}\nneeds: [gpu]\n",
}


@pytest.fixture
def stacked(town: Path, change: Callable[[str, str, str], None]) -> Path:
    for name, text in COMPONENTS.items():
        (town / name).write_text(text, encoding="utf-8")
    change(SYSTEM, "    path: components/model.py\n", "    path: components/model.py\n    needs: [model-a]\n")
    return town


def test_systems_stacks_and_shared_components_are_one_graph(stacked: Path) -> None:
    workspace = load(stacked)
    graph = stack_graph(workspace.systems.values(), workspace.components)
    assert list(graph.nodes) == ["screening/", "screening/model", "data-a", "data-b", "gpu", "model-a"]
    assert graph.systems == ("screening/",)
    assert graph.below("screening/") == ["screening/model", "model-a", "gpu", "data-a", "data-b"]
    assert graph.above("gpu") == ["data-b", "model-a", "screening/model", "screening/"]
    assert graph.path("screening/", "data-b") == ("screening/", "screening/model", "model-a", "data-b")
    assert graph.path("gpu", "model-a") == ()
    supply = delivered(workspace.systems["screening"], workspace.components)
    assert {name: one.version for name, one in supply.items()} == {
        "data-a": None,
        "data-b": None,
        "gpu": None,
        "model-a": "1",
    }


WRONG: list[tuple[str, str, str, tuple[str, str, int, int], str | None]] = [
    ("components/model.yaml", "[gpu,", "[gpuu,", ("workspace.unknown-need", "components/model.yaml", 5, 9), "gpu"),
    (
        "components/model.yaml",
        "data-b]",
        "data-c]",
        ("workspace.unknown-need", "components/model.yaml", 5, 23),
        "data-b",
    ),
    (SYSTEM, "needs: [model-a]", "needs: [model-b]", ("workspace.unknown-need", SYSTEM, 11, 13), "model-a"),
    (SYSTEM, "owner: office", "owner: office\nneeds: [model-b]", ("workspace.unknown-need", SYSTEM, 6, 9), "model-a"),
    (
        SYSTEM,
        "owner: office",
        "owner: office\ngates: [{into: operation, day: 2026-01-01, by: ofice}]",
        ("workspace.unknown-role", SYSTEM, 6, 48),
        "office",
    ),
    ("components/gpu.yaml", "id: gpu", "id: data-a", ("workspace.duplicate-id", "components/gpu.yaml", 1, 5), None),
    ("components/gpu.yaml", "}\n", "}\nneeds: [model-a]\n", ("workspace.cycle", "components/model.yaml", 5, 9), None),
    (
        "components/gpu.yaml",
        "}\n",
        "}\nneeds: [[gpu, data-a]]\n",
        ("workspace.cycle", "components/gpu.yaml", 4, 10),
        None,
    ),
    ("components/gpu.yaml", "compute", "computer", ("source.value", "components/gpu.yaml", 2, 7), "compute"),
    (
        "components/gpu.yaml",
        "}\n",
        "}\npurl: pkg:ai/maker/gpu\n",
        ("source.rule", "components/gpu.yaml", 4, 7),
        None,
    ),
    ("components/gpu.yaml", "}\n", "}\nsupplier_country: UK\n", ("source.rule", "components/gpu.yaml", 4, 19), None),
    ("components/gpu.yaml", "}\n", "}\nneeds: [[data-a]]\n", ("source.rule", "components/gpu.yaml", 4, 1), None),
    ("components/gpu.yaml", "}\n", "}\nneeds: [1]\n", ("source.type", "components/gpu.yaml", 4, 9), None),
]


@pytest.mark.parametrize(
    ("file", "before", "after", "place", "near"), WRONG, ids=[f"{w[3][0]}-{w[2]!r}" for w in WRONG]
)
def test_one_thing_wrong_is_located(
    stacked: Path,
    change: Callable[[str, str, str], None],
    problems: Callable[[], list[Problem]],
    file: str,
    before: str,
    after: str,
    place: tuple[str, str, int, int],
    near: str | None,
) -> None:
    change(file, before, after)
    found = {(one.code, one.file, one.line, one.column): one for one in problems()}
    assert place in found, list(found)
    if near is not None:
        assert found[place].hint == f"did you mean {near}?"


NAMES = [f"c{number}" for number in range(7)]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4), max_size=7))
def test_a_cycle_is_found_exactly_where_there_is_one(needs: dict[str, list[str]]) -> None:
    reach = {name: set(below) for name, below in needs.items()}
    for _ in NAMES:
        for below in reach.values():
            below |= {deep for name in list(below) for deep in reach.get(name, ())}
    around = list(cycles(needs))
    assert bool(around) == any(name in below for name, below in reach.items())
    for one in around:
        for name, following in zip(one, (*one[1:], one[0]), strict=True):
            assert following in needs[name]


def test_a_chain_as_deep_as_many_files_is_no_recursion() -> None:
    deep = {f"c{number}": [f"c{number + 1}"] for number in range(20_000)}
    assert list(cycles(deep)) == []
    (around,) = cycles(deep | {"c20000": ["c0"]})
    assert len(around) == 20_001
    parts = {
        name: Part.model_validate({"id": name, "type": "service", "title": {"en": name}, "needs": deep.get(name, [])})
        for name in [*deep, "c20000"]
    }
    graph = stack_graph([system(needs=["c0"])], parts)
    assert len(graph.path("s/", "c20000")) == 20_002
    assert graph.downward[-1] == "c20000"


def system(**facts: Any) -> System:
    given_ = {"id": "s", "title": {"en": "S"}, "kind": "chat", "purpose": {"en": "P"}, "owner": "o"}
    stack = [{"id": "model", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m"}]
    return System.model_validate({**given_, "human_review": False, "stack": stack, **facts})
