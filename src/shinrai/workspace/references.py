"""What the files of a workspace say about one another, and where that does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shinrai.errors import Problem, UsageError
from shinrai.i18n import _
from shinrai.records import Action, Component, Endpoint, PluginModel, Settings, System
from shinrai.source import Place, listing
from shinrai.workspace.check_references import of_check
from shinrai.workspace.house import House, plugin_problems, role_problems, system_problems, taken, twice, unknown
from shinrai.workspace.parts import Parts, Sourced
from shinrai.workspace.plan_references import of_plan
from shinrai.workspace.stack import find, named_files
from shinrai.workspace.supply import check_supply


def cross_check(parts: Parts) -> Iterator[Problem]:
    """Compare the files of a workspace with one another.

    Parameters
    ----------
    parts : Parts
        What was read. What a file that could not be read would have said is not missed.

    Yields
    ------
    Problem
        For each name that nothing bears, each file that is not there, and each promise that does not fit its check.
    """
    house = House(parts)
    if parts.settings is not None:
        yield from _of_settings(parts.settings, house)
    for system in parts.systems:
        yield from _of_system(system, house)
    for check in parts.own_checks:
        yield from of_check(check, house)
    for plan in parts.plans:
        yield from of_plan(plan, house)
    for action in parts.actions:
        yield from _of_action(action, house)
    yield from check_supply(parts)
    yield from house.data_problems


def _of_settings(sourced: Sourced[Settings], house: House) -> Iterator[Problem]:
    for position, role in twice(sourced.record.roles, lambda role: role.id):
        yield taken(sourced, ("roles", position, "id"), role.id)
    known = {plan.series for plan in house.parts.higher_plans.values()}
    for position, name in enumerate(sourced.record.follows):
        if name not in known:
            message = _('the catalog has no plan "{name}"')
            yield unknown(sourced, "workspace.unknown-plan", ("follows", position), message, name, sorted(known))
    for position, name in enumerate(sourced.record.sections):
        yield from plugin_problems(sourced, ("sections", position), "section", name, house)


# systems/*.yaml


def _of_system(sourced: Sourced[System], house: House) -> Iterator[Problem]:
    system = sourced.record
    yield from role_problems(sourced, ("owner",), system.owner, house)
    for position, component in enumerate(system.stack):
        yield from _of_component(sourced, ("stack", position), component, house)


def _of_component(sourced: Sourced[Any], place: Place, component: Component, house: House) -> Iterator[Problem]:
    if isinstance(component, PluginModel):
        yield from plugin_problems(sourced, (*place, "name"), "target", component.name, house)
    if isinstance(component, Endpoint):
        yield from _of_address_in_stack(sourced, (*place, "url"), component, house)
    for named in named_files(component):
        try:
            find(named, house.parts.root)
        except UsageError as error:
            part = "package" if error.code == "workspace.no-package" else None
            where = (*place, part) if part else (*place, *named.place)
            yield sourced.problem(error.code, where, error.message, None, error.hint)


def _of_address_in_stack(sourced: Sourced[Any], place: Place, component: Endpoint, house: House) -> Iterator[Problem]:
    hosts = house.allowed_hosts
    if hosts is None or hosts.allows(component):
        return
    host = f"[{component.host}]" if ":" in component.host else component.host
    message = _('the host "{host}" is not among the `allowed_hosts` of shinrai.yaml').format(host=host)
    expected = _("one of: {names}").format(names=listing(hosts.entries)) if hosts.entries else None
    hint = _('if systems may be asked there, add "{host}:{port}" to the list').format(host=host, port=component.port)
    yield sourced.problem("workspace.host-not-allowed", place, message, expected, hint)


# actions/*.yaml


def _of_action(sourced: Sourced[Action], house: House) -> Iterator[Problem]:
    action = sourced.record
    yield from role_problems(sourced, ("owner",), action.owner, house)
    for position, address in enumerate(action.addresses):
        yield from _of_address(sourced, ("addresses", position), address, house)
    if action.change is not None:
        yield from _of_change(sourced, house)
    if action.accept is not None:
        yield from _of_acceptance(sourced, action.accept.role, house)


def _of_address(sourced: Sourced[Action], place: Place, address: str, house: House) -> Iterator[Problem]:
    path, _at, system = address.partition("@")
    unknown_system = list(system_problems(sourced, place, system, house))
    yield from unknown_system
    claim = house.claims.get(path)
    plan = path.partition("/")[0]
    if claim is None:
        if plan not in house.parts.plans.broken:
            near = [known for known in house.claims if known.startswith(f"{plan}/")]
            message = _('no plan makes the claim "{name}"')
            known = near or (f"{name}/…" for name in house.parts.plans.records)
            yield unknown(sourced, "workspace.unknown-claim", place, message, path, known)
    elif not unknown_system and not claim.about(system):
        message = _('the claim is not about the system "{name}"').format(name=system)
        yield sourced.problem("workspace.unknown-claim", place, message)


def _of_change(sourced: Sourced[Action], house: House) -> Iterator[Problem]:
    change = sourced.record.change
    if change is None:
        return
    yield from system_problems(sourced, ("change", "system"), change.system, house)
    for part, components in (("add", change.add), ("replace", change.replace)):
        for position, component in enumerate(components):
            yield from _of_component(sourced, ("change", part, position), component, house)
    system = house.parts.systems.records.get(change.system)
    if system is None:
        return
    known = {part.id for part in system.record.stack} | house.added.get(change.system, set())
    named: list[tuple[Place, str]] = [
        (("change", "replace", position, "id"), part.id) for position, part in enumerate(change.replace)
    ]
    named += [(("change", "remove", position), name) for position, name in enumerate(change.remove)]
    for place, name in named:
        if name not in known:
            message = _('the system has no component "{name}"')
            yield unknown(sourced, "workspace.unknown-component", place, message, name, sorted(known))


def _of_acceptance(sourced: Sourced[Action], role: str, house: House) -> Iterator[Problem]:
    place = ("accept", "role")
    if house.accepting is not None and role not in house.accepting:
        if house.roles is not None and role in house.roles:
            message = _('the role "{name}" may not accept risk')
        else:
            message = _('there is no role "{name}" in shinrai.yaml')
        yield unknown(sourced, "workspace.may-not-accept", place, message, role, house.accepting)
    for address in sourced.record.addresses:
        claim = house.claims.get(address.partition("@")[0])
        if claim is not None and claim.measure.owner == role:
            message = _('the role "{name}" owns the measure of {claim} and cannot accept its risk').format(
                name=role, claim=address
            )
            yield sourced.problem("workspace.owner-accepts", place, message, _("another role"))
