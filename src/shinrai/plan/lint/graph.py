"""A plan's chain of results: what hangs on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from shinrai.plan.lint.rules import Place
from shinrai.records import Goal, Id, IndicatorDefinition, IndicatorUse, Measure, Plan, ResultNode

CHANGES = ("outcome", "impact")
"""Levels at which something happens to somebody else."""


class Chain:
    """A plan, indexed by what its rules ask for.

    Parameters
    ----------
    plan : Plan
    definitions : mapping
        Indicator → definition, inherited ones included.
    """

    def __init__(self, plan: Plan, definitions: Mapping[Id, IndicatorDefinition]) -> None:
        self.plan = plan
        self.definitions = definitions
        self.nodes = {node.id: node for node in plan.results}
        self.onward: dict[Id, list[Id]] = {}
        for link in plan.links:
            self.onward.setdefault(link.origin, []).append(link.to)

    @cached_property
    def measures(self) -> dict[Id, tuple[Measure, Goal, Place]]:
        """Measure → itself, its goal, and its place in the file."""
        return {
            measure.id: (measure, goal, ("goals", at, "measures", number))
            for at, goal in enumerate(self.plan.goals)
            for number, measure in enumerate(goal.measures)
        }

    @cached_property
    def belonging(self) -> dict[Id, list[Id]]:
        """Measure or goal → nodes that say that they belong to it."""
        found: dict[Id, list[Id]] = {}
        for node in self.plan.results:
            for name in node.of:
                found.setdefault(name, []).append(node.id)
        return found

    @cached_property
    def uses(self) -> dict[Id, list[IndicatorUse]]:
        """Node, goal or measure → indicators that stand for it."""
        found: dict[Id, list[IndicatorUse]] = {}
        for use in self.plan.uses:
            if use.of is not None:
                found.setdefault(use.of, []).append(use)
        return found

    def reached(self, name: Id) -> set[Id]:
        """Give the nodes of a measure or goal and every node that they lead to; cycles are walked once."""
        found: set[Id] = set()
        ahead = list(self.belonging.get(name, ()))
        while ahead:
            node = ahead.pop()
            if node not in found:
                found.add(node)
                ahead += self.onward.get(node, ())
        return found

    def changing(self) -> Iterator[tuple[int, ResultNode]]:
        """Give the outcomes and impacts with their positions."""
        return ((at, node) for at, node in enumerate(self.plan.results) if node.level in CHANGES)

    def tops(self) -> list[ResultNode]:
        """Give the outcomes and impacts that lead to no further one."""
        return [
            node
            for _at, node in self.changing()
            if not any(self.nodes[to].level in CHANGES for to in self.onward.get(node.id, ()) if to != node.id)
        ]

    def owners(self, node: ResultNode) -> set[str]:
        """Give the roles that carry out what a node belongs to."""
        measures = [self.measures[name][0] for name in node.of if name in self.measures]
        found = {self.plan.owner} if not measures else set()
        for measure in measures:
            found |= {role for role in (measure.owner, *measure.co_owners) if role}
        return found

    def level(self, use: IndicatorUse) -> str | None:
        """Give the level of the node that an indicator stands for; None for a goal, a measure or nothing."""
        node = self.nodes.get(use.of) if use.of is not None else None
        return node.level if node else None
