"""The difference of two JSON values as a JSON Patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Iterator

from shinrai.records import Json


def json_patch(before: Json, after: Json) -> list[dict[str, Json]]:
    """Give operations that make one JSON value of another.

    Parameters
    ----------
    before, after : JSON value
        Of plain dicts, lists, texts, numbers, booleans and None.

    Returns
    -------
    list of dict
        Operations ``add``, ``remove`` and ``replace`` of RFC 6902, to be carried out in their order. Empty where the
        values are equal; 1 and 1.0 and True are three values.
    """
    return list(_between(before, after, ""))


def _between(before: Json, after: Json, path: str) -> Iterator[dict[str, Json]]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif not _same(before, after):
        yield {"op": "replace", "path": path, "value": after}


def _of_objects(before: dict[str, Json], after: dict[str, Json], path: str) -> Iterator[dict[str, Json]]:
    for key, old in before.items():
        here = f"{path}/{_escaped(key)}"
        if key in after:
            yield from _between(old, after[key], here)
        else:
            yield {"op": "remove", "path": here}
    for key, new in after.items():
        if key not in before:
            yield {"op": "add", "path": f"{path}/{_escaped(key)}", "value": new}


def _of_lists(before: list[Json], after: list[Json], path: str) -> Iterator[dict[str, Json]]:
    """Keep what is the same at both ends, so that an entry put in the middle is one operation."""
    head = 0
    while head < min(len(before), len(after)) and _same(before[head], after[head]):
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and _same(before[-1 - tail], after[-1 - tail]):
        tail += 1
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    shared = min(len(old), len(new))
    for at in range(shared):
        yield from _between(old[at], new[at], f"{path}/{head + at}")
    for at in range(len(old) - 1, shared - 1, -1):
        yield {"op": "remove", "path": f"{path}/{head + at}"}
    for at in range(shared, len(new)):
        yield {"op": "add", "path": f"{path}/{head + at}", "value": new[at]}


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
