"""What the files of a workspace say about the components that systems share, and where that does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import Id, Need, Part
from shinrai.source import Place, did_you_mean, listing
from shinrai.workspace.boms import contradictions, joined
from shinrai.workspace.cyclonedx import Bom
from shinrai.workspace.graph import choices, cycles
from shinrai.workspace.parts import Parts, Shelf, Sourced


def check_supply(parts: Parts) -> Iterator[Problem]:
    """Compare what systems and components need with what there is.

    Parameters
    ----------
    parts : Parts
        What was read.

    Yields
    ------
    Problem
        For each need that nothing bears, each component that needs itself in the end, and each gate that a role that
        is not there let a system pass.
    """
    house = _House(
        parts.components, joined(parts.boms, parts.components.plain()), {bom.name: bom for bom in parts.boms}
    )
    yield from contradictions(parts.boms)
    for system in parts.systems:
        yield from _needs(system, ("needs",), system.record.needs, house)
        for position, part in enumerate(system.record.stack):
            yield from _needs(system, ("stack", position, "needs"), part.needs, house)
        yield from _gates(system, parts)
    for action in parts.actions:
        change = action.record.change
        for key, components in (("add", change.add), ("replace", change.replace)) if change else ():
            for position, part in enumerate(components):
                yield from _needs(action, ("change", key, position, "needs"), part.needs, house)
    for component in parts.components:
        yield from _needs(component, ("needs",), component.record.needs, house)
    yield from _cycles(house)


@dataclass(frozen=True, slots=True)
class _House:
    """What there is: the files of components, all components together, the bills."""

    shelf: Shelf[Part]
    components: Mapping[Id, Part]
    boms: Mapping[str, Bom]

    def __contains__(self, name: str) -> bool:
        return name in self.components or name in self.shelf


def _needs(sourced: Sourced[Any], place: Place, needs: Iterable[Need], house: _House) -> Iterator[Problem]:
    for position, need in enumerate(needs):
        for number, name in enumerate((need,) if isinstance(need, str) else need):
            if name in house:
                continue
            where = (*place, position) if isinstance(need, str) else (*place, position, number)
            message = _('there is no component "{name}" in components/').format(name=name)
            known = list(house.components)
            expected = _("one of: {names}").format(names=listing(known)) if known else None
            yield sourced.problem("workspace.unknown-need", where, message, expected, did_you_mean(name, known))


def _gates(system: Sourced[Any], parts: Parts) -> Iterator[Problem]:
    roles = [role.id for role in parts.settings.record.roles] if parts.settings else []
    for position, gate in enumerate(system.record.gates if roles else ()):
        if gate.by not in roles:
            message = _('there is no role "{name}" in shinrai.yaml').format(name=gate.by)
            expected = _("one of: {names}").format(names=listing(roles))
            hint = did_you_mean(gate.by, roles)
            yield system.problem("workspace.unknown-role", ("gates", position, "by"), message, expected, hint)


def _cycles(house: _House) -> Iterator[Problem]:
    needs = {name: [one for choice in choices(part.needs) for one in choice] for name, part in house.components.items()}
    for around in cycles(needs):
        message = _("the component needs itself: {way}").format(way=" → ".join((*around[-1:], *around)))
        hint = _("a need points from a component to what it cannot work without; leave the way back out")
        own = [name for name in reversed(around) if name in house.shelf.records]
        if own:  # no bill has a circle by itself, so a person has closed it
            last, following = own[0], around[(around.index(own[0]) + 1) % len(around)]
            sourced = house.shelf.records[last]
            yield sourced.problem("workspace.cycle", _place(sourced.record.needs, following), message, None, hint)
            continue
        bom = next(bom for bom in reversed(tuple(house.boms.values())) if around[-1] in bom.parts)
        yield bom.source.problem("workspace.cycle", bom.places[around[-1]], message, None, hint)


def _place(needs: tuple[Need, ...], name: Id) -> Place:
    """Find where a component is named among needs."""
    for position, need in enumerate(needs):
        if need == name:
            return ("needs", position)
        if not isinstance(need, str) and name in need:
            return ("needs", position, need.index(name))
    return ("needs",)
