"""What two relationships in a row amount to: the algebra of sets that are not empty.

A requirement is read as the set of all that it asks for. From ``a superset-of b`` and ``b superset-of c`` follows
``a superset-of c``; from ``a subset-of b`` and ``b superset-of c`` nothing follows, because `a` and `c` may be
different parts of `b`.
"""

from __future__ import annotations

from typing import Final

from shinrai.records import Mapping, Relationship

_EQUAL: Final = frozenset({"equal-to", "equivalent-to"})

_IN_A_ROW: Final[dict[tuple[Relationship, Relationship], Relationship]] = {
    ("superset-of", "superset-of"): "superset-of",
    ("subset-of", "subset-of"): "subset-of",
    ("superset-of", "subset-of"): "intersects-with",
    ("superset-of", "intersects-with"): "intersects-with",
    ("intersects-with", "subset-of"): "intersects-with",
}

_OF_ONE_SOURCE: Final[dict[Relationship, Relationship]] = {
    "equal-to": "superset-of",
    "equivalent-to": "superset-of",
    "superset-of": "superset-of",
    "subset-of": "intersects-with",
    "intersects-with": "intersects-with",
}
"""One source, several targets that together are what is said: what the source is to each of them."""

_OF_ONE_TARGET: Final[dict[Relationship, Relationship]] = {
    "equal-to": "subset-of",
    "equivalent-to": "subset-of",
    "subset-of": "subset-of",
    "superset-of": "intersects-with",
    "intersects-with": "intersects-with",
}
"""Several sources that together are what is said, one target: what each of them is to the target."""

STRENGTH: Final[dict[Relationship, int]] = {
    "equal-to": 4,
    "equivalent-to": 4,
    "superset-of": 3,
    "subset-of": 2,
    "intersects-with": 1,
    "no-relationship": 0,
}
"""How far evidence may flow, from all the way to not at all."""


def in_a_row(first: Relationship, second: Relationship) -> Relationship | None:
    """Say what `a` is to `c` where `a` is `first` to `b`, and `b` is `second` to `c`.

    Parameters
    ----------
    first, second : Relationship
        In the direction of the walk.

    Returns
    -------
    Relationship or None
        The strongest statement that follows; None where nothing follows.
    """
    if "no-relationship" in {first, second}:
        return None
    if first in _EQUAL:
        return "equivalent-to" if second in _EQUAL and first != second else second
    if second in _EQUAL:
        return first
    return _IN_A_ROW.get((first, second))


def one_to_one(mapping: Mapping) -> Relationship | None:
    """Say what each single source of a mapping is to each single target.

    Where sources or targets are only together what the mapping says, who wrote them there is taken to mean that each
    has something in common with the other side.

    Parameters
    ----------
    mapping : Mapping
        With one or several sources and targets.

    Returns
    -------
    Relationship or None
        None for ``no-relationship``.
    """
    said = mapping.relationship
    many_sources, many_targets = len(mapping.sources) > 1, len(mapping.targets) > 1
    if said == "no-relationship":
        return None
    if many_sources and many_targets:
        return "intersects-with"
    if many_sources:
        return _OF_ONE_TARGET[said]
    return _OF_ONE_SOURCE[said] if many_targets else said


def covers_together(mapping: Mapping) -> bool:
    """Tell whether all the sources of a mapping, met together, cover each of its targets whole."""
    return mapping.relationship in {*_EQUAL, "superset-of"}
