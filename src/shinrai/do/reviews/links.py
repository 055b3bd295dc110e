"""File 3-2: which goal leads to which, in the ministries' own words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from shinrai.do.reviews.cells import is_nothing, project_number, text
from shinrai.do.reviews.goals import LEVELS, Level, word
from shinrai.do.reviews.notices import Kind, Notice, Notices
from shinrai.do.reviews.rows import ReviewFile

NodeKey: TypeAlias = tuple[str, str, Level]
"""Project, number of the node, level."""


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow of a project's logic model.

    Parameters
    ----------
    source, target : tuple
        Project, number and level of the nodes.
    mechanism : str
        How the one leads to the other, as the ministry puts it; empty where it says nothing.
    line : int
    """

    source: NodeKey
    target: NodeKey
    mechanism: str
    line: int


def read_links(file: ReviewFile, notices: Notices) -> tuple[list[Link], dict[str, str]]:
    """Read a file 3-2.

    Parameters
    ----------
    file : ReviewFile
        At its first row.
    notices : Notices
        Receives rows that stand there twice.

    Returns
    -------
    tuple
        The links, each once; and project → its reason for not setting outcomes in several stages, where it gives one.
    """
    links: dict[tuple[NodeKey, NodeKey], Link] = {}
    reasons: dict[str, str] = {}
    at, headers = file.binding.at, file.binding.headers
    for row in file.rows():
        project = project_number(row[at["project"]].strip())
        if project is None:
            found = row[at["project"]].strip()
            notices.add(Notice("no-project-number", file.name, file.line, headers[at["project"]], "", found))
            continue
        reason = text(row[at["why_one_stage"]])
        if reason:
            reasons.setdefault(project, reason)
        ends = [_end(file, row, project, side, notices) for side in ("from", "to")]
        source, target = ends
        if source is None or target is None:
            continue
        _add(links, Link(source, target, text(row[at["mechanism"]]), file.line), file.name, notices)
    return list(links.values()), reasons


def _end(file: ReviewFile, row: list[str], project: str, side: str, notices: Notices) -> NodeKey | None:
    """Give one end of a row; None where the row names none, as rows do that only hold a reason."""
    at = file.binding.at
    cell = row[at[f"{side}_level"]].strip()
    if is_nothing(cell):
        return None
    level = LEVELS.get(word(cell))
    if level is None:
        header = file.binding.headers[at[f"{side}_level"]]
        notices.add(Notice("unknown-word", file.name, file.line, header, project, cell))
        return None
    return project, text(row[at[f"{side}_number"]]), level


def _add(links: dict[tuple[NodeKey, NodeKey], Link], link: Link, file: str, notices: Notices) -> None:
    ends = link.source, link.target
    first = links.setdefault(ends, link)
    if first is not link:
        kind: Kind = "row-twice" if first.mechanism == link.mechanism else "row-conflict"
        arrow = f"{link.source[1]} → {link.target[1]}"
        notices.add(Notice(kind, file, link.line, "", link.source[0], arrow, str(first.line)))


def check_links(links: Iterable[Link], nodes: Collection[NodeKey], file: str, notices: Notices) -> list[Link]:
    """Keep the links whose ends are there, and name the others and the cycles.

    Parameters
    ----------
    links : iterable of Link
        Of all projects.
    nodes : collection
        Those of file 3-1.
    file : str
        Name of the file 3-2.
    notices : Notices
        Receives links to nodes that are not there, and links of cycles.

    Returns
    -------
    list of Link
        Those whose ends both are in `nodes`. Links of a cycle stay: a cycle is odd, not impossible.
    """
    kept = []
    for link in links:
        missing = [end for end in (link.source, link.target) if end not in nodes]
        for end in missing:
            notices.add(Notice("unknown-node", file, link.line, "", end[0], f"{end[2]} {end[1]}".strip()))
        if not missing:
            kept.append(link)
    cyclic = _on_cycles(kept)
    for link in kept:
        if link.source in cyclic and link.target in cyclic:
            arrow = f"{link.source[1]} → {link.target[1]}"
            notices.add(Notice("cycle", file, link.line, "", link.source[0], arrow))
    return kept


def _on_cycles(links: Iterable[Link]) -> set[NodeKey]:
    """Take away what nothing leads to, then what leads nowhere; what stays is on or between cycles."""
    ahead = [(link.source, link.target) for link in links]
    fed = _without_starts(ahead)
    back = [(target, source) for source, target in ahead if source in fed and target in fed]
    return _without_starts(back)


def _without_starts(arrows: Iterable[tuple[NodeKey, NodeKey]]) -> set[NodeKey]:
    """Take away, again and again, the nodes that no arrow ends at, with their arrows."""
    onward: dict[NodeKey, list[NodeKey]] = {}
    inward: dict[NodeKey, int] = {}
    for start, end in arrows:
        onward.setdefault(start, []).append(end)
        inward[end] = inward.get(end, 0) + 1
    bare = [node for node in onward if node not in inward]
    while bare:
        for end in onward.pop(bare.pop(), ()):
            inward[end] -= 1
            if not inward[end]:
                del inward[end]
                bare.append(end)
    return set(inward)
