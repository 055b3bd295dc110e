"""Pictures of the stack as SVG: what needs what, and how much hangs on few.

Both languages stand in one drawing; the page shows one of them. Places follow from the graph alone, so that equal
workspaces give equal bytes.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import escape

from shinrai.i18n import LANGUAGES, translate
from shinrai.plan.exposure import Concentration
from shinrai.records import Text
from shinrai.report.stack import Overview
from shinrai.report.stack_words import TYPES, index, share
from shinrai.report.words import N_
from shinrai.workspace import Node, StackGraph

_BOX, _TALL, _GAP, _ROW, _PAD = 208.0, 46.0, 76.0, 62.0, 10.0
_ROOMY = 300.0
"""Width of a box in a picture of few columns, so that names stand there in full."""
_FEW = 3
_LETTER, _WIDE_LETTER = 8.3, 1.7
"""Room that a half-width letter of a name takes, and how many of these a full-width one does."""
_MOST = 60
"""Nodes drawn one by one; beyond that, systems that need the same are drawn as one."""
_MOST_SHARED = 36
_SWEEPS = 4
_SHRUNK = 0.82
"""Of its full size, that a picture is drawn at."""


@dataclass(frozen=True, slots=True)
class _Box:
    """A node as it is drawn."""

    key: str
    title: Text
    line: Text
    marks: tuple[str, ...]
    kind: str


def stack_picture(found: Overview) -> str:
    """Draw what needs what: systems on the left, what carries them on the right.

    Parameters
    ----------
    found : Overview
        What is to be seen: components against which something is known are marked ▲, those whose loss alone stops a
        system ◆ with the number of systems.

    Returns
    -------
    str
        An SVG element; nothing where there is no system. A broken line leads to one of several alternatives.
    """
    graph = found.graph
    if not graph.systems:
        return ""
    groups = _groups(graph)
    drawn = _drawn(found, groups)
    edges = _edges(graph, drawn)
    columns, ways = _columns(drawn, edges)
    box = _ROOMY if len(columns) <= _FEW else _BOX
    places = {
        key: (_PAD + number * (box + _GAP), _PAD + row * _ROW)
        for number, column in enumerate(columns)
        for row, key in enumerate(column)
    }
    wide = 2 * _PAD + len(columns) * box + (len(columns) - 1) * _GAP
    tall = 2 * _PAD + max(map(len, columns)) * _ROW - (_ROW - _TALL)
    lines = "".join(_edge([places[key] for key in ways[edge]], box, dashed) for edge, dashed in edges.items())
    boxes = "".join(_node(drawn[key], place, box) for key, place in places.items() if key in drawn)
    label = f"{len(graph.systems)} → {found.replaceable.components}"
    return (
        f'<svg class="stack" viewBox="0 0 {wide:g} {tall:g}" width="{_SHRUNK * wide:g}" role="img" '
        f'aria-label="{label}">{lines}{boxes}</svg>'
    )


# ---- what is drawn


def _groups(graph: StackGraph) -> dict[str, tuple[str, ...]]:
    """Key that is drawn → systems that it stands for: each its own, or all that need the same as one."""
    if len(graph.nodes) <= _MOST:
        return {system: (system,) for system in graph.systems}
    same: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for system in graph.systems:
        same[_shared_below(graph, system)].append(system)
    largest = sorted(same.values(), key=lambda one: (-len(one), one[0]))
    return {one[0]: tuple(one) for one in largest[: _MOST - _MOST_SHARED]}


def _shared_below(graph: StackGraph, system: str) -> tuple[str, ...]:
    """Give the shared components that a system or a component of its stack names."""
    own = [system, *(key for choice in graph.nodes[system].needs for key in choice if graph.nodes[key].system)]
    names = (name for key in own for choice in graph.nodes[key].needs for name in choice)
    return tuple(sorted({name for name in names if graph.nodes[name].system is None}))


def _drawn(found: Overview, groups: Mapping[str, tuple[str, ...]]) -> dict[str, _Box]:
    graph = found.graph
    hit = {one.component for one in found.hits}
    stops = {one.key: len(one.systems) for one in found.points}
    keys = [key for key in graph.nodes if key not in graph.order]
    if len(graph.nodes) > _MOST:
        shared = [key for key in keys if graph.nodes[key].system is None]
        shared.sort(key=lambda key: (key not in hit, -stops.get(key, 0), -len(graph.users[key]), key))
        keys = shared[:_MOST_SHARED]
    boxes = {key: _system_box(graph, key, systems) for key, systems in groups.items()}
    for key in keys:
        node = graph.nodes[key]
        marks = ("▲",) * (key in hit) + ((f"◆{stops[key]}",) if key in stops else ())
        boxes[key] = _Box(key, node.title, _line(node), marks, "hit" if key in hit else "single" if marks else "part")
    return boxes


def _system_box(graph: StackGraph, key: str, systems: tuple[str, ...]) -> _Box:
    node = graph.nodes[key]
    if len(systems) == 1:
        return _Box(key, node.title, _words(TYPES["system"]), (), "system")
    return _Box(key, _words(N_("{count} systems"), count=len(systems)), node.title, (), "system")


def _words(message: str, **values: object) -> Text:
    return Text(**{code: translate(message, code).format(**values) for code in LANGUAGES})


def _line(node: Node) -> Text:
    facts = node.facts
    known = [facts.supplier, facts.supplier_country] if facts is not None else []
    lines = {code: " · ".join([translate(TYPES[node.type], code), *filter(None, known)]) for code in LANGUAGES}
    return Text(**lines)


def _edges(graph: StackGraph, drawn: Mapping[str, _Box]) -> dict[tuple[str, str], bool]:
    """Start and end of every line → whether it leads to an alternative. What is not drawn is passed through."""
    found: dict[tuple[str, str], bool] = {}
    for start in drawn:
        seen: set[str] = set()
        queue = [(start, False)]
        for key, through in queue:  # grows while it is gone through
            for choice in graph.nodes[key].needs:
                dashed = through or len(choice) > 1
                for name in choice:
                    if name in drawn:
                        found[start, name] = found.get((start, name), True) and dashed
                    elif name not in seen:
                        seen.add(name)
                        queue.append((name, dashed))
    return found


# ---- where it is drawn


def _columns(
    drawn: Mapping[str, _Box], edges: Iterable[tuple[str, str]]
) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """Put every node to the right of all that need it, and in its column near what it is joined with.

    A line that passes a column has a place of its own there, so that it does not run behind a box.

    Returns
    -------
    tuple
        Keys by column and row; and for each line the keys of its places, both ends included.
    """
    depth = _depths(drawn, *_neighbours(edges))
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for key in drawn:
        columns[depth[key]].append(key)
    ways = {}
    for start, end in edges:
        passed = range(depth[start] + 1, depth[end])
        between = [f"{start} {end} {number}" for number in passed]
        for number, key in zip(passed, between, strict=True):
            columns[number].append(key)
        ways[start, end] = [start, *between, end]
    below, above = _neighbours(step for way in ways.values() for step in pairwise(way))
    for sweep in range(_SWEEPS):
        order = columns if sweep % 2 == 0 else columns[::-1]
        near = above if sweep % 2 == 0 else below
        place = {key: row for column in columns for row, key in enumerate(column)}
        for column in order:
            wish = {key: _mean([place[one] for one in near[key]], place[key]) for key in column}
            column.sort(key=lambda key: (wish[key], place[key], key))
            place |= {key: row for row, key in enumerate(column)}
    return columns, ways


def _neighbours(edges: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    below: dict[str, list[str]] = defaultdict(list)
    above: dict[str, list[str]] = defaultdict(list)
    for start, end in edges:
        below[start].append(end)
        above[end].append(start)
    return below, above


def _depths(
    drawn: Mapping[str, _Box], below: Mapping[str, list[str]], above: Mapping[str, list[str]]
) -> dict[str, int]:
    waiting = {key: len(above.get(key, ())) for key in drawn}
    depth = {key: int(box.kind != "system") for key, box in drawn.items()}
    ready = [key for key, count in waiting.items() if not count]
    for key in ready:  # grows while it is gone through
        for name in below.get(key, ()):
            depth[name] = max(depth[name], depth[key] + 1)
            waiting[name] -= 1
            if not waiting[name]:
                ready.append(name)
    return depth


def _mean(rows: list[int], otherwise: int) -> float:
    return sum(rows) / len(rows) if rows else float(otherwise)


# ---- how it is drawn


def _edge(way: Sequence[tuple[float, float]], box: float, dashed: bool) -> str:  # noqa: FBT001 - private
    middle = _TALL / 2
    drawn = f"M{way[0][0] + box:g},{way[0][1] + middle:g}"
    for (x, y), (to, at) in pairwise(way):
        bend = _GAP / 2
        drawn += f" C{x + box + bend:g},{y + middle:g} {to - bend:g},{at + middle:g} {to:g},{at + middle:g}"
        drawn += f" L{to + box:g},{at + middle:g}" if (to, at) != way[-1] else ""
    return f'<path class="{"need any" if dashed else "need"}" d="{drawn}"/>'


def _node(box: _Box, place: tuple[float, float], width: float) -> str:
    x, y = place
    marks = escape(" ".join(box.marks))
    letters = int((width - 18) / _LETTER)
    room = letters - (2 * len(marks) + 2 if marks else 0)
    mark = f'<text class="mark" x="{x + width - 8:g}" y="{y + 18:g}" text-anchor="end">{marks}</text>' if marks else ""
    return (
        f'<g class="{box.kind}"><title>{escape(box.key.rstrip("/"))}</title>'
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_TALL:g}" rx="6"/>'
        f"{_text(box.title, 'name', x + 9, y + 19, room)}{_text(box.line, 'line', x + 9, y + 36, letters + 5)}"
        f"{mark}</g>"
    )


def _text(text: Text, kind: str, x: float, y: float, room: int) -> str:
    return "".join(
        f'<text class="{kind}" lang="{code}" x="{x:g}" y="{y:g}">{escape(_fit(text.read(code), room))}</text>'
        for code in LANGUAGES
    )


def _fit(text: str, room: int) -> str:
    """Cut a text to the room of a number of half-width letters."""
    wide, kept = 0.0, ""
    for character in text:
        wide += _WIDE_LETTER if unicodedata.east_asian_width(character) in "WF" else 1
        if wide > room:
            return f"{kept[:-1]}…"
        kept += character
    return kept


# ---- concentration

_NAME, _BAR, _VALUE, _LINE = 112.0, 104.0, 92.0, 26.0
_HOLDERS = 8


def concentration_picture(found: Concentration, systems: int, unknown: Text) -> str:
    """Draw the shares of the largest holders, and under each the share of systems that stop with it.

    Parameters
    ----------
    found : Concentration
        Of one dimension.
    systems : int
        Number of systems.
    unknown : Text
        Word for what is not known.

    Returns
    -------
    str
        An SVG element; nothing where nothing is supplied.
    """
    shown = list(found.holders[:_HOLDERS])
    if not shown and not found.unknown:
        return ""
    rows = [_bar(number, one.name, one.share, one.lost, systems) for number, one in enumerate(shown)]
    if found.unknown:
        rows.append(_unknown_bar(len(rows), unknown, found.unknown))
    tall = len(rows) * _LINE + 4
    label = f"HHI {index(found.low, found.high)}"
    return (
        f'<svg class="hands" viewBox="0 0 {_NAME + _BAR + _VALUE:g} {tall:g}" role="img" aria-label="{label}">'
        f"{''.join(rows)}</svg>"
    )


def _bar(number: int, name: str, part: float, lost: int, systems: int) -> str:
    y = number * _LINE + 3
    stopped = lost / systems if systems else 0.0
    return (
        f'<text class="tick" x="0" y="{y + 13:g}">{escape(_fit(name, 16))}</text>'
        f'<rect class="held" x="{_NAME:g}" y="{y:g}" width="{_BAR * part:.1f}" height="10"/>'
        f'<rect class="lost" x="{_NAME:g}" y="{y + 12:g}" width="{_BAR * stopped:.1f}" height="6"/>'
        f'<text class="tick" x="{_NAME + _BAR + 8:g}" y="{y + 13:g}">{share(part)} · {lost}/{systems}</text>'
    )


def _unknown_bar(number: int, word: Text, part: float) -> str:
    y = number * _LINE + 3
    return (
        f"{_text(word, 'tick', 0, y + 13, 16)}"
        f'<rect class="unheld" x="{_NAME:g}" y="{y:g}" width="{_BAR * part:.1f}" height="10"/>'
        f'<text class="tick" x="{_NAME + _BAR + 8:g}" y="{y + 13:g}">{share(part)}</text>'
    )
