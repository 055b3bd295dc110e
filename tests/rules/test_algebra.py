"""The algebra of relationships, against real sets: what is concluded has to hold for every three sets."""

from __future__ import annotations

from itertools import product
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from shinrai.records import INVERSE, Mapping, Relationship
from shinrai.rules.algebra import STRENGTH, covers_together, in_a_row, one_to_one

RELATIONSHIPS: tuple[Relationship, ...] = get_args(Relationship)
SETS = st.frozensets(st.integers(0, 5), min_size=1)


def said(one: frozenset[int], other: frozenset[int]) -> set[Relationship]:
    """Every relationship that is true of two sets."""
    true: set[Relationship] = set()
    if one == other:
        true |= {"equal-to", "equivalent-to"}
    if one >= other:
        true.add("superset-of")
    if one <= other:
        true.add("subset-of")
    true.add("intersects-with" if one & other else "no-relationship")
    return true


@given(SETS, SETS, SETS)
def test_what_is_concluded_is_true_of_every_three_sets(a: frozenset[int], b: frozenset[int], c: frozenset[int]) -> None:
    for first, second in product(said(a, b), said(b, c)):
        found = in_a_row(first, second)
        assert found is None or found in said(a, c), (first, second)


def test_nothing_is_concluded_only_where_sets_can_be_disjoint() -> None:
    small = [frozenset(one) for one in ({0}, {1}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2})]
    for first, second in product(RELATIONSHIPS, repeat=2):
        if "no-relationship" in {first, second}:
            continue
        possible = [said(a, c) for a, b, c in product(small, repeat=3) if first in said(a, b) and second in said(b, c)]
        always = set.intersection(*possible)
        assert (in_a_row(first, second) is None) == (not always & {*RELATIONSHIPS} - {"no-relationship"})


@given(SETS, SETS)
def test_the_inverse_is_what_the_other_is(a: frozenset[int], b: frozenset[int]) -> None:
    assert {INVERSE[one] for one in said(a, b)} == said(b, a)


@given(st.lists(SETS, min_size=1, max_size=3), st.lists(SETS, min_size=1, max_size=3))
def test_what_one_source_is_to_one_target_follows_from_what_all_are(
    sources: list[frozenset[int]], targets: list[frozenset[int]]
) -> None:
    every_source, every_target = frozenset().union(*sources), frozenset().union(*targets)
    for relationship in said(every_source, every_target):
        names = tuple(f"s{n}" for n in range(len(sources))), tuple(f"t{n}" for n in range(len(targets)))
        mapping = Mapping(sources=names[0], relationship=relationship, targets=names[1])
        each = one_to_one(mapping)
        if each in {"superset-of", "subset-of", "equal-to", "equivalent-to"}:
            assert all(each in said(source, target) for source in sources for target in targets)
        if covers_together(mapping):
            assert all(every_source >= target for target in targets)


def test_a_part_or_an_overlap_never_grows_along_the_way() -> None:
    """However many crosswalks lie between: what was not the whole at one step is not the whole at the end."""
    parts: tuple[Relationship, ...] = ("subset-of", "intersects-with")
    for first, second in product(parts, RELATIONSHIPS):
        found = in_a_row(first, second)
        assert found is None or STRENGTH[found] <= STRENGTH[first]
        assert found not in {"equal-to", "equivalent-to", "superset-of"}
