"""What the files of a workspace say about one another, and where that does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from shinrai.catalog import PREFIX
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.plugins import choose
from shinrai.records import (
    DECISION_COLUMNS,
    IMPORT_FORMATS,
    Action,
    Check,
    ClaimUse,
    Comparator,
    Component,
    Driver,
    Endpoint,
    Goal,
    Id,
    Item,
    Judge,
    Measure,
    Metric,
    Plan,
    PluginKind,
    PluginModel,
    PluginScorer,
    Regex,
    Settings,
    System,
)
from shinrai.source import Place, did_you_mean, listing, read_items
from shinrai.workspace.data import Misfit, data_file, misfits, unknown_columns
from shinrai.workspace.dialogues import TurnsOfData
from shinrai.workspace.hosts import AllowedHosts
from shinrai.workspace.inspect_tasks import task_misfits
from shinrai.workspace.parts import Parts, Sourced
from shinrai.workspace.promised import of_promises
from shinrai.workspace.stack import find, named_files
from shinrai.workspace.supply import check_supply

T = TypeVar("T")

Threshold = float | tuple[float, float]

_LARGEST_ALPHA = 0.5


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
    house = _House(parts)
    if parts.settings is not None:
        yield from _of_settings(parts.settings, house)
    for system in parts.systems:
        yield from _of_system(system, house)
    for check in parts.own_checks:
        yield from _of_check(check, house)
    for plan in parts.plans:
        yield from _of_plan(plan, house)
    for action in parts.actions:
        yield from _of_action(action, house)
    yield from check_supply(parts)
    yield from house.data_problems


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim and the measure that makes it."""

    measure: Measure
    use: ClaimUse

    def about(self, system: Id) -> bool:
        return all(names is None or system in names for names in (self.measure.systems, self.use.systems))


class _House:
    """The names in use, and the data sets, each read once."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.data_problems: list[Problem] = []
        self._items: dict[str, list[Item] | None] = {}
        self.turns = TurnsOfData(parts.root)

    @cached_property
    def roles(self) -> Collection[str] | None:
        """The roles; None where none are listed, or their list could not be read."""
        settings = self.parts.settings
        return [role.id for role in settings.record.roles] or None if settings is not None else None

    @cached_property
    def accepting(self) -> Collection[str] | None:
        settings = self.parts.settings
        return None if settings is None else [role.id for role in settings.record.roles if role.accepts_risk]

    @cached_property
    def plans(self) -> dict[Id, Plan]:
        """All plans: those of the catalog and the workspace's own."""
        return {**self.parts.higher_plans, **self.parts.plans.plain()}

    @cached_property
    def entries(self) -> dict[str, None]:
        """Everything that a plan or measure may implement."""
        return dict.fromkeys(name for plan in self.plans.values() for name in plan.named())

    @cached_property
    def claims(self) -> dict[str, _Claim]:
        """Path → claim."""
        return {
            f"{sourced.record.id}/{goal.id}/{measure.id}/{use.name}": _Claim(measure, use)
            for sourced in self.parts.plans
            for goal in sourced.record.goals
            for measure in goal.measures
            for use in measure.claims
        }

    @cached_property
    def added(self) -> dict[Id, set[Id]]:
        """System → components that actions add to it."""
        found: dict[Id, set[Id]] = {}
        for sourced in self.parts.actions:
            change = sourced.record.change
            if change is not None:
                found.setdefault(change.system, set()).update(part.id for part in change.add)
        return found

    @cached_property
    def allowed_hosts(self) -> AllowedHosts | None:
        """Where systems may be asked; None where the list could not be read."""
        settings = self.parts.settings
        return None if settings is None else AllowedHosts(settings.record.allowed_hosts)

    def items(self, check: Check) -> list[Item] | None:
        """Read the data of a check; None where they are bad, which is said once.

        Raises
        ------
        UsageError
            If there is no such file.
        """
        use = check.data
        if use is None or use.file is None:
            return None
        if use.file not in self._items:
            path = data_file(self.parts.root, use)
            try:
                self._items[use.file] = read_items(path, shown_as=use.file)
            except SourceError as error:
                self.data_problems += error.problems
                self._items[use.file] = None
        return self._items[use.file]


def _unknown(  # noqa: PLR0917 - a Problem with its names
    sourced: Sourced[Any], code: str, place: Place, message: str, name: str, known: Iterable[str]
) -> Problem:
    known = list(known)
    expected = _("one of: {names}").format(names=listing(known)) if known else None
    return sourced.problem(code, place, message.format(name=name), expected, did_you_mean(name, known))


def _twice(values: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[int, T]]:
    """Give the values whose key was there before, with their positions."""
    seen: set[Hashable] = set()
    for position, value in enumerate(values):
        if key(value) in seen:
            yield position, value
        seen.add(key(value))


def _taken(sourced: Sourced[Any], place: Place, name: str) -> Problem:
    message = _('the id "{id}" is already taken').format(id=name)
    return sourced.problem("workspace.duplicate-id", place, message, _("an id of its own"))


# shinrai.yaml


def _of_settings(sourced: Sourced[Settings], house: _House) -> Iterator[Problem]:
    for position, role in _twice(sourced.record.roles, lambda role: role.id):
        yield _taken(sourced, ("roles", position, "id"), role.id)
    known = {plan.series for plan in house.parts.higher_plans.values()}
    for position, name in enumerate(sourced.record.follows):
        if name not in known:
            message = _('the catalog has no plan "{name}"')
            yield _unknown(sourced, "workspace.unknown-plan", ("follows", position), message, name, sorted(known))
    for position, name in enumerate(sourced.record.sections):
        yield from _of_plugin(sourced, ("sections", position), "section", name, house)


def _role(sourced: Sourced[Any], place: Place, name: str, house: _House) -> Iterator[Problem]:
    if house.roles is not None and name not in house.roles:
        message = _('there is no role "{name}" in shinrai.yaml')
        yield _unknown(sourced, "workspace.unknown-role", place, message, name, house.roles)


# systems/*.yaml


def _of_system(sourced: Sourced[System], house: _House) -> Iterator[Problem]:
    system = sourced.record
    yield from _role(sourced, ("owner",), system.owner, house)
    for position, component in enumerate(system.stack):
        yield from _of_component(sourced, ("stack", position), component, house)


def _of_component(sourced: Sourced[Any], place: Place, component: Component, house: _House) -> Iterator[Problem]:
    if isinstance(component, PluginModel):
        yield from _of_plugin(sourced, (*place, "name"), "target", component.name, house)
    if isinstance(component, Endpoint):
        yield from _of_address_in_stack(sourced, (*place, "url"), component, house)
    for named in named_files(component):
        try:
            find(named, house.parts.root)
        except UsageError as error:
            part = "package" if error.code == "workspace.no-package" else None
            where = (*place, part) if part else (*place, *named.place)
            yield sourced.problem(error.code, where, error.message, None, error.hint)


def _of_address_in_stack(sourced: Sourced[Any], place: Place, component: Endpoint, house: _House) -> Iterator[Problem]:
    hosts = house.allowed_hosts
    if hosts is None or hosts.allows(component):
        return
    host = f"[{component.host}]" if ":" in component.host else component.host
    message = _('the host "{host}" is not among the `allowed_hosts` of shinrai.yaml').format(host=host)
    expected = _("one of: {names}").format(names=listing(hosts.entries)) if hosts.entries else None
    hint = _('if systems may be asked there, add "{host}:{port}" to the list').format(host=host, port=component.port)
    yield sourced.problem("workspace.host-not-allowed", place, message, expected, hint)


# checks/*.yaml


def _of_check(sourced: Sourced[Check], house: _House) -> Iterator[Problem]:
    check = sourced.record
    if check.id in house.parts.checks and house.parts.checks[check.id] is not check:
        message = _('the catalog already has a check "{id}"').format(id=check.id)
        yield sourced.problem("workspace.redefines-catalog", ("id",), message, _("an id of its own"))
    for wrong in _of_threshold(check.metric, check.comparator, check.threshold):
        yield sourced.problem("workspace.threshold", ("threshold",), *wrong)
    if isinstance(check.scorer, Regex):
        try:
            re.compile(check.scorer.pattern)
        except re.error as error:
            message = _("the regular expression cannot be read: {reason}").format(reason=error)
            yield sourced.problem("workspace.pattern", ("scorer", "pattern"), message)
    if isinstance(check.scorer, Judge):
        yield from _of_judge(sourced, check.scorer, house)
    if check.dialogue is not None and check.dialogue.driver is not None:
        yield from _of_driver(sourced, check.dialogue.driver, house)
    yield from _of_plugins(sourced, house)
    for misfit in _of_data(check, house):
        yield sourced.problem(misfit.code, misfit.place, misfit.message, misfit.expected, misfit.hint, key=misfit.key)


def _of_plugins(sourced: Sourced[Check], house: _House) -> Iterator[Problem]:
    """Look for the plug-ins that a check names."""
    check = sourced.record
    if isinstance(check.scorer, PluginScorer):
        yield from _of_plugin(sourced, ("scorer", "name"), "scorer", check.scorer.name, house)
    data = check.data
    if data is not None and data.source is not None:
        yield from _of_plugin(sourced, ("data", "source", "name"), "source", data.source.name, house)
    if data is not None and data.imported not in {None, *IMPORT_FORMATS}:
        yield from _of_plugin(sourced, ("data", "imported"), "importer", str(data.imported), house)


def _of_plugin(sourced: Sourced[Any], place: Place, kind: PluginKind, name: str, house: _House) -> Iterator[Problem]:
    """Look for a plug-in without running it."""
    try:
        choose(kind, name, house.parts.root, shipped=IMPORT_FORMATS if kind == "importer" else ())
    except UsageError as error:
        yield sourced.problem(error.code, place, error.message, None, error.hint)


def _of_judge(sourced: Sourced[Check], judge: Judge, house: _House) -> Iterator[Problem]:
    chats = [one.record.id for one in house.parts.systems if one.record.kind == "chat"]
    if judge.system not in chats:
        message = _('there is no chat system "{name}" that could judge')
        yield _unknown(sourced, "workspace.unknown-judge", ("scorer", "system"), message, judge.system, chats)


def _of_driver(sourced: Sourced[Check], driver: Driver, house: _House) -> Iterator[Problem]:
    chats = [one.record.id for one in house.parts.systems if one.record.kind == "chat"]
    if driver.system not in chats:
        message = _('there is no chat system "{name}" that could speak for the user')
        place = ("dialogue", "driver", "system")
        yield _unknown(sourced, "workspace.unknown-driver", place, message, driver.system, chats)


def _of_data(check: Check, house: _House) -> Iterator[Misfit]:
    if check.data is not None and check.data.imported == "decisions":
        yield from unknown_columns(check, DECISION_COLUMNS)
        return
    if check.data is not None and check.data.inspect is not None:
        yield from task_misfits(house.parts.root, check.data.inspect)
        return
    if check.data is not None and check.data.file is None:
        return  # the columns of an import are known when it is there: shinrai plan looks at them
    try:
        items = house.items(check)
    except UsageError as error:
        yield Misfit(error.code, ("data", "file"), error.message, None, error.hint)
        return
    if items is not None:
        yield from misfits(check, items)
        house.data_problems += house.turns.problems(check, items)


def _of_threshold(
    metric: Metric, comparator: Comparator, threshold: Threshold | None
) -> Iterator[tuple[str, str | None, str | None]]:
    """Give message, expectation and hint where a threshold does not go with what it is compared with."""
    if threshold is None:
        return
    if metric == "attested":
        yield _("a document is there or not: there is no threshold"), None, _("leave the key out")
    elif (comparator == "within") != isinstance(threshold, tuple):
        pair = _("a pair of numbers such as [0.02, 0.2]")
        expected = pair if comparator == "within" else _("a number")
        yield _("the threshold does not go with {comparator}").format(comparator=comparator), expected, None
    elif isinstance(threshold, tuple) and not threshold[0] < threshold[1]:
        yield _("the band is empty"), _("the lower edge first, and below the upper one"), None
    else:
        yield from _of_edges(metric, threshold if isinstance(threshold, tuple) else (threshold,))


def _of_edges(metric: Metric, edges: tuple[float, ...]) -> Iterator[tuple[str, str | None, str | None]]:
    if metric == "observed":
        return
    largest = float("inf") if metric == "rate-ratio" else 1.0
    for edge in edges:
        if not 0 <= edge <= largest:
            message = _("a {metric} is never {value}").format(metric=metric, value=f"{edge:g}")
            expected = _("a number from 0 up") if metric == "rate-ratio" else _("a share between 0 and 1")
            hint = _("a share, not percent: write {text}").format(text=f"{edge / 100:.12g}")
            yield message, expected, hint if 1 < edge <= 100 else None


# plans/*.yaml


def _of_plan(sourced: Sourced[Plan], house: _House) -> Iterator[Problem]:
    plan = sourced.record
    if plan.edition is None:  # what others decided is owned by others, whose roles are not those of shinrai.yaml
        yield from _role(sourced, ("owner",), plan.owner, house)
    yield from _implements(sourced, ("implements",), plan.implements, house)
    for position, goal in _twice(plan.goals, lambda goal: goal.id):
        yield _taken(sourced, ("goals", position, "id"), goal.id)
    for position, goal in enumerate(plan.goals):
        yield from _of_goal(sourced, ("goals", position), goal, house)
    yield from of_promises(sourced, house.plans)


def _of_goal(sourced: Sourced[Plan], place: Place, goal: Goal, house: _House) -> Iterator[Problem]:
    for position, measure in _twice(goal.measures, lambda measure: measure.id):
        yield _taken(sourced, (*place, "measures", position, "id"), measure.id)
    for position, measure in enumerate(goal.measures):
        here = (*place, "measures", position)
        if measure.owner is not None and (sourced.record.edition is None or measure.claims):
            yield from _role(sourced, (*here, "owner"), measure.owner, house)
        yield from _implements(sourced, (*here, "implements"), measure.implements, house)
        yield from _systems(sourced, (*here, "systems"), measure.systems, house)
        yield from _of_claims(sourced, here, measure, house)


def _of_claims(sourced: Sourced[Plan], place: Place, measure: Measure, house: _House) -> Iterator[Problem]:
    for position, use in _twice(measure.claims, lambda use: use.name):
        message = _('the measure already has a claim "{name}"').format(name=use.name)
        hint = _('give it a name of its own: "id: …"')
        where = (*place, "claims", position, "id" if use.id else "check")
        yield sourced.problem("workspace.duplicate-id", where, message, None, hint)
    for position, use in enumerate(measure.claims):
        here = (*place, "claims", position)
        yield from _systems(sourced, (*here, "systems"), use.systems, house)
        yield from _narrows(sourced, (*here, "systems"), use, measure)
        yield from _of_use(sourced, here, use, house)


def _narrows(sourced: Sourced[Plan], place: Place, use: ClaimUse, measure: Measure) -> Iterator[Problem]:
    if measure.systems is None:
        return
    for position, name in enumerate(use.systems or ()):
        if name not in measure.systems:
            message = _('the measure is not about the system "{name}"').format(name=name)
            expected = _("one of: {names}").format(names=listing(measure.systems))
            yield sourced.problem("workspace.not-narrower", (*place, position), message, expected)


def _of_use(sourced: Sourced[Plan], place: Place, use: ClaimUse, house: _House) -> Iterator[Problem]:
    checks = house.parts.checks
    check = checks.get(use.check)
    if check is None:
        if use.check not in house.parts.own_checks:
            message = _('there is no check "{name}"')
            yield _unknown(sourced, "workspace.unknown-check", (*place, "check"), message, use.check, checks)
        return
    for wrong in _of_threshold(check.metric, check.comparator, use.threshold):
        yield sourced.problem("workspace.threshold", (*place, "threshold"), *wrong)
    if use.alpha is not None and not 0 < use.alpha <= _LARGEST_ALPHA:
        message = _("{value} is no error level").format(value=f"{use.alpha:g}")
        expected = _("a number above 0 and at most {limit}").format(limit=_LARGEST_ALPHA)
        yield sourced.problem("workspace.alpha", (*place, "alpha"), message, expected)
    if _is_shipped_for_own_data(check, house):
        for misfit in _of_data(check, house):
            message = _("the check {check}: {problem}").format(check=check.id, problem=misfit.message)
            yield sourced.problem(misfit.code, (*place, "check"), message, misfit.expected, misfit.hint)


def _is_shipped_for_own_data(check: Check, house: _House) -> bool:
    """Tell whether a check of the catalog reads a file of the workspace; the catalog's own data are tested with it."""
    shipped = check.id not in house.parts.own_checks.records
    return shipped and check.data is not None and not (check.data.file or PREFIX).startswith(PREFIX)


def _implements(sourced: Sourced[Plan], place: Place, names: tuple[str, ...], house: _House) -> Iterator[Problem]:
    own = f"{sourced.record.id}/"
    entries = [name for name in house.entries if not name.startswith(own)]
    for position, name in enumerate(names):
        if name not in entries and not (name in house.plans and place == ("implements",)):
            message = _('no other plan has an entry "{name}"')
            plan = name.partition("/")[0]
            known = [entry for entry in entries if entry.startswith(f"{plan}/")] or entries
            yield _unknown(sourced, "workspace.unknown-entry", (*place, position), message, name, known)


def _systems(sourced: Sourced[Plan], place: Place, names: tuple[Id, ...] | None, house: _House) -> Iterator[Problem]:
    for position, name in enumerate(names or ()):
        yield from _system(sourced, (*place, position), name, house)


def _system(sourced: Sourced[Any], place: Place, name: str, house: _House) -> Iterator[Problem]:
    if name not in house.parts.systems:
        message = _('there is no system "{name}"')
        yield _unknown(sourced, "workspace.unknown-system", place, message, name, house.parts.systems.records)


# actions/*.yaml


def _of_action(sourced: Sourced[Action], house: _House) -> Iterator[Problem]:
    action = sourced.record
    yield from _role(sourced, ("owner",), action.owner, house)
    for position, address in enumerate(action.addresses):
        yield from _of_address(sourced, ("addresses", position), address, house)
    if action.change is not None:
        yield from _of_change(sourced, house)
    if action.accept is not None:
        yield from _of_acceptance(sourced, action.accept.role, house)


def _of_address(sourced: Sourced[Action], place: Place, address: str, house: _House) -> Iterator[Problem]:
    path, _at, system = address.partition("@")
    unknown_system = list(_system(sourced, place, system, house))
    yield from unknown_system
    claim = house.claims.get(path)
    plan = path.partition("/")[0]
    if claim is None:
        if plan not in house.parts.plans.broken:
            near = [known for known in house.claims if known.startswith(f"{plan}/")]
            message = _('no plan makes the claim "{name}"')
            known = near or (f"{name}/…" for name in house.parts.plans.records)
            yield _unknown(sourced, "workspace.unknown-claim", place, message, path, known)
    elif not unknown_system and not claim.about(system):
        message = _('the claim is not about the system "{name}"').format(name=system)
        yield sourced.problem("workspace.unknown-claim", place, message)


def _of_change(sourced: Sourced[Action], house: _House) -> Iterator[Problem]:
    change = sourced.record.change
    if change is None:
        return
    yield from _system(sourced, ("change", "system"), change.system, house)
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
            yield _unknown(sourced, "workspace.unknown-component", place, message, name, sorted(known))


def _of_acceptance(sourced: Sourced[Action], role: str, house: _House) -> Iterator[Problem]:
    place = ("accept", "role")
    if house.accepting is not None and role not in house.accepting:
        if house.roles is not None and role in house.roles:
            message = _('the role "{name}" may not accept risk')
        else:
            message = _('there is no role "{name}" in shinrai.yaml')
        yield _unknown(sourced, "workspace.may-not-accept", place, message, role, house.accepting)
    for address in sourced.record.addresses:
        claim = house.claims.get(address.partition("@")[0])
        if claim is not None and claim.measure.owner == role:
            message = _('the role "{name}" owns the measure of {claim} and cannot accept its risk').format(
                name=role, claim=address
            )
            yield sourced.problem("workspace.owner-accepts", place, message, _("another role"))
