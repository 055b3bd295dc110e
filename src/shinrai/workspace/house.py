"""What the files of a workspace may name, each read once, and what is said where nothing bears a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.plugins import choose
from shinrai.records import IMPORT_FORMATS, Check, ClaimUse, Id, Item, Measure, Plan, PluginKind
from shinrai.source import Place, did_you_mean, listing, read_items
from shinrai.workspace.data import data_file
from shinrai.workspace.dialogues import TurnsOfData
from shinrai.workspace.hosts import AllowedHosts
from shinrai.workspace.parts import Parts, Sourced

__all__ = ["Claim", "House", "plugin_problems", "role_problems", "system_problems", "taken", "twice", "unknown"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and the measure that makes it."""

    measure: Measure
    use: ClaimUse

    def about(self, system: Id) -> bool:
        """Tell whether the claim is about a system, as far as names say."""
        return all(names is None or system in names for names in (self.measure.systems, self.use.systems))


class House:
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
        """The roles that may accept a risk; None where the list could not be read."""
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
    def claims(self) -> dict[str, Claim]:
        """Path → claim."""
        return {
            f"{sourced.record.id}/{goal.id}/{measure.id}/{use.name}": Claim(measure, use)
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


def unknown(  # noqa: PLR0917 - a Problem with its names
    sourced: Sourced[Any], code: str, place: Place, message: str, name: str, known: Iterable[str]
) -> Problem:
    """Say that nothing bears a name, with those that are borne and the one most like it.

    Parameters
    ----------
    sourced : Sourced
        The file that names it.
    code : str
        Of the problem.
    place : Place
        Where in the file.
    message : str
        With ``{name}`` for the name.
    name : str
        As written.
    known : iterable of str
        The valid names.
    """
    known = list(known)
    expected = _("one of: {names}").format(names=listing(known)) if known else None
    return sourced.problem(code, place, message.format(name=name), expected, did_you_mean(name, known))


def twice(values: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[int, T]]:
    """Give the values whose key was there before, with their positions."""
    seen: set[Hashable] = set()
    for position, value in enumerate(values):
        if key(value) in seen:
            yield position, value
        seen.add(key(value))


def taken(sourced: Sourced[Any], place: Place, name: str) -> Problem:
    """Say that something else has this id."""
    message = _('the id "{id}" is already taken').format(id=name)
    return sourced.problem("workspace.duplicate-id", place, message, _("an id of its own"))


def role_problems(sourced: Sourced[Any], place: Place, name: str, house: House) -> Iterator[Problem]:
    """Say so where shinrai.yaml lists roles and this is none of them."""
    if house.roles is not None and name not in house.roles:
        message = _('there is no role "{name}" in shinrai.yaml')
        yield unknown(sourced, "workspace.unknown-role", place, message, name, house.roles)


def system_problems(sourced: Sourced[Any], place: Place, name: str, house: House) -> Iterator[Problem]:
    """Say so where there is no system of this name."""
    if name not in house.parts.systems:
        message = _('there is no system "{name}"')
        yield unknown(sourced, "workspace.unknown-system", place, message, name, house.parts.systems.records)


def plugin_problems(
    sourced: Sourced[Any], place: Place, kind: PluginKind, name: str, house: House
) -> Iterator[Problem]:
    """Look for a plug-in without running it."""
    try:
        choose(kind, name, house.parts.root, shipped=IMPORT_FORMATS if kind == "importer" else ())
    except UsageError as error:
        yield sourced.problem(error.code, place, error.message, None, error.hint)
