"""What falls with what, against a reckoning from the definition; and shares that can be checked by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.plan.exposure import (
    DIMENSIONS,
    blast_radius,
    concentration,
    failing,
    in_use,
    is_supplied,
    openness,
    replaceable,
    single_points,
)
from shinrai.records import Part, System
from shinrai.workspace import StackGraph, stack_graph

ENDPOINT = {"id": "model", "type": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m"}


def system(name: str, *needs: Any, **facts: Any) -> System:
    fields = {"id": name, "title": {"en": name}, "kind": "chat", "purpose": {"en": "P"}, "owner": "o"}
    return System.model_validate({**fields, "human_review": False, "stack": [{**ENDPOINT, **facts, "needs": needs}]})


def part(name: str, *needs: Any, **facts: Any) -> Part:
    fields = {"id": name, "type": "service", "title": {"en": name}, "needs": needs}
    return Part.model_validate({**fields, **facts})


def graph(systems: Iterable[System], *parts: Part) -> StackGraph:
    return stack_graph(systems, {one.id: one for one in parts})


@st.composite
def graphs(draw: st.DrawFn) -> StackGraph:
    """Any graph of at most three systems and seven components; needs point to components made before."""
    count = draw(st.integers(1, 7))
    parts = [part(f"c{number}", *draw(needs(number)), **draw(facts())) for number in range(count)]
    systems = [
        system(f"s{number}", *draw(needs(len(parts))), **draw(facts())) for number in range(draw(st.integers(0, 3)))
    ]
    return graph(systems, *parts)


def needs(known: int) -> st.SearchStrategy[list[Any]]:
    if known == 0:
        return st.just([])
    name = st.integers(0, known - 1).map(lambda number: f"c{number}")
    choice = st.lists(name, min_size=2, max_size=3, unique=True) if known > 1 else name
    return st.lists(name | choice, max_size=3)


def facts() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "supplier": st.sampled_from(["A", "B", "C"]),
            "processing": st.lists(st.sampled_from(["JP", "US", "EU"]), max_size=2),
            "substitutes": st.lists(st.integers(0, 60).map(lambda days: {"name": "x", "days": days}), max_size=2),
        },
    )


def works(stack: StackGraph, key: str, gone: set[str]) -> bool:
    """By the definition: it is there, and of every choice something works."""
    needs_met = all(any(works(stack, name, gone) for name in choice) for choice in stack.nodes[key].needs)
    return key not in gone and needs_met


@given(graphs(), st.data())
def test_what_fails_is_what_no_longer_works(stack: StackGraph, data: st.DataObject) -> None:
    gone = set(data.draw(st.lists(st.sampled_from(list(stack.nodes)), max_size=3)))
    assert failing(stack, gone) == {key for key in stack.nodes if not works(stack, key, gone)}


@given(graphs())
def test_single_points_are_the_one_element_cuts(stack: StackGraph) -> None:
    found = {one.key: set(one.systems) for one in single_points(stack)}
    expected = {
        key: {str(stack.nodes[name].system) for name in stack.systems if not works(stack, name, {key})}
        for key, node in stack.nodes.items()
        if is_supplied(node)
    }
    assert found == {key: systems for key, systems in expected.items() if systems}


@given(graphs())
def test_a_blast_radius_names_a_way_that_is_there(stack: StackGraph) -> None:
    for key, node in stack.nodes.items():
        if node.facts is None:
            continue
        for reached in blast_radius(stack, key):
            assert (reached.path[0], reached.path[-1]) == (f"{reached.system}/", key)
            for above, below in zip(reached.path, reached.path[1:], strict=False):
                assert any(below in choice for choice in stack.nodes[above].needs)
            assert reached.lost is not works(stack, f"{reached.system}/", {key})


@given(graphs(), st.sampled_from(DIMENSIONS))
def test_shares_and_what_is_unknown_make_the_whole(stack: StackGraph, dimension: Any) -> None:
    found = concentration(stack, dimension)
    whole = sum(one.share for one in found.holders) + found.unknown
    assert whole == pytest.approx(1.0 if stack.systems else 0.0)
    squares = [one.share**2 for one in found.holders]
    assert found.low == pytest.approx(sum(squares))
    top = max((one.share for one in found.holders), default=0.0)
    assert found.high == pytest.approx(sum(squares) - top**2 + (top + found.unknown) ** 2)
    assert found.low <= found.high + 1e-12 <= 1 + 1e-9
    for one in found.holders:
        gone = {key for key, node in stack.nodes.items() if hands(node, dimension) == {one.name}}
        assert one.lost == sum(not works(stack, name, gone) for name in stack.systems)


def hands(node: Any, dimension: str) -> set[str]:
    facts_ = node.facts
    if facts_ is None or not is_supplied(node):
        return set()
    if dimension == "supplier":
        return {facts_.supplier} if facts_.supplier else set()
    if dimension == "supplier-country":
        return {facts_.supplier_country} if facts_.supplier_country else set()
    return set(facts_.processing or ())


@given(graphs(), st.integers(0, 60))
def test_what_can_be_replaced_is_counted_once_each(stack: StackGraph, days: int) -> None:
    points = single_points(stack)
    found = replaceable(stack, points, days)
    assert found.quick + found.slow + found.none + found.unknown == found.components == len(in_use(stack))
    assert sum(openness(stack).values()) == found.components
    more = replaceable(stack, points, days + 1)
    assert more.quick >= found.quick
    assert more.systems_quick >= found.systems_quick


def test_shares_by_hand() -> None:
    """Two systems; one uses A alone, the other A and B: A has (1 + 1/2) / 2, B the rest."""
    stack = graph(
        [system("one", supplier="A"), system("two", "b", supplier="A")],
        part("b", supplier="B"),
        part("unused", supplier="C"),
    )
    found = concentration(stack, "supplier")
    assert [(one.name, one.share, one.components, one.uses, one.lost) for one in found.holders] == [
        ("A", 0.75, 2, 2, 2),
        ("B", 0.25, 1, 1, 1),
    ]
    assert found.low == found.high == 0.75**2 + 0.25**2


@pytest.mark.parametrize("count", [1, 2, 5])
def test_equal_hands_have_one_over_their_number(count: int) -> None:
    parts = [part(f"c{number}", supplier=f"S{number}") for number in range(count)]
    only = graph([system("s", *(one.id for one in parts))], *parts)
    # The endpoint itself has no supplier: that part is not known, and only widens the range.
    found = concentration(only, "supplier", "service")
    known = count / (count + 1)
    assert found.unknown == pytest.approx(1 - known)
    assert found.low == pytest.approx(known**2 / count)


def test_an_alternative_keeps_a_system_going_unless_both_hang_on_the_same() -> None:
    parts = [part("a", "gpu"), part("b", "gpu"), part("gpu")]
    stack = graph([system("s", ["a", "b"])], *parts)
    assert [one.key for one in single_points(stack)] == ["gpu", "s/model"]
    assert [one.lost for one in blast_radius(stack, "a")] == [False]
    assert [one.path for one in blast_radius(stack, "gpu")] == [("s/", "s/model", "a", "gpu")]


def test_what_runs_in_two_countries_stops_with_neither() -> None:
    stack = graph([system("s", processing=["JP", "US"])])
    assert [(one.name, one.share, one.lost) for one in concentration(stack, "processing-country").holders] == [
        ("JP", 0.5, 0),
        ("US", 0.5, 0),
    ]


def test_nobody_supplies_instructions_and_steps_of_people() -> None:
    own = System.model_validate(
        {
            **system("s", "clerk").to_json(),
            "stack": [{"id": "i", "type": "instructions", "text": "x", "needs": ["clerk"]}, ENDPOINT],
        }
    )
    stack = graph([own], part("clerk", type="human"))
    assert [node.key for node in in_use(stack)] == ["s/model"]
    assert [one.key for one in single_points(stack)] == ["s/model"]
