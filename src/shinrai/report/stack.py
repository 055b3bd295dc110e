"""The stack under all systems, gathered for people and programs: what hangs on what, and what is known against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shinrai.act import Hit, hits
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.ledger.projection import State
from shinrai.plan.exposure import (
    DIMENSIONS,
    Concentration,
    Reached,
    Replaceable,
    SinglePoint,
    blast_radius,
    concentration,
    in_use,
    openness,
    replaceable,
    single_points,
)
from shinrai.records import Json, Openness, PartType
from shinrai.workspace import Node, StackGraph


@dataclass(frozen=True, slots=True)
class Overview:
    """The stack under all systems.

    Parameters
    ----------
    graph : StackGraph
        What it is about.
    hits : tuple of Hit
        What is known against components, and where that reaches.
    points : tuple of SinglePoint
        Components whose loss alone stops a system.
    concentrations : tuple of Concentration
        By supplier, by the supplier's country, by the country of processing.
    by_type : dict
        Type of component → concentration by supplier among the components of that type.
    openness : dict
        Openness, None where it is not stated → components in use.
    replaceable : Replaceable
        What could be replaced within the days asked for.
    """

    graph: StackGraph
    hits: tuple[Hit, ...]
    points: tuple[SinglePoint, ...]
    concentrations: tuple[Concentration, ...]
    by_type: dict[PartType, Concentration]
    openness: dict[Openness | None, int]
    replaceable: Replaceable

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "systems": len(self.graph.systems),
            "components": self.replaceable.components,
            "hits": [one.to_json() for one in self.hits],
            "single_points": [one.to_json() for one in self.points],
            "concentration": [one.to_json() for one in self.concentrations],
            "concentration_by_type": {kind: one.to_json() for kind, one in self.by_type.items()},
            "openness": {kind or "unknown": count for kind, count in self.openness.items()},
            "replaceable": self.replaceable.to_json(),
        }


def overview(graph: StackGraph, state: State, today: date, days: int) -> Overview:
    """Gather the stack under all systems.

    Parameters
    ----------
    graph : StackGraph
        As built.
    state : State
        Of the ledger: its open findings.
    today : date
        For support that ended and notices that are resolved.
    days : int
        Working days allowed for replacing a component.

    Returns
    -------
    Overview
    """
    points = single_points(graph)
    kinds = dict.fromkeys(node.type for node in in_use(graph))
    return Overview(
        graph=graph,
        hits=hits(graph, state, today),
        points=points,
        concentrations=tuple(concentration(graph, dimension) for dimension in DIMENSIONS),
        by_type={kind: concentration(graph, "supplier", kind) for kind in kinds if kind != "system"},
        openness=openness(graph),
        replaceable=replaceable(graph, points, days),
    )


@dataclass(frozen=True, slots=True)
class OneComponent:
    """A component and what hangs on it.

    Parameters
    ----------
    node : Node
        The component.
    reached : tuple of Reached
        The systems that it reaches.
    hits : tuple of Hit
        What is known against it and against what it needs.
    """

    node: Node
    reached: tuple[Reached, ...]
    hits: tuple[Hit, ...]

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "component": self.node.key,
            "type": self.node.type,
            "facts": self.node.facts.to_json() if self.node.facts else None,
            "needs": [list(choice) for choice in self.node.needs],
            "systems": [one.to_json() for one in self.reached],
            "hits": [one.to_json() for one in self.hits],
        }


def one_component(graph: StackGraph, state: State, today: date, key: str) -> OneComponent:
    """Gather what hangs on a component.

    Parameters
    ----------
    graph : StackGraph
        As built.
    state : State
        Of the ledger.
    today : date
        As for `overview`.
    key : str
        Id of a shared component, or ``system/component``.

    Returns
    -------
    OneComponent

    Raises
    ------
    UsageError
        If there is no such component.
    """
    node = graph.nodes.get(key)
    if node is None or node.facts is None:
        known = [name for name, one in graph.nodes.items() if one.facts is not None]
        close = next((name for name in known if name.rpartition("/")[2] == key), None) or nearest(key, known)
        raise UsageError(
            "stack.unknown-component",
            _('there is no component "{name}"').format(name=key),
            hint=_("did you mean {name}?").format(name=close) if close else None,
        )
    below = {key, *graph.below(key)}
    known_of = tuple(one for one in hits(graph, state, today) if one.component in below)
    return OneComponent(node, blast_radius(graph, key), known_of)
