"""What is known against a component, and every system that it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from shinrai.ledger.projection import State
from shinrai.records import Id, Json, Text
from shinrai.workspace import Node, StackGraph

Cause: TypeAlias = Literal["notice", "support", "finding"]
"""
notice   something is known against the component
support  its supplier no longer looks after it
finding  a promise about a system that uses it is broken; the component may be why
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that hits a component.

    Parameters
    ----------
    component : str
        Its key in the graph.
    cause : Cause
    name : str
        Id of the notice or the finding; the day on which support ended.
    title : Text, optional
        Of the notice.
    severity : str, optional
        Of the notice, where it is stated.
    system : Id, optional
        For a finding: the system on which it was found.
    paths : tuple of tuple of str
        For each system that is reached, in the order of the systems: the keys from the system down to the component.
    """

    component: str
    cause: Cause
    name: str
    title: Text | None = None
    severity: str | None = None
    system: Id | None = None
    paths: tuple[tuple[str, ...], ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "component": self.component,
            "cause": self.cause,
            "name": self.name,
            "title": self.title.to_json() if self.title else None,
            "severity": self.severity,
            "system": self.system,
            "systems": [{"system": way[0].rstrip("/"), "path": list(way)} for way in self.paths],
        }


def hits(graph: StackGraph, state: State, today: date) -> tuple[Hit, ...]:
    """Find everything that is known against components that systems use.

    Parameters
    ----------
    graph : StackGraph
        As built.
    state : State
        Of the ledger: its open findings.
    today : date
        Notices resolved, and support that ended, before this day.

    Returns
    -------
    tuple of Hit
        In the order of the graph; findings after what is known of the component itself. A finding hits the shared
        models under the system that it was found on, and is listed where another system uses one of them, too.
    """
    by_model = _findings(graph, state)
    found = []
    for key, node in graph.nodes.items():
        known = [*_known(node, today), *by_model.get(key, ())]
        if known:
            above = {key, *graph.above(key)}
            paths = tuple(graph.path(one, key) for one in graph.systems if one in above)
            found += [replace(one, paths=paths) for one in known if len(paths) > (one.cause == "finding")]
    return tuple(found)


def _known(node: Node, today: date) -> Iterator[Hit]:
    """Give what is known of a component itself."""
    if node.facts is None:
        return
    for notice in node.facts.notices:
        if notice.resolved is None or notice.resolved > today:
            yield Hit(node.key, "notice", notice.id, title=notice.title, severity=notice.severity)
    if node.facts.support_end is not None and node.facts.support_end < today:
        yield Hit(node.key, "support", node.facts.support_end.isoformat())


def _findings(graph: StackGraph, state: State) -> dict[str, list[Hit]]:
    """Model that systems share → open findings on systems that use it."""
    found: dict[str, list[Hit]] = {}
    for finding in state.open_findings():
        for key in _shared_models(graph, f"{finding.system}/"):
            found.setdefault(key, []).append(Hit(key, "finding", finding.id, system=finding.system))
    return found


def _shared_models(graph: StackGraph, system: str) -> Iterator[str]:
    if system in graph.nodes:
        for key in graph.below(system):
            if graph.nodes[key].type == "model" and graph.nodes[key].system is None:
                yield key
