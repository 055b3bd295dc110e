"""The stack as a graph: systems, the components in their stacks, and the components that these need.

What is needed is written as conditions that must all hold, each a choice of components any one of which is enough. A
need points down, from the system to what carries it; the graph has no cycles (`cycles` finds them before it is built).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from shinrai.records import (
    Component,
    Embedded,
    Endpoint,
    Guard,
    Id,
    Need,
    Part,
    PartType,
    PluginModel,
    Predictor,
    Supplied,
    SupplyFacts,
    System,
    Text,
)

NodeType: TypeAlias = PartType | Literal["system"]


@dataclass(frozen=True, slots=True)
class Node:
    """A system or a component.

    Parameters
    ----------
    key : str
        ``system/`` for a system, ``system/component`` for a component of its stack, the id for one of ``components/``.
    type : NodeType
    title : Text
    system : Id or None
        The system that it is or belongs to; None for what systems share.
    facts : SupplyFacts or None
        None for a system.
    needs : tuple of tuple of str
        Keys: one of each inner tuple has to be there.
    """

    key: str
    type: NodeType
    title: Text
    system: Id | None
    facts: SupplyFacts | None
    needs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StackGraph:
    """All systems of a workspace and everything under them.

    Parameters
    ----------
    nodes : dict
        Key → node; systems first, each with its stack, then the shared components, all in the order of their files.
    """

    nodes: dict[str, Node]

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Keys of the systems."""
        return tuple(key for key, node in self.nodes.items() if node.type == "system")

    @cached_property
    def order(self) -> dict[str, int]:
        """Key of a system → its place among the systems, from 0."""
        return {key: place for place, key in enumerate(self.systems)}

    @cached_property
    def users(self) -> dict[str, tuple[str, ...]]:
        """Key → keys of the nodes that name it in their needs, each once."""
        found: dict[str, dict[str, None]] = {key: {} for key in self.nodes}
        for key, node in self.nodes.items():
            for choice in node.needs:
                for name in choice:
                    found[name][key] = None
        return {key: tuple(above) for key, above in found.items()}

    @cached_property
    def downward(self) -> tuple[str, ...]:
        """All keys so ordered that everything stands before what it needs."""
        waiting = {key: len(above) for key, above in self.users.items()}
        ready = [key for key, count in waiting.items() if not count]
        for key in ready:  # grows while it is gone through
            for name in _named(self.nodes[key]):
                waiting[name] -= 1
                if not waiting[name]:
                    ready.append(name)
        return tuple(ready)

    @cached_property
    def under(self) -> dict[str, tuple[str, ...]]:
        """Key of a system → everything that it needs, as `below` gives it."""
        return {system: tuple(self.below(system)) for system in self.systems}

    def below(self, key: str) -> list[str]:
        """Give everything that a node needs, directly or not, nearest first, without itself."""
        seen = {key: None}
        queue = [key]
        for one in queue:
            for name in _named(self.nodes[one]):
                if name not in seen:
                    seen[name] = None
                    queue.append(name)
        return queue[1:]

    def above(self, key: str) -> list[str]:
        """Give everything that needs a node, directly or not, nearest first, without itself."""
        seen = {key: None}
        queue = [key]
        for one in queue:
            for name in self.users[one]:
                if name not in seen:
                    seen[name] = None
                    queue.append(name)
        return queue[1:]

    def path(self, start: str, end: str) -> tuple[str, ...]:
        """Give a shortest way down from one node to another, both included; empty where there is none.

        Of several shortest ways it is the one that the files name first.
        """
        before: dict[str, str | None] = {start: None}
        queue = [start]
        for key in queue:
            if key == end:
                break
            for name in _named(self.nodes[key]):
                if name not in before:
                    before[name] = key
                    queue.append(name)
        if end not in before:
            return ()
        way: list[str] = []
        step: str | None = end
        while step is not None:
            way.append(step)
            step = before[step]
        return tuple(reversed(way))


def _named(node: Node) -> dict[str, None]:
    return dict.fromkeys(name for choice in node.needs for name in choice)


def choices(needs: Iterable[Need]) -> tuple[tuple[Id, ...], ...]:
    """Write every need as a choice, those of one component included."""
    return tuple((need,) if isinstance(need, str) else need for need in needs)


def stack_graph(systems: Iterable[System], components: Mapping[Id, Part]) -> StackGraph:
    """Build the graph.

    Parameters
    ----------
    systems : iterable of System
        With needs that `components` has.
    components : mapping
        Id → shared component; free of cycles.

    Returns
    -------
    StackGraph
    """
    nodes: dict[str, Node] = {}
    for system in systems:
        own = [_stack_node(system.id, part) for part in system.stack]
        needs = (*((node.key,) for node in own), *choices(system.needs))
        nodes[f"{system.id}/"] = Node(f"{system.id}/", "system", system.title, system.id, None, needs)
        nodes.update((node.key, node) for node in own)
    for name, part in components.items():
        nodes[name] = Node(name, part.type, part.title, None, part, choices(part.needs))
    return StackGraph(nodes)


def _stack_node(system: Id, part: Component) -> Node:
    return Node(f"{system}/{part.id}", _type(part), part.title or Text(en=part.id), system, part, choices(part.needs))


def _type(part: Component) -> PartType:
    if isinstance(part, Endpoint):
        return "service"
    if isinstance(part, Embedded | Predictor | PluginModel):
        return "model"
    return "guard" if isinstance(part, Guard) else "application"


def closure(system: System, components: Mapping[Id, Part]) -> dict[Id, Part]:
    """Give the shared components that a system needs, directly or not, by id."""
    wanted = [need for part in (system, *system.stack) for choice in choices(part.needs) for need in choice]
    found: dict[Id, Part] = {}
    for name in wanted:  # grows while it is gone through
        if name not in found:
            found[name] = components[name]
            wanted += [need for choice in choices(components[name].needs) for need in choice]
    return {name: found[name] for name in sorted(found)}


def delivered(system: System, components: Mapping[Id, Part]) -> dict[Id, Supplied]:
    """Give what the shared components that a system needs were delivered as, by id."""
    return {
        name: Supplied(version=part.version, digest=part.digest) for name, part in closure(system, components).items()
    }


def cycles(needs: Mapping[Id, Iterable[Id]]) -> Iterator[tuple[Id, ...]]:
    """Find cycles: one for each need that leads back to a component on the way to it.

    Parameters
    ----------
    needs : mapping
        Component → what it needs; names that are no keys lead nowhere.

    Yields
    ------
    tuple
        The components of a cycle; the last one needs the first.
    """
    done: set[Id] = set()
    for start in needs:
        way: dict[Id, Iterator[Id]] = {}
        if start not in done:
            way[start] = iter(tuple(needs[start]))
        while way:
            here = next(reversed(way))
            for name in way[here]:
                if name in way:
                    around = list(way)
                    yield tuple(around[around.index(name) :])
                elif name in needs and name not in done:
                    way[name] = iter(tuple(needs[name]))
                    break
            else:
                done.add(here)
                del way[here]
