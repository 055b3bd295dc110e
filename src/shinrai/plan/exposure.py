"""What a system loses when a component, a supplier or a country falls away; and how soon that could be made good.

Pure functions of the graph. A node fails when it is gone itself, or when all components of one of its choices have
failed; so a component with an alternative takes nothing with it as long as the alternative stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from shinrai.records import Id, Instructions, Json, Openness, SupplyFacts
from shinrai.workspace import Node, StackGraph

Dimension: TypeAlias = Literal["supplier", "supplier-country", "processing-country"]

DIMENSIONS: tuple[Dimension, ...] = ("supplier", "supplier-country", "processing-country")


def failing(graph: StackGraph, gone: Iterable[str]) -> set[str]:
    """Give everything that fails when some nodes are gone.

    Parameters
    ----------
    graph : StackGraph
        As built.
    gone : iterable of str
        Keys of nodes.

    Returns
    -------
    set of str
        Keys, those that are gone included.
    """
    lost = set(gone)
    queue = list(lost)
    for key in queue:  # grows while it is gone through
        for above in graph.users[key]:
            if above not in lost and _fails(graph.nodes[above], key, lost):
                lost.add(above)
                queue.append(above)
    return lost


def _fails(node: Node, below: str, lost: Collection[str]) -> bool:
    return any(below in choice and all(name in lost for name in choice) for choice in node.needs)


@dataclass(frozen=True, slots=True)
class Reached:
    """A system that a component reaches.

    Parameters
    ----------
    system : Id
    path : tuple of str
        Keys from the system down to the component, a shortest way.
    lost : bool
        Whether the system fails with the component; otherwise an alternative stands in.
    """

    system: Id
    path: tuple[str, ...]
    lost: bool

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {"system": self.system, "path": list(self.path), "lost": self.lost}


def blast_radius(graph: StackGraph, key: str) -> tuple[Reached, ...]:
    """Give every system that a component reaches, in the order of the systems.

    Parameters
    ----------
    graph : StackGraph
        As built.
    key : str
        Of a component.

    Returns
    -------
    tuple of Reached
    """
    above, lost = {key, *graph.above(key)}, failing(graph, [key])
    return tuple(
        Reached(_system(graph, name), graph.path(name, key), name in lost) for name in graph.systems if name in above
    )


def _system(graph: StackGraph, key: str) -> Id:
    return graph.nodes[key].system or ""


def _systems(graph: StackGraph, keys: set[str]) -> tuple[Id, ...]:
    """Pick the systems out of keys, in the order of the systems."""
    return tuple(_system(graph, key) for key in sorted(keys & graph.order.keys(), key=graph.order.__getitem__))


@dataclass(frozen=True, slots=True)
class SinglePoint:
    """A component whose loss alone stops at least one system.

    Parameters
    ----------
    key : str
    systems : tuple of Id
        The systems that stop.
    days : int or None
        Working days until a substitute stands in; None where none is named.
    """

    key: str
    systems: tuple[Id, ...]
    days: int | None

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {"component": self.key, "systems": list(self.systems), "days": self.days}


def single_points(graph: StackGraph) -> tuple[SinglePoint, ...]:
    """Find every component whose loss alone stops a system, those that stop most systems first.

    Where a graph has alternatives only, these are the dominators of a system's way down to what carries it; with
    several conditions at once they are the one-element cut sets of its fault tree.

    Parameters
    ----------
    graph : StackGraph
        As built.

    Returns
    -------
    tuple of SinglePoint
        Components of equal weight in the order of their keys.
    """
    found = []
    for key, node in graph.nodes.items():
        if is_supplied(node):
            systems = _systems(graph, failing(graph, [key]))
            if systems:
                found.append(SinglePoint(key, systems, days_to_replace(node.facts)))
    return tuple(sorted(found, key=lambda one: (-len(one.systems), one.key)))


def is_supplied(node: Node) -> bool:
    """Tell whether a node is a component that somebody supplies: no system, no instructions, no step of a person."""
    return node.facts is not None and node.type != "human" and not isinstance(node.facts, Instructions)


def days_to_replace(facts: SupplyFacts | None) -> int | None:
    """Give the days that the quickest substitute takes; None where there is none or none is known."""
    named = facts.substitutes if facts is not None else None
    return min((one.days for one in named), default=None) if named else None


@dataclass(frozen=True, slots=True)
class Holder:
    """A supplier or a country, and what hangs on it.

    Parameters
    ----------
    name : str
    share : float
        Of all that is supplied, in [0, 1]: every system counts the same, and within it every component.
    components : int
        Components that it supplies or carries.
    uses : int
        Systems that reach one of them.
    lost : int
        Systems that stop when it stops.
    """

    name: str
    share: float
    components: int
    uses: int
    lost: int

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {name: getattr(self, name) for name in ("name", "share", "components", "uses", "lost")}


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much hangs on few.

    Parameters
    ----------
    dimension : Dimension
    holders : tuple of Holder
        Those with the most first; their shares and `unknown` make 1, or 0 where nothing is supplied.
    unknown : float
        Share of what nobody has stated, in [0, 1].
    low, high : float
        Herfindahl index (the sum of squared shares, in [0, 1]; 1 is everything in one hand) where what is unknown is
        in many hands, and where all of it is in the hand that already has most. Equal where nothing is unknown.
    """

    dimension: Dimension
    holders: tuple[Holder, ...]
    unknown: float
    low: float
    high: float

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "dimension": self.dimension,
            "herfindahl": {"low": self.low, "high": self.high},
            "unknown": self.unknown,
            "holders": [one.to_json() for one in self.holders],
        }


def concentration(graph: StackGraph, dimension: Dimension, only: str | None = None) -> Concentration:
    """Measure how much hangs on few suppliers or countries.

    Parameters
    ----------
    graph : StackGraph
        As built.
    dimension : Dimension
        A component that is processed in several countries counts for each of them in equal parts, and stops with a
        country only where it runs in no other.
    only : str, optional
        Type of component to look at; all that are supplied when left out.

    Returns
    -------
    Concentration
    """
    hands = _HANDS[dimension]
    held = {key: hands(node.facts) for key, node in graph.nodes.items() if is_supplied(node) and node.facts}
    held = {key: names for key, names in held.items() if only in {None, graph.nodes[key].type}}
    shares, unknown, uses = _shares(graph, held)
    supplied: dict[str, list[str]] = {}
    for key, names in held.items():
        for name in names:
            supplied.setdefault(name, []).append(key)
    holders = []
    for name, share in shares.items():
        stopped = failing(graph, [key for key in supplied[name] if len(held[key]) == 1])
        lost = len(stopped & graph.order.keys())
        holders.append(Holder(name, float(share), len(supplied[name]), uses[name], lost))
    holders.sort(key=lambda one: (-one.share, one.name))
    squares = sum((share * share for share in shares.values()), Fraction(0))
    top = max(shares.values(), default=Fraction(0))
    high = squares - top * top + (top + unknown) ** 2
    return Concentration(dimension, tuple(holders), float(unknown), float(squares), float(high))


def _shares(
    graph: StackGraph, held: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, Fraction], Fraction, Counter[str]]:
    """Share out one unit for each system with anything supplied; exact, so that the order of adding changes nothing."""
    below = {system: [key for key in keys if key in held] for system, keys in graph.under.items()}
    with_any = [keys for keys in below.values() if keys]
    amounts: Counter[tuple[str | None, int]] = Counter()
    uses: Counter[str] = Counter()
    for keys in with_any:
        for key in keys:
            names = held[key]
            amounts.update((name, len(keys) * len(names)) for name in names)
            amounts.update([(None, len(keys))] if not names else [])
        uses.update({name for key in keys for name in held[key]})
    shares: dict[str, Fraction] = {}
    unknown = Fraction(0)
    for (name, parts), count in amounts.items():
        amount = Fraction(count, parts * len(with_any))
        if name is None:
            unknown += amount
        else:
            shares[name] = shares.get(name, Fraction(0)) + amount
    return shares, unknown, uses


def _supplier(facts: SupplyFacts) -> tuple[str, ...]:
    return (facts.supplier,) if facts.supplier else ()


def _supplier_country(facts: SupplyFacts) -> tuple[str, ...]:
    return (facts.supplier_country,) if facts.supplier_country else ()


def _processing(facts: SupplyFacts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(facts.processing or ()))


_HANDS: dict[Dimension, Callable[[SupplyFacts], tuple[str, ...]]] = {
    "supplier": _supplier,
    "supplier-country": _supplier_country,
    "processing-country": _processing,
}


@dataclass(frozen=True, slots=True)
class Replaceable:
    """How much could be replaced within some days.

    Parameters
    ----------
    days : int
        Working days allowed.
    components : int
        Components that systems use and somebody supplies.
    quick : int
        Of these: a substitute stands in within the days.
    slow : int
        A substitute is named, but takes longer.
    none : int
        It is said that nothing could take its place.
    unknown : int
        Nothing is said.
    systems : int
        Systems.
    systems_quick : int
        Of these: every single point of failure has a substitute within the days.
    """

    days: int
    components: int
    quick: int
    slow: int
    none: int
    unknown: int
    systems: int
    systems_quick: int

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def replaceable(graph: StackGraph, points: Iterable[SinglePoint], days: int) -> Replaceable:
    """Count what could be replaced within some days.

    Parameters
    ----------
    graph : StackGraph
        As built.
    points : iterable of SinglePoint
        As `single_points` gives them.
    days : int
        Working days allowed, from 0 up.

    Returns
    -------
    Replaceable
    """
    used = [node.facts for node in in_use(graph)]
    found = Counter(_replacement(facts, days) for facts in used)
    stuck = {system for one in points if one.days is None or one.days > days for system in one.systems}
    systems = len(graph.systems)
    return Replaceable(
        days=days,
        components=len(used),
        quick=found["quick"],
        slow=found["slow"],
        none=found["none"],
        unknown=found["unknown"],
        systems=systems,
        systems_quick=systems - len(stuck),
    )


def _replacement(facts: SupplyFacts | None, days: int) -> str:
    if facts is None or facts.substitutes is None:
        return "unknown"
    quickest = days_to_replace(facts)
    if quickest is None:
        return "none"
    return "quick" if quickest <= days else "slow"


def in_use(graph: StackGraph) -> list[Node]:
    """Give the components that somebody supplies and at least one system reaches, in the order of the graph."""
    reached = set(graph.systems)
    for key in graph.downward:
        if key in reached:
            reached.update(name for choice in graph.nodes[key].needs for name in choice)
    return [node for key, node in graph.nodes.items() if key in reached and is_supplied(node)]


def openness(graph: StackGraph) -> dict[Openness | None, int]:
    """Count the components in use by openness; those of which it is not stated stand under None."""
    kinds: tuple[Openness | None, ...] = ("open", "open-weights", "closed", None)
    counts = Counter(node.facts.openness for node in in_use(graph) if node.facts)
    return {kind: counts[kind] for kind in kinds}
