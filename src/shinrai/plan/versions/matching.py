"""Which entry of the new version is which of the old one: by id, by former ids, by what it says it replaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from shinrai.records import PlanEntry

T = TypeVar("T")
E = TypeVar("E", bound=PlanEntry)


@dataclass(frozen=True, slots=True)
class Matched(Generic[T]):
    """Two versions of a list of things, side by side.

    Parameters
    ----------
    pairs : list of (T, T)
        Old and new, in the order of the new version.
    gone, new : list of T
        Without a counterpart, splits and mergers not counted.
    split : list of (T, tuple of T)
        What was split, and into what.
    merged : list of (tuple of T, T)
        What was merged, and into what.
    """

    pairs: list[tuple[T, T]]
    gone: list[T]
    new: list[T]
    split: list[tuple[T, tuple[T, ...]]]
    merged: list[tuple[tuple[T, ...], T]]


def by_id(old: Mapping[str, T], new: Mapping[str, T]) -> Matched[T]:
    """Match things that have no history of their own: only the same id is the same thing."""
    pairs = [(old[name], one) for name, one in new.items() if name in old]
    gone = [one for name, one in old.items() if name not in new]
    return Matched(pairs, gone, [one for name, one in new.items() if name not in old], [], [])


def by_history(old: Iterable[E], new: Iterable[E]) -> Matched[E]:
    """Match entries of a plan.

    An id that is the same, or that the new entry once had, is the same entry. An entry that alone replaces a single one
    takes its place; several that replace one are its parts; one that replaces several is their merger.

    Parameters
    ----------
    old, new : iterable of PlanEntry
        Of one kind.

    Returns
    -------
    Matched
    """
    before = {entry.id: entry for entry in old}
    after = {entry.id: entry for entry in new}
    former = {name: entry.id for entry in after.values() for name in entry.also_known_as}
    heirs: dict[str, list[str]] = {}
    for entry in after.values():
        for name in entry.replaces:
            if name in before:
                heirs.setdefault(name, []).append(entry.id)
    split = {name: ids for name, ids in heirs.items() if len({*ids, *_itself(name, after, former)}) > 1}
    merged = {
        entry.id: [name for name in entry.replaces if name in before]
        for entry in after.values()
        if len([name for name in entry.replaces if name in before]) > 1
    }
    partner = _partners(before, after, former, heirs)
    paired = {new_id: old_id for old_id, new_id in partner.items()}
    used_old = {*partner, *split, *(name for names in merged.values() for name in names)}
    used_new = {*paired, *merged, *(heir for ids in split.values() for heir in ids)}
    return Matched(
        [(before[paired[name]], entry) for name, entry in after.items() if name in paired],
        [entry for name, entry in before.items() if name not in used_old],
        [entry for name, entry in after.items() if name not in used_new],
        [
            (before[name], tuple(after[one] for one in dict.fromkeys((*_itself(name, after, former), *ids))))
            for name, ids in split.items()
        ],
        [(tuple(before[name] for name in names), after[heir]) for heir, names in merged.items()],
    )


def _itself(name: str, after: Mapping[str, E], former: Mapping[str, str]) -> list[str]:
    """Give the id under which an old entry lives on, if it does."""
    if name in after:
        return [name]
    return [former[name]] if name in former else []


def _partners(
    before: Mapping[str, E], after: Mapping[str, E], former: Mapping[str, str], heirs: Mapping[str, list[str]]
) -> dict[str, str]:
    """Give old id → new id for entries that are the same, each new one at most once."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in before:
        same = _itself(name, after, former)
        if same and same[0] not in taken:
            found[name] = same[0]
            taken.add(same[0])
    for name, ids in heirs.items():
        sole = len(ids) == 1 and [old for old in after[ids[0]].replaces if old in before] == [name]
        if name not in found and sole and ids[0] not in taken:
            found[name] = ids[0]
            taken.add(ids[0])
    return found
