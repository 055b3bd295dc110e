"""The rule books of a workspace: those that Shinrai ships and its own, and whether they fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from shinrai import catalog
from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import (
    CHECKS,
    INVERSE,
    Crosswalk,
    DepthTable,
    Framework,
    Id,
    Relationship,
    RiskScheme,
)
from shinrai.source import Place, did_you_mean, listing
from shinrai.workspace.parts import Parts, Sourced

DEPTH_FILE: Final = "risk-depth.yaml"
"""Where a workspace says what each depth asks for; the catalog's table holds where it is not there."""


@dataclass
class RuleBooks:
    """Frameworks, crosswalks and risk schemes. The shipped ones are read when they are first asked for.

    Parameters
    ----------
    own_frameworks, own_crosswalks, own_schemes : mapping
        The workspace's own, by id.
    own_depths : DepthTable, optional
    chosen : tuple of Id, optional
        ``frameworks`` of ``shinrai.yaml``.
    """

    own_frameworks: Mapping[Id, Framework] = field(default_factory=dict)
    own_crosswalks: Mapping[Id, Crosswalk] = field(default_factory=dict)
    own_schemes: Mapping[Id, RiskScheme] = field(default_factory=dict)
    own_depths: DepthTable | None = None
    chosen: tuple[Id, ...] | None = None

    @classmethod
    def of(cls, parts: Parts) -> RuleBooks:
        """Gather the rule books of what was read."""
        settings = parts.settings.record if parts.settings else None
        return cls(
            own_frameworks=parts.frameworks.plain(),
            own_crosswalks=parts.crosswalks.plain(),
            own_schemes=parts.risk.plain(),
            own_depths=parts.depths.record if parts.depths else None,
            chosen=settings.frameworks if settings else None,
        )

    @cached_property
    def frameworks(self) -> dict[Id, Framework]:
        """All frameworks, by id."""
        return {**catalog.frameworks(), **self.own_frameworks}

    @cached_property
    def crosswalks(self) -> dict[Id, Crosswalk]:
        """All crosswalks, by id."""
        return {**catalog.crosswalks(), **self.own_crosswalks}

    @cached_property
    def schemes(self) -> dict[Id, RiskScheme]:
        """All risk schemes, by id."""
        return {**catalog.risk_schemes(), **self.own_schemes}

    @property
    def depths(self) -> DepthTable:
        """What each depth asks for."""
        return self.own_depths or catalog.depth_table()

    @cached_property
    def answered(self) -> dict[Id, Framework]:
        """The frameworks to answer: those chosen, or every one that is not withdrawn; versions stand side by side."""
        if self.chosen is not None:
            return {name: self.frameworks[name] for name in self.chosen}
        every = self.frameworks.items()
        return {name: one for name, one in every if one.withdrawn is None}


def check_rule_books(parts: Parts) -> Iterator[Problem]:
    """Compare rule books with one another, and with the checks and settings that name them.

    Parameters
    ----------
    parts : Parts
        What was read. The catalog is looked at only where something names a rule book.

    Yields
    ------
    Problem
        For names that nothing bears, versions that are withdrawn, and mappings that contradict their inverse.
    """
    settings = parts.settings.record if parts.settings else None
    names = settings is not None and (settings.frameworks is not None or settings.risk)
    own = any(check.record.answers for check in parts.own_checks)
    shelves = (parts.frameworks, parts.crosswalks, parts.risk)
    if not (names or own or parts.depths or any(one.records for one in shelves)):
        return
    shelf = _Shelf(parts, RuleBooks.of(parts))
    yield from _redefined(parts)
    if parts.depths is not None:
        yield from _of_depths(parts.depths, parts)
    yield from _of_settings(shelf)
    for framework in parts.frameworks:
        yield from _successor(framework, shelf)
    for check in parts.own_checks:
        for position, name in enumerate(check.record.answers):
            yield from _requirement(check, ("answers", position), *name.rpartition("/")[::2], shelf)
    for crosswalk in parts.crosswalks:
        yield from _of_crosswalk(crosswalk, shelf)


@dataclass(frozen=True)
class _Shelf:
    parts: Parts
    books: RuleBooks

    @cached_property
    def entries(self) -> dict[Id, frozenset[str]]:
        """Framework → ids of its requirements."""
        books = self.books.frameworks
        return {name: frozenset(entry.id for entry in book.requirements) for name, book in books.items()}

    @cached_property
    def said(self) -> dict[tuple[str, str], tuple[Relationship, Id]]:
        """Every pair of single entries that a crosswalk relates → the relationship, and the first that says so."""
        found: dict[tuple[str, str], tuple[Relationship, Id]] = {}
        shipped = catalog.crosswalks()
        for crosswalk in (*shipped.values(), *(one.record for one in self.parts.crosswalks)):
            for source, target, relationship, _position in _pairs(crosswalk):
                found.setdefault((source, target), (relationship, crosswalk.id))
        return found


def _pairs(crosswalk: Crosswalk) -> Iterator[tuple[str, str, Relationship, int]]:
    for position, mapping in enumerate(crosswalk.mappings):
        if len(mapping.sources) == len(mapping.targets) == 1:
            source, target = mapping.sources[0], mapping.targets[0]
            yield f"{crosswalk.source}/{source}", f"{crosswalk.target}/{target}", mapping.relationship, position


def _redefined(parts: Parts) -> Iterator[Problem]:
    kinds: tuple[tuple[Any, Mapping[Id, Any]], ...] = (
        (parts.frameworks, catalog.frameworks()),
        (parts.crosswalks, catalog.crosswalks()),
        (parts.risk, catalog.risk_schemes()),
    )
    for own, shipped in kinds:
        for sourced in own:
            if sourced.record.id in shipped:
                message = _('the catalog already has "{id}"').format(id=sourced.record.id)
                yield sourced.problem("workspace.redefines-catalog", ("id",), message, _("an id of its own"))


def _of_settings(shelf: _Shelf) -> Iterator[Problem]:
    settings = shelf.parts.settings
    if settings is None:
        return
    for position, name in enumerate(settings.record.frameworks or ()):
        yield from _framework(settings, ("frameworks", position), name, shelf)
    for position, name in enumerate(settings.record.risk):
        if name not in shelf.books.schemes and name not in shelf.parts.risk.broken:
            message = _('there is no risk scheme "{name}"').format(name=name)
            known = list(shelf.books.schemes)
            expected = _("one of: {names}").format(names=listing(known))
            hint = did_you_mean(name, known)
            yield settings.problem("workspace.unknown-scheme", ("risk", position), message, expected, hint)


def _of_depths(sourced: Sourced[DepthTable], parts: Parts) -> Iterator[Problem]:
    """Complain of checks that are due and are not there, and of roles that could not accept anything."""
    accepting = [role.id for role in parts.settings.record.roles if role.accepts_risk] if parts.settings else None
    for position, rule in enumerate(sourced.record.depths):
        for index, due in enumerate(rule.claims):
            if due.check not in parts.checks and due.check not in parts.own_checks:
                message = _('there is no check "{name}"').format(name=due.check)
                hint = did_you_mean(due.check, parts.checks)
                place: Place = ("depths", position, "claims", index, "check")
                yield sourced.problem("workspace.unknown-check", place, message, None, hint)
        for index, name in enumerate(rule.accepts if accepting is not None else ()):
            if name not in (accepting or ()):
                message = _('the role "{name}" may not accept risk').format(name=name)
                expected = _("one of: {names}").format(names=listing(accepting)) if accepting else None
                hint = did_you_mean(name, accepting or ())
                place = ("depths", position, "accepts", index)
                yield sourced.problem("workspace.may-not-accept", place, message, expected, hint)


def _successor(sourced: Sourced[Framework], shelf: _Shelf) -> Iterator[Problem]:
    successor = sourced.record.superseded_by
    if successor is not None and successor not in shelf.books.frameworks:
        yield _unknown_framework(sourced, ("superseded_by",), successor, shelf)


def _framework(sourced: Sourced[Any], place: Place, name: str, shelf: _Shelf) -> Iterator[Problem]:
    """Complain of a framework that is not there, or may no longer be relied on."""
    framework = shelf.books.frameworks.get(name)
    if framework is None:
        if name not in shelf.parts.frameworks.broken:
            yield _unknown_framework(sourced, place, name, shelf)
    elif framework.withdrawn is not None:
        message = _('the framework "{name}" was withdrawn on {day}').format(name=name, day=framework.withdrawn)
        after = _successor_in_force(framework, shelf)
        hint = _("its successor is {name}").format(name=after) if after else None
        expected = after or _("one of: {names}").format(names=listing(_in_force(framework, shelf), most=20))
        yield sourced.problem("workspace.withdrawn-framework", place, message, expected, hint)


def _successor_in_force(framework: Framework, shelf: _Shelf) -> str | None:
    """Follow the successors to the first that is not withdrawn itself; None where the chain ends before."""
    seen, name = {framework.id}, framework.superseded_by
    while name is not None and name not in seen and (after := shelf.books.frameworks.get(name)) is not None:
        if after.withdrawn is None:
            return name
        seen.add(name)
        name = after.superseded_by
    return None


def _in_force(framework: Framework, shelf: _Shelf) -> list[str]:
    """Give the frameworks that may be relied on: other versions of this one where there are any, else all."""
    every = [one for one in shelf.books.frameworks.values() if one.withdrawn is None]
    return [one.id for one in every if one.family == framework.family] or [one.id for one in every]


def _unknown_framework(sourced: Sourced[Any], place: Place, name: str, shelf: _Shelf) -> Problem:
    message = _('there is no framework "{name}"').format(name=name)
    known = list(shelf.books.frameworks)
    expected = _("one of: {names}").format(names=listing(known, most=20))
    return sourced.problem("workspace.unknown-framework", place, message, expected, did_you_mean(name, known))


def _requirement(sourced: Sourced[Any], place: Place, book: str, entry: str, shelf: _Shelf) -> Iterator[Problem]:
    yield from _framework(sourced, place, book, shelf)
    known = shelf.entries.get(book)
    if known is not None and entry not in known:
        message = _('the framework "{book}" has no requirement "{name}"').format(book=book, name=entry)
        expected = _("one of: {names}").format(names=listing(sorted(known)))
        yield sourced.problem("workspace.unknown-requirement", place, message, expected, did_you_mean(entry, known))


def _of_crosswalk(sourced: Sourced[Crosswalk], shelf: _Shelf) -> Iterator[Problem]:
    crosswalk = sourced.record
    if crosswalk.target == CHECKS:
        message = _("evidence flows from checks to requirements, not back")
        yield sourced.problem("workspace.crosswalk-target", ("target",), message, _("a framework"))
        return
    ends = ((crosswalk.source, "source", "sources"), (crosswalk.target, "target", "targets"))
    for book, key, many in ends:
        if book != CHECKS:
            yield from _framework(sourced, (key,), book, shelf)
        known = frozenset(shelf.parts.checks) if book == CHECKS else shelf.entries.get(book)
        for position, mapping in enumerate(crosswalk.mappings):
            names = mapping.sources if many == "sources" else mapping.targets
            for index, name in enumerate(names):
                if known is not None and name not in known:
                    place = ("mappings", position, many, index)
                    yield _unknown_end(sourced, place, book, name, known)
    yield from _contradictions(sourced, shelf)


def _unknown_end(sourced: Sourced[Crosswalk], place: Place, book: Id, name: str, known: frozenset[str]) -> Problem:
    if book == CHECKS:
        message = _('there is no check "{name}"').format(name=name)
        return sourced.problem("workspace.unknown-check", place, message, None, did_you_mean(name, known))
    message = _('the framework "{book}" has no requirement "{name}"').format(book=book, name=name)
    expected = _("one of: {names}").format(names=listing(sorted(known)))
    return sourced.problem("workspace.unknown-requirement", place, message, expected, did_you_mean(name, known))


def _contradictions(sourced: Sourced[Crosswalk], shelf: _Shelf) -> Iterator[Problem]:
    for source, target, relationship, position in _pairs(sourced.record):
        backward = shelf.said.get((target, source))
        forward = shelf.said.get((source, target))
        for other, expected in ((backward, INVERSE[relationship]), (forward, relationship)):
            if other is not None and not _agree(other[0], expected):
                message = _("{source} is said to be {relationship} {target}, and {crosswalk} says {other}").format(
                    source=source, relationship=relationship, target=target, crosswalk=other[1], other=other[0]
                )
                wanted = _("{relationship}, or another crosswalk changed").format(
                    relationship=INVERSE[other[0]] if other is backward else other[0]
                )
                place = ("mappings", position, "relationship")
                yield sourced.problem("workspace.contradicting-crosswalk", place, message, wanted)


def _agree(one: Relationship, other: Relationship) -> bool:
    same = {"equal-to", "equivalent-to"}
    return one == other or {one, other} <= same
