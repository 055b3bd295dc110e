"""Along the crosswalks: everything that an entry, or a check, says something about, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shinrai.records import CHECKS, INVERSE, Crosswalk, Id, Relationship
from shinrai.rules.algebra import STRENGTH, covers_together, in_a_row, one_to_one

MAX_HOPS = 3
"""Crosswalks in a row at most; each is one more reading by somebody."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step along a crosswalk.

    Parameters
    ----------
    crosswalk : Id
    source, target : str
        ``framework/requirement``, or ``checks/check``, in the direction in which it was walked.
    relationship : Relationship
        What the source is to the target.
    confidence : float or None
        In [0, 1]; None where the mapper says nothing about it.
    official, reviewed : bool
    """

    crosswalk: Id
    source: str
    target: str
    relationship: Relationship
    confidence: float | None
    official: bool
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Way:
    """What an entry is to another one, by the best way there.

    Parameters
    ----------
    relationship : Relationship
        What follows from all hops in a row.
    hops : tuple of Hop
        None for the entry itself.
    """

    target: str
    relationship: Relationship
    hops: tuple[Hop, ...] = ()

    @property
    def weakest(self) -> Hop | None:
        """The link to doubt first: derived before official, unreviewed before reviewed, then the least confident."""
        return min(self.hops, key=_doubt, default=None)

    @property
    def rank(self) -> tuple[int, int, float, int]:
        """For choosing among ways: strongest statement, fewest hops, surest weakest link."""
        weakest = self.weakest
        confidence = 1.0 if weakest is None else weakest.confidence or 0.0
        return STRENGTH[self.relationship], -len(self.hops), confidence, -sum(not hop.official for hop in self.hops)


def _doubt(hop: Hop) -> tuple[bool, bool, float]:
    return hop.official, hop.reviewed, hop.confidence or 0.0


@dataclass(frozen=True, slots=True)
class Joint:
    """Entries that cover another one whole when all of them are met."""

    sources: tuple[str, ...]
    target: str
    crosswalk: Id


class Roads:
    """All crosswalks, walked in both directions.

    Parameters
    ----------
    crosswalks : iterable of Crosswalk
        Those with the status ``deprecated`` or ``superseded`` are left out.
    """

    def __init__(self, crosswalks: Iterable[Crosswalk]) -> None:
        self._out: dict[str, list[Hop]] = {}
        self.joint: list[Joint] = []
        for crosswalk in crosswalks:
            if crosswalk.status not in {"deprecated", "superseded"}:
                self._add(crosswalk)
        self._known: dict[str, Mapping[str, Way]] = {}

    def _add(self, crosswalk: Crosswalk) -> None:
        for mapping in crosswalk.mappings:
            sources = tuple(f"{crosswalk.source}/{name}" for name in mapping.sources)
            targets = tuple(f"{crosswalk.target}/{name}" for name in mapping.targets)
            relationship = one_to_one(mapping)
            if relationship is None:
                continue
            facts = (mapping.confidence, crosswalk.provenance == "official", crosswalk.reviewer is not None)
            for source in sources:
                for target in targets:
                    self._out.setdefault(source, []).append(Hop(crosswalk.id, source, target, relationship, *facts))
                    if crosswalk.source != CHECKS:
                        back = Hop(crosswalk.id, target, source, INVERSE[relationship], *facts)
                        self._out.setdefault(target, []).append(back)
            if len(sources) > 1 and crosswalk.source != CHECKS and covers_together(mapping):
                self.joint += [Joint(sources, target, crosswalk.id) for target in targets]

    def reach(self, start: str) -> Mapping[str, Way]:
        """Give everything that an entry says something about.

        Parameters
        ----------
        start : str
            ``framework/requirement`` or ``checks/check``.

        Returns
        -------
        mapping
            Entry → the best way to it, itself (``equal-to``) included; in a fixed order.
        """
        if start not in self._known:
            best: dict[str, Way] = {start: Way(start, "equal-to")}
            for found in self._walk(Way(start, "equal-to"), frozenset({start.partition("/")[0]})):
                known = best.get(found.target)
                if known is None or found.rank > known.rank:
                    best[found.target] = found
            self._known[start] = best
        return self._known[start]

    def _walk(self, here: Way, been: frozenset[str]) -> Iterator[Way]:
        """Walk on from a place, through each framework once at most."""
        if len(here.hops) == MAX_HOPS:
            return
        for hop in self._out.get(here.target, ()):
            framework = hop.target.partition("/")[0]
            relationship = in_a_row(here.relationship, hop.relationship)
            if framework in been or relationship is None:
                continue
            there = Way(hop.target, relationship, (*here.hops, hop))
            yield there
            yield from self._walk(there, been | {framework})

    def answers(self, check: Id, stated: Iterable[str]) -> dict[str, Way]:
        """Give every requirement that a check says something about.

        Parameters
        ----------
        check : Id
            As crosswalks from checks name it.
        stated : iterable of str
            The requirements that the check itself names; it is taken for a part of each of them.

        Returns
        -------
        dict
            Requirement → the best way to it.
        """
        best = {name: found for name, found in self.reach(f"{CHECKS}/{check}").items() if found.hops}
        for name in stated:
            for target, onward in self.reach(name).items():
                relationship = in_a_row("subset-of", onward.relationship)
                if relationship is None:
                    continue
                found = Way(target, relationship, onward.hops)
                known = best.get(target)
                if known is None or found.rank > known.rank:
                    best[target] = found
        return dict(sorted(best.items()))
