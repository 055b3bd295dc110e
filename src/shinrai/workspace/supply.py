"""What the files of a workspace say about the components that systems share, and where that does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shinrai.errors import Problem
from shinrai.i18n import _
from shinrai.records import Id, Need
from shinrai.source import Place, did_you_mean, listing
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
    for system in parts.systems:
        yield from _needs(system, ("needs",), system.record.needs, parts)
        for position, part in enumerate(system.record.stack):
            yield from _needs(system, ("stack", position, "needs"), part.needs, parts)
        yield from _gates(system, parts)
    for action in parts.actions:
        change = action.record.change
        for key, components in (("add", change.add), ("replace", change.replace)) if change else ():
            for position, part in enumerate(components):
                yield from _needs(action, ("change", key, position, "needs"), part.needs, parts)
    for component in parts.components:
        yield from _needs(component, ("needs",), component.record.needs, parts)
    yield from _cycles(parts.components)


def _needs(sourced: Sourced[Any], place: Place, needs: Iterable[Need], parts: Parts) -> Iterator[Problem]:
    for position, need in enumerate(needs):
        for number, name in enumerate((need,) if isinstance(need, str) else need):
            if name in parts.components:
                continue
            where = (*place, position) if isinstance(need, str) else (*place, position, number)
            message = _('there is no component "{name}" in components/').format(name=name)
            known = list(parts.components.records)
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


def _cycles(components: Shelf[Any]) -> Iterator[Problem]:
    needs: dict[Id, list[Id]] = {
        one.record.id: [name for choice in choices(one.record.needs) for name in choice] for one in components
    }
    for around in cycles(needs):
        last, first = components.records[around[-1]], around[0]
        message = _("the component needs itself: {way}").format(way=" → ".join((*around[-1:], *around)))
        hint = _("a need points from a component to what it cannot work without; leave the way back out")
        yield last.problem("workspace.cycle", _place(last.record.needs, first), message, None, hint)


def _place(needs: tuple[Need, ...], name: Id) -> Place:
    """Find where a component is named among needs."""
    for position, need in enumerate(needs):
        if need == name:
            return ("needs", position)
        if not isinstance(need, str) and name in need:
            return ("needs", position, need.index(name))
    return ("needs",)
